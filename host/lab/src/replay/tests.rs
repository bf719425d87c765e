use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::policy::{CallerClass, Ground, Terms, Verdict};
use countersign_core::verdict::{Judgement, ModuleId, Opinion, Took, fold};
use countersign_engine::{BASELINE, Limits, Settings};
use serde_json::{Value, json};

use super::*;

/// Keeps the baseline as every generation, or nothing.
#[derive(Default)]
struct Cupboard {
    module: Option<KeptModule>,
    asked_for_bytes: AtomicUsize,
}

impl Kept for Cupboard {
    fn generation(&self, number: u64) -> Result<Vec<KeptModule>, String> {
        let kept = self.module.clone();
        kept.map(|one| vec![one])
            .ok_or_else(|| format!("nobody kept {number}"))
    }

    fn bytes(&self, _: &ModuleId) -> Result<Vec<u8>, String> {
        self.asked_for_bytes.fetch_add(1, Ordering::Relaxed);
        Ok(BASELINE.to_vec())
    }
}

fn engine() -> Engine {
    Engine::new(Limits::default()).expect("the default limits hold")
}

fn baseline(engine: &Engine) -> Cupboard {
    let module = KeptModule {
        id: engine.describe(BASELINE).expect("it is one"),
        settings: Settings::new(),
    };
    Cupboard {
        module: Some(module),
        ..Cupboard::default()
    }
}

impl Cupboard {
    fn id(&self) -> ModuleId {
        let module = self.module.as_ref();
        module.expect("INVARIANT: it is kept").id.clone()
    }
}

fn replayed(engine: &Engine, kept: &Cupboard, records: Vec<Record>) -> Report {
    let taken = records.into_iter().map(Ok::<_, Infallible>);
    let replay = Replay::new(engine, kept, Under::Recorded);
    match replay.run(taken, &|_| {}) {
        Ok(report) => report,
        Err(never) => match never {},
    }
}

/// A decision as it is exported: an agent that asks for a token.
fn line(module: &ModuleId, verdict: Result<Verdict, String>) -> Value {
    let opinions = vec![Opinion {
        module: module.clone(),
        verdict,
        notes: Vec::new(),
        took: Took::UNKNOWN,
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
    let kept = baseline(&engine);
    let module = kept.id();
    let same = record(&line(&module, Ok(open())));
    let denied = Verdict::Deny(Ground::new("made-up", "nobody ever said so"));
    let other = record(&line(&module, Ok(denied)));
    let mut alone = same.clone();
    alone.question = None;
    let report = replayed(&engine, &kept, vec![same, other, alone]);
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
    let kept = baseline(&engine);
    let module = kept.id();
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
    let report = replayed(&engine, &kept, records);
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
        took: Took::UNKNOWN,
    };
    let opinions = vec![gate("a", None), gate("b", Some(7_200))];
    let built_in = Judgement {
        generation: 1,
        class: CallerClass::Agent,
        ruling: fold(&opinions),
        opinions,
        took: Took::UNKNOWN,
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
    let module = baseline(&engine).id();
    let one = record(&line(&module, Ok(open())));
    let nothing = Cupboard::default();
    let report = replayed(&engine, &nothing, vec![one.clone(), one.clone()]);
    assert_eq!((report.same, report.unasked()), (0, 2));
    assert!(report.missing.contains_key("nobody kept 1"), "{report:#?}");
    // Bytes of another module under that name.
    let mut lied = baseline(&engine);
    if let Some(kept) = &mut lied.module {
        kept.id.digest = "0".repeat(64);
    }
    let report = replayed(&engine, &lied, vec![one]);
    assert_eq!((report.same, report.unasked()), (0, 1));
}

#[test]
fn many_generations_of_the_same_modules_cost_as_much_as_one() {
    let engine = engine();
    let kept = baseline(&engine);
    let one = record(&line(&kept.id(), Ok(open())));
    let records = (1..=5_000).map(|number| {
        let mut record = one.clone();
        record.judgement.generation = number;
        record
    });
    let report = replayed(&engine, &kept, records.collect());
    assert_eq!((report.decisions, report.same), (5_000, 5_000));
    assert_eq!(kept.asked_for_bytes.load(Ordering::Relaxed), 1);
}

#[test]
fn reasons_without_end_are_counted_and_not_kept() {
    let engine = engine();
    let one = record(&line(&baseline(&engine).id(), Ok(open())));
    let records = (1..=1_000).map(|number| {
        let mut record = one.clone();
        record.judgement.generation = number;
        record
    });
    let report = replayed(&engine, &Cupboard::default(), records.collect());
    assert_eq!(report.unasked(), 1_000);
    assert!(report.missing.len() <= 201, "{}", report.missing.len());
}

/// A line of a file that is no record.
struct Torn(u32);

impl Taken for Torn {
    fn record(self) -> Result<Record, String> {
        Err(format!("line {}", self.0))
    }
}

#[test]
fn what_is_not_understood_is_counted_and_the_first_is_named() {
    let engine = engine();
    let kept = Cupboard::default();
    let replay = Replay::new(&engine, &kept, Under::Recorded);
    let taken = (1..=3_000).map(|line| Ok::<_, Infallible>(Torn(line)));
    let Ok(report) = replay.run(taken, &|_| {});
    let unread = report.unread.as_ref().expect("some are");
    assert_eq!((unread.count, &*unread.example), (3_000, "line 1"));
    assert_eq!((report.unasked(), report.decisions), (3_000, 3_000));
}

#[test]
fn a_source_that_fails_ends_it() {
    let engine = engine();
    let kept = Cupboard::default();
    let replay = Replay::new(&engine, &kept, Under::Recorded);
    let taken = [Ok(Torn(1)), Err("it was cut")];
    assert_eq!(replay.run(taken.into_iter(), &|_| {}), Err("it was cut"));
}
