//! `docs/sandbox.md` names tests and figures; this holds that they are there and right.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use countersign_engine::Limits;

pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn page() -> String {
    fs::read_to_string(Path::new(ROOT).join("docs/sandbox.md")).expect("the page can be read")
}

/// What a page has in `code`.
pub fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn each_test_and_each_row_that_the_sandbox_page_names_exists() {
    let page = page();
    let sources: String = sources().map(|(_, source)| source).collect();
    let section = page.split("## What it can do").next().unwrap_or_default();
    let mut named = (0, 0);
    for line in section.lines().filter(|line| line.starts_with("| to ")) {
        let held = line.rsplit('|').nth(1).unwrap_or_default();
        let before = named;
        for name in code(held) {
            if name.matches('_').count() > 2 && !name.contains(':') {
                let test = format!("fn {name}(");
                assert!(sources.contains(&test), "no test is named `{name}`");
                named.0 += 1;
            } else if name.contains('-') || name == "trap" {
                assert!(
                    sources.contains(&format!("\"{name}\"")),
                    "no row is named `{name}`"
                );
                named.1 += 1;
            }
        }
        let is_of_the_core = held.contains("Verb::is_judged_by_core_alone");
        assert!(named != before || is_of_the_core, "nothing holds: {line}");
    }
    assert!(named.0 >= 10 && named.1 >= 50, "the page has {named:?}");
}

#[test]
fn the_limits_on_the_sandbox_page_are_those_of_the_code() {
    let page = page();
    let section = page.split("## Its limits").nth(1).unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let said: BTreeSet<String> = rows
        .filter_map(|row| {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let name = cells.next()?.trim_matches('`');
            Some(format!("{name}: {}", cells.next()?))
        })
        .collect();
    let limits = format!("{:?}", Limits::default());
    let limits = limits
        .trim_start_matches("Limits { ")
        .trim_end_matches(" }");
    let meant: BTreeSet<String> = limits.split(", ").map(str::to_owned).collect();
    assert_eq!(said, meant);
}

/// How wasmtime is configured, as the page shows it.
fn configuration() -> String {
    let lines = countersign_engine::configuration::lines(&Limits::default());
    let mut table = "| of | setting | value | because |\n|---|---|---|---|\n".to_owned();
    for line in lines {
        let row = [line.of, line.setting, &line.value, line.reason];
        assert!(
            row.iter()
                .all(|cell| !cell.is_empty() && !cell.contains('|')),
            "{line:?}"
        );
        let [of, setting, value, reason] = row;
        table.push_str(&format!("| {of} | `{setting}` | `{value}` | {reason} |\n"));
    }
    table
}

#[test]
fn the_configuration_on_the_sandbox_page_is_the_one_that_the_code_makes() {
    let page = page();
    let section = page
        .split("## How wasmtime is configured")
        .nth(1)
        .unwrap_or_default();
    let at = section.find("| of |").expect("the page has the table");
    let table = section[at..].split("\n\n").next().unwrap_or_default();
    let committed = format!("{}\n", table.trim_end());
    let made = configuration();
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        let page = page.replacen(&committed, &made, 1);
        fs::write(Path::new(ROOT).join("docs/sandbox.md"), page).expect("the page can be written");
        return;
    }
    assert!(
        committed == made,
        "docs/sandbox.md is not what the code makes: run this test with COUNTERSIGN_BLESS=1 and read its diff"
    );
}

/// The workspace denies it; one function lifts that, and says why it may.
#[test]
fn nothing_is_unsafe_but_taking_in_what_the_compiler_made() {
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).expect("it can be read");
    assert!(manifest.contains("\nunsafe_code = \"deny\"\n"));
    let lifted: Vec<String> = sources()
        .filter(|(path, _)| !path.ends_with("sandbox_page.rs"))
        .filter(|(_, source)| source.contains("unsafe_code") || source.contains("unsafe {"))
        .map(|(path, _)| {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    assert_eq!(lifted, ["compiler.rs"]);
}

/// All Rust sources of the host and of the tests.
pub fn sources() -> impl Iterator<Item = (PathBuf, String)> {
    let mut folders = vec![Path::new(ROOT).join("host"), Path::new(ROOT).join("tests")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.into_iter().map(|path| {
        let source = fs::read_to_string(&path).expect("a source can be read");
        (path, source)
    })
}
