//! Nothing of one call can be read in the next.

use countersign_core::policy::Value;

use super::*;
use crate::{Mode, Pool};

const POOLS: [Pool; 2] = [Pool::Lean, Pool::Foreign];

/// What an agent hands over, and the same eight bytes as a number, written so that the module does not hold
/// them itself.
const SECRET: &str = "SECRET-7";
const WORD: &str = "(i64.xor (i64.const 0x372d5445524345ac) (i64.const 0xff))";

/// Where a secret can be put: a memory of the module's own and a global beside the shared memory, and the
/// stack.
const PLACES: &str = "
    (memory $own 1)
    (global $hidden (mut i64) (i64.const 0))
    ;; Leaves the word in a thousand frames.
    (func $deep (param $word i64) (param $depth i32) (result i64)
        (local $a i64) (local $b i64)
        (if (i32.eqz (local.get $depth)) (then (return (i64.const 0))))
        (local.set $a (local.get $word))
        (local.set $b (call $deep (local.get $word) (i32.sub (local.get $depth) (i32.const 1))))
        (i64.or (local.get $a) (local.get $b)))
    ;; What is in a thousand frames to which nothing was written.
    (func $stale (param $depth i32) (result i64)
        (local $a i64) (local $b i64) (local $c i64)
        (if (i32.eqz (local.get $depth)) (then (return (i64.const 0))))
        (local.set $c (call $stale (i32.sub (local.get $depth) (i32.const 1))))
        (i64.or (local.get $a) (i64.or (local.get $b) (local.get $c))))
    ;; How often the word stands between two addresses.
    (func $find (param $from i32) (param $to i32) (param $word i64) (result i32)
        (local $found i32)
        (loop $next
            (if (i64.eq (i64.load (local.get $from)) (local.get $word))
                (then (local.set $found (i32.add (local.get $found) (i32.const 1)))))
            (local.set $from (i32.add (local.get $from) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $from) (local.get $to))))
        (local.get $found))";

const PLANT: &str = "
    (i64.store $own (i32.const 4096) (local.get $word))
    (drop (memory.grow (i32.const 8)))
    (i64.store (i32.const 75000) (local.get $word))
    (i64.store (i32.const 131072) (local.get $word))
    (i64.store (i32.const 655352) (local.get $word))
    (global.set $hidden (local.get $word))
    (drop (call $deep (local.get $word) (i32.const 1000)))";

/// Denies if anything is anywhere.
const SEARCH: &str = "
    (drop (memory.grow (i32.const 8)))
    (if (call $find (i32.const 0) (i32.const 655353) (local.get $word))
        (then (return (global.get $deny))))
    (if (i64.ne (i64.load $own (i32.const 4096)) (i64.const 0)) (then (return (global.get $deny))))
    (if (i64.ne (global.get $hidden) (i64.const 0)) (then (return (global.get $deny))))
    (if (i64.ne (call $stale (i32.const 1000)) (i64.const 0)) (then (return (global.get $deny))))";

/// The same for tables, which no snapshot can hold: such a module is configured for each decision.
const TABLE: &str = "(table $t 4 funcref) (elem declare func $start)";
const PLANT_IN_TABLE: &str = "
    (table.set $t (i32.const 3) (ref.func $start))
    (drop (table.grow $t (ref.func $start) (i32.const 100)))";
const SEARCH_IN_TABLE: &str = "
    (if (i32.ne (table.size $t) (i32.const 4)) (then (return (global.get $deny))))
    (drop (table.grow $t (ref.null func) (i32.const 100)))
    (if (i32.eqz (ref.is_null (table.get $t (i32.const 3)))) (then (return (global.get $deny))))
    (if (i32.eqz (ref.is_null (table.get $t (i32.const 50)))) (then (return (global.get $deny))))";

/// Does `decide`, and allows if that comes to its end.
fn spy(functions: &str, decide: &str) -> Guest {
    let decide = format!("(local $word i64) (local.set $word {WORD}) {decide} (global.get $allow)");
    Guest {
        functions: functions.to_owned().leak(),
        decide: decide.leak(),
        ..Guest::default()
    }
}

/// Plants where the host has just written the secret with the request, and searches where it has not:
/// what is found there is another request's.
fn plants_or_searches(functions: &str, plant: &str, search: &str) -> Guest {
    spy(
        functions,
        &format!(
            "(if (call $find (i32.const 65536) (i32.const 75000) (local.get $word))
                (then {plant}) (else {search}))"
        ),
    )
}

/// A sandbox with so few places that each is used again at once.
fn cramped() -> Engine {
    Engine::new(Limits {
        instances: 4,
        memory_bytes: MEMORY,
        decide_time: Duration::from_secs(5),
        judge_time: Duration::from_secs(10),
        ..Limits::default()
    })
    .expect("these limits are within bounds")
}

fn asked() -> Question {
    agent_mints()
}

fn asked_with_secret() -> Question {
    let mut question = agent_mints();
    let secret = Value::Text(SECRET.to_owned());
    question.arguments.set("note", secret);
    question
}

#[test]
fn nothing_of_one_call_can_be_read_in_the_next() {
    let functions = [PLACES, TABLE].concat();
    let plant = [PLANT, PLANT_IN_TABLE].concat();
    let search = [SEARCH, SEARCH_IN_TABLE].concat();
    let without_table = plants_or_searches(PLACES, PLANT, SEARCH);
    let with_table = plants_or_searches(&functions, &plant, &search);
    let engine = cramped();
    let ways = [
        (&without_table, Mode::Snapshot),
        (&without_table, Mode::Reconfigured),
        (&with_table, Mode::Reconfigured),
    ];
    // Each pool wipes in its own way.
    for (pool, (guest, mode)) in POOLS
        .into_iter()
        .flat_map(|pool| ways.map(|way| (pool, way)))
    {
        let proven = engine.prove_as(&guest.component(), &Settings::new(), mode);
        let proven = proven.and_then(|proven| proven.moved_to(pool));
        let proven = Arc::new(proven.expect("it is sound"));
        assert_eq!((proven.mode(), proven.pool()), (mode, pool));
        for round in 0..20 {
            // On one thread each instance ends before the next begins, so all have the same place.
            let planted = judge(&[&proven], &asked_with_secret());
            assert_eq!(planted.ruling.effect(), "allow", "{planted:?}");
            for _ in 0..3 {
                let searched = judge(&[&proven], &asked());
                assert_eq!(
                    searched.ruling.effect(),
                    "allow",
                    "{pool:?}, {mode:?}, {round}"
                );
            }
        }
    }
}

/// Without this the test above could be searching in the wrong places.
#[test]
fn the_search_for_a_secret_finds_each_that_is_there() {
    let engine = cramped();
    let finds = |functions: &str, plant: &str, search: &str| {
        let guest = spy(functions, &[plant, search].concat());
        let proven = prove(&engine, &guest).expect("it is sound");
        assert_eq!(
            judge(&[&proven], &asked()).ruling.effect(),
            "deny",
            "{plant}"
        );
    };
    for plant in PLANT
        .trim()
        .lines()
        .filter(|line| !line.contains("$deep") && !line.contains("grow"))
    {
        let grown = format!("(drop (memory.grow (i32.const 8))) {plant}");
        finds(PLACES, &grown, SEARCH);
    }
    let functions = [PLACES, TABLE].concat();
    for plant in PLANT_IN_TABLE.trim().lines() {
        finds(&functions, plant, SEARCH_IN_TABLE);
    }
    // The arguments that the host writes are in reach of the search.
    let guest = spy(PLACES, SEARCH);
    let proven = prove(&engine, &guest).expect("it is sound");
    let judgement = judge(&[&proven], &asked_with_secret());
    assert_eq!(judgement.ruling.effect(), "deny");
}

/// A place is used by one module after another as well: what one leaves, none of another finds.
#[test]
fn nothing_of_one_module_can_be_read_by_another() {
    let engine = cramped();
    for pool in POOLS {
        let proven = |does| {
            let component = spy(PLACES, does).component();
            let proven = engine.prove(&component, &Settings::new());
            let proven = proven.and_then(|proven| proven.moved_to(pool));
            Arc::new(proven.expect("it is sound"))
        };
        let (plants, searches) = (proven(PLANT), proven(SEARCH));
        for _ in 0..20 {
            assert_eq!(judge(&[&plants], &asked()).ruling.effect(), "allow");
            assert_eq!(judge(&[&searches], &asked()).ruling.effect(), "allow");
        }
    }
}
