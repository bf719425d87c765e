//! Modules that mean harm: what each tries, what it gets, and what that may cost. Every one is refused with
//! a sentence when it is loaded, or denies its own decisions and no other, or gains nothing.

mod answers;
mod lies;
mod loads;
mod secrets;
mod speed;

use std::time::Instant;

use super::*;
use crate::guest::PEAK;

/// The memory that one module may have here.
const MEMORY: usize = 4 << 20;

/// A module and what must come of it.
pub(crate) struct Hostile {
    name: &'static str,
    tries: &'static str,
    component: Vec<u8>,
    answer: Answer,
    most: Cost,
}

#[derive(Debug)]
enum Answer {
    /// It is not loaded, with a sentence that begins so.
    Refused(&'static str),
    /// It is loaded, and what it fails with begins so.
    Denies(&'static str),
    /// What it tried gains it nothing: it has the same answer every time, which is this one.
    Decides(&'static str),
}

/// For loading it and for one decision together.
#[derive(Clone, Copy)]
struct Cost {
    time: Duration,
    /// The guest's, in bytes, as the host counts it.
    memory: usize,
}

/// It ends by itself: bounded generously, since others use the machine too.
const SOON: Cost = Cost {
    time: Duration::from_secs(5),
    // The last two pages are the host's own, for its snapshot.
    memory: MEMORY + crate::configuration::SNAPSHOT_BYTES,
};

/// The table's sandbox: the times of a host in production, and less memory.
fn sandbox() -> Engine {
    Engine::new(Limits {
        configure_time: Duration::from_millis(500),
        memory_bytes: MEMORY,
        instances: 16,
        ..Limits::default()
    })
    .expect("these limits are within bounds")
}

/// Another guest than the classifier, which decides so.
fn deciding(decide: &'static str) -> Guest {
    Guest {
        name: "bad",
        decide,
        ..Guest::default()
    }
}

/// [`deciding`], with more in its core module.
fn with(functions: &'static str, decide: &'static str) -> Guest {
    Guest {
        functions,
        ..deciding(decide)
    }
}

fn compiled(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_hostile_module_is_refused_or_denies_its_own_decisions_alone_and_the_host_goes_on() {
    let engine = sandbox();
    let good = prove(&engine, &Guest::default()).expect("it is sound");
    let honest = || judge(&[&good], &agent_mints()).ruling.effect();
    let all: Vec<Hostile> = loads::all().into_iter().chain(answers::all()).collect();
    for hostile in &all {
        PEAK.with(|peak| peak.set(0));
        let began = Instant::now();
        let said = attack(&engine, &good, hostile);
        let time = began.elapsed();
        let memory = PEAK.with(std::cell::Cell::get);
        println!(
            "hostile: {} | tried {} | answer {said} | time {} ms | memory {} KiB",
            hostile.name,
            hostile.tries,
            time.as_millis(),
            memory >> 10
        );
        assert!(time <= hostile.most.time, "{}: {time:?}", hostile.name);
        assert!(memory <= hostile.most.memory, "{}: {memory}", hostile.name);
        assert_eq!(honest(), "allow", "after {}", hostile.name);
    }
    println!("hostile: {} modules in the engine's table", all.len());
}

/// What became of it, after showing that it is what must become of it.
fn attack(engine: &Engine, good: &Arc<Proven>, hostile: &Hostile) -> String {
    let name = hostile.name;
    let proven = engine.prove(&hostile.component, &Settings::new());
    let proven = match (proven, &hostile.answer) {
        (Err(error), Answer::Refused(sentence)) => {
            let said = error.to_string();
            assert!(said.starts_with(sentence), "{name}: {said}");
            return format!("refused: {said}");
        }
        (Err(error), _) => panic!("{name}: {error}"),
        (Ok(_), Answer::Refused(sentence)) => {
            panic!("{name} is loaded and not refused: {sentence}")
        }
        (Ok(proven), _) => Arc::new(proven),
    };
    // As the classifier it is asked alone, and else beside an honest one, which stands at that name.
    let is_classifier = proven.id().name == "baseline";
    let ask = || match is_classifier {
        true => judge(&[&proven], &agent_mints()),
        false => judge(&[good, &proven], &agent_mints()),
    };
    let judgement = ask();
    match &hostile.answer {
        Answer::Denies(sentence) => {
            assert_eq!(judgement.ruling.effect(), "deny", "{name}");
            assert_eq!(judgement.ruling.policy(), proven.id().to_string(), "{name}");
            assert_eq!(judgement.ruling.ground().rule, "policy-failed", "{name}");
            let mut opinions = judgement.opinions.into_iter();
            let failure = opinions.find_map(|opinion| opinion.verdict.err());
            let failure = failure.expect("a denial because a policy failed has its failure");
            assert!(failure.starts_with(sentence), "{name}: {failure}");
            format!("denied: {failure}")
        }
        Answer::Decides(effect) => {
            assert_eq!(judgement.ruling.effect(), *effect, "{name}");
            for _ in 0..20 {
                assert_eq!(ask(), judgement, "{name}");
            }
            format!("{effect}, each time")
        }
        Answer::Refused(_) => unreachable!("it was loaded"),
    }
}
