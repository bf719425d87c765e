//! What is refused when it is loaded.

use super::*;

const ENDLESS: &str = "(loop $ever (br $ever))";
const ENDLESS_RESULT: &str = "(loop $ever (br $ever)) (unreachable)";
const BOMB: &str = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    (unreachable)";

fn refused(
    name: &'static str,
    tries: &'static str,
    component: Vec<u8>,
    sentence: &'static str,
) -> Hostile {
    Hostile {
        name,
        tries,
        component,
        answer: Answer::Refused(sentence),
        most: SOON,
    }
}

pub(crate) fn all() -> Vec<Hostile> {
    [endless(), greedy(), foreign(), nested()]
        .into_iter()
        .flatten()
        .collect()
}

/// What would never be loaded.
fn endless() -> Vec<Hostile> {
    let guest = Guest {
        name: "bad",
        ..Guest::default()
    };
    let start = Guest {
        start: ENDLESS,
        ..guest.clone()
    };
    let describe = Guest {
        describe: ENDLESS_RESULT,
        ..guest.clone()
    };
    let configure = Guest {
        configure: ENDLESS_RESULT,
        ..guest.clone()
    };
    let realloc = Guest {
        settings: vec![("strict", "true")],
        realloc: ENDLESS,
        ..guest
    };
    vec![
        refused(
            "loop-in-start",
            "to start for ever",
            start.component(),
            "it cannot be described: it ran for longer than it may",
        ),
        refused(
            "loop-in-describe",
            "to describe itself for ever",
            describe.component(),
            "it cannot be described: it ran for longer than it may",
        ),
        refused(
            "loop-in-configure",
            "to take its settings in for ever",
            configure.component(),
            "it cannot be configured: it ran for longer than it may",
        ),
        refused(
            "loop-in-realloc",
            "to make the host wait for room for its settings",
            realloc.component(),
            "it cannot be configured: it ran for longer than it may",
        ),
    ]
}

/// What would use the host up.
fn greedy() -> Vec<Hostile> {
    let guest = Guest {
        name: "bad",
        ..Guest::default()
    };
    let start = Guest {
        start: BOMB,
        ..guest.clone()
    };
    let configure = Guest {
        configure: BOMB,
        ..guest.clone()
    };
    let memory = with("(memory 4096)", "(global.get $allow)");
    let table = with("(table 100000 funcref)", "(global.get $allow)");
    let instances = Guest {
        import: many_instances(65),
        ..guest.clone()
    };
    let long = Guest {
        describe: "(drop (memory.grow (i32.const 32)))
            (i32.store offset=16 (global.get $manifest) (i32.const 131072))
            (i32.store offset=20 (global.get $manifest) (i32.const 2000000))
            (global.get $manifest)",
        ..guest
    };
    vec![
        refused(
            "memory-bomb-in-start",
            "to take all memory when it starts",
            start.component(),
            "it cannot be described: it needs more memory than 4194304 bytes",
        ),
        refused(
            "memory-bomb-in-configure",
            "to have a bomb kept in its snapshot",
            configure.component(),
            "it cannot be configured: it needs more memory than 4194304 bytes",
        ),
        refused(
            "huge-memory",
            "to begin with 256 MiB",
            memory.component(),
            "cannot compile it as a WebAssembly component: ",
        ),
        refused(
            "huge-table",
            "to begin with a table of 100,000 elements",
            table.component(),
            "cannot compile it as a WebAssembly component: ",
        ),
        refused(
            "many-core-instances",
            "to be 65 core instances",
            instances.component(),
            "cannot compile it as a WebAssembly component: ",
        ),
        refused(
            "giant-description",
            "to be shown with a description of 2 MB",
            long.component(),
            "it cannot be described: it handed over more than 262144 bytes in one call",
        ),
    ]
}

/// What is not the contract's.
fn foreign() -> Vec<Hostile> {
    let guest = Guest {
        name: "bad",
        ..Guest::default()
    };
    let wasi = Guest {
        import: "(import \"wasi:filesystem/preopens@0.2.0\"
            (instance (export \"get-directories\" (func))))",
        ..guest.clone()
    };
    let unknown = Guest {
        import: "(import \"countersign:policy/approve@0.1.0\" (instance (export \"all\" (func))))",
        ..guest.clone()
    };
    let missing = Guest {
        decide_name: "determine",
        ..guest.clone()
    };
    let text = guest.text();
    let signature = text.replace(
        "(param \"caller\" $caller) (result $class)",
        "(param \"caller\" $caller) (result u32)",
    );
    let more_of_log = text.replace(
        "(export \"write\" (func (param \"message\" string)))",
        "(export \"write\" (func (param \"message\" string)))
         (export \"read\" (func (result string)))",
    );
    assert!(signature != text && more_of_log != text);
    vec![
        refused(
            "import-of-wasi",
            "to be given files",
            wasi.component(),
            "it imports `wasi:filesystem/preopens@0.2.0`, and a policy is given nothing but",
        ),
        refused(
            "unknown-import",
            "to be given a function of the host that there is not",
            unknown.component(),
            "it imports `countersign:policy/approve@0.1.0`, and a policy is given nothing but",
        ),
        refused(
            "more-of-the-log",
            "to read the log that it may write to",
            compiled(&more_of_log),
            "it does not match `countersign:policy@0.1.0`: ",
        ),
        refused(
            "missing-export",
            "to decide nothing",
            missing.component(),
            "it does not match `countersign:policy@0.1.0`: no export `decide` found",
        ),
        refused(
            "wrong-signature",
            "to answer with a number where a class belongs",
            compiled(&signature),
            "it does not match `countersign:policy@0.1.0`: ",
        ),
    ]
}

/// Components in components.
fn nested() -> Vec<Hostile> {
    let guest = Guest {
        name: "bad",
        ..Guest::default()
    };
    let shadow = guest.text().replace(
        "(func (export \"decide\") (param \"request\" $request) (result $verdict)",
        "(instance (export \"decide\")) (func (param \"request\" $request) (result $verdict)",
    );
    vec![
        refused(
            "nested-components",
            "to exhaust the parser's stack by 1,500 components in one another",
            components_in_one_another(1_500),
            "it does not match `countersign:policy@0.1.0`: ",
        ),
        refused(
            "instance-for-a-function",
            "to export an instance where a function belongs",
            compiled(&shadow),
            "it does not match `countersign:policy@0.1.0`: ",
        ),
    ]
}

/// `count` instances of a module that has nothing in it.
fn many_instances(count: usize) -> &'static str {
    let instances = "(core instance (instantiate $nothing))".repeat(count);
    format!("(core module $nothing){instances}").leak()
}

/// The text format has a limit of its own, so these are made of bytes.
fn components_in_one_another(depth: usize) -> Vec<u8> {
    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
    const COMPONENT: u8 = 4;
    let mut component = HEADER.to_vec();
    for _ in 0..depth {
        let mut length = component.len();
        let mut outer = [HEADER, &[COMPONENT]].concat();
        while length >= 0x80 {
            outer.push(length as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.append(&mut component);
        component = outer;
    }
    component
}
