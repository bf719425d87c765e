//! docs/policies.md, run: what the page prints is what is said, and what it has people write is right.

use std::fs;
use std::path::{Path, PathBuf};

use countersign_engine::BASELINE;
use countersign_lab::cases::CaseFile;

use super::{somebody, test};

const COMMAND: &str = "$ countersign policy test baseline.wasm team.toml\n";

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn page() -> String {
    fs::read_to_string(root("docs/policies.md")).expect("there is a page")
}

/// What a fenced block holds that begins with `fence`.
fn block<'p>(page: &'p str, fence: &str) -> &'p str {
    let (_, rest) = page.split_once(fence).expect("the page has that block");
    rest.split_once("```\n").expect("it ends").0
}

#[tokio::test]
async fn the_page_on_policies_shows_what_its_example_says() {
    let page = page();
    let (_, example) = page
        .split_once("### A worked example\n")
        .expect("the page has one");
    let cases = block(example, "```toml\n");
    let person = somebody(&[("baseline.wasm", BASELINE), ("team.toml", cases.as_bytes())]);
    let said = test(&person, &["baseline.wasm", "team.toml"])
        .await
        .expect(1);
    // How long it took is in the line only where it took long.
    let summary = said.out.split(" in ").next().unwrap_or_default();
    let found = match said.out.trim_end().ends_with("s)") && summary.ends_with(" questions") {
        true => format!("{summary})\n"),
        false => said.out.clone(),
    };
    let shown = block(example, "```console\n");
    let expected = format!("{COMMAND}{found}");
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        let blessed = page.replace(shown, &expected);
        fs::write(root("docs/policies.md"), blessed).expect("the page can be written");
        return;
    }
    assert_eq!(
        shown, expected,
        "docs/policies.md shows something else: run this with COUNTERSIGN_BLESS=1"
    );
}

/// The SDK's own tests run it.
#[test]
fn the_policy_in_rust_that_the_page_has_people_write_is_the_example_of_the_sdk() {
    let sdk = fs::read_to_string(root("policies/sdk/src/lib.rs")).expect("there is an SDK");
    let lines = sdk.lines().filter_map(|line| line.strip_prefix("//!"));
    let lines: Vec<&str> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .collect();
    let (page, example) = (page(), lines.join("\n"));
    let policy = block(&page, "```rust\n");
    assert!(example.contains(policy.trim_end()), "{policy}");
}

#[tokio::test]
async fn the_policy_in_text_that_the_page_shows_loads_and_holds_its_cases() {
    let text = fs::read_to_string(root("docs/examples/two-people.wat")).expect("it is there");
    let component = wat::parse_str(&text).expect("it is a component");
    let cases = fs::read(root("docs/examples/two-people.cases.toml")).expect("they are there");
    let person = somebody(&[
        ("two-people.wasm", &component),
        ("two-people.cases.toml", &cases),
    ]);
    let check = person.run(&["policy", "check", "two-people.wasm"]).await;
    check
        .expect(0)
        .says(&["two-people@1.0.0", "The host would load it."]);
    test(&person, &["two-people.wasm"])
        .await
        .expect(0)
        .says(&["two-people@1.0.0: 3 cases passed"]);
}

#[test]
fn every_file_of_cases_that_the_page_shows_is_understood() {
    let page = page();
    let blocks = page.split("```").skip(1).step_by(2);
    let is_of_cases = |text: &&str| {
        ["[[case]]", "[[table]]", "[[property]]"]
            .iter()
            .any(|it| text.contains(it))
    };
    let files: Vec<&str> = blocks
        .filter_map(|block| block.strip_prefix("toml\n"))
        .filter(is_of_cases)
        .collect();
    for text in &files {
        CaseFile::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    }
    assert!(files.len() >= 4, "{}", files.len());
}
