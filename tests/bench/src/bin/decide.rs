//! `decide`: what one decision costs, here and elsewhere, on the same rules and in one run.
//!
//! Every engine is handed the same questions with the caller's class, and its answer is held against what
//! the rules say (`tests/agree.rs` does that for every row of the exhaustive table). *From fields* starts
//! from the host's own words and includes what it takes to say them in the engine's; *prebuilt* starts
//! behind that.

use std::hint::black_box;

use countersign_bench::cedar::{Cedar, Fields};
use countersign_bench::native::Native;
use countersign_bench::questions::{Asked, slice};
use countersign_bench::rego::{self, Interpreter, Machine};
use countersign_bench::timing::{medians, nanoseconds};
use countersign_core::ports::Judge as _;
use countersign_engine::{
    BASELINE, CLASSIFIER, Engine, Generation, Limits, Live, PolicySet, Settings, Warm,
};
use countersign_lab::table::{Answer, Effect};

const ROWS: [&str; 12] = [
    "plain Rust, natively: the floor",
    "ours: `decide` in a warm instance",
    "ours: `decide` in a fresh instance",
    "ours: the whole judgement of a caller seen before",
    "cedar-policy from fields",
    "cedar-policy from those fields alone that the rules read",
    "cedar-policy prebuilt",
    "regorus from fields, interpreter",
    "regorus from fields, its machine",
    "regorus prebuilt, interpreter",
    "regorus prebuilt, its machine",
    "plain Rust from fields",
];
const FLOOR: usize = 0;
const CEDAR: usize = 4;

fn main() -> anyhow::Result<()> {
    let all = slice();
    println!("An agent asks to mint a token, which is gated:\n");
    compare(&all[..1])?;
    println!(
        "\nThe five questions in turn (agent mints, person mints, agent revokes what its lineage minted,"
    );
    println!("agent writes its own secret, agent asks for a verb that nobody knows), for each:\n");
    compare(&all)
}

fn compare(asked: &[Asked]) -> anyhow::Result<()> {
    let times = measured(asked)?;
    println!("| | × plain Rust | × cedar from fields | for scale |\n|---|---|---|---|");
    for (what, time) in ROWS.iter().zip(times) {
        let (floor, cedar) = (time / times[FLOOR], time / times[CEDAR]);
        println!("| {what} | {floor:.1} | {cedar:.2} | {time:.0} ns |");
    }
    Ok(())
}

fn measured(asked: &[Asked]) -> anyhow::Result<[f64; ROWS.len()]> {
    let native = Native::default();
    let requests: Vec<_> = asked
        .iter()
        .map(|asked| native.request(&asked.question))
        .collect();
    let engine = Engine::new(Limits::default())?;
    let proven = engine.prove(BASELINE, &Settings::new())?;
    let set = PolicySet::check(
        vec![engine.prove(BASELINE, &Settings::new())?.into()],
        CLASSIFIER,
    )?;
    let live = Live::new(Generation::new(1, set));
    let cedar = Cedar::new()?;
    let mut interpreters = [Interpreter::new()?, Interpreter::new()?];
    let mut machines = [Machine::new()?, Machine::new()?];
    let built = asked
        .iter()
        .map(|asked| cedar.build(&asked.question, asked.class, Fields::All))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let inputs: Vec<_> = asked
        .iter()
        .map(|asked| rego::build(&asked.question, asked.class))
        .collect();
    let [interpreter, interpreter_prebuilt] = &mut interpreters;
    let [machine, machine_prebuilt] = &mut machines;

    let from_fields = |asked: &Asked, fields| {
        let built = cedar.build(&asked.question, asked.class, fields)?;
        Ok(cedar.answer(&built)?.effect)
    };
    let of = |effect: anyhow::Result<Effect>| effect.expect("INVARIANT: every engine agrees");
    Ok(medians([
        each(asked, 2_000, |at, _| {
            let verdict = native.decide(black_box(&requests[at]));
            match verdict {
                countersign_policy::Verdict::Abstain => Effect::Abstain,
                countersign_policy::Verdict::Allow(_) => Effect::Allow,
                countersign_policy::Verdict::Gate(_) => Effect::Gate,
                countersign_policy::Verdict::Deny(_) => Effect::Deny,
            }
        }),
        Box::new(|| {
            let mut warm = Warm::new(&proven).expect("INVARIANT: it starts");
            // One instance's memory is an arena that does not shrink, and its time runs out.
            time(asked, 100, &mut |_, asked| {
                let verdict = warm.decide(&asked.question, asked.class);
                let verdict = verdict.expect("INVARIANT: the baseline does not fail");
                Answer::new(asked.class, &verdict).effect
            })
        }),
        each(asked, 200, |_, asked| {
            let verdict = proven.verdict_on(&asked.question, asked.class).answer;
            let verdict = verdict.expect("INVARIANT: the baseline does not fail");
            Answer::new(asked.class, &verdict).effect
        }),
        each(asked, 200, |_, asked| {
            Answer::from(&live.judge(&asked.question)).effect
        }),
        each(asked, 200, |_, asked| of(from_fields(asked, Fields::All))),
        each(asked, 200, |_, asked| of(from_fields(asked, Fields::Read))),
        each(asked, 200, |at, _| {
            of(cedar.answer(black_box(&built[at])).map(|said| said.effect))
        }),
        each(asked, 200, |_, asked| {
            let said = interpreter.answer(rego::build(&asked.question, asked.class));
            of(said.map(|said| said.effect))
        }),
        each(asked, 200, |_, asked| {
            let said = machine.answer(rego::build(&asked.question, asked.class));
            of(said.map(|said| said.effect))
        }),
        each(asked, 200, |at, _| {
            of(interpreter_prebuilt
                .answer(inputs[at].clone())
                .map(|said| said.effect))
        }),
        each(asked, 200, |at, _| {
            of(machine_prebuilt
                .answer(inputs[at].clone())
                .map(|said| said.effect))
        }),
        each(asked, 500, |_, asked| {
            Answer::new(asked.class, &native.judge(black_box(&asked.question)).1).effect
        }),
    ]))
}

/// A batch of `calls` questions, as [`medians`] takes it.
fn each<'a>(
    asked: &'a [Asked],
    calls: u32,
    mut answer: impl FnMut(usize, &Asked) -> Effect + 'a,
) -> Box<dyn FnMut() -> f64 + 'a> {
    Box::new(move || time(asked, calls, &mut answer))
}

fn time(asked: &[Asked], calls: u32, answer: &mut impl FnMut(usize, &Asked) -> Effect) -> f64 {
    let mut turns = asked.iter().enumerate().cycle();
    nanoseconds(calls, || {
        let turn = turns.next();
        turn.is_some_and(|(at, asked)| answer(at, asked) == asked.effect)
    })
}
