//! Cases that a module carries: a host holds it to them before it decides anything.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use countersign_engine::{BASELINE, Engine, Limits, Settings};
use countersign_lab::bundled;
use countersign_lab::vet::vet;
use countersign_tests::guest::Guest;
use reqwest::Method;
use serde_json::json;

use super::case;
use crate::reload::PATIENCE;
use crate::reload::shelf::{Freeze, Shelf};

/// A freeze that says of itself what is not so.
fn lying() -> Vec<u8> {
    let cases = "[[case]]\nname = \"people mint nothing during the freeze\"\n\
                 given = { credential = \"verified-session\", verb = \"org_token_mint\", flags = \"*\" }\n\
                 expect.verdict = \"deny\"\n";
    bundled::with_cases(&Freeze::SECOND.component(), cases).expect("there is room")
}

const WHY: &str = "its own case `people mint nothing during the freeze` (line 1) does not hold: \
                   verified-session admin org_token_mint asks-none: verdict `abstain` instead of `deny`";

fn carrying(cases: &str) -> Vec<u8> {
    bundled::with_cases(&Freeze::SECOND.component(), cases).expect("there is room")
}

/// Puts a module there at once, so that no half of it is blamed.
fn put(shelf: &Shelf, component: Vec<u8>) {
    shelf.write(".freeze.part", component);
    shelf.rename(".freeze.part", "freeze.wasm");
}

#[tokio::test]
async fn a_module_whose_own_cases_do_not_hold_does_not_decide_wherever_it_comes_from() {
    let shelf = Shelf::set().await;
    put(&shelf, Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    let generation = shelf.generation().await;

    put(&shelf, lying());
    assert_eq!(shelf.blames("freeze.wasm").await, WHY);
    assert_eq!(shelf.rule().await, "freeze");

    let operator = shelf.host.operator().await;
    let kind = Some("application/wasm");
    let path = "/policies/freeze";
    let pushed = operator.send(Method::PUT, path, kind, lying()).await;
    let error = pushed
        .refused(400, "policy_refused")
        .text("error")
        .to_owned();
    assert_eq!(error, format!("{WHY} — nothing has changed"));
    let set = json!({ "modules": [{ "name": "freeze", "digest": digest(&lying()) }] });
    let activated = operator.post("/policies/generations", set).await;
    activated.refused(404, "not_found");
    assert_eq!(
        (shelf.rule().await.as_str(), shelf.generation().await),
        ("freeze", generation)
    );

    // The same module that tells the truth.
    let held = case("verb = \"org_token_mint\"", "rule = \"deep-freeze\"");
    let honest = carrying(&held);
    let pushed = operator.send(Method::PUT, path, kind, honest.clone()).await;
    pushed.expect(201);
    put(&shelf, honest);
    shelf.decides("deep-freeze", PATIENCE).await;
}

#[tokio::test]
async fn cases_that_are_not_understood_or_are_too_many_refuse_their_module() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    let all = "credential = \"*\", role = \"*\", verb = \"*\", flags = \"*\"";
    let weighty = format!(
        "fixtures.f.caller.workspace = \"{}\"\n{}",
        "w".repeat(200_000),
        case("verb = \"org_token_mint\"", "not = \"allow\"")
            .replace("given", "like = [\"f\"]\ngiven")
            .repeat(100)
    );
    for (cases, words) in [
        (
            case("verb = \"org_token_mit\"", "verdict = \"deny\""),
            "are not understood: line 1: `c`: there is no `org_token_mit`",
        ),
        (
            case("verb = \"org_token_mint\"", "not = \"allow\"").repeat(2),
            "are not understood: line 5: `c`: line 1 has one of that name already",
        ),
        (
            "x = 1".to_owned(),
            "are not understood: line 1: unknown field `x`",
        ),
        (
            case(all, "not = \"allow\"").repeat(2),
            "has too many questions for a module to carry",
        ),
        (weighty, "says too much for a module to carry"),
    ] {
        let pushed = operator
            .send(
                Method::PUT,
                "/policies/freeze",
                Some("application/wasm"),
                carrying(&cases),
            )
            .await;
        let error = pushed
            .refused(400, "policy_refused")
            .text("error")
            .to_owned();
        assert!(error.contains(words), "{error}");
    }
    let twice = carrying("");
    let section = twice[Freeze::SECOND.component().len()..].to_vec();
    put(&shelf, [twice, section].concat());
    let sentence = shelf.blames("freeze.wasm").await;
    assert!(sentence.contains("more than one section"), "{sentence}");
    assert_eq!(shelf.rule().await, "open-to-agents");
}

#[tokio::test]
async fn an_operators_settings_break_no_cases_that_a_module_carries() {
    let shelf = Shelf::set().await;
    shelf.write("baseline.toml", "gated_verbs = [\"org_token_list\"]\n");
    shelf.write("baseline.wasm", BASELINE);
    shelf.decides("agents-need-a-person", PATIENCE).await;
    shelf.blames_nothing().await;
}

/// Who writes the module writes its cases as well: neither may cost a host more than the first answer that is
/// not as it should be.
#[test]
fn a_module_that_loops_under_all_its_cases_costs_no_more_than_the_first_of_them() {
    let engine = Engine::new(Limits::default()).expect("the defaults are within their bounds");
    let baseline = engine.prove(BASELINE, &Settings::new());
    let baseline = Arc::new(baseline.expect("the baseline proves"));
    let looping = Guest {
        name: "freeze",
        decide: "(loop $ever (br $ever)) (unreachable)",
        ..Guest::default()
    };
    let cases = "[[case]]\nname = \"everybody may\"\nexpect.verdict = \"allow\"\n\
                 given = { credential = \"*\", role = \"*\", verb = \"*\", flags = \"*\" }\n";
    let looping = bundled::with_cases(&looping.component(), cases).expect("there is room");
    let questions = countersign_core::exhaustive::rows().count() as u32;
    let began = Instant::now();
    let refused = vet(&engine, &looping, None, &baseline);
    let took = began.elapsed();
    let all_of_them = engine.limits().decide_time * questions;
    assert!(took < all_of_them / 10, "{took:?} of {all_of_them:?}");
    let refused = refused.expect_err("it does not hold").to_string();
    assert!(
        refused.contains("its own case `everybody may`"),
        "{refused}"
    );
}

#[test]
fn the_baseline_carries_the_cases_of_its_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/baseline");
    let written = std::fs::read_to_string(folder.join("cases.toml")).expect("they are committed");
    let carried = bundled::cases(BASELINE).expect("it is a component");
    assert_eq!(
        carried,
        Some(&*written),
        "run `countersign policy build policies/baseline`"
    );
}

fn digest(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
