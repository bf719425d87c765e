use countersign_tests::CommandLine;

use super::*;

/// The baseline, with the gate lifted from one verb, another kept for longer, and fewer verbs for the provisioner.
const OTHERWISE: &str = r#"
gated_verbs = ["org_token_mint", "secret_write", "secret_delete", "workspace_update", "delete_workspace", "workspace_token_mint", "deprovision"]
provisioner_verbs = ["workspace_create"]
grant_ttl_seconds = 600
"#;

#[tokio::test]
async fn a_module_is_no_different_from_itself() {
    let person = CommandLine::new();
    let said = person.run(&["policy", "diff", "builtin", "builtin"]).await;
    said.expect(0).says(&[
        "No difference over 1856 rows.",
        "A sha256 ",
        "B sha256 ",
        "Compared: what both declare and are set to, and their answers to every row",
        "Not compared: times, counts, lengths",
    ]);
    let some = [
        "policy",
        "diff",
        "builtin",
        "builtin",
        "--verb",
        "deprovision",
    ];
    let said = person.run(&some).await.expect(0);
    said.says(&["to the chosen rows of the exhaustive table, and no others (32 rows)"]);
}

#[tokio::test]
async fn what_loosens_comes_first_and_ends_with_3() {
    let person = CommandLine::new();
    put(&person, "b.toml", OTHERWISE.as_bytes());
    let diff = ["policy", "diff", "builtin", "--settings-b", "b.toml"];
    let said = person.run(&diff).await.expect(3);
    is_golden("diff.txt", &said.out);
    let said = person
        .run(&[&diff[..], &["--format", "markdown"]].concat())
        .await;
    is_golden("diff.md", &said.expect(3).out);
    let said = person
        .run(&[&diff[..], &["--format", "csv"]].concat())
        .await;
    is_golden("diff.csv", &said.expect(3).out);
    let json = person
        .run(&[&diff[..], &["--format", "json"]].concat())
        .await;
    let json = json.expect(3).json();
    assert_eq!(json["loosens"], true, "{json}");
    assert_eq!(json["answered"][0]["change"], "looser", "{json}");
    assert_eq!(json["answered"][0]["before"]["verdict"], "gate", "{json}");
}

#[tokio::test]
async fn what_only_tightens_or_is_said_otherwise_ends_with_1() {
    let person = CommandLine::new();
    put(&person, "b.toml", b"grant_ttl_seconds = 600");
    let back = ["policy", "diff", "builtin", "--settings-b", "b.toml"];
    let said = person.run(&back).await.expect(1);
    said.says(&["388 tighter", "15 min to use it", "10 min to use it"]);
    let line = ["policy", "diff", "builtin", "--settings-a", "b.toml"];
    person.run(&line).await.expect(3).says(&["388 looser"]);
    let same = [&line[..], &["--settings-b", "b.toml"]].concat();
    person.run(&same).await.expect(0).says(&["No difference"]);

    let other = Guest {
        reason: "another reason",
        ..careful()
    };
    let person = with(&[("a.wasm", &careful()), ("b.wasm", &other)]);
    let said = person.run(&["policy", "diff", "a.wasm", "b.wasm"]).await;
    let said = said
        .expect(1)
        .says(&["464 said otherwise", "+ another reason"]);
    assert!(!said.out.contains("Looser"), "{said}");
}

#[tokio::test]
async fn fewer_people_are_looser_and_a_module_that_begins_to_fail_is_tighter() {
    let fewer = Guest {
        people: 1,
        ..careful()
    };
    let failing = Guest {
        decide: "unreachable",
        ..careful()
    };
    let person = with(&[
        ("a.wasm", &careful()),
        ("fewer.wasm", &fewer),
        ("failing.wasm", &failing),
    ]);
    let said = person
        .run(&["policy", "diff", "a.wasm", "fewer.wasm"])
        .await;
    said.expect(3).says(&["464 looser", "2 people", "1 person"]);
    let said = person
        .run(&["policy", "diff", "a.wasm", "failing.wasm"])
        .await;
    said.expect(1).says(&["1856 tighter", "fails it gave up"]);
    let said = person
        .run(&["policy", "diff", "failing.wasm", "a.wasm"])
        .await;
    said.expect(3).says(&["1856 looser"]);
}

#[tokio::test]
async fn a_gate_where_there_was_no_opinion_may_loosen_or_tighten() {
    let silent = Guest {
        decide: "(global.get $abstain)",
        ..careful()
    };
    let person = with(&[("silent.wasm", &silent), ("careful.wasm", &careful())]);
    let said = person
        .run(&["policy", "diff", "silent.wasm", "careful.wasm"])
        .await;
    said.expect(3)
        .says(&["464 looser and tighter", "abstain → gate two-people"]);
}

#[tokio::test]
async fn what_a_module_asks_for_is_compared_as_well() {
    let other = Guest {
        version: "1.1.0",
        settings: vec![("strict", "true")],
        context: vec!["host.door"],
        clock_seconds: 60,
        ..careful()
    };
    let person = with(&[("a.wasm", &careful()), ("b.wasm", &other)]);
    let said = person
        .run(&["policy", "diff", "a.wasm", "b.wasm"])
        .await
        .expect(1);
    said.says(&[
        "none answered otherwise; 6 things declared otherwise",
        "version - 1.0.0 + 1.1.0",
        "context + host.door",
        "clock - 0 s + 60 s",
        "setting strict - absent + true",
    ]);
}

#[tokio::test]
async fn what_a_setting_holds_moves_no_cursor_and_is_no_formula() {
    let module = Guest {
        settings: vec![("strict", "true")],
        ..careful()
    };
    let person = with(&[("a.wasm", &module)]);
    let strict =
        br#"strict = ["=cmd()\u001b[2J\u202e", "<script>alert(1)</script><img src=x onerror=y>"]"#;
    put(&person, "b.toml", strict);
    let diff = [
        "policy",
        "diff",
        "a.wasm",
        "--settings-b",
        "b.toml",
        "--format",
    ];
    for (format, shown) in [
        ("terminal", r"+ =cmd()\u{1b}[2J\u{202e}"),
        ("markdown", r"=cmd\(\)\\u\{1b\}\[2J"),
        ("html", r"<ins>=cmd()\u{1b}[2J\u{202e}, &#60;script&#62;"),
        ("csv", r"'=cmd()\u{1b}[2J\u{202e}"),
        ("json", r"=cmd()\u001b[2J\u202e"),
    ] {
        let said = person.run(&[&diff[..], &[format]].concat()).await.expect(1);
        assert!(said.out.contains(shown), "{format}: {said}");
        assert!(!said.out.contains(['\u{1b}', '\u{202e}']), "{format}");
        let is_markup = ["html", "markdown"].contains(&format);
        let marked_up = said.out.replace("\\<", "");
        assert!(
            !is_markup || !marked_up.contains("<script"),
            "{format}: {said}"
        );
        assert!(
            !is_markup || !marked_up.contains("<img"),
            "{format}: {said}"
        );
    }
    let describe = ["policy", "describe", "a.wasm", "--settings", "b.toml"];
    let said = person.run(&describe).await.expect(0);
    assert!(said.out.contains(r"=cmd()\u{1b}[2J\u{202e}"), "{said}");
    assert!(!said.out.contains(['\u{1b}', '\u{202e}']), "{said}");
}

#[tokio::test]
async fn what_cannot_be_compared_ends_with_2() {
    let person = with(&[("a.wasm", &careful())]);
    put(&person, "broken.wasm", b"\0asm");
    for (line, sentence) in [
        (
            &["policy", "diff", "a.wasm", "gone.wasm"][..],
            "cannot read `gone.wasm`",
        ),
        (
            &["policy", "diff", "a.wasm", "broken.wasm"],
            "cannot compile it",
        ),
        (
            &["policy", "diff", "a.wasm", "--settings-b", "gone.toml"],
            "cannot read the settings",
        ),
        (
            &["policy", "diff", "a.wasm", "--verb", "x"],
            "there is no `x`",
        ),
    ] {
        person.run(line).await.expect(2).says(&[sentence]);
    }
}

/// Two people for administrators, who have as long as the host leaves them.
fn leaves_lives() -> Guest {
    Guest {
        // The two lives of a gate are options: at 36 and 44 of a verdict stands whether there is one.
        decide: "(i32.store8 (i32.add (global.get $gate) (i32.const 36)) (i32.const 0))
            (i32.store8 (i32.add (global.get $gate) (i32.const 44)) (i32.const 0))
            (global.get $gate)",
        ..careful()
    }
}

#[tokio::test]
async fn a_life_that_is_left_to_the_host_is_said_and_is_as_long_as_its_operator_set_it() {
    let named = Guest {
        decide: "(global.get $gate)",
        ..careful()
    };
    let person = with(&[("left.wasm", &leaves_lives()), ("named.wasm", &named)]);
    let matrix = ["policy", "matrix", "left.wasm"];
    let said = person.run(&matrix).await.expect(0);
    said.says(&["A life that is not named is the host's: 1 h to decide and 15 min to use it"]);
    let set = ["--pending-seconds", "7200"];
    let said = person.run(&[&matrix[..], &set].concat()).await.expect(0);
    said.says(&[
        "Every gate takes 2 people; 2 h to decide, 15 min to use it.",
        "Lives are those on a host that leaves 2 h to decide and 15 min to use it.",
    ]);
    let host = person.clone().env("COUNTERSIGN_PENDING_SECONDS", "300");
    let said = host
        .run(&["policy", "matrix", "named.wasm"])
        .await
        .expect(0);
    said.says(&["5 min to decide, 1 min to use it"]);
    let diff = ["policy", "diff", "named.wasm", "left.wasm"];
    let said = person.run(&diff).await.expect(3);
    said.says(&["1856 looser", "A life that is not named is the host's"]);
    // Where both are cut to the same, there is no difference.
    let short = ["--pending-seconds", "60", "--grant-seconds", "30"];
    let said = person.run(&[&diff[..], &short].concat()).await.expect(0);
    said.says(&["No difference"]);
    let wrong = ["policy", "matrix", "left.wasm", "--grant-seconds", "5"];
    let said = person.run(&wrong).await.expect(2);
    said.says(&["`5` is not a number of seconds from 10 to 86400"]);
}
