//! Whatever a module does, it denies that one decision and harms no other. Those that mean harm are in
//! `hostile`; these are mistaken.

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
fn a_module_that_is_refused_memory_and_copes_still_decides() {
    let guest = deciding("(drop (memory.grow (i32.const 60000))) (global.get $allow)");
    let proven = prove(&engine(), &guest).expect("it is sound");
    assert_eq!(judge(&[&proven], &agent_mints()).ruling.effect(), "allow");
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
fn a_module_that_fails_on_a_row_makes_no_set() {
    let engine = engine();
    let traps = prove(&engine, &deciding("(unreachable)")).expect("it is proven");
    let error = PolicySet::check(vec![traps], "baseline").expect_err("it fails");
    assert!(matches!(error, LoadError::Fails { module, .. } if module == "baseline"));
}

#[test]
fn what_cannot_be_proven_says_why() {
    let cases: Vec<(Guest, &str)> = vec![
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
                tally: Some("Mints"),
                ..Guest::default()
            },
            "its manifest is wrong: its tally `Mints` has a bad name",
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
        "its settings are wrong: `tll` is not known, only strict, ttl: is `ttl` meant?"
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
