use countersign_tests::CommandLine;

use super::*;

#[tokio::test]
async fn each_problem_comes_with_what_to_do_about_it() {
    let unanswered = Guest {
        decide: "(global.get $abstain)",
        ..Guest::default()
    };
    let traps = Guest {
        configure: "unreachable",
        ..Guest::default()
    };
    let setting = Guest {
        settings: vec![("strict", "true")],
        ..careful()
    };
    let wasi = Guest {
        import: r#"(import "wasi:clocks/wall-clock@0.2.0" (instance))"#,
        ..Guest::default()
    };
    let renamed = Guest {
        decide_name: "judge",
        ..Guest::default()
    };
    let person = with(&[
        ("brittle.wasm", &brittle()),
        ("unanswered.wasm", &unanswered),
        ("traps.wasm", &traps),
        ("setting.wasm", &setting),
        ("wasi.wasm", &wasi),
        ("renamed.wasm", &renamed),
    ]);
    put(&person, "setting.toml", b"stirct = true");
    put(&person, "core.wasm", b"\0asm\x01\0\0\0");
    put(&person, "text.wasm", b"(component)");
    put(&person, "image.wasm", b"\x89PNG");
    for (file, words) in [
        ("gone.wasm", ["cannot read", "name the file of a component"]),
        (
            "core.wasm",
            [
                "cannot compile",
                "it is a core module: make a component of it",
            ],
        ),
        ("text.wasm", ["cannot compile", "it is WebAssembly text"]),
        (
            "image.wasm",
            ["cannot compile", "it is no WebAssembly at all"],
        ),
        (
            "wasi.wasm",
            ["it imports `wasi:clocks", "build it without WASI"],
        ),
        (
            "renamed.wasm",
            ["does not match", "generate its bindings anew"],
        ),
        (
            "setting.wasm",
            ["`stirct` is not known", "write `strict` for `stirct`"],
        ),
        (
            "traps.wasm",
            [
                "it cannot be configured: it gave up",
                "make `configure` refuse",
            ],
        ),
        (
            "unanswered.wasm",
            [
                "no module has a rule for `org_token_mint`",
                "give it a rule",
            ],
        ),
        (
            "brittle.wasm",
            [
                "fails here: org-token reader",
                "policy matrix brittle.wasm --verb org_token_mint",
            ],
        ),
    ] {
        let said = person.run(&["policy", "check", file]).await.expect(1);
        said.says(&words)
            .says(&["a host would not load it", "next: "]);
    }
}

#[tokio::test]
async fn several_modules_are_checked_at_once_and_one_that_is_wrong_fails_all() {
    let person = with(&[("careful.wasm", &careful()), ("brittle.wasm", &brittle())]);
    let said = person
        .run(&["policy", "check", "careful.wasm"])
        .await
        .expect(0);
    said.says(&[
        "careful@1.0.0",
        "cases carries none",
        "The host would load it.",
        "next: say what it must answer in `careful.cases.toml`",
        "`countersign policy verify careful.wasm`",
    ]);
    let line = ["policy", "check", "careful.wasm", "brittle.wasm", "--json"];
    let json = person.run(&line).await.expect(1).json();
    assert_eq!(json[0]["loads"], true, "{json}");
    assert_eq!(json[0]["module"]["mode"], "snapshot", "{json}");
    assert_eq!(json[1]["loads"], false, "{json}");
    let sentence = json[1]["problem"]["sentence"].as_str().expect("a sentence");
    assert!(sentence.contains("`brittle` fails here"), "{json}");
}

#[tokio::test]
async fn a_module_that_is_too_large_is_refused_before_it_is_compiled() {
    let person = CommandLine::new();
    put(&person, "large.wasm", &vec![0; 33 << 20]);
    let said = person
        .run(&["policy", "check", "large.wasm"])
        .await
        .expect(1);
    said.says(&["larger than 33554432 bytes", "leave out debug information"]);
}

#[tokio::test]
async fn what_is_no_component_is_told_with_the_next_step_by_every_command() {
    let other = Guest {
        decide_name: "judge",
        ..Guest::default()
    };
    let person = with(&[("other.wasm", &other)]);
    put(&person, "core.wasm", b"\0asm\x01\0\0\0");
    put(&person, "image.wasm", b"\x89PNG");
    put(&person, "empty.wasm", b"");
    let case = "[[case]]\nname = \"c\"\ngiven.verb = \"deprovision\"\nexpect.not = \"allow\"\n";
    put(&person, "c.toml", case.as_bytes());
    std::fs::create_dir(person.folder().join("folder.wasm")).expect("there is room");
    for (file, words) in [
        ("core.wasm", "next: it is a core module"),
        ("image.wasm", "next: it is no WebAssembly at all"),
        ("empty.wasm", "next: the file is empty"),
        ("other.wasm", "next: generate its bindings anew"),
        ("gone.wasm", "No such file"),
        ("folder.wasm", "Is a directory"),
    ] {
        for (line, code) in [
            (&["policy", "describe", file][..], 2),
            (&["policy", "matrix", file], 2),
            (&["policy", "diff", "builtin", file], 2),
            (&["policy", "bench", file], 2),
            (&["policy", "verify", file], 2),
            (&["policy", "test", file, "c.toml"], 2),
            (&["policy", "check", file], 1),
        ] {
            let said = person.run(line).await.expect(code);
            said.says(&[file, words]);
        }
    }
}
