//! What a decision costs: `cargo bench -p countersign-engine --bench decide`.
//!
//! The same rules, the built-in baseline's, answer the same question (an agent asks to mint an
//! organisation token, which is gated) as a Rust function, in an instance that is reused, and in a
//! fresh instance as the host does it. How it is measured, [`timing`] says. Other engines, on the same
//! rules: `tests/bench`.

#![allow(clippy::print_stdout)]

mod timing;

use std::hint::black_box;

use countersign_baseline::Baseline;
use countersign_core::exhaustive::{Row, rows};
use countersign_core::policy::{CallerClass, Credential, Question, Role};
use countersign_core::ports::Judge;
use countersign_core::verb::Verb;
use countersign_engine::{BASELINE, Engine, Generation, Limits, Live, PolicySet, Settings, Warm};
use countersign_policy::Policy;
use countersign_policy::testing::{configured, request};
use timing::{medians, nanoseconds, throughput};

fn main() {
    let engine = Engine::new(Limits::default()).expect("INVARIANT: the defaults are within bounds");
    let proven = engine
        .prove(BASELINE, &Settings::new())
        .expect("INVARIANT: the built-in baseline is sound");
    let question = question();

    let plain = plain();
    let warm = median(|| {
        let mut warm = Warm::new(&proven).expect("INVARIANT: it starts");
        // One instance's memory is an arena that does not shrink, and its time runs out.
        nanoseconds(100, || warm.decide(&question, CallerClass::Agent).is_ok())
    });
    let fresh = median(|| {
        nanoseconds(1_000, || {
            proven
                .verdict_on(&question, CallerClass::Agent)
                .answer
                .is_ok()
        })
    });
    let set = PolicySet::check(vec![proven.into()], "baseline")
        .expect("INVARIANT: the baseline covers every row");
    let live = Live::new(Generation::new(1, set));
    let judged = || live.judge(&question).ruling.effect() == "gate";
    let known = median(|| nanoseconds(1_000, judged));
    let strangers = strangers(&question);
    let mut strangers = strangers.iter().cycle();
    let mut is_gated = || {
        let stranger = strangers.next();
        stranger.is_some_and(|stranger| live.judge(stranger).ruling.effect() == "gate")
    };
    let unknown = median(|| nanoseconds(1_000, &mut is_gated));

    let row = |what: &str, ns: f64| {
        println!("{what:<52} {ns:>8.0} ns {:>8.1} x plain", ns / plain);
    };
    row("plain Rust: the same rules, natively", plain);
    row("decide in a warm instance", warm);
    row("decide in a fresh instance", fresh);
    row("the whole judgement of a caller seen before", known);
    row("the whole judgement of a caller never seen", unknown);

    // Two threads of one core share it, so what plain Rust gains is the most that there is to gain.
    let (baseline, request) = natively();
    let floor = || baseline.decide(black_box(&request)).is_gate();
    for (what, [one, two]) in [
        (
            "plain Rust",
            [1, 2].map(|threads| throughput(threads, 2_000_000, &floor)),
        ),
        (
            "judgements",
            [1, 2].map(|threads| throughput(threads, 20_000, &judged)),
        ),
    ] {
        let times = two / one;
        println!("{what}: one thread {one:.0}/s, two threads {two:.0}/s: {times:.2} times");
    }
}

fn question() -> Question {
    let is_it = |row: &Row| {
        row.credential == Credential::OrgToken
            && row.verb == Verb::OrgTokenMint
            && row.role == Role::Admin
    };
    let row = rows().find(is_it);
    row.expect("INVARIANT: the table has it").question()
}

/// The question by so many callers that none is remembered when its turn comes again.
fn strangers(question: &Question) -> Vec<Question> {
    let stranger = |number| {
        let mut question = question.clone();
        question.subject.principal = format!("stranger-{number}");
        question
    };
    (0..10_000).map(stranger).collect()
}

fn plain() -> f64 {
    let (baseline, request) = natively();
    median(|| nanoseconds(10_000, || baseline.decide(black_box(&request)).is_gate()))
}

fn natively() -> (Baseline, countersign_policy::Request) {
    let request = request(countersign_policy::Credential::OrgToken, "org_token_mint")
        .action_property("name", "ci")
        .build();
    (configured(&[]), request)
}

/// The median of many batches, after some that warm up.
fn median<'a>(batch: impl FnMut() -> f64 + 'a) -> f64 {
    let [median] = medians([Box::new(batch)]);
    median
}
