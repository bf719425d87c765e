//! What every route refuses, and what the description says that it would not take.

use countersign_tests::Caller;
use serde_json::{Value, json};

use super::NOBODYS_ID;
use super::document::Witness;

/// What each route says to nobody, to a person with a malformed id, and to who means another host.
pub async fn on_every_route(witness: &Witness, person: &Caller) {
    let nobody = person.without("cookie");
    for (method, path, operation) in witness.document().operations() {
        let names: Vec<&str> = path.split('/').filter(|p| p.starts_with('{')).collect();
        let at = |id: &str| {
            names
                .iter()
                .fold(path.clone(), |path, name| path.replace(name, id))
        };
        if path.starts_with("/cp/") {
            continue;
        }
        let body = json!({});
        let elsewhere = nobody.with("host", "elsewhere.example");
        let reply = witness
            .ask(&elsewhere, &method, &at(NOBODYS_ID), Some(&body))
            .await;
        reply.refused(421, "wrong_host");
        if operation["security"]
            .as_array()
            .is_some_and(|ways| !ways.is_empty())
        {
            let reply = witness
                .ask(&nobody, &method, &at(NOBODYS_ID), Some(&body))
                .await;
            reply.refused(401, "unauthenticated");
            let has_uuid = names.iter().any(|name| !["{key}", "{name}"].contains(name));
            if has_uuid {
                witness
                    .ask(person, &method, &at("no-uuid"), Some(&body))
                    .await;
            }
        }
    }
}

/// Values that the description of a query or a header excludes: the host refuses them, and names it.
pub async fn what_is_out_of_bounds(witness: &Witness, person: &Caller) {
    let mut refused = 0;
    for (method, path, operation) in witness.document().operations() {
        let at = named(&path);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = witness.document().resolved(parameter);
            let name = parameter["name"].as_str().expect("a name");
            for value in outside(&parameter["schema"]) {
                let reply = match parameter["in"].as_str() {
                    Some("query") => {
                        let at = format!("{at}?{name}={value}");
                        witness.ask(person, &method, &at, Some(&json!({}))).await
                    }
                    Some("header") if name != "X-Molecule-Org-Id" => {
                        let caller = person.with(name, &value);
                        witness.ask(&caller, &method, &at, Some(&json!({}))).await
                    }
                    _ => continue,
                };
                reply.blames(name);
                refused += 1;
            }
        }
    }
    assert!(refused > 50, "{refused}");
}

/// Texts that are not what `schema` describes.
fn outside(schema: &Value) -> Vec<String> {
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("integer"), _) => {
            let below = schema["minimum"].as_i64().map(|least| least - 1);
            let above = schema["maximum"].as_i64().map(|most| most + 1);
            let bounds = [below, above].into_iter().flatten();
            let bounds = bounds.map(|value| value.to_string());
            bounds.chain(["no-number".to_owned()]).collect()
        }
        (Some("boolean"), _) => vec!["maybe".to_owned(), "TRUE".to_owned()],
        (_, Some("uuid")) => vec!["no-uuid".to_owned()],
        _ => {
            let most = schema["maxLength"].as_u64().unwrap_or(0);
            let long = usize::try_from(most).expect("a length") + 1;
            vec!["_".to_owned(), "x".repeat(long)]
        }
    }
}

/// Members of other types than the description says, and those that it says must be there.
pub async fn bodies_of_other_types(witness: &Witness, person: &Caller) {
    let mut refused = 0;
    for (method, path, operation) in witness.document().operations() {
        let body = &operation["requestBody"]["content"]["application/json"]["schema"];
        if body.is_null() {
            continue;
        }
        let schema = witness.document().resolved(body);
        let properties = schema["properties"].as_object().expect("members");
        for (name, property) in properties {
            let kinds = &property["type"];
            let is_object = *kinds == "object"
                || kinds
                    .as_array()
                    .is_some_and(|kinds| kinds.contains(&json!("object")));
            let other = if is_object {
                json!(4711)
            } else {
                json!({ "no": "such" })
            };
            let mut body = json!({ name: other });
            // Whose context it is shows before the context is read.
            if name == "context" {
                body["action"] = json!("workspace_create");
            }
            let reply = witness
                .ask(person, &method, &named(&path), Some(&body))
                .await;
            reply.blames(name);
            refused += 1;
        }
        let required = schema["required"].as_array();
        if let Some(first) = required.and_then(|names| names.first()) {
            let reply = witness
                .ask(person, &method, &named(&path), Some(&json!({})))
                .await;
            let blamed = reply.clone().refused(400, "bad_request").json["field"].clone();
            assert!(
                required.is_some_and(|names| names.contains(&blamed)),
                "{first}: {reply}"
            );
        }
    }
    assert!(refused > 30, "{refused}");
}

/// The path, with nobody's ids in it.
fn named(path: &str) -> String {
    let pieces = path.split('/').map(|piece| match piece {
        "{key}" => "KEY",
        "{name}" => "freeze",
        piece if piece.starts_with('{') => NOBODYS_ID,
        piece => piece,
    });
    pieces.collect::<Vec<_>>().join("/")
}
