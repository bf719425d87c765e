//! The folder as a host finds it that has run before.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::guest::Guest;
use super::{engine, prove};
use crate::folder::{Folder, Proposal, Recorded, Trust, Vet, Watcher};
use crate::{FolderError, Settings};

fn opened(path: &Path, recorded: &[(&str, &[u8])]) -> Result<Proposal, FolderError> {
    let engine = engine();
    let folder = Folder {
        path: path.to_owned(),
        built_in: vec![prove(&engine, &Guest::default()).expect("it is sound")],
        engine,
        classifier: "baseline".to_owned(),
        recorded: recorded
            .iter()
            .map(|(file, component)| Recorded {
                file: (*file).to_owned(),
                component: component.to_vec(),
                settings: Settings::new(),
                signatures: Vec::new(),
            })
            .collect(),
        trust: Trust::new(|_, _| Ok(())),
        vet: Vet::new(|_| Ok(())),
    };
    Watcher::open(folder, |_| {}).map(|(_, first)| first)
}

fn mine(version: &'static str) -> Vec<u8> {
    Guest {
        name: "mine",
        version,
        ..Guest::default()
    }
    .component()
}

fn names(proposal: &Proposal) -> Vec<String> {
    let modules = proposal.policies.modules().iter();
    modules.map(|module| module.id().to_string()).collect()
}

#[test]
fn a_file_that_is_broken_at_the_start_stands_as_it_last_decided() {
    let folder = TempDir::new().expect("there is room");
    fs::write(folder.path().join("mine.wasm"), "broken").expect("written");
    let first = opened(folder.path(), &[("mine.wasm", &mine("1.0.0"))]).expect("it opens");
    assert_eq!(names(&first), ["baseline@1.0.0", "mine@1.0.0"]);
    assert_eq!(first.files["mine"], "mine.wasm");
    assert_eq!(first.problems[0].file.as_deref(), Some("mine.wasm"));
}

#[test]
fn settings_that_are_broken_at_the_start_do_not_drop_their_module() {
    let folder = TempDir::new().expect("there is room");
    fs::write(folder.path().join("mine.wasm"), mine("1.0.0")).expect("written");
    fs::write(folder.path().join("mine.toml"), "x = [").expect("written");
    let first = opened(folder.path(), &[("mine.wasm", &mine("1.0.0"))]).expect("it opens");
    assert_eq!(names(&first), ["baseline@1.0.0", "mine@1.0.0"]);
    assert_eq!(first.problems.len(), 1);
}

#[test]
fn a_set_that_does_not_stand_at_the_start_leaves_the_one_that_last_decided() {
    let folder = TempDir::new().expect("there is room");
    let abstains = Guest {
        version: "2.0.0",
        decide: "(global.get $abstain)",
        ..Guest::default()
    };
    fs::write(folder.path().join("b.wasm"), abstains.component()).expect("written");
    fs::write(folder.path().join("mine.wasm"), "broken").expect("written");
    let last = Guest {
        version: "1.5.0",
        ..Guest::default()
    };
    let recorded = [
        ("b.wasm", &*last.component()),
        ("mine.wasm", &*abstaining()),
    ];
    let first = opened(folder.path(), &recorded).expect("it opens");
    assert_eq!(names(&first), ["baseline@1.5.0", "mine@1.0.0"]);
}

fn abstaining() -> Vec<u8> {
    Guest {
        name: "mine",
        decide: "(global.get $abstain)",
        ..Guest::default()
    }
    .component()
}

#[test]
fn a_file_that_was_deleted_or_replaced_while_the_host_was_down_is_gone_or_new() {
    let folder = TempDir::new().expect("there is room");
    fs::write(folder.path().join("mine.wasm"), mine("2.0.0")).expect("written");
    let recorded = [
        ("mine.wasm", &*mine("1.0.0")),
        ("gone.wasm", &*mine("1.0.0")),
    ];
    let first = opened(folder.path(), &recorded).expect("it opens");
    assert_eq!(names(&first), ["baseline@1.0.0", "mine@2.0.0"]);
    assert_eq!(first.problems, []);
}

#[test]
fn a_host_whose_last_policies_cannot_be_had_does_not_start_without_them() {
    let folder = TempDir::new().expect("there is room");
    fs::write(folder.path().join("mine.wasm"), "broken").expect("written");
    let refused = opened(folder.path(), &[("mine.wasm", b"broken too")]);
    let error = refused.expect_err("nothing stands").to_string();
    assert!(error.contains("mine.wasm"), "{error}");
}

#[test]
fn what_is_in_the_place_of_policies_that_cannot_be_had_must_stand() {
    let folder = TempDir::new().expect("there is room");
    let traps = Guest {
        name: "mine",
        decide: "(unreachable)",
        ..Guest::default()
    };
    fs::write(folder.path().join("mine.wasm"), traps.component()).expect("written");
    let refused = opened(folder.path(), &[("mine.wasm", b"broken")]);
    assert!(refused.is_err(), "{refused:?}");
    fs::write(folder.path().join("mine.wasm"), mine("2.0.0")).expect("written");
    let first = opened(folder.path(), &[("mine.wasm", b"broken")]).expect("it opens");
    assert_eq!(names(&first), ["baseline@1.0.0", "mine@2.0.0"]);
}
