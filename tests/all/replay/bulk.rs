//! As many decisions as a host makes in weeks: how long it takes to ask them again, and how much memory.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use countersign_tests::CommandLine;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::lived::Lived;
use super::{count, decisions};

/// How many decisions, unless COUNTERSIGN_REPLAYED says it.
const MANY: u64 = 4_000;
const VERY_MANY: u64 = 100_000;
/// A build that is not optimised asks some thousands a second.
const PATIENCE: Duration = Duration::from_secs(600);
/// More memory than this would grow with them: two batches of lines, the modules, and the program.
const MOST_MEMORY: u64 = 400 << 20;

fn wanted() -> u64 {
    let named = std::env::var_os("COUNTERSIGN_REPLAYED").and_then(|n| n.to_str()?.parse().ok());
    let is_long = std::env::var_os("COUNTERSIGN_LONG").is_some();
    named.unwrap_or(if is_long { VERY_MANY } else { MANY })
}

/// An export that repeats what policies decided in `export` until there are so many, each with an id of its own.
fn repeated(export: &str, wanted: u64, out: &File) -> std::io::Result<()> {
    let lines: Vec<&str> = export.lines().collect();
    let made: Vec<Value> = decisions(export)
        .into_iter()
        .filter(|one| one["policy_generation"] != 0)
        .collect();
    let id = |number: u64| format!("01890a5d-ac96-774b-8000-{number:012x}");
    let mut digest = Sha256::new();
    let mut out = BufWriter::new(out);
    let mut write = |line: String| {
        let line = format!("{line}\n");
        digest.update(line.as_bytes());
        out.write_all(line.as_bytes())
    };
    let mut head: Value = serde_json::from_str(lines[0]).expect("JSON");
    head["newest"] = json!(id(wanted - 1));
    write(head.to_string())?;
    for line in &lines {
        if line.starts_with(r#"{"generation""#) || line.starts_with(r#"{"component""#) {
            write((*line).to_owned())?;
        }
    }
    let texts: Vec<(String, &str)> = made
        .iter()
        .map(|one| (one.to_string(), one["id"].as_str().expect("text")))
        .collect();
    for (number, (text, old)) in (0..wanted).rev().zip(texts.iter().cycle()) {
        write(text.replacen(old, &id(number), 1))?;
    }
    let sha256: String = digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let end = json!({ "decisions": wanted, "oldest": id(0), "sha256": sha256 });
    writeln!(out, "{}", json!({ "end": end }))?;
    out.flush()
}

/// The most memory that a process had, in bytes, by the kernel's word. It has it no more when it has ended.
async fn most_memory(process: u32) -> u64 {
    let mut look = tokio::time::interval(Duration::from_millis(50));
    let mut most = 0;
    while let Some(memory) = memory(process) {
        most = memory;
        look.tick().await;
    }
    most
}

fn memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

#[tokio::test]
async fn many_decisions_take_no_more_memory_than_few_and_somebody_who_waits_is_told() {
    let lived = Lived::a_little().await;
    let path = lived.path("some.jsonl");
    let export = ["decision", "export", "--with-modules", "--out", &path];
    lived.person.run(&export).await.expect(0);
    let text = fs::read_to_string(&path).expect("it was written");
    let person = CommandLine::new();
    let many = person.folder().join("many.jsonl");
    let wanted = wanted();
    let file = File::create(&many).expect("it can be made");
    repeated(&text, wanted, &file).expect("it can be written");

    let many = many.display().to_string();
    let begun = Instant::now();
    let running = person.start(&["policy", "replay", &many, "--json"]);
    let process = running.process_id();
    let (said, memory) = tokio::join!(running.end_within(PATIENCE), most_memory(process));
    let said = said.expect(0);
    let took = begun.elapsed();
    let report = said.json();
    assert_eq!(
        (count(&report, "decisions"), count(&report, "same")),
        (wanted, wanted)
    );
    println!(
        "replay: {wanted} decisions in {:.1} s, {:.0} a second, {} MiB at most",
        took.as_secs_f64(),
        wanted as f64 / took.as_secs_f64(),
        memory >> 20
    );
    assert!(memory < MOST_MEMORY, "{memory}");
    if took.as_secs() > 3 {
        said.says(&["decisions,", "% of the file"]);
    }
}
