//! Modules that ask for tallies: they can be asked alone, and no host keeps the counts for them yet.

use countersign_core::policy::{CallerClass, Tally, Verdict};

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
        .map(|(name, count)| Tally {
            name: (*name).to_owned(),
            count: *count,
        })
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
fn a_set_with_a_module_that_asks_for_tallies_does_not_stand() {
    let module = prove(&engine(), &counting()).expect("it is sound");
    let error = PolicySet::check(vec![module], "baseline").expect_err("nobody counts");
    assert_eq!(
        error.to_string(),
        "module `baseline` asks for the tally `mints`, and this host keeps none yet"
    );
}
