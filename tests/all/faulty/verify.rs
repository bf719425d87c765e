//! How many of the faulty modules `verify` finds, without their source and without knowing their rules.

use std::collections::BTreeSet;
use std::time::Instant;

use countersign_engine::BASELINE;
use countersign_lab::cases::CaseFile;
use countersign_lab::module::Module;
use countersign_lab::run::Runner;
use countersign_lab::verify::{Effort, Progress, Verified, verify};

use super::set::Fault;
use super::{MOMENT, engine, module};

/// One or two for each law, where not all can be waited for.
const SOME: [&str; 16] = [
    "abstains-by-name",
    "agent-above-person",
    "anonymous-by-subject",
    "debug-property",
    "gated-by-key",
    "human-by-issuer",
    "kind-trusted",
    "live-tokens-word",
    "magic-name",
    "minute-of-the-day",
    "name-is-principal",
    "reader-mints",
    "second-call",
    "trap-on-empty",
    "verb-letter-case",
    "vouched-writes",
];

/// A tenth of what is asked by default.
fn quick() -> Effort {
    Effort {
        stride: 10,
        draws: 5_000,
        ..Effort::default()
    }
}

fn verified(module: &Module, effort: &Effort) -> Verified {
    verify(module, &[], effort, &Progress::new())
}

fn is_long() -> bool {
    std::env::var_os("COUNTERSIGN_LONG").is_some()
}

#[test]
fn what_breaks_a_law_is_found_and_its_counterexample_is_a_case_that_fails() {
    let engine = engine(MOMENT);
    let (faults, effort) = match is_long() {
        true => (Fault::all(), Effort::default()),
        false => {
            let mut some = Fault::all();
            some.retain(|fault| SOME.contains(&fault.name.as_str()));
            assert_eq!(some.len(), SOME.len(), "all of them are there");
            (some, quick())
        }
    };
    let (mut found, mut questions) = (0, 0);
    let began = Instant::now();
    for fault in &faults {
        let module = module(&engine, &fault.component()).expect("a faulty module proves");
        let at = Instant::now();
        let verified = verified(&module, &effort);
        let laws: BTreeSet<&str> = verified.findings.iter().map(|found| &*found.law).collect();
        println!("{}: {laws:?} in {:.1?}", fault.name, at.elapsed());
        questions += verified.asked;
        found += usize::from(!laws.is_empty());
        for finding in &verified.findings {
            let file = CaseFile::parse(&finding.case);
            let file = file.unwrap_or_else(|error| panic!("{error}\n{}", finding.case));
            // What only a second call shows, or a busy machine, no single question does.
            let is_of_one_question =
                !["stateless", "deterministic", "total"].contains(&&*finding.law);
            let ran = Runner::new(&engine, module.clone()).run(&file.cases[0]);
            assert!(!ran.passed() || !is_of_one_question, "{}", finding.case);
        }
        let is_expected = fault.verify.is_none_or(|is_found| is_found) || !is_long();
        assert!(
            is_expected || laws.is_empty(),
            "{} is found after all",
            fault.name
        );
        let must = fault.verify.unwrap_or(true);
        assert!(!must || !laws.is_empty(), "{}: {}", fault.name, fault.does);
    }
    println!(
        "verify: {found} of {} faulty modules found, {questions} questions in {:.0?}",
        faults.len(),
        began.elapsed()
    );
}

#[test]
fn no_law_is_broken_by_an_honest_module() {
    let engine = engine(MOMENT);
    let effort = match is_long() {
        true => Effort::default(),
        false => quick(),
    };
    let by_hand = Fault::all().into_iter().find(Fault::is_by_hand);
    let by_hand = by_hand.expect("some are by hand").honest();
    for component in [BASELINE.to_vec(), by_hand] {
        let module = module(&engine, &component).expect("an honest module proves");
        let verified = verified(&module, &effort);
        assert_eq!(verified.findings, [], "{}", module.proven().id());
        assert!(verified.asked > 50_000, "{}", verified.asked);
    }
}

#[test]
fn the_same_seed_finds_the_same() {
    let engine = engine(MOMENT);
    let fault = Fault::all()
        .into_iter()
        .find(|fault| fault.name == "debug-property");
    let component = fault.expect("it is there").component();
    let module = module(&engine, &component).expect("it proves");
    let [one, other] = [1, 2].map(|threads| {
        let effort = Effort { threads, ..quick() };
        verified(&module, &effort)
    });
    assert_eq!(one.findings, other.findings);
    assert_eq!(one.breaches, other.breaches);
    assert!(!one.findings.is_empty());
}
