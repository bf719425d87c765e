//! The worked example of docs/policies.md, run: what the page prints is what is said.

use std::fs;
use std::path::Path;

use countersign_engine::BASELINE;

use super::{somebody, test};

const COMMAND: &str = "$ countersign policy test baseline.wasm team.toml\n";

/// What a fenced block holds that begins with `fence`.
fn block<'p>(page: &'p str, fence: &str) -> &'p str {
    let (_, rest) = page.split_once(fence).expect("the page has that block");
    rest.split_once("```\n").expect("it ends").0
}

#[tokio::test]
async fn the_page_on_policies_shows_what_its_example_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/policies.md");
    let page = fs::read_to_string(&path).expect("there is a page");
    let cases = block(&page, "```toml\n");
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
    let shown = block(&page, "```console\n");
    let expected = format!("{COMMAND}{found}");
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        let blessed = page.replace(shown, &expected);
        fs::write(&path, blessed).expect("the page can be written");
        return;
    }
    assert_eq!(
        shown, expected,
        "docs/policies.md shows something else: run this with COUNTERSIGN_BLESS=1"
    );
}
