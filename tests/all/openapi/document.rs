//! The description, and somebody who holds all that is answered against it.

use std::collections::BTreeSet;
use std::sync::Mutex;

use countersign_tests::{Caller, Host, Reply};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::schema::Judge;

/// The description of the routes.
pub struct Document(Value);

impl Document {
    pub fn committed() -> Self {
        let text = include_str!("../../../docs/openapi.json");
        Self(serde_json::from_str(text).expect("JSON"))
    }

    /// Whether a route is described, whatever the pieces of its path are called.
    pub fn has(&self, method: &str, path: &str) -> bool {
        let nameless = |path: &str| {
            let pieces = path.split('/');
            let pieces = pieces.map(|piece| if piece.starts_with('{') { "{}" } else { piece });
            pieces.collect::<Vec<_>>().join("/")
        };
        let paths = self.0["paths"].as_object().expect("paths");
        paths
            .iter()
            .any(|(known, methods)| nameless(known) == path && !methods[method].is_null())
    }

    /// Each operation: its method in capitals, its path, what is told of it.
    pub fn operations(&self) -> Vec<(String, String, Value)> {
        let paths = self.0["paths"].as_object().expect("paths");
        let operations = paths.iter().flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods");
            methods
                .iter()
                .map(|(method, told)| (method.to_uppercase(), path.clone(), told.clone()))
        });
        operations.collect()
    }

    /// The path as it is described: of those that fit, the one with the fewest names in it.
    fn route(&self, path: &str) -> Option<&str> {
        let path = path.split('?').next().unwrap_or_default();
        let pieces: Vec<&str> = path.split('/').collect();
        let is_name = |piece: &&str| piece.starts_with('{');
        let fits = |known: &&str| {
            let known: Vec<&str> = known.split('/').collect();
            // What is forwarded has any number of pieces.
            let is_long_enough = match known.as_slice() {
                [_, "cp", _] => pieces.len() >= known.len(),
                _ => pieces.len() == known.len(),
            };
            let mut pairs = known.iter().zip(&pieces);
            is_long_enough && pairs.all(|(known, piece)| is_name(known) || known == piece)
        };
        let paths = self.0["paths"].as_object().expect("paths").keys();
        paths
            .map(String::as_str)
            .filter(fits)
            .min_by_key(|known| known.split('/').filter(is_name).count())
    }

    pub fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value["$ref"].as_str() {
            Some(reference) => self
                .0
                .pointer(reference.trim_start_matches('#'))
                .unwrap_or_else(|| panic!("{reference} is nowhere")),
            None => value,
        }
    }
}

/// An answer, or the beginning of one that goes on.
pub struct Heard<'a> {
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: Value,
}

impl Heard<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl<'a> From<&'a Reply> for Heard<'a> {
    fn from(reply: &'a Reply) -> Self {
        let body = match reply.header("content-type") {
            Some("application/json") => reply.json.clone(),
            _ => json!(reply.page()),
        };
        Self {
            status: reply.status,
            headers: &reply.headers,
            body,
        }
    }
}

/// Somebody who asks, and remembers what was not as described.
pub struct Witness {
    document: Document,
    seen: Mutex<BTreeSet<(String, u16)>>,
    wrong: Mutex<Vec<String>>,
}

impl Witness {
    /// By the description that `host` gives of itself.
    pub async fn of(host: &Host) -> Self {
        let reply = host.anonymous().get("/openapi.json").await.expect(200);
        Self {
            document: Document(reply.json),
            seen: Mutex::default(),
            wrong: Mutex::default(),
        }
    }

    pub fn document(&self) -> &Document {
        &self.document
    }

    pub async fn get(&self, caller: &Caller, path: &str) -> Reply {
        self.ask(caller, "GET", path, None).await
    }

    pub async fn delete(&self, caller: &Caller, path: &str) -> Reply {
        self.ask(caller, "DELETE", path, None).await
    }

    pub async fn post(&self, caller: &Caller, path: &str, body: &Value) -> Reply {
        self.ask(caller, "POST", path, Some(body)).await
    }

    /// Any request, whose answer is held against the description.
    pub async fn ask(
        &self,
        caller: &Caller,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Reply {
        let sent = body.map(Value::to_string).unwrap_or_default().into_bytes();
        let verb = Method::from_bytes(method.as_bytes()).expect("a method");
        let reply = caller
            .send(verb, path, Some("application/json"), sent)
            .await;
        self.hold(method, path, &Heard::from(&reply));
        if reply.status < 300
            && let Some(body) = body
        {
            self.hold_request(method, path, body);
        }
        reply
    }

    /// Holds an answer against the description.
    pub fn hold(&self, method: &str, path: &str, reply: &Heard) {
        let wrong = |what: String| {
            let Heard { status, body, .. } = reply;
            let line = format!("{method} {path} → {status} {body}: {what}");
            self.wrong.lock().expect("the list").push(line);
        };
        let Some(route) = self.document.route(path) else {
            return wrong("no such path".to_owned());
        };
        let told = &self.document.0["paths"][route][method.to_lowercase()];
        let told = &told["responses"][reply.status.to_string()];
        if told.is_null() {
            return wrong(format!("{method} {route} is not said to answer this"));
        }
        let told = self.document.resolved(told);
        for (name, header) in told["headers"].as_object().into_iter().flatten() {
            let header = self.document.resolved(header);
            let there = reply.header(&name.to_lowercase());
            let is_number = header["schema"]["type"] == "integer";
            match there {
                Some(value) if is_number && value.parse::<u64>().is_err() => {
                    wrong(format!("{name} is {value}"));
                }
                None if header["required"] == true => wrong(format!("{name} is missing")),
                _ => {}
            }
        }
        for name in reply
            .headers
            .keys()
            .filter(|name| name.as_str().starts_with("x-"))
        {
            let names = told["headers"].as_object().into_iter().flatten();
            let is_told = names
                .into_iter()
                .any(|(told, _)| told.eq_ignore_ascii_case(name.as_str()));
            if !is_told && !["x-content-type-options", "x-frame-options"].contains(&name.as_str()) {
                wrong(format!("{name} is not described"));
            }
        }
        let kind = reply.header("content-type").unwrap_or_default();
        let content = told["content"].as_object().expect("content");
        let Some((_, content)) = content
            .iter()
            .find(|(told, _)| *told == kind || *told == "*/*")
        else {
            return wrong(format!("{kind} is not described"));
        };
        let judge = Judge::of_all(&self.document.0);
        for problem in judge.problems(&content["schema"], &reply.body) {
            wrong(problem);
        }
        let pair = (format!("{method} {route}"), reply.status);
        self.seen.lock().expect("the list").insert(pair);
    }

    /// Holds what was told in a stream against the description.
    pub fn hold_event(&self, data: &Value) {
        let schema = json!({ "$ref": "#/components/schemas/ApprovalEvent" });
        for problem in Judge::of_all(&self.document.0).problems(&schema, data) {
            let mut wrong = self.wrong.lock().expect("the list");
            wrong.push(format!("{data}: {problem}"));
        }
    }

    fn hold_request(&self, method: &str, path: &str, body: &Value) {
        let route = self.document.route(path).unwrap_or_default();
        let told = &self.document.0["paths"][route][method.to_lowercase()]["requestBody"];
        let schema = &told["content"]["application/json"]["schema"];
        if schema.is_null() {
            return;
        }
        for problem in Judge::of_what_is_known(&self.document.0).problems(schema, body) {
            let mut wrong = self.wrong.lock().expect("the list");
            wrong.push(format!("{method} {path} took {body}: {problem}"));
        }
    }

    /// All pairs of route and status that were seen, none of which was other than described.
    #[track_caller]
    pub fn all_is_well(&self) -> BTreeSet<(String, u16)> {
        let wrong = self.wrong.lock().expect("the list");
        assert!(
            wrong.is_empty(),
            "{} are not as described:\n{}",
            wrong.len(),
            wrong.join("\n")
        );
        self.seen.lock().expect("the list").clone()
    }

    /// The routes that were never seen to do what they are for.
    pub fn routes_without_success(&self, seen: &BTreeSet<(String, u16)>) -> Vec<String> {
        let routes = self.document.operations().into_iter();
        let routes = routes.map(|(method, path, _)| format!("{method} {path}"));
        routes
            .filter(|route| {
                !seen
                    .iter()
                    .any(|(known, status)| known == route && *status < 300)
            })
            .collect()
    }
}
