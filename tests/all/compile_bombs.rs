//! Components that are made to use the compiler up. They are compiled in a process of their own, whose time
//! and memory are bounded, and decisions go on meanwhile.

use std::fmt::Write as _;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use countersign_core::exhaustive::rows;
use countersign_core::policy::{Credential, Question, Role};
use countersign_core::ports::Judge as _;
use countersign_core::verb::Verb;
use countersign_engine::{
    BASELINE, CLASSIFIER, Compiler, Engine, Generation, Limits, Live, LoadError, PolicySet,
    Settings,
};
use countersign_tests::built;
use countersign_tests::guest::Guest;

const MIB: usize = 1 << 20;

/// A smaller bound than a host has, so that the bombs end while somebody watches.
fn limits() -> Limits {
    Limits {
        compile_time: Duration::from_secs(1),
        compile_bytes: 256 * MIB,
        code_bytes: 128 * MIB,
        ..Limits::default()
    }
}

/// What the compiler's process may have beyond its limit: its program, which is mapped and not allocated.
const PROGRAM: usize = 128 * MIB;

/// The clock's bound is twice the processor's, for each of the times that one file is compiled; starting and
/// ending take time as well, and on a busy machine all of it takes longer.
const SOON: Duration = Duration::from_secs(3 * 2 + 14);

/// An honest decision beside a bomb takes at most so many times what it takes alone, or is at speed anyway.
const FACTOR: u32 = 5;
const AT_SPEED: Duration = Duration::from_micros(500);

struct Bomb {
    name: &'static str,
    tries: &'static str,
    component: Vec<u8>,
    /// Whether this is what must become of it.
    is_refused: fn(&LoadError) -> bool,
}

fn is_too_much(error: &LoadError) -> bool {
    matches!(
        error,
        LoadError::CompileTime(1) | LoadError::CompileMemory(_)
    )
}

fn is_no_component(error: &LoadError) -> bool {
    matches!(error, LoadError::Compile(_))
}

fn bombs() -> Vec<Bomb> {
    vec![
        Bomb {
            name: "bomb-of-one-function",
            tries: "200,000 values that all live at once",
            component: with(&one_function(200_000)),
            is_refused: is_too_much,
        },
        Bomb {
            name: "bomb-of-functions",
            tries: "200,000 functions",
            component: with(&functions(200_000)),
            is_refused: is_too_much,
        },
        Bomb {
            name: "bomb-of-branches",
            tries: "branches to a million places",
            component: with(&branches(40, 25_000)),
            is_refused: is_too_much,
        },
        Bomb {
            name: "bomb-of-images",
            tries: "64 memories of 64 MiB in a file of some kilobytes",
            component: images(64),
            is_refused: is_too_much,
        },
        Bomb {
            name: "bomb-of-components",
            tries: "60,000 components in one another",
            component: components_in_one_another(60_000),
            is_refused: is_too_much,
        },
        Bomb {
            name: "bomb-of-locals",
            tries: "40,000 locals in each of 200 functions",
            component: with(&format!("(func (local {}))", "v128 ".repeat(40_000)).repeat(200)),
            is_refused: is_too_much,
        },
        Bomb {
            name: "bomb-of-blocks",
            tries: "300,000 blocks in one another",
            component: nested_blocks(300_000),
            is_refused: |error| is_too_much(error) || is_no_component(error),
        },
    ]
}

#[test]
fn a_compile_bomb_ends_within_its_time_and_memory_and_decisions_go_on() {
    let compiler = Compiler::Apart {
        program: built("countersign"),
    };
    let engine = Engine::with_compiler(limits(), compiler).expect("these limits are in bounds");
    let baseline = engine.prove(BASELINE, &Settings::new());
    let baseline = baseline.expect("the compiler's process works");
    let set = PolicySet::check(vec![baseline.into()], CLASSIFIER).expect("it covers every row");
    let live = Live::new(Generation::new(1, set));
    let alone = median(&live, || true);
    for bomb in bombs() {
        let began = Instant::now();
        let (error, memory, beside) = std::thread::scope(|scope| {
            let proving = scope.spawn(|| engine.prove(&bomb.component, &Settings::new()));
            let (over, is_over) = mpsc::channel::<()>();
            let watching = scope.spawn(move || peak_of_compiler(&is_over));
            let beside = median(&live, || proving.is_finished());
            let error = proving.join().expect("it does not panic");
            drop(over);
            (error, watching.join().expect("it does not panic"), beside)
        });
        let took = began.elapsed();
        let error = error.err();
        let said = error
            .as_ref()
            .map_or("compiled".to_owned(), LoadError::to_string);
        println!(
            "hostile: {} | tried {} ({} bytes) | answer {said} | time {} ms | memory {} KiB in the compiler's process",
            bomb.name,
            bomb.tries,
            bomb.component.len(),
            took.as_millis(),
            memory >> 10
        );
        let times = beside.as_secs_f64() / alone.as_secs_f64();
        println!(
            "hostile speed: beside {} an honest decision takes {beside:?}, {times:.1} times the {alone:?} alone",
            bomb.name
        );
        assert!(took < SOON, "{}: {took:?}", bomb.name);
        assert!(
            memory < limits().compile_bytes + PROGRAM,
            "{}: {memory}",
            bomb.name
        );
        assert!(
            beside <= (alone * FACTOR).max(AT_SPEED),
            "{}: {beside:?}",
            bomb.name
        );
        assert!(
            error.as_ref().is_none_or(bomb.is_refused),
            "{}: {said}",
            bomb.name
        );
    }
}

#[test]
fn what_breaks_the_compiler_says_so() {
    let prove = |program: &str| {
        let compiler = Compiler::Apart {
            program: program.into(),
        };
        let engine = Engine::with_compiler(limits(), compiler).expect("these limits are in bounds");
        let proven = engine.prove(BASELINE, &Settings::new());
        proven.expect_err("that is no compiler").to_string()
    };
    assert!(prove("/no/such/program").starts_with("the compiler cannot be started: "));
    assert!(prove("/bin/false").starts_with("the compiler broke down over it (exit status: 1)"));
    assert!(prove("/bin/true").starts_with("the compiler broke down over it (it says nothing)"));
}

/// An agent that asks for a token.
fn question() -> Question {
    let mut rows = rows();
    let row = rows.find(|row| {
        row.credential == Credential::OrgToken
            && row.verb == Verb::OrgTokenMint
            && row.role == Role::Admin
    });
    row.expect("the table has it").question()
}

/// The median of honest judgements, which are made until `is_over` and some hundred times at least.
fn median(live: &Live, is_over: impl Fn() -> bool) -> Duration {
    let question = question();
    let mut times = Vec::new();
    let mut starved = 0;
    while times.len() < 500 || !is_over() {
        let began = Instant::now();
        let judgement = live.judge(&question);
        times.push(began.elapsed());
        // A busy machine may leave a thread without a processor for all the time that a decision has.
        if judgement.ruling.ground().rule == "policy-failed" {
            starved += 1;
            continue;
        }
        assert_eq!(judgement.ruling.effect(), "gate", "{judgement:?}");
    }
    assert!(starved * 100 <= times.len(), "{starved} of {}", times.len());
    times.sort();
    times[times.len() / 2]
}

/// The most memory that this process's compiler had at any time, looked at until `is_over`.
fn peak_of_compiler(is_over: &mpsc::Receiver<()>) -> usize {
    let mut peak = 0;
    while is_over.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
        peak = peak.max(
            compilers()
                .filter_map(|pid| resident(&pid))
                .max()
                .unwrap_or(0),
        );
    }
    peak
}

/// The compilers that are children of this process.
fn compilers() -> impl Iterator<Item = String> {
    let this = format!("PPid:\t{}\n", std::process::id());
    let all = std::fs::read_dir("/proc").expect("this is Linux").flatten();
    let pids = all.filter_map(|entry| entry.file_name().into_string().ok());
    pids.filter(move |pid| {
        let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        line.contains("compile-policy-component") && status.contains(&this)
    })
}

/// The most memory that a process had so far.
fn resident(pid: &str) -> Option<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: usize = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

/// A policy with `functions` in its core module.
fn with(functions: &str) -> Vec<u8> {
    Guest {
        name: "bomb",
        functions: functions.to_owned().leak(),
        ..Guest::default()
    }
    .component()
}

/// Values that all live until the end, so that the allocator of registers has much to weigh.
fn one_function(values: usize) -> String {
    let mut body = String::from("(func (param i64) (result i64)");
    for n in 0..values {
        let _ = write!(body, "(i64.mul (local.get 0) (i64.const {n}))");
    }
    for _ in 1..values {
        body.push_str("i64.xor ");
    }
    body + ")"
}

fn functions(count: usize) -> String {
    "(func (param i32) (result i32) (i32.add (local.get 0) (i32.const 7)))".repeat(count)
}

fn branches(functions: usize, places: usize) -> String {
    let mut labels = String::new();
    for n in 0..places {
        let _ = write!(labels, "{} ", n % 7);
    }
    let blocks = ["(block "; 8].concat();
    let function = format!(
        "(func (param i32) {blocks} (br_table {labels} (local.get 0)) {})",
        ")".repeat(8)
    );
    function.repeat(functions)
}

/// A memory's image reaches from its first byte of data to its last, however little is between.
fn images(count: usize) -> Vec<u8> {
    let module =
        "(core module (memory 1024) (data (i32.const 0) \"a\") (data (i32.const 67108860) \"b\"))";
    Guest {
        name: "bomb",
        import: module.repeat(count).leak(),
        ..Guest::default()
    }
    .component()
}

const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// Deeper than the text format allows, so it is made of bytes.
fn components_in_one_another(depth: usize) -> Vec<u8> {
    (0..depth).fold(COMPONENT.to_vec(), |inner, _| {
        [COMPONENT, &section(4, &inner)].concat()
    })
}

/// A core module with one function of nothing but blocks, in a component.
fn nested_blocks(depth: usize) -> Vec<u8> {
    let mut body = vec![0];
    body.extend([0x02, 0x40].repeat(depth));
    body.extend(vec![0x0b; depth + 1]);
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(10, &[&[1][..], &counted(&body)].concat()),
    ]
    .concat();
    [COMPONENT, &section(1, &module)].concat()
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id][..], &counted(content)].concat()
}

/// `content` after its length, which is written seven bits at a time.
fn counted(content: &[u8]) -> Vec<u8> {
    let mut length = content.len();
    let mut counted = Vec::with_capacity(length + 5);
    while length >= 0x80 {
        counted.push(length as u8 | 0x80);
        length >>= 7;
    }
    counted.push(length as u8);
    counted.extend(content);
    counted
}
