//! What is loaded, and fails when it is asked, or gains nothing.

use super::*;

pub(crate) fn denies(
    name: &'static str,
    tries: &'static str,
    guest: Guest,
    failure: &'static str,
) -> Hostile {
    Hostile {
        name,
        tries,
        component: guest.component(),
        answer: Answer::Denies(failure),
        most: SOON,
    }
}

fn allows(name: &'static str, tries: &'static str, guest: Guest) -> Hostile {
    Hostile {
        answer: Answer::Decides("allow"),
        ..denies(name, tries, guest, "")
    }
}

pub(crate) fn all() -> Vec<Hostile> {
    [endless(), greedy(), lies::all(), fickle(), large()]
        .into_iter()
        .flatten()
        .collect()
}

const TOO_LONG: &str = "it ran for longer than it may";
pub(crate) const NOT_THE_CONTRACT: &str = "it answered what the contract does not allow";

fn endless() -> Vec<Hostile> {
    let post = deciding("(global.get $allow)").text().replace(
        "(canon lift (core func $policy \"decide\")",
        "(canon lift (core func $policy \"decide\") (post-return (core func $policy \"after\"))",
    );
    let post = post.replace(
        "(func (export \"decide\") (param $request i32)",
        "(func (export \"after\") (param i32) (loop $ever (br $ever)))
         (func (export \"decide\") (param $request i32)",
    );
    let after = denies(
        "loop-after-deciding",
        "to run on after its answer",
        deciding(""),
        TOO_LONG,
    );
    vec![
        denies(
            "loop-in-decide",
            "to decide for ever",
            deciding("(loop $ever (br $ever)) (unreachable)"),
            TOO_LONG,
        ),
        denies(
            "loop-in-classify",
            "to classify for ever",
            Guest {
                classify: "(loop $ever (br $ever)) (unreachable)",
                ..Guest::default()
            },
            TOO_LONG,
        ),
        Hostile {
            component: compiled(&post),
            ..after
        },
        denies(
            "loop-in-realloc-of-a-request",
            "to make the host wait for room for the request",
            Guest {
                realloc: "(if (i32.gt_u (local.get 3) (i32.const 100))
                    (then (loop $ever (br $ever))))",
                ..deciding("(global.get $allow)")
            },
            TOO_LONG,
        ),
        denies(
            "loop-of-bulk-copies",
            "to run on in instructions that are long in themselves",
            deciding(
                "(drop (memory.grow (i32.const 48)))
                 (loop $ever (memory.fill (i32.const 131072) (i32.const 1) (i32.const 3000000))
                    (br $ever)) (unreachable)",
            ),
            TOO_LONG,
        ),
        denies(
            "deep-recursion",
            "to overrun the host's stack",
            with(
                "(func $deep (param i64) (result i64)
                    (i64.add (local.get 0) (call $deep (i64.add (local.get 0) (i64.const 1)))))",
                "(drop (call $deep (i64.const 0))) (global.get $allow)",
            ),
            "its calls are nested too deeply",
        ),
        denies(
            "endless-notes",
            "to flood the log",
            deciding(
                "(loop $ever (call $write (global.get $text) (i32.const 6)) (br $ever)) (unreachable)",
            ),
            TOO_LONG,
        ),
        denies(
            "a-giant-note",
            "to have a note of 2 MB kept",
            deciding(
                "(drop (memory.grow (i32.const 40)))
                 (call $write (i32.const 131072) (i32.const 2000000)) (global.get $allow)",
            ),
            "it handed over more than 262144 bytes in one call",
        ),
        denies(
            "trap",
            "to bring the host down with it",
            deciding("(unreachable)"),
            "it gave up (unreachable)",
        ),
        denies(
            "divide-by-zero",
            "to have the processor fault",
            deciding("(drop (i32.div_u (i32.const 1) (global.get $count))) (unreachable)"),
            "it trapped: integer divide by zero",
        ),
        denies(
            "out-of-bounds",
            "to read the host's memory",
            deciding("(drop (i32.load (i32.const -4))) (unreachable)"),
            "it trapped: out of bounds memory access",
        ),
    ]
}

fn greedy() -> Vec<Hostile> {
    vec![
        denies(
            "memory-bomb-at-once",
            "to take 4 GiB at once",
            deciding(
                "(if (i32.eq (memory.grow (i32.const 65000)) (i32.const -1)) (then (unreachable)))
                 (global.get $allow)",
            ),
            "it needs more memory than 4194304 bytes",
        ),
        denies(
            "memory-bomb-page-by-page",
            "to take all memory, a page at a time",
            deciding(
                "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
                 (unreachable)",
            ),
            "it needs more memory than 4194304 bytes",
        ),
        denies(
            "memory-bomb-in-realloc",
            "to take all memory for the host's own arguments",
            Guest {
                realloc: "(if (i32.gt_u (local.get 3) (i32.const 100)) (then (loop $more
                    (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)))",
                ..deciding("(global.get $allow)")
            },
            "it needs more memory than 4194304 bytes",
        ),
        allows(
            "memory-kept-by-configure",
            "to have all its memory kept in its snapshot",
            Guest {
                configure: "(drop (memory.grow (i32.const 62)))
                    (memory.fill (i32.const 131072) (i32.const 7) (i32.const 4063232))
                    (global.get $ok)",
                ..deciding("(global.get $allow)")
            },
        ),
        denies(
            "table-bomb",
            "to take all memory by a table",
            with(
                "(table $t 1 funcref)",
                "(loop $more (br_if $more
                    (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
                 (unreachable)",
            ),
            "it gave up (unreachable)",
        ),
    ]
}

/// What would answer otherwise the next time, if it could: it allows where nothing is left of a time
/// before, and denies where something is.
fn fickle() -> Vec<Hostile> {
    let if_zero = |then: &str, seen: &str| -> &'static str {
        format!(
            "(local $seen i32) (local.set $seen {seen}) {then}
            (select (global.get $allow) (global.get $deny) (i32.eqz (local.get $seen)))"
        )
        .leak()
    };
    vec![
        allows("counting-global", "to allow only the first time, by a global", deciding(if_zero("(global.set $count (i32.const 1))", "(global.get $count)"))),
        allows("memory-left-over", "to find what it wrote the time before", deciding(if_zero("(i32.store (i32.const 70000) (i32.const 1))", "(i32.load (i32.const 70000))"))),
        allows(
            "grown-memory-left-over",
            "to find what it wrote in memory that it had grown by",
            deciding(if_zero(
                "(memory.fill (i32.const 131072) (i32.const 255) (i32.const 2097152))",
                "(block (result i32) (drop (memory.grow (i32.const 32))) (i32.or
                    (i32.load (i32.const 131072)) (i32.load (i32.const 2228220))))",
            )),
        ),
        allows(
            "table-left-over",
            "to find what it put into a table",
            with(
                "(table $t 1 funcref) (elem declare func $start)",
                if_zero("(table.set $t (i32.const 0) (ref.func $start))", "(i32.eqz (ref.is_null (table.get $t (i32.const 0))))"),
            ),
        ),
        allows(
            "nan-bits",
            "to tell machines and times apart by the bits of NaN",
            deciding(if_zero("", "(i32.or
                (i32.ne (i32.reinterpret_f32 (f32.div (f32.const 0) (f32.const 0))) (i32.const 0x7fc00000))
                (i32.ne (i32.reinterpret_f32 (f32.mul (f32.const -nan:0x212345) (f32.const 1))) (i32.const 0x7fc00000)))")),
        ),
        allows(
            "relaxed-lanes",
            "to tell processors apart by relaxed SIMD",
            deciding(if_zero(
                "",
                // What a lane that there is not holds: nothing, or on some processors another lane.
                "(i8x16.extract_lane_u 0 (i8x16.relaxed_swizzle
                    (i8x16.splat (i32.const 7))
                    (i8x16.splat (i32.add (global.get $count) (i32.const 16)))))",
            )),
        ),
        allows(
            "growth-that-depends",
            "to see by a refused growth how busy the host is",
            deciding(if_zero("", "(i32.ne (memory.grow (i32.const 60000)) (i32.const -1))")),
        ),
        denies(
            "notes-that-remember",
            "to read in the log what it noted before",
            deciding("(call $write (global.get $text) (i32.const -1)) (global.get $allow)"),
            NOT_THE_CONTRACT,
        ),
    ]
}

/// What is much to compile, and sound. What is too much is refused by the compiler's process, which
/// `tests/all/compile_bombs.rs` holds.
fn large() -> Vec<Hostile> {
    let functions: String = (0..5_000)
        .map(|n| format!("(func (result i32) (i32.const {n}))"))
        .collect();
    let data = format!("(data (i32.const 66000) \"{}\")", "\\07".repeat(60_000));
    let depth = 900;
    let blocks = format!("(func {}{})", "(block ".repeat(depth), ")".repeat(depth));
    let labels: String = (0..3_000).map(|n| format!("{} ", n % 2)).collect();
    let branches =
        format!("(func (param i32) (block (block (br_table {labels} 0 (local.get 0)))))");
    let locals = format!("(func (local {}))", "i64 ".repeat(20_000));
    let big = |name, tries, text: String| Hostile {
        most: Cost {
            time: Duration::from_secs(60),
            ..SOON
        },
        ..allows(name, tries, with(text.leak(), "(global.get $allow)"))
    };
    vec![
        big("thousands-of-functions", "5,000 functions", functions),
        big("big-data", "60,000 bytes of data", data),
        big("deep-blocks", "900 blocks in one another", blocks),
        big("wide-branches", "a branch to 3,000 places", branches),
        big("many-locals", "20,000 locals", locals),
    ]
}
