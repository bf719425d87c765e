//! A decision in a fresh instance asks the kernel for nothing. The example `decisions` of the engine
//! makes as many as it is told to, and strace counts what all its threads ask for.

use std::io::ErrorKind;
use std::process::Command;

use countersign_tests::built;

const DECISIONS: i64 = 10_000;

/// What may differ between two runs of the same program: threads that start, the compiler's and the
/// clock's, meet one another at a lock or just miss it, which costs a few calls of futex. It is a call
/// in a thousand decisions; whatever a decision did itself would show as ten thousand.
const NOISE: i64 = DECISIONS / 1_000;

/// The least of so many runs stands: noise only ever adds.
const RUNS: usize = 3;

/// How many system calls `decisions` of the baseline, or of a guest that grows, take beyond those that
/// the same program makes without deciding.
fn made_by_decisions(guest: &[&str]) -> i64 {
    let least = |count: i64| (0..RUNS).map(|_| calls(count, guest)).min();
    let (some, none) = (least(DECISIONS), least(0));
    some.zip(none)
        .map(|(some, none)| some - none)
        .expect("INVARIANT: there is more than one run")
}

fn calls(count: i64, guest: &[&str]) -> i64 {
    let folder = tempfile::tempdir().expect("a folder for the count");
    let summary = folder.path().join("summary");
    let output = Command::new("strace")
        .args(["-f", "-c", "-o"])
        .arg(&summary)
        .arg(built("examples/decisions"))
        .arg(count.to_string())
        .args(guest)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            panic!("strace is missing: install it (on Debian: apt-get install strace)")
        }
        Err(error) => panic!("strace cannot be run: {error}"),
    };
    let said = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    assert_eq!(
        said.trim(),
        format!("{count} of {count} gated"),
        "{complaint}"
    );
    total(&std::fs::read_to_string(summary).expect("strace wrote its summary"))
}

/// The calls of the last line: `% time  seconds  usecs/call  calls  [errors]  total`.
fn total(summary: &str) -> i64 {
    let line = summary.lines().rfind(|line| line.ends_with(" total"));
    line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok())
        .unwrap_or_else(|| panic!("strace counted nothing:\n{summary}"))
}

#[test]
fn a_fresh_decision_makes_no_system_call() {
    let made = made_by_decisions(&[]);
    println!("system calls: 10,000 fresh decisions made {}", made.max(0));
    assert!(
        made.abs() <= NOISE,
        "10,000 fresh decisions made {made} system calls"
    );
}

#[test]
fn a_guest_that_grows_its_memory_is_seen() {
    let made = made_by_decisions(&["grows"]);
    assert!(
        made >= DECISIONS,
        "10,000 decisions that grow made only {made} system calls"
    );
}
