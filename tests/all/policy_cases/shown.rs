//! The report as people read it: in terminals of two widths, in none, and of a module that is hostile.

use countersign_core::text::is_misleading;
use countersign_tests::guest::Guest;
use countersign_tests::{CommandLine, Said};

use super::{MIXED, case, freeze, golden, somebody, test};

fn mixed() -> CommandLine {
    somebody(&[("freeze.wasm", &freeze()), ("mixed.toml", MIXED.as_bytes())])
}

/// Types `line` at a terminal so many columns wide.
async fn at_terminal(person: &CommandLine, columns: usize, line: &str) -> Said {
    let binary = countersign_tests::built("countersign");
    let line = format!(
        "stty cols {columns}; {} policy test {line}",
        binary.display()
    );
    let typed = ["--quiet", "--return", "--command", &line, "/dev/null"];
    person
        .begin("/usr/bin/script".into(), &typed, Some(""))
        .end()
        .await
}

/// Without how long it took, and with the line ends of a file.
fn still(said: &Said) -> String {
    let out = said.out.replace("\r\n", "\n").replace("\r\u{1b}[K", "");
    let lines = out.lines().map(|line| match line.split_once(" in ") {
        Some((before, _)) if before.ends_with(" questions") => format!("{before})"),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

#[tokio::test]
async fn what_does_not_hold_is_worth_reading_in_a_pipe() {
    let said = test(&mixed(), &["freeze.wasm", "mixed.toml"])
        .await
        .expect(1);
    golden("pipe.txt", &still(&said));
}

#[tokio::test]
async fn what_does_not_hold_is_worth_reading_in_a_terminal_of_80_and_of_120_columns() {
    for columns in [80, 120] {
        let said = at_terminal(&mixed(), columns, "freeze.wasm mixed.toml").await;
        let said = said.expect(1);
        assert!(said.out.contains("\u{1b}[31"), "{said}");
        let text = uncoloured(&still(&said));
        let is_command = |line: &str| line.contains("countersign policy test");
        for line in text.lines().filter(|line| !is_command(line)) {
            assert!(line.chars().count() <= columns, "{line}");
        }
        golden(&format!("terminal-{columns}.txt"), &text);
    }
}

#[tokio::test]
async fn colours_are_where_they_are_wanted() {
    let person = mixed();
    let is_coloured = |said: &Said| said.out.contains('\u{1b}');
    let always = ["freeze.wasm", "mixed.toml", "--color", "always"];
    assert!(is_coloured(&test(&person, &always).await.expect(1)));
    let none = person.clone().env("NO_COLOR", "1");
    let said = at_terminal(&none, 80, "freeze.wasm mixed.toml").await;
    let said = said.expect(1);
    assert!(!still(&said).contains('\u{1b}'), "{said}");
    let said = at_terminal(&person, 80, "freeze.wasm mixed.toml --color never").await;
    assert!(!still(&said).contains('\u{1b}'), "{said}");
}

#[tokio::test]
async fn the_command_line_that_it_ends_with_runs_that_case_again() {
    let person = mixed();
    let said = test(&person, &["freeze.wasm", "mixed.toml"])
        .await
        .expect(1);
    let folder = countersign_tests::built("countersign");
    let folder = folder.parent().expect("it lies in a folder").display();
    let lines = said
        .out
        .lines()
        .filter_map(|line| line.trim().strip_prefix("again"));
    let mut count = 0;
    for line in lines {
        let line = format!("PATH='{folder}':$PATH; {}", line.trim());
        let again = person
            .begin("/bin/sh".into(), &["-c", &line], None)
            .end()
            .await;
        again.expect(1).says(&["1 of 1 case failed"]);
        count += 1;
    }
    assert_eq!(count, 2);
}

#[tokio::test]
async fn no_text_of_a_module_or_a_file_breaks_the_report() {
    let hostile =
        "x\u{1b}]0;owned\u{7}\u{1b}[2J\r\n\u{202e}nimda\u{200b}\u{9b}31m\u{2028}".repeat(400);
    let note: &'static str = "a\u{1b}[2J\u{202e}";
    let guest = Guest {
        name: "hostile",
        reason: Box::leak("long ".repeat(400).into_boxed_str()),
        rule: "allow-all",
        decide: Box::leak(
            format!(
                "(i64.store (i32.const 512) (i64.const 0x{:016x}))
                 (call $write (i32.const 512) (i32.const {})) (global.get $allow)",
                u64::from_le_bytes(padded(note)),
                note.len()
            )
            .into_boxed_str(),
        ),
        ..Guest::default()
    };
    let quoted = serde_json::to_string(&hostile).expect("a text");
    // JSON's escapes are TOML's as well, but for a few characters that need none.
    let file = case(
        "verb = \"deprovision\"",
        &format!("verdict = \"deny\", reason = {quoted}"),
    )
    .replace("\"c\"", &quoted);
    let odd = "<od\u{1b}[2J\u{202e}d>&\".toml";
    let person = somebody(&[
        ("h.wasm", &guest.component()),
        ("cases.toml", file.as_bytes()),
        (odd, file.as_bytes()),
    ]);
    for cases in ["cases.toml", odd] {
        let said = test(&person, &["h.wasm", cases, "--junit", "r.xml"]).await;
        let out = uncoloured(&said.expect(1).out);
        assert!(!out.contains(|c| is_misleading(c) && c != '\n'), "{out}");
        let xml = std::fs::read_to_string(person.folder().join("r.xml")).expect("it was written");
        assert!(!xml.contains(|c| is_misleading(c) && c != '\n'), "{xml}");
        let parse = "import sys, xml.etree.ElementTree as t; print(len(list(t.parse('r.xml').iter('failure'))))";
        let read = person
            .begin("/usr/bin/python3".into(), &["-c", parse], None)
            .end()
            .await;
        assert_eq!(read.expect(0).out.trim(), "1");
    }
    for arguments in [
        &["h.wasm", "cases.toml"][..],
        &["h.wasm", "cases.toml", "--color", "always"],
        &["h.wasm", "cases.toml", "--json"],
    ] {
        let said = test(&person, arguments).await.expect(1);
        let text = uncoloured(&said.out);
        let bad = text.chars().find(|c| is_misleading(*c) && *c != '\n');
        assert_eq!(bad, None, "{said}");
        let is_long = |line: &&str| line.chars().count() > 100 && !line.contains("again");
        if !arguments.contains(&"--json") {
            assert_eq!(text.lines().find(is_long), None, "{said}");
            assert!(text.lines().count() < 100, "{said}");
        }
    }
}

fn padded(text: &str) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}
