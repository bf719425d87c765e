//! What decides, and how.

use countersign_core::exhaustive::rows;
use countersign_core::policy::{CallerClass, Credential, Properties, Value, Verdict};
use countersign_core::verb::Verb;

use super::guest::AGENT;
use super::*;
use crate::{Live, Mode};

#[test]
fn the_built_in_baseline_judges_without_database_or_server() {
    let engine = engine();
    let set = PolicySet::check(vec![baseline(&engine)], "baseline").expect("it covers every row");
    let live = Live::new(Generation::new(1, set));
    let judgement = live.judge(&agent_mints());
    assert_eq!(judgement.generation, 1);
    assert_eq!(judgement.class, CallerClass::Agent);
    assert_eq!(judgement.ruling.effect(), "gate");
    let person = row(Credential::VerifiedSession, Verb::OrgTokenMint).question();
    let judgement = live.judge(&person);
    assert_eq!(judgement.class, CallerClass::Human);
    assert_eq!(judgement.ruling.effect(), "allow");
}

#[test]
fn every_decision_starts_from_the_same_state() {
    let engine = engine();
    // It allows the first time that it is asked, and denies ever after.
    let counts = Guest {
        decide: "(global.set $count (i32.add (global.get $count) (i32.const 1)))
            (select (global.get $allow) (global.get $deny)
                (i32.eq (global.get $count) (i32.const 1)))",
        ..Guest::default()
    };
    let proven = prove(&engine, &counts).expect("it is sound");
    for _ in 0..3 {
        assert_eq!(judge(&[&proven], &agent_mints()).ruling.effect(), "allow");
    }
}

#[test]
fn decisions_start_from_what_configure_left_and_configure_runs_once() {
    let engine = engine();
    // It allows if `configure` ran exactly once, and remembers how many settings it was given.
    let guest = Guest {
        settings: vec![("strict", "true"), ("ttl", "900")],
        configure: "(global.set $count (i32.add (global.get $count) (local.get $len)))
            (i32.store (i32.const 64) (i32.const 42))
            (global.get $ok)",
        decide: "(select (global.get $allow) (global.get $deny)
            (i32.and (i32.eq (global.get $count) (i32.const 2))
                (i32.eq (i32.load (i32.const 64)) (i32.const 42))))",
        ..Guest::default()
    };
    for mode in [Mode::Snapshot, Mode::Reconfigured] {
        let proven = engine
            .prove_as(&guest.component(), &Settings::new(), mode)
            .expect("it is sound");
        assert_eq!(proven.mode(), mode);
        for _ in 0..2 {
            let ruling = judge(
                &[&Arc::new(proven_again(&engine, &guest, mode))],
                &agent_mints(),
            );
            assert_eq!(ruling.ruling.effect(), "allow", "{mode:?}");
        }
    }
}

fn proven_again(engine: &Engine, guest: &Guest, mode: Mode) -> Proven {
    let proven = engine.prove_as(&guest.component(), &Settings::new(), mode);
    proven.expect("it is sound")
}

#[test]
fn the_baseline_decides_alike_from_a_snapshot_and_configured_anew() {
    let engine = engine();
    let [snapshot, anew] = [Mode::Snapshot, Mode::Reconfigured].map(|mode| {
        let proven = engine.prove_as(BASELINE, &Settings::new(), mode);
        let proven = proven.expect("it is sound");
        assert_eq!(proven.mode(), mode);
        Arc::new(proven)
    });
    for row in rows() {
        let question = row.question();
        assert_eq!(
            judge(&[&snapshot], &question),
            judge(&[&anew], &question),
            "{}",
            row.key()
        );
    }
}

#[test]
fn a_component_that_cannot_be_written_anew_is_configured_for_each_decision() {
    let guest = Guest {
        functions: "(table 1 funcref) (func (table.set (i32.const 0) (ref.null func)))",
        configure: "(global.set $count (i32.const 5)) (global.get $ok)",
        decide: "(select (global.get $allow) (global.get $deny)
            (i32.eq (global.get $count) (i32.const 5)))",
        ..Guest::default()
    };
    let proven = prove(&engine(), &guest).expect("it is sound");
    assert_eq!(proven.mode(), Mode::Reconfigured);
    assert_eq!(judge(&[&proven], &agent_mints()).ruling.effect(), "allow");
}

#[test]
fn modules_are_handed_the_classifiers_class_and_the_strictest_verdict_stands() {
    let engine = engine();
    let classifier = prove(&engine, &Guest::default()).expect("it is sound");
    // It denies whom the classifier calls an agent, and its own classify is never asked.
    let other = Guest {
        name: "other",
        classify: "(unreachable)",
        decide: "(select (global.get $deny) (global.get $abstain)
            (i32.eq (i32.load8_u (i32.add (local.get $request) (i32.const 64))) (i32.const 1)))",
        ..Guest::default()
    };
    let other = prove(&engine, &other).expect("it is sound");
    let judgement = judge(&[&classifier, &other], &agent_mints());
    assert_eq!(judgement.class, CallerClass::Agent);
    assert_eq!(judgement.ruling.effect(), "deny");
    assert_eq!(judgement.ruling.policy(), "other@1.0.0");
}

#[test]
fn a_gate_that_demands_more_people_than_ever_agree_denies() {
    for (people, effect) in [(64, "gate"), (65, "deny"), (u32::MAX, "deny")] {
        let guest = Guest {
            decide: "(global.get $gate)",
            people,
            ..Guest::default()
        };
        let proven = prove(&engine(), &guest).expect("it is sound");
        let judgement = judge(&[&proven], &agent_mints());
        assert_eq!(judgement.ruling.effect(), effect, "{people}");
    }
}

#[test]
fn a_gate_arrives_with_its_quorums_and_lives() {
    let guest = Guest {
        decide: "(global.get $gate)",
        ..Guest::default()
    };
    let proven = prove(&engine(), &guest).expect("it is sound");
    let judgement = judge(&[&proven], &agent_mints());
    let Ok(Verdict::Gate(terms)) = &judgement.opinions[0].verdict else {
        panic!("{judgement:?}");
    };
    assert_eq!(terms.quorums[0].people, 2);
    assert_eq!((terms.pending_ttl, terms.grant_ttl), (Some(600), Some(60)));
    assert_eq!(terms.ground.rule, "by-hand");
}

#[test]
fn a_module_sees_the_time_and_the_context_that_it_asked_for_and_no_more() {
    let engine = engine();
    // Rounded to the minute, and exactly one fact of two.
    let asks = Guest {
        context: vec!["host.door"],
        clock_seconds: 60,
        decide: "(select (global.get $allow) (global.get $deny) (i32.and
            (i64.eq (i64.load (i32.add (local.get $request) (i32.const 112))) (i64.const 120000))
            (i32.eq (i32.load (i32.add (local.get $request) (i32.const 132))) (i32.const 1))))",
        ..Guest::default()
    };
    let does_not = Guest {
        decide: "(select (global.get $allow) (global.get $deny) (i32.and
            (i64.eqz (i64.load (i32.add (local.get $request) (i32.const 112))))
            (i32.eqz (i32.load (i32.add (local.get $request) (i32.const 132))))))",
        ..Guest::default()
    };
    let mut question = agent_mints();
    question.time = 123_456;
    question.context = Properties::new()
        .with("host.address", Value::Text("192.0.2.1".into()))
        .with("host.door", Value::Text("http".into()));
    for guest in [asks, does_not] {
        let proven = prove(&engine, &guest).expect("it is sound");
        assert_eq!(judge(&[&proven], &question).ruling.effect(), "allow");
    }
}

#[test]
fn notes_are_kept_with_the_decision_within_bounds_and_cannot_change_it() {
    let guest = Guest {
        decide: "(local $i i32)
            (call $write (i32.const 98304) (i32.const 30000))
            (loop $again
                (call $write (global.get $text) (i32.const 6))
                (local.set $i (i32.add (local.get $i) (i32.const 1)))
                (br_if $again (i32.lt_u (local.get $i) (i32.const 1000))))
            (global.get $allow)",
        ..Guest::default()
    };
    let proven = prove(&engine(), &guest).expect("it is sound");
    let judgement = judge(&[&proven], &agent_mints());
    assert_eq!(judgement.ruling.effect(), "allow");
    let notes = &judgement.opinions[0].notes;
    assert_eq!(notes.len(), Limits::default().notes);
    assert!(notes[0].len() <= Limits::default().note_bytes);
    assert_eq!(notes[1], "a note");
}

#[test]
fn what_the_classifier_notes_comes_before_its_decision() {
    let guest = Guest {
        classify: "(call $write (global.get $text) (i32.const 6)) (i32.const 1)",
        decide: "(call $write (global.get $text) (i32.const 1)) (global.get $allow)",
        ..Guest::default()
    };
    let proven = prove(&engine(), &guest).expect("it is sound");
    let judgement = judge(&[&proven], &agent_mints());
    assert_eq!(judgement.opinions[0].notes, ["a note", "a"]);
}

#[test]
fn a_caller_is_remembered_only_if_equal_in_everything() {
    let engine = engine();
    // It takes a caller whose role is admin for an agent, and any other for a service.
    let guest = Guest {
        classify: "(i32.add (i32.const 1) (i32.ne (local.get $role) (i32.const 3)))",
        ..Guest::default()
    };
    let proven = prove(&engine, &guest).expect("it is sound");
    let set = PolicySet::named(vec![proven], "baseline").expect("it is there");
    let live = Live::new(Generation::new(1, set));
    let admin = agent_mints();
    let mut reader = admin.clone();
    reader.subject.role = Role::Reader;
    for _ in 0..3 {
        assert_eq!(live.judge(&admin).class, CallerClass::Agent);
        assert_eq!(live.judge(&reader).class, CallerClass::Service);
    }
    let classes = crate::class::Classes::new();
    classes.remember(&admin.subject, CallerClass::Agent);
    let mut other = admin.subject.clone();
    other
        .properties
        .set("groups", Value::Texts(vec!["staff".into()]));
    assert_eq!(classes.get(&admin.subject), Some(CallerClass::Agent));
    assert_eq!(classes.get(&other), None);
}

#[test]
fn a_component_made_to_break_the_snapshot_is_configured_for_each_decision() {
    // The rewriting counts on every memory being shown, and this one is in a module without exports.
    let guest = Guest {
        import: "(core module $hidden (memory 1) (global (mut i32) (i32.const 0)))
            (core instance (instantiate $hidden))",
        ..Guest::default()
    };
    let proven = prove(&engine(), &guest).expect("it is sound");
    assert_eq!(proven.mode(), Mode::Reconfigured);
    assert_eq!(judge(&[&proven], &agent_mints()).ruling.effect(), "allow");
}

#[test]
fn two_threads_judge_at_once_and_a_swap_never_mixes_generations() {
    let engine = engine();
    let [allows, denies] = ["(global.get $allow)", "(global.get $deny)"].map(|decide| {
        let guest = Guest {
            decide,
            classify: AGENT,
            ..Guest::default()
        };
        let proven = prove(&engine, &guest).expect("it is sound");
        PolicySet::named(vec![proven], "baseline").expect("it is there")
    });
    let live = Live::new(Generation::new(1, allows.clone()));
    std::thread::scope(|scope| {
        let judges: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let judgement = live.judge(&agent_mints());
                        let expected = ["deny", "allow"][judgement.generation as usize % 2];
                        assert_eq!(judgement.ruling.effect(), expected);
                    }
                })
            })
            .collect();
        for number in 2..200 {
            let set = [&allows, &denies][1 - number as usize % 2].clone();
            live.swap(Generation::new(number, set));
        }
        for judge in judges {
            judge.join().expect("no judge panics");
        }
    });
    assert_eq!(live.generation().number(), 199);
}

#[test]
fn a_set_that_leaves_a_verb_to_abstention_is_refused_with_the_row() {
    let engine = engine();
    let abstains = Guest {
        decide: "(global.get $abstain)",
        ..Guest::default()
    };
    let proven = prove(&engine, &abstains).expect("it is sound");
    let error = PolicySet::check(vec![proven], "baseline").expect_err("it abstains");
    let first = rows().next().expect("there are rows");
    assert_eq!(
        error,
        LoadError::Uncovered {
            verb: first.verb.to_string(),
            row: first.key()
        }
    );
}

#[test]
fn a_set_needs_its_classifier_and_names_of_its_own() {
    let engine = engine();
    let one = prove(&engine, &Guest::default()).expect("it is sound");
    let check = |modules| PolicySet::check(modules, "baseline").expect_err("it is no set");
    assert_eq!(check(vec![]), LoadError::NoClassifier("baseline".into()));
    assert_eq!(
        check(vec![one.clone(), one]),
        LoadError::SameName("baseline".into())
    );
}

#[test]
fn a_judgement_says_how_long_each_module_took_and_all_of_them_together() {
    let engine = engine();
    let slow = Guest {
        name: "slow",
        decide: "(loop $on
            (global.set $count (i32.add (global.get $count) (i32.const 1)))
            (br_if $on (i32.lt_u (global.get $count) (i32.const 2000000))))
            (global.get $abstain)",
        ..Guest::default()
    };
    let slow = prove(&engine, &slow).expect("it is sound");
    let baseline = baseline(&engine);
    let tells_apart = |_| {
        let judgement = judge(&[&baseline, &slow], &agent_mints());
        let took = |at: usize| judgement.opinions[at].took.micros().expect("measured");
        let (quick, slow) = (took(0), took(1));
        let total = judgement.took.micros().expect("measured");
        // Each is rounded down, and what is between them is the host's.
        assert!(quick + slow <= total, "{judgement:?}");
        quick < slow && total < 2 * slow
    };
    // A machine that is busy elsewhere may hold up the quick one.
    assert!((0..100).any(tells_apart));
}
