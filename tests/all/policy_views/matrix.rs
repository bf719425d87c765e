use countersign_core::exhaustive;
use countersign_tests::CommandLine;

use super::*;

#[tokio::test]
async fn the_baseline_is_read_on_two_pages_of_80_columns() {
    let person = CommandLine::new();
    let said = person.run(&["policy", "matrix", "builtin"]).await.expect(0);
    is_golden("baseline.txt", &said.out);
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines.len() <= 100, "{} lines", lines.len());
    assert!(lines.iter().all(|line| line.chars().count() <= 80));
    assert!(!said.out.contains('\u{1b}'), "nobody looks, so no colours");

    let said = person.run(&["policy", "matrix", "builtin", "--format", "markdown"]);
    is_golden("baseline.md", &said.await.expect(0).out);
}

#[tokio::test]
async fn a_spreadsheet_has_a_line_for_each_row_unless_it_is_to_be_folded() {
    let person = CommandLine::new();
    let csv = ["policy", "matrix", "builtin", "--format", "csv"];
    let said = person.run(&csv).await.expect(0);
    assert_eq!(said.out.lines().count(), 1 + exhaustive::rows().count());
    let first = "org_token_mint,anonymous,none,asks-admin,unknown,deny,unknown-caller,";
    assert_eq!(said.out.lines().nth(1), Some(first));
    let said = person
        .run(&[&csv[..], &["--folded"]].concat())
        .await
        .expect(0);
    assert!(said.out.lines().count() < 70, "{said}");
    let gate = "org_token_mint,any agent token,all roles,,agent,gate,agents-need-a-person,";
    assert!(said.out.contains(gate), "{said}");
}

#[tokio::test]
async fn a_program_reads_whole_answers_or_folded_ones() {
    let person = CommandLine::new();
    let json = [
        "policy",
        "matrix",
        "builtin",
        "--format",
        "json",
        "--verb",
        "deprovision",
    ];
    let said = person.run(&json).await.expect(0).json();
    let rows = said["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 8 * 4);
    let token = rows.iter().find(|row| row["credential"] == "org-token");
    let gate = &token.expect("a row")["verdict"]["gate"];
    assert_eq!(gate["quorums"][0]["people"], 1, "{gate}");
    let said = person
        .run(&[&json[..], &["--folded"]].concat())
        .await
        .expect(0)
        .json();
    let folded = said["rows"].as_array().expect("rows");
    assert_eq!(folded.len(), 5, "{said}");
    assert_eq!(
        folded[0]["credentials"],
        serde_json::json!(["verified-session"])
    );
}

#[tokio::test]
async fn rows_are_chosen_by_patterns_and_a_pattern_that_fits_nothing_is_a_mistake() {
    let person = CommandLine::new();
    let chosen = [
        "policy",
        "matrix",
        "builtin",
        "--verb",
        "secret_*",
        "--credential",
        "*-token",
    ];
    let said = person.run(&chosen).await.expect(0);
    let said = said.says(&["secret_delete", "agents-need-a-person"]);
    let said = said.hides(&["deprovision", "verified-session"]);
    assert!(said.out.contains("any agent token"), "{said}");
    let wrong = person
        .run(&["policy", "matrix", "builtin", "--verb", "secret_wirte"])
        .await;
    wrong.expect(2).says(&["do you mean `secret_write`?"]);
}

#[tokio::test]
async fn a_module_of_ones_own_is_shown_with_what_its_gates_take_and_where_it_fails() {
    let person = with(&[("careful.wasm", &careful()), ("brittle.wasm", &brittle())]);
    let said = person
        .run(&["policy", "matrix", "careful.wasm"])
        .await
        .expect(0);
    is_golden("careful.txt", &said.out);
    let said = person
        .run(&["policy", "matrix", "brittle.wasm"])
        .await
        .expect(0);
    said.says(&["org-token · reader", "fails", "it gave up (unreachable)"]);
}

#[tokio::test]
async fn what_is_shown_goes_into_a_file_if_it_is_asked_to() {
    let person = CommandLine::new();
    let said = person
        .run(&["policy", "matrix", "builtin", "--out", "m.txt"])
        .await
        .expect(0);
    assert!(said.out.is_empty(), "{said}");
    let written = std::fs::read_to_string(person.folder().join("m.txt")).expect("a file");
    assert!(written.starts_with("baseline@"), "{written}");
    let said = person
        .run(&["policy", "matrix", "builtin", "--out", "no/m.txt"])
        .await;
    said.expect(1).says(&["cannot write to `no/m.txt`"]);
}

#[tokio::test]
async fn a_terminal_has_colours_unless_whoever_sits_there_wants_none() {
    let person = CommandLine::new().env("TERM", "xterm");
    let line = ["policy", "matrix", "builtin", "--verb", "deprovision"];
    let said = person.run_at_terminal(&line, "").await.expect(0);
    assert!(said.out.contains("\u{1b}[33mgate\u{1b}[0m"), "{said}");
    let plain = person.env("NO_COLOR", "1");
    let said = plain.run_at_terminal(&line, "").await.expect(0);
    assert!(!said.out.contains("\u{1b}[33m"), "{said}");
}

#[tokio::test]
async fn what_a_module_says_does_not_break_out_of_a_table() {
    let module = Guest {
        reason: HOSTILE,
        ..careful()
    };
    let other = Guest {
        reason: "another reason",
        ..careful()
    };
    let person = with(&[("a.wasm", &module), ("b.wasm", &other)]);
    let diff = ["policy", "diff", "a.wasm", "b.wasm", "--format"];
    let said = person.run(&[&diff[..], &["html"]].concat()).await.expect(1);
    assert!(!said.out.contains("<script"), "{said}");
    let said = person
        .run(&[&diff[..], &["markdown"]].concat())
        .await
        .expect(1);
    assert!(said.out.contains(r"\<script\>alert\(1\)"), "{said}");
    assert!(said.out.contains(r"\| \[a\]\(javascript\:b\)"), "{said}");
}

#[tokio::test]
async fn a_report_is_never_written_over_a_component() {
    let person = with(&[("a.wasm", &careful())]);
    let case = "[[case]]\nname = \"c\"\ngiven.verb = \"deprovision\"\nexpect.not = \"allow\"\n";
    put(&person, "c.toml", case.as_bytes());
    let whole = std::fs::read(person.folder().join("a.wasm")).expect("it is there");
    for line in [
        &["policy", "matrix", "a.wasm", "--out", "a.wasm"][..],
        &["policy", "diff", "builtin", "a.wasm", "--out", "a.wasm"],
        &["policy", "test", "a.wasm", "c.toml", "--junit", "a.wasm"],
    ] {
        let said = person.run(line).await.expect(2);
        said.says(&["`a.wasm` is a component: name another file"]);
        let now = std::fs::read(person.folder().join("a.wasm")).expect("it is there");
        assert!(now == whole, "{line:?}");
    }
}
