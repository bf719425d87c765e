//! Answers that are not what they say they are.

use super::answers::{NOT_THE_CONTRACT, denies};
use super::*;

/// A ground's details are 20 bytes into `$allow`, a gate's
/// quorums 28 bytes into `$gate`, each an address and a count.
pub(crate) fn all() -> Vec<Hostile> {
    let grown = |stores: &str| -> &'static str {
        format!("(drop (memory.grow (i32.const 40))) {stores} (global.get $allow)").leak()
    };
    let reason = |len: &str| -> Guest {
        deciding(grown(&format!(
            "(i32.store offset=12 (global.get $allow) (i32.const 131072))
             (i32.store offset=16 (global.get $allow) (i32.const {len}))"
        )))
    };
    let details = |at: &str, count: &str| -> Guest {
        deciding(grown(&format!(
            "(i32.store offset=20 (global.get $allow) (i32.const {at}))
             (i32.store offset=24 (global.get $allow) (i32.const {count}))"
        )))
    };
    let quorums = |at: &str, count: &str| -> Guest {
        deciding(
            format!(
                "(drop (memory.grow (i32.const 40)))
                 (i32.store offset=28 (global.get $gate) (i32.const {at}))
                 (i32.store offset=32 (global.get $gate) (i32.const {count})) (global.get $gate)"
            )
            .leak(),
        )
    };
    let room = |realloc: &'static str| Guest {
        realloc,
        ..deciding("(global.get $allow)")
    };
    vec![
        denies(
            "giant-string",
            "a reason of 2 MB",
            reason("2000000"),
            "it handed over more than 262144 bytes in one call",
        ),
        denies(
            "endless-string",
            "a reason of 4 GB",
            reason("-1"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "long-string",
            "a reason of 60 kB",
            reason("60000"),
            "its reason is longer than 2048 bytes",
        ),
        denies(
            "giant-list",
            "100,000 details",
            details("131072", "100000"),
            "it handed over more than 262144 bytes in one call",
        ),
        denies(
            "long-list",
            "1,000 details",
            details("131072", "1000"),
            "it has 1000 of detail, and 64 is the most",
        ),
        denies(
            "list-that-lies",
            "a billion quorums",
            quorums("131072", "1000000000"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "list-out-of-memory",
            "quorums at the end of the address space",
            quorums("-16", "2"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "list-at-an-odd-address",
            "quorums where none can be",
            quorums("131073", "2"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "list-in-itself",
            "details that are the answer itself, which are not UTF-8 or out of memory",
            details("1024", "60"),
            "it",
        ),
        denies(
            "not-utf8",
            "a reason that is not text",
            deciding(
                "(i32.store8 (i32.load offset=12 (global.get $allow)) (i32.const 255)) (global.get $allow)",
            ),
            "it answered text that is not UTF-8",
        ),
        denies(
            "bad-verdict",
            "a verdict that there is not",
            deciding("(i32.store8 (global.get $allow) (i32.const 9)) (global.get $allow)"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "odd-verdict",
            "a verdict at an odd address",
            deciding("(i32.add (global.get $allow) (i32.const 1))"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "verdict-out-of-memory",
            "a verdict beyond its memory",
            deciding("(i32.const -8)"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "bad-class",
            "a class that there is not",
            Guest {
                classify: "(i32.const 77)",
                ..Guest::default()
            },
            NOT_THE_CONTRACT,
        ),
        denies(
            "human-for-an-agent",
            "to take an agent for a person",
            Guest {
                classify: "(i32.const 0)",
                ..Guest::default()
            },
            "it took a caller for human whose credential is `org-token`",
        ),
        denies(
            "room-out-of-memory",
            "to have the request written beyond its memory",
            room("(if (i32.gt_u (local.get 3) (i32.const 100)) (then (return (i32.const -64))))"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "room-at-an-odd-address",
            "to have the request written at an odd address",
            room("(if (i32.gt_u (local.get 3) (i32.const 100)) (then (return (i32.const 70001))))"),
            NOT_THE_CONTRACT,
        ),
        denies(
            "reason-that-deceives",
            "a reason that reads backwards",
            Guest {
                reason: "evil\u{202e}live",
                ..deciding("(global.get $allow)")
            },
            "its reason has control characters",
        ),
    ]
}
