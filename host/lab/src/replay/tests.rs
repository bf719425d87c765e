use countersign_core::policy::{CallerClass, Ground, Terms, Verdict};
use countersign_core::verdict::{Opinion, fold};
use countersign_engine::{BASELINE, Limits};
use serde_json::{Value, json};

use super::*;

/// Keeps the baseline, or nothing.
struct Shelf(Option<KeptModule>);

impl Kept for Shelf {
    fn generation(&mut self, number: u64) -> Result<Vec<KeptModule>, String> {
        let kept = self.0.clone();
        kept.map(|one| vec![one])
            .ok_or_else(|| format!("nobody kept {number}"))
    }
}

fn engine() -> Engine {
    Engine::new(Limits::default()).expect("the default limits hold")
}

fn baseline(engine: &Engine) -> Shelf {
    let id = engine.describe(BASELINE).expect("it is one");
    Shelf(Some(KeptModule {
        id,
        settings: Settings::new(),
        bytes: Ok(BASELINE.to_vec()),
    }))
}

fn replayed(engine: &Engine, kept: &mut Shelf, records: Vec<Record>) -> Report {
    let mut replay = Replay::new(engine, kept, Under::Recorded);
    for record in records {
        replay.take(record);
    }
    replay.end()
}

/// A decision as it is exported: an agent that asks for a token.
fn line(module: &ModuleId, verdict: Result<Verdict, String>) -> Value {
    let opinions = vec![Opinion {
        module: module.clone(),
        verdict,
        notes: Vec::new(),
    }];
    json!({
        "id": "01890a5d-ac96-774b-bcce-b302099a8057",
        "at": "2026-01-01T00:00:00Z",
        "class": "agent",
        "policy_generation": 1,
        "ruling": fold(&opinions),
        "opinions": opinions,
        // Of an earlier vocabulary: no workspace, no properties, no tallies, no context.
        "question": {
            "subject": { "credential": "admin-token", "role": "admin", "actor": "admin-token" },
            "verb": "org_token_list",
        },
        "a member of a later version": true,
    })
}

fn record(line: &Value) -> Record {
    serde_json::from_value(line.clone()).expect("it is a decision")
}

fn open() -> Verdict {
    Verdict::Allow(Ground::new("open-to-agents", "agents need nobody for this"))
}

#[test]
fn a_decision_of_an_earlier_vocabulary_is_asked_again_and_one_that_differs_is_shown() {
    let engine = engine();
    let mut kept = baseline(&engine);
    let module = kept.0.as_ref().expect("INVARIANT: it is kept").id.clone();
    let same = record(&line(&module, Ok(open())));
    let denied = Verdict::Deny(Ground::new("made-up", "nobody ever said so"));
    let other = record(&line(&module, Ok(denied)));
    let mut alone = same.clone();
    alone.question = None;
    let report = replayed(&engine, &mut kept, vec![same, other, alone]);
    assert_eq!((report.decisions, report.same, report.by_core), (3, 1, 1));
    let [group] = &report.groups[..] else {
        panic!("{report:#?}")
    };
    assert_eq!(
        (&*group.before, &*group.after),
        ("deny (made-up)", "allow (open-to-agents)")
    );
    assert!(report.loosens());
}

#[test]
fn what_the_host_had_no_time_for_is_no_answer_of_the_module() {
    let engine = engine();
    let mut kept = baseline(&engine);
    let module = kept.0.as_ref().expect("INVARIANT: it is kept").id.clone();
    let moments = [
        "it ran for longer than it may",
        "too many policies are running at this moment",
        "its answers to this caller took so long that it is not asked for some seconds",
    ];
    let mut records: Vec<Record> = moments
        .iter()
        .map(|moment| record(&line(&module, Err((*moment).to_owned()))))
        .collect();
    records.push(record(&line(
        &module,
        Err("it gave up (unreachable)".to_owned()),
    )));
    let report = replayed(&engine, &mut kept, records);
    assert_eq!(
        report.had_no_time.as_ref().map(|sample| sample.count),
        Some(3)
    );
    assert_eq!((report.same, report.changed()), (0, 1));
}

/// What an operator set is not in an export, and stands in what was recorded.
#[test]
fn a_life_that_a_gate_left_to_the_host_is_as_long_as_it_was_there() {
    let gate = |name: &str, pending_ttl| Opinion {
        module: ModuleId {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            digest: String::new(),
        },
        verdict: Ok(Verdict::Gate(Terms {
            ground: Ground::new("rule", "because"),
            quorums: Vec::new(),
            pending_ttl,
            grant_ttl: None,
        })),
        notes: Vec::new(),
    };
    let opinions = vec![gate("a", None), gate("b", Some(7_200))];
    let built_in = Judgement {
        generation: 1,
        class: CallerClass::Agent,
        ruling: fold(&opinions),
        opinions,
    };
    for seconds in [60, 3_600, 5_000, 7_200, 86_400] {
        let life = Duration::from_secs(seconds);
        let pending = Lives::default().pending.set_to(life).expect("within");
        let host = Lives {
            pending,
            ..Lives::default()
        };
        let recorded = built_in.clone().within(&host);
        assert_eq!(built_in.clone().within(&lives(&recorded)), recorded);
    }
}

#[test]
fn what_nobody_kept_is_not_reproduced() {
    let engine = engine();
    let module = baseline(&engine).0.expect("INVARIANT: it is kept").id;
    let one = record(&line(&module, Ok(open())));
    let report = replayed(&engine, &mut Shelf(None), vec![one.clone(), one.clone()]);
    assert_eq!((report.same, report.unasked()), (0, 2));
    assert!(report.missing.contains_key("nobody kept 1"), "{report:#?}");
    // Bytes of another module under that name.
    let mut lied = baseline(&engine);
    if let Some(kept) = &mut lied.0 {
        kept.id.digest = "0".repeat(64);
    }
    let report = replayed(&engine, &mut lied, vec![one]);
    assert_eq!((report.same, report.unasked()), (0, 1));
}
