use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::assembly::{is_about, is_page};
use super::*;

fn made() -> Vec<Made> {
    super::super::all().made
}

#[test]
fn every_route_is_described_and_every_description_has_its_route() {
    let (made, told) = (made(), operations());
    let routes = made.iter().filter(|route| !is_page(route.path));
    for route in routes.clone() {
        let found = told.iter().filter(|told| is_about(told, route)).count();
        let method = route.method.as_ref().map_or("*", Method::as_str);
        assert_eq!(found, 1, "descriptions of {method} {}", route.path);
    }
    for told in &told {
        let is_made = routes.clone().any(|route| is_about(told, route));
        assert!(is_made, "no route: {} {}", told.method, told.path);
        assert!(told.summary.ends_with('.'), "{}", told.summary);
        assert!(!told.answers.is_empty(), "{} {}", told.method, told.path);
    }
}

#[test]
fn operations_have_names_of_their_own_and_refer_to_what_is_there() {
    let document: Value = serde_json::from_str(&text(&made())).expect("JSON");
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{method} {path}: {id} is twice");
        }
    }
    refer_to_what_is_there(&document, &document);
}

#[track_caller]
fn refer_to_what_is_there(value: &Value, document: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                let target = document.pointer(reference.trim_start_matches('#'));
                assert!(target.is_some(), "{reference}");
            }
            let members = members.values();
            members.for_each(|member| refer_to_what_is_there(member, document));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| refer_to_what_is_there(item, document)),
        _ => {}
    }
}

#[test]
fn the_committed_document_is_what_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let made = text(&made());
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(&path, made).expect("the document can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "docs/openapi.json is not what the code makes: \
         COUNTERSIGN_BLESS=1 cargo test -p countersign openapi"
    );
}
