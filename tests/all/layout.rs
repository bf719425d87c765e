//! What may depend on what, and where things lie. `deny.toml` holds a part of it for crates of others;
//! this holds all of it, as cargo resolves it.

mod graph;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use graph::Graph;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What runs modules.
const SANDBOX: &[&str] = &["wasmtime", "wasmtime-wizer"];
/// What speaks SQL.
const SQL: &[&str] = &["sqlx", "sqlx-core", "libsqlite3-sys"];
/// What speaks HTTP.
const HTTP: &[&str] = &["axum", "hyper", "reqwest", "tower"];
/// What waits.
const RUNTIME: &[&str] = &["tokio", "mio"];

fn host() -> Graph {
    Graph::of(&Path::new(ROOT).join("Cargo.toml"))
}

/// `crate_name` needs exactly these crates of ours, and nothing of those others, however indirectly.
#[track_caller]
fn depends(crate_name: &str, ours: &[&str], never: &[&[&str]]) {
    let graph = host();
    assert_eq!(
        graph.ours(crate_name),
        BTreeSet::from_iter(ours.iter().copied())
    );
    let tree = graph.tree(crate_name);
    for foreign in never.iter().copied().flatten() {
        assert!(
            !tree.contains(foreign),
            "`{crate_name}` needs `{foreign}`: `cargo tree -p {crate_name} -i {foreign}` says why"
        );
    }
}

#[test]
fn core_knows_neither_wasm_nor_sql_nor_http_nor_a_runtime() {
    depends("countersign-core", &[], &[SANDBOX, SQL, HTTP, RUNTIME]);
}

#[test]
fn the_engine_knows_core_and_neither_sql_nor_http() {
    depends(
        "countersign-engine",
        &["countersign-core"],
        &[SQL, HTTP, &["tokio"]],
    );
}

#[test]
fn the_store_knows_core_and_neither_wasm_nor_http() {
    depends("countersign-store", &["countersign-core"], &[SANDBOX, HTTP]);
}

#[test]
fn the_lab_works_on_policies_without_database_and_server() {
    depends(
        "countersign-lab",
        &["countersign-core", "countersign-engine"],
        &[SQL, HTTP, &["tokio"]],
    );
}

#[test]
fn the_server_composes_all_and_nothing_is_built_on_it() {
    let graph = host();
    let parts = ["core", "engine", "lab", "store"].map(|part| format!("countersign-{part}"));
    assert_eq!(
        graph.ours("countersign"),
        parts.iter().map(String::as_str).collect()
    );
    let tree = graph.tree("countersign");
    // What is looked for above is found where it is, so the search works.
    for found in [SANDBOX, SQL, HTTP, RUNTIME].concat() {
        assert!(
            tree.contains(found),
            "`{found}` is nowhere: rename it in this file"
        );
    }
    for member in graph.members() {
        assert!(
            !graph.ours(member).contains("countersign"),
            "`{member}` needs the server"
        );
    }
}

#[test]
fn policies_are_built_without_the_host() {
    let policies = Graph::of(&Path::new(ROOT).join("policies/Cargo.toml"));
    let host = Path::new(ROOT)
        .join("host")
        .canonicalize()
        .expect("there is a host");
    for member in policies.members() {
        for needed in policies.packages(member) {
            let within = policies.manifest(needed).starts_with(&host);
            assert!(!within, "policy `{member}` needs `{needed}` of the host");
        }
    }
    let sdk = BTreeSet::from(["countersign-policy"]);
    assert_eq!(policies.ours("countersign-baseline"), sdk);
    assert_eq!(policies.ours("countersign-policy"), BTreeSet::new());
}

#[test]
fn the_top_of_the_repository_holds_what_the_design_names_and_nothing_else() {
    const PARTS: &[&str] = &["docs", "host", "migrations", "policies", "tests", "wit"];
    const FILES: &[&str] = &["Cargo.lock", "Cargo.toml", "README.md"];
    const LINTS: &[&str] = &["clippy.toml", "deny.toml", "rustfmt.toml"];
    let ignored = read(".gitignore");
    let ignored: Vec<_> = ignored.lines().map(|line| line.trim_matches('/')).collect();
    let found: BTreeSet<String> = fs::read_dir(ROOT)
        .expect("the repository can be read")
        .map(|entry| entry.expect("the repository can be read").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.') && !ignored.contains(&name.as_str()))
        .collect();
    let expected = [PARTS, FILES, LINTS].concat();
    assert_eq!(found, expected.into_iter().map(str::to_owned).collect());
}

#[test]
fn the_contract_is_one_file_and_says_its_version() {
    let wit: Vec<_> = files("wit", "wit");
    assert_eq!(wit, [Path::new(ROOT).join("wit/policy.wit")]);
    let package = "\npackage countersign:policy@0.1.0;\n";
    assert!(
        read("wit/policy.wit").contains(package),
        "wit/policy.wit lacks {package:?}"
    );
}

#[test]
fn generated_bindings_are_made_in_one_file_of_the_engine_and_one_of_the_sdk() {
    let made: BTreeSet<_> = sources()
        .filter(|(_, source)| {
            ["component::bindgen!(", "wit_bindgen::generate!("]
                .iter()
                .any(|generator| source.contains(generator))
        })
        .map(|(path, _)| path)
        .collect();
    let expected = [
        "host/engine/src/bindings.rs",
        "policies/sdk/src/bindings.rs",
    ];
    assert_eq!(made, expected.map(str::to_owned).into());
}

#[test]
fn a_route_without_a_verb_cannot_be_written() {
    let clippy = read("clippy.toml");
    let methods = [
        "route",
        "route_service",
        "nest",
        "nest_service",
        "merge",
        "fallback",
        "fallback_service",
    ];
    for method in methods {
        let banned = format!("{{ path = \"axum::Router::{method}\", reason = ");
        assert!(
            clippy.contains(&banned),
            "clippy.toml no longer bans `Router::{method}`"
        );
    }
    let manifest = read("Cargo.toml");
    assert!(manifest.contains("\ndisallowed_methods = \"deny\"\n"));

    // Nobody lifts the ban but the one file that makes routes.
    let routers: BTreeSet<_> = sources()
        .filter(|(path, source)| {
            let calls = |method: &&str| source.contains(&format!(".{method}("));
            path.starts_with("host/server/src/")
                && source.contains("Router")
                && methods.iter().any(calls)
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        routers,
        BTreeSet::from(["host/server/src/routes.rs".to_owned()])
    );
}

#[test]
fn every_crate_takes_the_lints_and_the_versions_of_its_workspace() {
    for manifest in files("host", "toml")
        .into_iter()
        .chain(files("policies", "toml"))
    {
        let text = fs::read_to_string(&manifest).expect("a manifest can be read");
        if manifest.file_name().is_none_or(|name| name != "Cargo.toml")
            || text.contains("[workspace]")
        {
            continue;
        }
        let shown = manifest.display();
        assert!(
            text.contains("[lints]\nworkspace = true"),
            "{shown} has lints of its own"
        );
        assert!(
            text.contains("publish.workspace = true"),
            "{shown} could be published"
        );
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All Rust sources of the host, of the policies and of the tests, each under its path from the root.
fn sources() -> impl Iterator<Item = (String, String)> {
    ["host", "policies", "tests"]
        .into_iter()
        .flat_map(|folder| files(folder, "rs"))
        // This file holds every word that it looks for.
        .filter(|path| !path.ends_with("tests/all/layout.rs"))
        .map(|path| {
            let source = fs::read_to_string(&path).expect("a source can be read");
            let path = path
                .strip_prefix(ROOT)
                .expect("INVARIANT: it was found there");
            (path.to_string_lossy().into_owned(), source)
        })
}

/// All files below `folder` whose names end in `.extension`; built ones are elsewhere or in `target`.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
