//! Where a module's instances live.

use super::*;
use crate::{FailureKind, Live, Pool};

/// The module with `pages` of memory.
fn with_pages(guest: &Guest, pages: u32) -> Vec<u8> {
    let small = "(memory (export \"memory\") 2)";
    let text = guest.text();
    assert!(text.contains(small));
    let text = text.replace(small, &format!("(memory (export \"memory\") {pages})"));
    wat::parse_str(&text).expect("it is WAT")
}

fn proven(engine: &Engine, guest: &Guest, pages: u32) -> Proven {
    let proven = engine.prove(&with_pages(guest, pages), &Settings::new());
    proven.expect("it is sound")
}

#[test]
fn a_small_memory_is_wiped_whole_and_of_a_larger_one_what_was_written_to() {
    let engine = engine();
    assert_eq!(baseline(&engine).pool(), Pool::Lean);
    for (pages, pool) in [(4, Pool::Lean), (5, Pool::Foreign), (18, Pool::Foreign)] {
        let proven = proven(&engine, &Guest::default(), pages);
        assert_eq!(proven.pool(), pool, "{pages} pages");
        let judgement = judge(&[&Arc::new(proven)], &agent_mints());
        assert_eq!(judgement.ruling.effect(), "allow", "{pages} pages");
    }
    // What counts is the memory that decisions begin with.
    let grows = Guest {
        configure: "(drop (memory.grow (i32.const 16))) (global.get $ok)",
        ..Guest::default()
    };
    assert_eq!(proven(&engine, &grows, 2).pool(), Pool::Foreign);
}

#[test]
fn an_endless_loop_ends_in_either_pool_and_is_counted() {
    let engine = engine();
    let loops = Guest {
        decide: "(loop $ever (br $ever)) (unreachable)",
        ..Guest::default()
    };
    for (pages, pool) in [(2, Pool::Lean), (18, Pool::Foreign)] {
        let proven = proven(&engine, &loops, pages);
        assert_eq!(proven.pool(), pool);
        let id = proven.id().clone();
        let set = PolicySet::named(vec![Arc::new(proven)], "baseline").expect("one module");
        let live = Live::new(Generation::new(1, set));
        assert_eq!(live.judge(&agent_mints()).ruling.effect(), "deny");
        let failed = live.failures().of(&id).expect("it failed");
        assert_eq!((failed.count, failed.last_kind), (1, FailureKind::TooLong));
    }
}
