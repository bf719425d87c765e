//! `decisions N [grows]` makes N decisions, each in a fresh instance, and nothing else that would ask
//! the kernel for anything: `strace -c -f` of N = 10,000 and of N = 0 must count the same calls.
//!
//! With `grows` the policy grows its memory in each decision, which shows in the count.
//!
//! The clock of the sandbox ticks once an hour here, so that its thread asks for nothing either; the
//! deadlines are set all the same.

#![allow(clippy::print_stdout)]

#[path = "../wat/guest.rs"]
mod guest;

use std::time::Duration;

use countersign_core::exhaustive::{Row, rows};
use countersign_core::policy::{Credential, Role};
use countersign_core::ports::Judge;
use countersign_core::verb::Verb;
use countersign_engine::{
    BASELINE, CLASSIFIER, Engine, Generation, Limits, Live, PolicySet, Settings,
};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments
        .next()
        .and_then(|count| count.parse().ok())
        .expect("usage: decisions N [grows]");
    let component = match arguments.next().as_deref() {
        Some("grows") => guest::Guest {
            decide: "(drop (memory.grow (i32.const 1))) (global.get $gate)",
            ..guest::Guest::default()
        }
        .component(),
        _ => BASELINE.to_vec(),
    };

    let engine = Engine::new(Limits {
        tick: Duration::from_secs(3_600),
        ..Limits::default()
    })
    .expect("INVARIANT: these limits are within bounds");
    let proven = engine
        .prove(&component, &Settings::new())
        .expect("INVARIANT: the module is sound");
    let set = PolicySet::check(vec![proven.into()], CLASSIFIER)
        .expect("INVARIANT: the module covers every row");
    let live = Live::new(Generation::new(1, set));
    let is_it = |row: &Row| {
        row.credential == Credential::OrgToken
            && row.verb == Verb::OrgTokenMint
            && row.role == Role::Admin
    };
    let row = rows().find(is_it);
    let question = row.expect("INVARIANT: the table has it").question();

    // The check above has warmed up the pool.
    let gated = (0..count)
        .filter(|_| live.judge(&question).ruling.effect() == "gate")
        .count();
    println!("{gated} of {count} gated");
}
