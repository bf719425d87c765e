//! The document, put together from the routes and what is told of them.

use std::collections::BTreeMap;

use countersign_core::verb::Verb;
use serde_json::{Map, Value, json};

use super::super::{MAX_BODY, MAX_COMPONENT};
use super::operation::{Asked, Callers, Operation, Said};
use super::{Made, Purpose, components, operations, refusals};
use crate::tenant;

/// A forwarded path takes any method; these are the ones that OpenAPI has a place for and clients use.
const FORWARDED: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The description of `made`. A route of which nothing is told is there, and says no more than its path.
pub(super) fn document(made: &[Made]) -> Value {
    let told = operations();
    let mut paths = Map::new();
    let mut shared = components::all();
    for route in made.iter().filter(|route| !is_page(route.path)) {
        let path = route.path.replace("{*", "{");
        let methods = match &route.method {
            Some(method) => vec![method.as_str()],
            None => FORWARDED.to_vec(),
        };
        let found = told.iter().find(|told| is_about(told, route));
        let place = paths.entry(path).or_insert_with(|| json!({}));
        for method in methods {
            place[method.to_lowercase()] = operation(route, method, found, &mut shared);
        }
    }
    for (name, schema) in told.into_iter().flat_map(|told| told.schemas) {
        shared["schemas"][name] = schema;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Countersign",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
            "description": components::DESCRIPTION,
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": shared,
    })
}

/// The console's pages are for people, and promise nothing to programs.
pub(super) fn is_page(path: &str) -> bool {
    super::super::is_page(path)
}

/// Whether `told` is of this route.
pub(super) fn is_about(told: &Operation, route: &Made) -> bool {
    let method = route.method.as_ref().map_or("*", |method| method.as_str());
    (told.method, told.path) == (method, route.path)
}

fn operation(route: &Made, method: &str, told: Option<&Operation>, shared: &mut Value) -> Value {
    let first = route.path.split('/').nth(1).unwrap_or_default();
    let mut operation = json!({
        "operationId": id(method, route.path),
        "tags": [first],
        "parameters": parameters(route, told),
        "security": security(route, method, told),
        "responses": responses(route, method, told, shared),
    });
    match route.purpose {
        Purpose::Verb(verb) => {
            operation["x-verb"] = json!(verb);
            operation["x-role"] = json!(verb.needed_role());
        }
        Purpose::Ahead => operation["x-verb"] = json!("the one that `action` names"),
        Purpose::Open(why) => operation["x-open"] = json!(why),
        Purpose::Forwarded => {
            operation["x-open"] = json!("the control plane judges what is for it");
        }
    }
    if let Some(told) = told {
        operation["summary"] = json!(told.summary);
        if let Some(body) = &told.body {
            operation["requestBody"] = requested(body, told);
        }
    }
    operation
}

fn id(method: &str, path: &str) -> String {
    let pieces = path
        .split('/')
        .map(|piece| piece.trim_matches(['{', '*', '}']).replace('.', "_"));
    let pieces: Vec<String> = pieces.filter(|piece| !piece.is_empty()).collect();
    format!("{}_{}", method.to_lowercase(), pieces.join("_"))
}

fn parameters(route: &Made, told: Option<&Operation>) -> Vec<Value> {
    let pieces = route.path.split('/').filter_map(|piece| {
        let name = piece.strip_prefix('{')?.strip_suffix('}')?;
        let name = name.trim_start_matches('*');
        let schema = match name {
            "key" => json!({ "type": "string", "pattern": super::secrets::KEY }),
            "digest" => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
            "name" | "path" => json!({ "type": "string" }),
            "number" => json!({ "type": "integer", "minimum": 0 }),
            _ => json!({ "type": "string", "format": "uuid" }),
        };
        Some(json!({ "name": name, "in": "path", "required": true, "schema": schema }))
    });
    let shared = |name: &str| json!({ "$ref": format!("#/components/parameters/{name}") });
    let mut parameters: Vec<Value> = pieces.collect();
    parameters.extend(told.into_iter().flat_map(|told| told.parameters.clone()));
    if let Purpose::Verb(verb) = route.purpose
        && refusals::can_wait(verb)
    {
        parameters.push(shared("Approval-Id"));
    }
    if !tenant::is_for_everybody(route.path) {
        parameters.push(shared("X-Molecule-Org-Id"));
    }
    parameters
}

fn requested(body: &Asked, told: &Operation) -> Value {
    match body {
        Asked::Json(schema) => {
            let is_required = told
                .schemas
                .first()
                .is_some_and(|(_, schema)| !schema["required"].is_null());
            json!({
                "required": is_required,
                "description": format!("At most {MAX_BODY} bytes. Members that are not named here are ignored."),
                "content": { "application/json": { "schema": schema } },
            })
        }
        Asked::Component => json!({
            "required": true,
            "description": format!("A component's bytes, at most {MAX_COMPONENT}."),
            "content": { "application/wasm": { "schema": { "type": "string", "contentEncoding": "binary" } } },
        }),
    }
}

/// Which credentials would do, each by itself.
fn security(route: &Made, method: &str, told: Option<&Operation>) -> Value {
    let session = match method {
        "GET" => json!({ "session": [] }),
        _ => json!({ "session": [], "proof": [] }),
    };
    let bearer = json!({ "bearer": [] });
    let callers = told.map_or(Callers::OfTheVerb, |told| told.callers);
    match (route.purpose, callers) {
        (Purpose::Open(_) | Purpose::Forwarded, _) => json!([]),
        (_, Callers::People) => json!([session]),
        (_, Callers::OwnToken) => json!([bearer]),
        (
            Purpose::Verb(
                Verb::OrgTokenMint
                | Verb::SecretWrite
                | Verb::WorkspaceCreate
                | Verb::WorkspaceTokenMint,
            ),
            _,
        ) => json!([session, bearer, { "provisionToken": [] }]),
        _ => json!([session, bearer]),
    }
}

fn responses(route: &Made, method: &str, told: Option<&Operation>, shared: &mut Value) -> Value {
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for (status, codes) in refusals::of(route, method, told) {
        let name = refusals::name(status, &codes);
        let place = &mut shared["responses"][&name];
        if place.is_null() {
            *place = refusals::response(status, &codes);
        }
        let reference = json!({ "$ref": format!("#/components/responses/{name}") });
        responses.insert(status.to_string(), reference);
    }
    if matches!(route.purpose, Purpose::Verb(verb) if refusals::can_wait(verb)) {
        let pending = json!({ "$ref": "#/components/responses/Pending" });
        responses.insert("202".to_owned(), pending);
    }
    for said in told.into_iter().flat_map(|told| &told.answers) {
        responses.insert(said.status.to_string(), answer(route, said));
    }
    json!(responses)
}

fn answer(route: &Made, said: &Said) -> Value {
    let mut names = components::headers_of(route);
    names.extend(said.headers);
    json!({
        "description": said.what,
        "headers": components::headers(&names),
        "content": { said.kind: { "schema": said.schema } },
    })
}
