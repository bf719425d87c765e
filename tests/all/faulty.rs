//! The faulty modules by which those who look for faults are measured: each has the fault that the list says,
//! shows it when it is triggered, and is otherwise the honest module.

mod hidden;
pub mod set;
mod verify;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_core::exhaustive;
use countersign_engine::{Engine, Limits, Settings, Warm};
use countersign_lab::cases::Case;
use countersign_lab::module::{Answered, Module};
use countersign_lab::run::Runner;
use countersign_lab::table::Answer;

use set::{Fault, FoundBy};

/// One in which a decision may take so long. A machine that is busy with other tests is slow, and a thousand
/// questions to one instance are one decision.
fn engine(decide_time: Duration) -> Engine {
    let limits = Limits {
        decide_time,
        judge_time: decide_time * 2,
        ..Limits::default()
    };
    Engine::new(limits).expect("these limits are within their bounds")
}

const MOMENT: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(10);

fn module(engine: &Engine, component: &[u8]) -> Result<Module, String> {
    let proven = engine.prove(component, &Settings::new());
    let proven = proven.map_err(|error| error.to_string())?;
    Module::new(engine, proven).map_err(|error| error.to_string())
}

/// An honest module, and what it answers to the rows of the exhaustive table.
struct Honest {
    module: Module,
    answers: Vec<Result<Answer, String>>,
}

impl Honest {
    fn new(engine: &Engine, component: &[u8]) -> Self {
        let module = module(engine, component).expect("an honest module proves");
        let answers = answers(&module).collect();
        Self { module, answers }
    }
}

/// What `module` answers to the rows of the exhaustive table.
fn answers(module: &Module) -> impl Iterator<Item = Result<Answer, String>> {
    exhaustive::rows().map(|row| {
        let answered = module.answer(&row.question(), None);
        Ok(Answer::new(answered.class?, &answered.verdict?))
    })
}

/// What stands in the way of using `fault`, if anything does.
fn examine(engine: &Engine, fault: &Fault, honest: &Honest) -> Result<(), String> {
    let faulty = module(engine, &fault.component())?;
    let trigger = fault.trigger();
    if asked(engine, &honest.module, fault, &trigger)? {
        return Err("the honest module passes the trigger as well".to_owned());
    }
    if !asked(engine, &faulty, fault, &trigger)? {
        return Err("the trigger does not show it".to_owned());
    }
    for ((row, faulty), honest) in exhaustive::rows()
        .zip(answers(&faulty))
        .zip(&honest.answers)
    {
        let key = row.key();
        let listed = fault.rows.iter().any(|pattern| fits(pattern, &key));
        if listed != (faulty != *honest) {
            return Err(format!("listed is {listed}: {key}: {honest:?}, {faulty:?}"));
        }
    }
    Ok(())
}

/// Whether `module` answers the trigger as is expected of the faulty one.
fn asked(engine: &Engine, module: &Module, fault: &Fault, trigger: &Case) -> Result<bool, String> {
    let before = fault.before();
    if fault.warm.is_none() && before.is_none() {
        return Ok(Runner::new(engine, module.clone()).run(trigger).passed());
    }
    let mut warm = Warm::new(module.proven())?;
    let earlier = std::iter::repeat_n(trigger, fault.warm.map_or(0, |times| times - 1));
    for case in before.iter().chain(earlier) {
        let answered = ask(&mut warm, case)?;
        if trigger.expected.mismatches(&answered).is_empty() && before.is_none() {
            return Err("it shows earlier than is said".to_owned());
        }
    }
    let answered = ask(&mut warm, trigger)?;
    Ok(trigger.expected.mismatches(&answered).is_empty())
}

fn ask(warm: &mut Warm<'_>, case: &Case) -> Result<Answered, String> {
    let variants = case.given.variants()?;
    let question = &variants[0].question;
    let class = warm.classify(question)?;
    Ok(Answered {
        class: Ok(class),
        verdict: warm.decide(question, class),
        notes: Vec::new(),
    })
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|text| {
            (0..=text.len()).any(|at| text.get(at..).is_some_and(|text| fits(rest, text)))
        }),
    }
}

#[test]
fn each_faulty_module_shows_its_fault_and_is_otherwise_the_honest_one() {
    let faults = Fault::all();
    let began = Instant::now();
    let components: usize = faults.iter().map(|fault| fault.component().len()).sum();
    let built = began.elapsed();
    let (engine, patient) = (engine(MOMENT), engine(PATIENCE));
    let by_hand = faults.iter().find(|fault| fault.is_by_hand());
    let by_hand = Honest::new(&patient, &by_hand.expect("some are by hand").honest());
    let baseline = Honest::new(&patient, countersign_engine::BASELINE);
    let next = AtomicUsize::new(0);
    let examined = || {
        let mut wrong = Vec::new();
        while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            let honest = match fault.is_by_hand() {
                true => &by_hand,
                false => &baseline,
            };
            let engine = match fault.warm {
                Some(_) => &patient,
                None => &engine,
            };
            if let Err(why) = examine(engine, fault, honest) {
                println!("{}: {why}", fault.name);
                wrong.push(format!(
                    "{}: {} ({}): {why}",
                    fault.name, fault.does, fault.kind
                ));
            }
        }
        wrong
    };
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let other = scope.spawn(examined);
        let mut wrong = examined();
        wrong.extend(other.join().expect("the other thread ends"));
        wrong
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let count = |by| faults.iter().filter(|fault| fault.found_by == by).count();
    println!(
        "faulty modules: {} ({} by hand), {components} bytes, built in {built:.0?}; {} show in the table, {} \
         to a search, {} to one that sees coverage, {} to nobody",
        faults.len(),
        faults.iter().filter(|fault| fault.is_by_hand()).count(),
        count(FoundBy::Table),
        count(FoundBy::Search),
        count(FoundBy::Coverage),
        count(FoundBy::Nobody),
    );
}

#[test]
fn the_list_names_every_fault_of_the_crate_once_and_each_has_a_component_of_its_own() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/faulty/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).expect("the crate has a manifest");
    let manifest: toml::Table = toml::from_str(&manifest).expect("it is TOML");
    let features = manifest["features"].as_table().expect("it has features");
    let features: BTreeSet<&str> = features.keys().map(String::as_str).collect();
    let faults = Fault::all();
    let in_rust = faults.iter().filter(|fault| !fault.is_by_hand());
    let listed: Vec<&str> = in_rust.clone().map(|fault| fault.name.as_str()).collect();
    assert_eq!(BTreeSet::from_iter(listed.iter().copied()), features);
    assert_eq!(listed.len(), features.len(), "one is listed twice");
    let components: BTreeSet<Vec<u8>> = faults.iter().map(Fault::component).collect();
    assert_eq!(components.len(), faults.len());
    assert!(faults.len() >= 30);
    // The crate with no fault at all is the baseline, by another name.
    let engine = engine(MOMENT);
    let none = module(&engine, &set::built_with(None)).expect("it proves");
    let baseline = module(&engine, countersign_engine::BASELINE).expect("it proves");
    for row in exhaustive::rows() {
        let answer = |module: &Module| module.answer(&row.question(), None);
        assert_eq!(answer(&none), answer(&baseline), "{}", row.key());
    }
}
