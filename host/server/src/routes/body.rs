//! Bodies, parsed at the door. What is wrong is named by field, and no value is repeated: it may be a
//! secret.

use std::collections::HashMap;

use axum::http::StatusCode;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::problem::Problem;

/// A JSON object as `T`. An empty body is an empty object. Unknown members are ignored.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let body = if body.is_empty() { b"{}" } else { body };
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(bad("the body is not a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        explain(error.inner(), &field)
    })?;
    json.end().map_err(|error| explain(&error, "."))?;
    Ok(parsed)
}

/// The body's member `context`, an object, as `T`. One that is absent or null is an empty one.
pub fn parse_context<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "T: DeserializeOwned"))]
    struct Around<T> {
        context: Option<Object<T>>,
    }

    match parse::<Around<T>>(body)?.context {
        Some(Object(context)) => Ok(context),
        None => parse(b""),
    }
}

/// A `T` in an object: by itself, it could be had from a list of its members as well.
struct Object<T>(T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct InMap<T>(std::marker::PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for InMap<T> {
            type Value = T;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        d.deserialize_map(InMap(std::marker::PhantomData)).map(Self)
    }
}

fn explain(error: &serde_json::Error, field: &str) -> Problem {
    if !error.is_data() {
        return bad(&format!(
            "the body is not valid JSON at line {}, column {}",
            error.line(),
            error.column()
        ));
    }
    let message = error.to_string();
    // `missing field` and `duplicate field` name the member and nothing else.
    if message.starts_with("missing field") || message.starts_with("duplicate field") {
        let name = message.split('`').nth(1).unwrap_or_default();
        let what = message.split(' ').next().unwrap_or_default();
        let why = if what == "missing" {
            "is missing"
        } else {
            "is there twice"
        };
        return Problem::bad_field(name, why);
    }
    let expected = message
        .rsplit_once(", expected ")
        .and_then(|(_, expected)| expected.split(" at line").next())
        .unwrap_or("something else");
    Problem::bad_field(field, format!("is not {expected}"))
}

/// A form's fields; none may be there twice.
pub fn parse_form(body: &[u8]) -> Result<HashMap<String, String>, Problem> {
    let mut fields = HashMap::new();
    for (name, value) in form_urlencoded::parse(body) {
        if fields
            .insert(name.to_string(), value.into_owned())
            .is_some()
        {
            return Err(Problem::bad_field(&name, "is in the form twice"));
        }
    }
    Ok(fields)
}

fn bad(error: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "bad_request", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    struct Wanted {
        #[expect(dead_code, reason = "only its parsing is tested")]
        key: String,
    }

    fn error(body: &str) -> String {
        parse::<Wanted>(body.as_bytes())
            .expect_err(body)
            .error()
            .to_owned()
    }

    #[test]
    fn what_is_wrong_is_named_and_no_value_is_repeated() {
        assert_eq!(error(""), "`key` is missing");
        assert_eq!(error("{}"), "`key` is missing");
        assert_eq!(error(r#"{"key":"a","key":"b"}"#), "`key` is there twice");
        assert_eq!(error(r#"{"key":4711}"#), "`key` is not a string");
        assert!(error(r#"{"key":"a""#).starts_with("the body is not valid JSON"));
        assert!(error(r#"{"key":"a"} trailing"#).starts_with("the body is not valid JSON"));
        assert_eq!(error("[]"), "the body is not a JSON object");
        assert_eq!(error("null"), "the body is not a JSON object");
    }

    #[test]
    fn a_context_is_read_as_the_body_would_be() {
        let error = |body: &str| {
            parse_context::<Wanted>(body.as_bytes())
                .expect_err(body)
                .error()
                .to_owned()
        };
        parse_context::<Wanted>(br#"{"action":"x","context":{"key":"a","more":1}}"#)
            .expect("parsed");
        assert_eq!(error("{}"), "`key` is missing");
        assert_eq!(error(r#"{"context":null}"#), "`key` is missing");
        assert_eq!(
            error(r#"{"context":{"key":"a","key":"b"}}"#),
            "`key` is there twice"
        );
        assert_eq!(
            error(r#"{"context":{"key":4711}}"#),
            "`context.key` is not a string"
        );
        assert_eq!(error(r#"{"context":["a"]}"#), "`context` is not an object");
        assert_eq!(error(r#"{"context":"a"}"#), "`context` is not an object");
        let twice = r#"{"context":{"key":"a"},"context":{"key":"a"}}"#;
        assert_eq!(error(twice), "`context` is there twice");
    }

    #[test]
    fn unknown_members_are_ignored() {
        parse::<Wanted>(br#"{"key":"a","decided_by":"me"}"#).expect("parsed");
    }
}
