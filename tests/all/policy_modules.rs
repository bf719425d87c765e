//! The modules beside the baseline: what is committed is what the source makes, holds its own cases, and
//! never opens anything.
//!
//! `COUNTERSIGN_REBUILT_MODULES` names a folder with those that were built before the tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_core::exhaustive;
use countersign_core::policy::Verdict;
use countersign_engine::{BASELINE, Engine, Limits, Settings};
use countersign_lab::bundled;
use countersign_lab::module::Module;
use countersign_lab::vet::vet;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::reload::PATIENCE;
use crate::reload::shelf::Shelf;

const POLICIES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies");

const MODULES: [&str; 5] = [
    "budget",
    "business-hours",
    "lockdown",
    "names",
    "two-person",
];

fn engine() -> Engine {
    Engine::new(Limits::default()).expect("the default limits hold")
}

fn folder(name: &str) -> PathBuf {
    Path::new(POLICIES).join(name)
}

fn committed(name: &str) -> Vec<u8> {
    let path = folder(name).join(format!("{name}.wasm"));
    std::fs::read(path).expect("the component is committed")
}

/// The component that the source makes: the one that was built before the tests, or else one built now.
fn rebuilt(name: &str) -> Vec<u8> {
    if let Some(folder) = std::env::var_os("COUNTERSIGN_REBUILT_MODULES") {
        let path = Path::new(&folder).join(format!("{name}.wasm"));
        return std::fs::read(path).expect("COUNTERSIGN_REBUILT_MODULES has every module");
    }
    let built = tempfile::tempdir().expect("a temporary folder can be made");
    let out = built.path().join(format!("{name}.wasm"));
    match countersign_lab::build::build(&folder(name), &out) {
        Ok(built) => built.bytes,
        Err(error) => panic!("cannot build `{name}`: {error}"),
    }
}

fn module(engine: &Engine, component: &[u8]) -> Module {
    let proven = engine.prove(component, &Settings::new());
    Module::new(engine, proven.expect("it proves")).expect("the baseline proves")
}

#[test]
fn every_committed_module_is_one_of_these() {
    let found: BTreeSet<String> = std::fs::read_dir(POLICIES)
        .expect("the policies can be read")
        .map(|entry| entry.expect("the policies can be read").file_name())
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| folder(name).join(format!("{name}.wasm")).exists())
        .collect();
    let mut expected = BTreeSet::from(MODULES.map(str::to_owned));
    expected.insert("baseline".to_owned());
    assert_eq!(found, expected);
}

#[test]
fn every_module_has_its_committed_digest_and_carries_the_cases_of_its_folder() {
    for name in MODULES {
        let component = committed(name);
        let digest: String = Sha256::digest(&component)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let noted = std::fs::read_to_string(folder(name).join(format!("{name}.wasm.sha256")))
            .expect("its digest is committed");
        assert_eq!(noted, format!("{digest}  {name}.wasm\n"));
        let cases = std::fs::read_to_string(folder(name).join("cases.toml"))
            .expect("its cases are committed");
        let carried = bundled::cases(&component).expect("it is a component");
        assert_eq!(
            carried,
            Some(&*cases),
            "run `countersign policy build policies/{name}`"
        );
    }
}

#[test]
fn every_module_holds_its_own_cases_as_a_host_runs_them() {
    let engine = engine();
    let baseline = engine.prove(BASELINE, &Settings::new());
    let baseline = Arc::new(baseline.expect("the baseline proves"));
    for name in MODULES {
        if let Err(error) = vet(&engine, &committed(name), None, &baseline) {
            panic!("`{name}`: {error}");
        }
    }
}

#[test]
fn rebuilt_and_committed_modules_answer_alike_and_none_of_them_ever_allows() {
    let engine = engine();
    let mut same_bytes = 0;
    for name in MODULES {
        let (committed_bytes, rebuilt_bytes) = (committed(name), rebuilt(name));
        same_bytes += usize::from(committed_bytes == rebuilt_bytes);
        let committed = module(&engine, &committed_bytes);
        let rebuilt = module(&engine, &rebuilt_bytes);
        for row in exhaustive::rows() {
            let question = row.question();
            let answered = committed.answer_again(&question);
            assert_eq!(
                rebuilt.answer_again(&question),
                answered,
                "{name}: {}",
                row.key()
            );
            let verdict = answered.verdict.as_ref();
            assert!(
                matches!(
                    verdict,
                    Ok(Verdict::Abstain | Verdict::Gate(_) | Verdict::Deny(_))
                ),
                "{name}: {}: {verdict:?}",
                row.key()
            );
        }
    }
    println!(
        "policy modules: {}, each answers as its source does, {same_bytes} of them of the same bytes",
        MODULES.len()
    );
}

#[tokio::test]
async fn a_lockdown_of_everybody_and_of_all_reading_is_lifted_like_any_other() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    let before = shelf.generation().await;
    let freeze = || {
        shelf.write("lockdown.toml", "people_too = true\nreading = false\n");
        shelf.write(".lockdown.part", committed("lockdown"));
        shelf.rename(".lockdown.part", "lockdown.wasm");
    };

    freeze();
    shelf.decides("lockdown", PATIENCE).await;
    let stopped = operator.get("/org/tokens").await;
    let stopped = stopped.refused(403, "denied_by_policy");
    assert_eq!(stopped.text("rule"), "lockdown");
    shelf.remove("lockdown.wasm");
    shelf.decides("open-to-agents", PATIENCE).await;

    // Or by the very person who is stopped everywhere else.
    freeze();
    shelf.decides("lockdown", PATIENCE).await;
    let back = json!({ "generation": before });
    operator.post("/policies/rollback", back).await.expect(200);
    assert_eq!(shelf.rule().await, "open-to-agents");
}
