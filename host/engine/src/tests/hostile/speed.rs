//! The host goes on at speed beside modules that mean harm.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use countersign_core::policy::CallerClass;

use super::*;
use crate::Live;

/// An honest decision takes at most so many times what it takes when nothing hostile runs. Half the
/// processor is the hostile one's on a machine with one to spare, and others use the machine too.
const FACTOR: u32 = 5;
/// A decision that is this fast is at speed, whatever it is compared with.
const AT_SPEED: Duration = Duration::from_micros(500);

/// The median of so many honest judgements.
fn honest(live: &Live) -> Duration {
    const JUDGEMENTS: usize = 501;
    let mut times: Vec<Duration> = (0..JUDGEMENTS)
        .map(|_| {
            let began = Instant::now();
            let judgement = live.judge(&agent_mints());
            assert_eq!(judgement.ruling.effect(), "gate", "{judgement:?}");
            began.elapsed()
        })
        .collect();
    times.sort();
    times[JUDGEMENTS / 2]
}

/// Calls `work` again and again on a thread of its own while honest decisions are made beside it, and says
/// how long those took.
fn honest_beside(live: &Live, work: impl Fn() + Sync) -> Duration {
    let is_over = AtomicBool::new(false);
    let begun = Barrier::new(2);
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            begun.wait();
            while !is_over.load(Ordering::Relaxed) {
                work();
            }
        });
        begun.wait();
        let median = honest(live);
        is_over.store(true, Ordering::Relaxed);
        busy.join().expect("the hostile thread does not panic");
        median
    })
}

#[test]
fn honest_decisions_keep_their_speed_while_hostile_modules_decide_and_are_loaded() {
    let engine = sandbox();
    let set = PolicySet::check(vec![baseline(&engine)], "baseline").expect("it covers every row");
    let live = Live::new(Generation::new(1, set));
    let alone = honest(&live);
    let mut worst = (0.0, "");
    let mut hold = |name: &'static str, beside: Duration| {
        let most = (alone * FACTOR).max(AT_SPEED);
        assert!(beside <= most, "{name}: {beside:?}, and {alone:?} alone");
        let times = beside.as_secs_f64() / alone.as_secs_f64();
        if times > worst.0 {
            worst = (times, name);
        }
    };
    for hostile in answers::all().iter().filter(|hostile| is_busy(hostile)) {
        let proven = engine.prove(&hostile.component, &Settings::new());
        let proven = proven.expect("only its decisions fail");
        let beside = honest_beside(&live, || {
            let verdict = proven.verdict_on(&agent_mints(), CallerClass::Agent).answer;
            std::hint::black_box(verdict.is_err());
        });
        hold(hostile.name, beside);
    }
    for hostile in loads::all().iter().filter(|hostile| is_busy(hostile)) {
        let beside = honest_beside(&live, || {
            let refused = engine.prove(&hostile.component, &Settings::new());
            assert!(refused.is_err());
        });
        hold(hostile.name, beside);
    }
    let (times, name) = worst;
    println!(
        "hostile speed: an honest decision takes {alone:?} alone, and beside hostile ones {times:.1} times that at most ({name})"
    );
}

/// Whether it keeps a thread busy: the others end at once.
fn is_busy(hostile: &Hostile) -> bool {
    let busy = [
        "loop",
        "bomb",
        "endless",
        "deep",
        "giant",
        "nested",
        "left-over",
        "kept",
    ];
    busy.iter().any(|word| hostile.name.contains(word))
}

#[test]
fn a_caller_whose_questions_keep_a_module_busy_is_denied_unasked_for_a_while_and_no_other_is() {
    const LOOPED: &str = "it ran for longer than it may";
    const UNASKED: &str =
        "its answers to this caller took so long that it is not asked for some seconds";
    let limits = Limits {
        decide_time: Duration::from_millis(20),
        ..Limits::default()
    };
    let engine = Engine::new(limits).expect("these limits are within bounds");
    let good = prove(&engine, &Guest::default()).expect("it is sound");
    let bad = deciding("(loop $ever (br $ever)) (unreachable)");
    let bad = prove(&engine, &bad).expect("it is proven");
    let set = PolicySet::named(vec![good, bad], "baseline").expect("names are unique");
    let live = Live::new(Generation::new(1, set));
    let failure_for = |principal: &str| {
        let mut question = agent_mints();
        question.subject.principal = principal.to_owned();
        let judgement = live.judge(&question);
        assert_eq!(judgement.ruling.effect(), "deny");
        assert_eq!(judgement.ruling.policy(), "bad@1.0.0");
        let mut opinions = judgement.opinions.into_iter();
        opinions
            .find_map(|opinion| opinion.verdict.err())
            .expect("it failed")
    };
    let until = |principal: &str, failure: &str| {
        let began = Instant::now();
        while failure_for(principal) != failure {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "never: {failure}"
            );
        }
    };
    until("greedy", UNASKED);
    // Callers that nobody can choose may share a place, and then its debt: not all of these do.
    let others = ["a", "b", "c", "d"].map(failure_for);
    assert!(others.contains(&LOOPED.to_owned()), "{others:?}");
    // Time pays.
    until("greedy", LOOPED);
}

#[test]
fn many_slow_modules_together_have_no_more_time_than_one_judgement() {
    let limits = Limits {
        decide_time: Duration::from_millis(100),
        judge_time: Duration::from_millis(150),
        ..Limits::default()
    };
    let engine = Engine::new(limits).expect("these limits are within bounds");
    let good = prove(&engine, &Guest::default()).expect("it is sound");
    let slow = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"].map(|name| {
        let guest = Guest {
            name,
            ..deciding("(loop $ever (br $ever)) (unreachable)")
        };
        prove(&engine, &guest).expect("it is proven")
    });
    let modules: Vec<_> = std::iter::once(&good).chain(&slow).collect();
    let began = Instant::now();
    let judgement = judge(&modules, &agent_mints());
    let took = began.elapsed();
    assert_eq!(judgement.ruling.effect(), "deny");
    let last = judgement.opinions.last().expect("all are asked");
    assert_eq!(
        last.verdict,
        Err("the policies before it left it nothing of the time that they have together".into())
    );
    // Each of them alone would have had 100 ms.
    assert!(took < Duration::from_millis(600), "{took:?}");
}
