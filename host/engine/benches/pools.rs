//! What a fresh decision costs in each pool: `cargo bench -p countersign-engine --bench pools`.
//!
//! The same module by hand once small, and once as a module is laid out that is linked by default: with a
//! stack of 1 MiB below its data, of which a decision writes to some pages. Beside them the built-in
//! baseline. How it is measured, [`timing`] says.

#![allow(clippy::print_stdout)]

#[path = "../wat/guest.rs"]
mod guest;
mod timing;

use countersign_core::exhaustive::{Row, rows};
use countersign_core::policy::{CallerClass, Credential, Question, Role};
use countersign_core::verb::Verb;
use countersign_engine::{BASELINE, Engine, Limits, Pool, Proven, Settings};
use guest::Guest;
use timing::{medians, nanoseconds, throughput};

fn main() {
    let engine = Engine::new(Limits::default()).expect("INVARIANT: the defaults are within bounds");
    let modules = [
        ("the baseline", BASELINE.to_vec()),
        ("by hand, small", Guest::default().component()),
        ("by hand, with a stack of 1 MiB", with_a_large_stack()),
    ];
    let question = question();
    for (what, component) in modules {
        let [lean, foreign] = [Pool::Lean, Pool::Foreign].map(|pool| {
            let proven = engine.prove(&component, &Settings::new());
            let proven = proven.expect("INVARIANT: the module is sound");
            let chosen = proven.pool();
            let moved = proven.moved_to(pool);
            (moved.expect("INVARIANT: it is the same code"), chosen)
        });
        let (chosen, lean, foreign) = (lean.1, lean.0, foreign.0);
        let decides = |proven: &Proven| {
            let reply = proven.verdict_on(&question, CallerClass::Agent);
            reply.answer.is_ok()
        };
        let [in_lean, in_foreign] = medians([
            Box::new(|| nanoseconds(1_000, || decides(&lean))),
            Box::new(|| nanoseconds(1_000, || decides(&foreign))),
        ]);
        println!(
            "{what}: lean pool {in_lean:.0} ns, foreign pool {in_foreign:.0} ns, {:.2} of it; it lives in {chosen:?}",
            in_foreign / in_lean
        );
        for (pool, proven) in [("lean", &lean), ("foreign", &foreign)] {
            let [one, two] = [1, 2].map(|threads| throughput(threads, 10_000, &|| decides(proven)));
            println!(
                "    two threads in the {pool} pool: {:.2} times one",
                two / one
            );
        }
    }
}

fn with_a_large_stack() -> Vec<u8> {
    let guest = Guest {
        decide: "(call $work) (global.get $allow)",
        // Of the stack the uppermost pages, and beyond it of the data and the heap.
        functions: "(func $work
            (i32.store (i32.const 1036288) (i32.const 1)) (i32.store (i32.const 1040384) (i32.const 1))
            (i32.store (i32.const 1044480) (i32.const 1)) (i32.store (i32.const 1048576) (i32.const 1))
            (i32.store (i32.const 1052672) (i32.const 1)) (i32.store (i32.const 1118208) (i32.const 1)))",
        ..Guest::default()
    };
    let small = "(memory (export \"memory\") 2)";
    let text = guest.text();
    assert!(text.contains(small));
    let text = text.replace(small, "(memory (export \"memory\") 18)");
    wat::parse_str(&text).expect("INVARIANT: it is WAT")
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
