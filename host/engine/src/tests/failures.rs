//! Whatever a module does, it denies that one decision and harms no other.

use super::*;

/// Proves a good baseline beside `bad`, and returns what `bad` made of a question that all others
/// allow, after showing that it denied it, and that the good module is unharmed.
fn failure_of(bad: Guest) -> String {
    let engine = engine();
    let good = prove(&engine, &Guest::default()).expect("it is sound");
    let bad = Guest { name: "bad", ..bad };
    let bad = prove(&engine, &bad).expect("only its decisions fail");
    let judgement = judge(&[&good, &bad], &agent_mints());
    assert_eq!(judgement.ruling.effect(), "deny");
    assert_eq!(judgement.ruling.policy(), "bad@1.0.0");
    assert_eq!(judgement.ruling.ground().rule, "policy-failed");
    assert_eq!(judge(&[&good], &agent_mints()).ruling.effect(), "allow");
    judgement.opinions[0]
        .verdict
        .clone()
        .expect_err("it failed")
}

fn deciding(decide: &'static str) -> Guest {
    Guest {
        decide,
        ..Guest::default()
    }
}

#[test]
fn an_endless_loop_ends() {
    let failure = failure_of(deciding("(loop $ever (br $ever)) (unreachable)"));
    assert_eq!(failure, "it ran for longer than it may");
}

#[test]
fn a_trap_denies() {
    assert_eq!(
        failure_of(deciding("(unreachable)")),
        "it gave up (unreachable)"
    );
    assert_eq!(
        failure_of(deciding(
            "(drop (i32.div_u (i32.const 1) (global.get $count))) (unreachable)"
        )),
        "it trapped: integer divide by zero"
    );
    assert_eq!(
        failure_of(deciding("(drop (i32.load (i32.const -4))) (unreachable)")),
        "it trapped: out of bounds memory access"
    );
}

#[test]
fn deep_recursion_ends() {
    let guest = Guest {
        functions: "(func $deep (param i64) (result i64)
            (i64.add (local.get 0) (call $deep (i64.add (local.get 0) (i64.const 1)))))",
        ..deciding("(drop (call $deep (i64.const 0))) (global.get $allow)")
    };
    assert_eq!(failure_of(guest), "its calls are nested too deeply");
}

#[test]
fn a_memory_bomb_is_refused_memory() {
    let guest = deciding(
        "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
         (unreachable)",
    );
    assert_eq!(failure_of(guest), "it needs more memory than 4194304 bytes");
}

#[test]
fn a_module_that_is_refused_memory_and_copes_still_decides() {
    let guest = deciding("(drop (memory.grow (i32.const 60000))) (global.get $allow)");
    let proven = prove(&engine(), &guest).expect("it is sound");
    assert_eq!(judge(&[&proven], &agent_mints()).ruling.effect(), "allow");
}

#[test]
fn a_giant_string_is_not_taken_in() {
    let grown = "(drop (memory.grow (i32.const 32)))";
    // Into the zeros of the new pages, which are UTF-8.
    let long = "(i32.store offset=12 (global.get $allow) (i32.const 131072))
        (i32.store offset=16 (global.get $allow) (i32.const";
    let guest = |len: &str| -> &'static str {
        format!("{grown} {long} {len})) (global.get $allow)").leak()
    };
    assert_eq!(
        failure_of(deciding(guest("2000000"))),
        "it handed over more than 262144 bytes in one call"
    );
    assert_eq!(
        failure_of(deciding(guest("-1"))),
        "it answered what the contract does not allow"
    );
    let in_bounds_of_the_call = guest("60000");
    assert!(failure_of(deciding(in_bounds_of_the_call)).starts_with("its reason is longer than"));
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let guest = deciding(
        "(i32.store8 (i32.load offset=12 (global.get $allow)) (i32.const 255)) (global.get $allow)",
    );
    assert_eq!(failure_of(guest), "it answered text that is not UTF-8");
}

#[test]
fn nonsense_is_refused() {
    for decide in [
        "(i32.const 3)",
        "(i32.const -8)",
        "(i32.store8 (global.get $allow) (i32.const 9)) (global.get $allow)",
    ] {
        let failure = failure_of(deciding(decide));
        assert_eq!(failure, "it answered what the contract does not allow");
    }
}

#[test]
fn rules_and_reasons_that_would_deceive_a_reader_are_refused() {
    for (rule, reason, failure) in [
        (
            "Not kebab",
            "fine",
            "its rule `Not kebab` is not a kebab-case name",
        ),
        ("fine", " ", "its reason is blank"),
        ("fine", "first\nsecond", "its reason has control characters"),
        (
            "fine",
            "evil\u{202e}live",
            "its reason has control characters",
        ),
    ] {
        let said = failure_of(Guest {
            rule,
            reason,
            ..Guest::default()
        });
        assert!(said.starts_with(failure), "{said}");
    }
}

#[test]
fn a_classifier_that_takes_an_agent_for_a_person_has_failed() {
    let engine = engine();
    let liar = Guest {
        classify: "(i32.const 0)",
        ..Guest::default()
    };
    let liar = prove(&engine, &liar).expect("its lie shows only when asked");
    let judgement = judge(&[&liar], &agent_mints());
    assert_eq!(judgement.ruling.effect(), "deny");
    assert_eq!(
        judgement.opinions[0].verdict,
        Err("it took a caller for human whose credential is `org-token`".into())
    );
}

#[test]
fn a_module_that_fails_on_a_row_makes_no_set() {
    let engine = engine();
    let traps = prove(&engine, &deciding("(unreachable)")).expect("it is proven");
    let error = PolicySet::check(vec![traps], "baseline").expect_err("it fails");
    assert!(matches!(error, LoadError::Fails { module, .. } if module == "baseline"));
}

#[test]
fn what_cannot_be_proven_says_why() {
    let endless = "(loop $ever (br $ever))";
    let endless_result = "(loop $ever (br $ever)) (unreachable)";
    let cases: Vec<(Guest, &str)> = vec![
        (
            Guest {
                start: endless,
                ..Guest::default()
            },
            "it cannot be described: it ran for longer than it may",
        ),
        (
            Guest {
                describe: endless_result,
                ..Guest::default()
            },
            "it cannot be described: it ran for longer than it may",
        ),
        (
            Guest {
                configure: endless_result,
                ..Guest::default()
            },
            "it cannot be configured: it ran for longer than it may",
        ),
        (
            Guest {
                configure: "(unreachable)",
                ..Guest::default()
            },
            "it cannot be configured: it gave up (unreachable)",
        ),
        (
            Guest {
                configure: "(global.get $refused)",
                ..Guest::default()
            },
            "it refuses its settings: `strict` must be true or false",
        ),
        (
            Guest {
                configure: "(call $write (global.get $text) (i32.const 6)) (global.get $ok)",
                ..Guest::default()
            },
            "it cannot be configured: it wrote to the log while being configured",
        ),
        (
            Guest {
                import: "(import \"wasi:clocks/wall-clock@0.2.0\" (instance (export \"now\" (func))))",
                ..Guest::default()
            },
            "it imports `wasi:clocks/wall-clock@0.2.0`, and a policy is given nothing but `countersign:policy/types@0.1.0` and `countersign:policy/log@0.1.0`",
        ),
        (
            Guest {
                decide_name: "determine",
                ..Guest::default()
            },
            "it does not match `countersign:policy@0.1.0`: no export `decide` found",
        ),
        (
            Guest {
                name: "core",
                ..Guest::default()
            },
            "its manifest is wrong: its name `core` must be kebab-case and not `core`",
        ),
        (
            Guest {
                version: "1",
                ..Guest::default()
            },
            "its manifest is wrong: its version `1` is not a semantic version such as `1.0.0`",
        ),
        (
            Guest {
                tally: Some("mints"),
                ..Guest::default()
            },
            "its manifest is wrong: it asks for the tally `mints`, and this host keeps none yet",
        ),
        (
            Guest {
                context: vec!["host.secret"],
                ..Guest::default()
            },
            "its manifest is wrong: it reads `host.secret` of the context, and there are only host.address, host.door and `claim.…`",
        ),
        (
            Guest {
                settings: vec![("a", "1"), ("a", "2")],
                ..Guest::default()
            },
            "its manifest is wrong: its setting `a` is there twice",
        ),
    ];
    let engine = engine();
    for (guest, sentence) in cases {
        let error = prove(&engine, &guest).expect_err(sentence);
        assert_eq!(error.to_string(), sentence);
    }
}

#[test]
fn settings_are_held_against_the_manifest() {
    let engine = engine();
    let guest = Guest {
        settings: vec![("strict", "true"), ("ttl", "900")],
        ..Guest::default()
    };
    let bytes = guest.component();
    let given = Settings::new().with("ttl", vec!["60".into()]);
    let proven = engine.prove(&bytes, &given).expect("`ttl` is known");
    let all = given.with("strict", vec!["true".into()]);
    assert_eq!(proven.settings(), &all);

    let unknown = Settings::new().with("tll", vec!["60".into()]);
    assert_eq!(
        engine
            .prove(&bytes, &unknown)
            .expect_err("it is unknown")
            .to_string(),
        "its settings are wrong: `tll` is not known, only strict, ttl"
    );
    let huge = Settings::new().with("ttl", vec!["9".repeat(70_000)]);
    assert_eq!(
        engine
            .prove(&bytes, &huge)
            .expect_err("it is huge")
            .to_string(),
        "its settings are wrong: they are larger than 65536 bytes"
    );
}

#[test]
fn bytes_that_are_no_component_are_refused() {
    let engine = engine();
    let core = wat::parse_str("(module)").expect("it is well formed");
    for bytes in [
        &b""[..],
        b"not wasm",
        &core,
        &Guest::default().component()[..900],
    ] {
        let error = engine
            .prove(bytes, &Settings::new())
            .expect_err("it is no component");
        assert!(matches!(error, LoadError::Compile(_)), "{error}");
    }
    let small = Engine::new(Limits {
        component_bytes: 2048,
        ..Limits::default()
    });
    let error = small
        .expect("it is within bounds")
        .prove(&[0; 2049], &Settings::new());
    assert_eq!(
        error.expect_err("it is too large"),
        LoadError::TooLarge { limit: 2048 }
    );
}

#[test]
fn the_clock_of_a_sandbox_ends_with_it() {
    let engine = Engine::new(Limits {
        tick: Duration::from_secs(3600),
        ..Limits::default()
    });
    // Its thread is joined, so this would take an hour if dropping did not wake it.
    drop(engine);
}
