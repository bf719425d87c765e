//! Modules that ask for tallies: they can be asked alone, and a host tells them what it counted.

use countersign_core::policy::{CallerClass, Tally, Verdict};
use countersign_core::ports::Judge as _;
use countersign_core::tally::TallyOf;

use super::*;

/// Denies from the third mint on.
fn counting() -> Guest {
    Guest {
        tally: Some("mints"),
        // The list of tallies begins at 120 of the request, and the count at 8 of each.
        decide: "(if (result i32)
                   (i32.ge_u (i32.load offset=8 (i32.load offset=120 (local.get $request))) (i32.const 3))
                   (then (global.get $deny)) (else (global.get $allow)))",
        ..Guest::default()
    }
}

fn question(tallies: &[(&str, u32)]) -> Question {
    let mut question = rows().next().expect("there is a row").question();
    question.tallies = tallies
        .iter()
        .map(|(name, count)| Tally::named(name, *count))
        .collect();
    question
}

#[test]
fn a_module_is_told_the_tallies_that_it_asks_for_and_0_where_there_is_none() {
    let module = prove(&engine(), &counting()).expect("it is sound");
    let names: Vec<&str> = module
        .manifest()
        .tallies
        .iter()
        .map(|tally| &*tally.name)
        .collect();
    assert_eq!(names, ["mints"]);
    let denies = |tallies: &[(&str, u32)]| {
        let reply = module.verdict_on(&question(tallies), CallerClass::Agent);
        matches!(reply.answer.expect("it answers"), Verdict::Deny(_))
    };
    assert!(denies(&[("deletions", 0), ("mints", 3)]));
    assert!(!denies(&[("mints", 2), ("deletions", 9)]));
    assert!(!denies(&[]));
}

#[test]
fn where_it_was_not_counted_nobody_is_asked_and_that_denies() {
    let module = prove(&engine(), &counting()).expect("it is sound");
    let set = PolicySet::check(vec![module], "baseline").expect("it stands");
    let wants = set.wants().to_vec();
    assert_eq!(wants.len(), 1);
    let generation = Generation::new(7, set);
    assert_eq!(generation.wants(), (7, wants.clone().into()));
    let effect = |tallies: Vec<Tally>| {
        let mut asked = question(&[]);
        asked.tallies = tallies;
        generation.judge(&asked).ruling.effect()
    };
    let counted = |count| {
        vec![Tally {
            of: TallyOf::Kind(wants[0].clone()),
            count,
        }]
    };
    assert_eq!(effect(counted(2)), "allow");
    assert_eq!(effect(counted(3)), "deny");
    assert_eq!(effect(Vec::new()), "deny", "as if it were none");
    assert_eq!(
        effect(vec![Tally::named("mints", 0)]),
        "deny",
        "of no host's"
    );
}
