//! What people see of policies at the command line: the matrix, the difference of two, what a module is,
//! whether it loads and what it costs. Each through the built binary, with real components.
//!
//! `COUNTERSIGN_BLESS=1` writes what is in `policy_views/golden` anew. Its diff is read like any other.

mod bench;
mod check;
mod describe;
mod diff;
mod html;
mod matrix;

use std::path::Path;

use countersign_tests::CommandLine;
use countersign_tests::guest::Guest;

/// A module that has something to say about one thing only: two people for whoever is an administrator.
fn careful() -> Guest {
    Guest {
        name: "careful",
        rule: "two-people",
        // The role of the caller: 3 is admin.
        decide: "(if (i32.eq (i32.load8_u offset=12 (local.get $request)) (i32.const 3))
                (then (return (global.get $gate))))
            (global.get $abstain)",
        ..Guest::default()
    }
}

/// A module that fails where a reader asks with an organisation token.
fn brittle() -> Guest {
    Guest {
        name: "brittle",
        decide: "(if (i32.and (i32.eq (i32.load8_u (local.get $request)) (i32.const 2))
                          (i32.eq (i32.load8_u offset=12 (local.get $request)) (i32.const 1)))
                (then unreachable))
            (global.get $allow)",
        ..Guest::default()
    }
}

/// What a module may say to break out of where it is shown.
const HOSTILE: &str = "</td><script>alert(1)</script> | [a](javascript:b) `c` \"d\"";

/// Somebody with these components in their folder, under these names.
fn with(components: &[(&str, &Guest)]) -> CommandLine {
    let person = CommandLine::new();
    for (name, guest) in components {
        put(&person, name, &guest.component());
    }
    person
}

fn put(person: &CommandLine, name: &str, bytes: &[u8]) {
    std::fs::write(person.folder().join(name), bytes).expect("the folder is there");
}

/// `found` is what `golden/<name>` holds.
#[track_caller]
fn is_golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("all/policy_views/golden")
        .join(name);
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(&path, found).expect("it can be written");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        golden == found,
        "golden/{name} is not what is shown: run with COUNTERSIGN_BLESS=1 and read its diff\n{found}"
    );
}
