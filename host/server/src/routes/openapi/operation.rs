//! What is told of one route beside what the route itself says.

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::schema::shared;

/// One route, as it is described.
pub(super) struct Operation {
    /// The method, in capitals; `*`: any.
    pub method: &'static str,
    /// The path, as the route has it.
    pub path: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What the query and the headers can hold.
    pub parameters: Vec<Value>,
    /// What the body holds.
    pub body: Option<Asked>,
    /// Schemas that others refer to, by name.
    pub schemas: Vec<(String, Value)>,
    /// What it answers where it does what it is for.
    pub answers: Vec<Said>,
    /// The codes that it refuses with beside those that all routes of its kind have.
    pub refusals: Vec<(u16, &'static [&'static str])>,
    /// Who can be served at all.
    pub callers: Callers,
}

/// A body that is asked for.
pub(super) enum Asked {
    /// JSON of this schema.
    Json(Value),
    /// A component's bytes.
    Component,
}

/// An answer.
pub(super) struct Said {
    /// The status.
    pub status: u16,
    /// What it means, in one sentence.
    pub what: &'static str,
    /// Its media type.
    pub kind: &'static str,
    /// The schema of its body.
    pub schema: Value,
    /// Its headers beside those that every answer has, by their names among the shared ones.
    pub headers: &'static [&'static str],
}

/// Who can be served.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Callers {
    /// Whoever the verb is for.
    OfTheVerb,
    /// People with a session.
    People,
    /// A workspace's own token.
    OwnToken,
}

impl Operation {
    pub fn get(path: &'static str, summary: &'static str) -> Self {
        Self::new("GET", path, summary)
    }

    pub fn post(path: &'static str, summary: &'static str) -> Self {
        Self::new("POST", path, summary)
    }

    pub fn put(path: &'static str, summary: &'static str) -> Self {
        Self::new("PUT", path, summary)
    }

    pub fn delete(path: &'static str, summary: &'static str) -> Self {
        Self::new("DELETE", path, summary)
    }

    pub fn new(method: &'static str, path: &'static str, summary: &'static str) -> Self {
        Self {
            method,
            path,
            summary,
            parameters: Vec::new(),
            body: None,
            schemas: Vec::new(),
            answers: Vec::new(),
            refusals: Vec::new(),
            callers: Callers::OfTheVerb,
        }
    }

    pub fn query(self, name: &str, schema: Value, what: &str) -> Self {
        self.parameter("query", name, schema, what)
    }

    pub fn header(self, name: &str, schema: Value, what: &str) -> Self {
        self.parameter("header", name, schema, what)
    }

    fn parameter(mut self, place: &str, name: &str, schema: Value, what: &str) -> Self {
        self.parameters
            .push(json!({ "name": name, "in": place, "schema": schema, "description": what }));
        self
    }

    /// One of the lists that are read part by part.
    pub fn paged(mut self) -> Self {
        for name in ["limit", "cursor"] {
            let reference = format!("#/components/parameters/{name}");
            self.parameters.push(json!({ "$ref": reference }));
        }
        self
    }

    /// It takes what is parsed as `T`.
    pub fn takes<T: ToSchema>(mut self) -> Self {
        let (name, schema) = described::<T>();
        self.body = Some(Asked::Json(shared(&name)));
        self.schemas.push((name, schema));
        self.with_those_of::<T>()
    }

    /// A struct that is a member of what it takes.
    pub fn within<T: ToSchema>(mut self) -> Self {
        self.schemas.push(described::<T>());
        self.with_those_of::<T>()
    }

    fn with_those_of<T: ToSchema>(mut self) -> Self {
        let mut inner = Vec::new();
        T::schemas(&mut inner);
        self.schemas.extend(
            inner
                .into_iter()
                .map(|(name, schema)| (name, json!(schema))),
        );
        self
    }

    /// What the type of the body's member does not say.
    pub fn bound(mut self, member: &str, bounds: Value) -> Self {
        let schema = self.schemas.first_mut().map(|(_, schema)| schema);
        let property = schema.map(|schema| &mut schema["properties"][member]);
        if let (Some(property), Value::Object(bounds)) = (property, bounds) {
            if property.is_null() {
                *property = Value::Object(Map::new());
            }
            for (name, value) in bounds {
                property[name] = value;
            }
        }
        self
    }

    pub fn takes_a_component(mut self) -> Self {
        self.body = Some(Asked::Component);
        self
    }

    pub fn answers(self, status: u16, what: &'static str, schema: Value) -> Self {
        self.answers_as(status, what, ("application/json", schema))
    }

    pub fn answers_as(
        mut self,
        status: u16,
        what: &'static str,
        (kind, schema): (&'static str, Value),
    ) -> Self {
        self.answers.push(Said {
            status,
            what,
            kind,
            schema,
            headers: &[],
        });
        self
    }

    /// Headers of the answer that was told of last.
    pub fn with_headers(mut self, headers: &'static [&'static str]) -> Self {
        if let Some(last) = self.answers.last_mut() {
            last.headers = headers;
        }
        self
    }

    pub fn refuses(mut self, status: u16, codes: &'static [&'static str]) -> Self {
        self.refusals.push((status, codes));
        self
    }

    pub fn only_for(mut self, callers: Callers) -> Self {
        self.callers = callers;
        self
    }
}

fn described<T: ToSchema>() -> (String, Value) {
    (T::name().into_owned(), json!(T::schema()))
}
