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
    // The parser looks at text alone that somebody wants, and JSON is text as a whole.
    let body = std::str::from_utf8(body).map_err(|_| bad("the body is not UTF-8"))?;
    if !body.trim_ascii_start().starts_with('{') {
        return Err(bad("the body is not a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_str(body);
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
    use proptest::prelude::*;

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

    /// An object with all its members, in their order, the same name as often as it is there.
    struct Members(Vec<(String, serde_json::Value)>);

    impl<'de> Deserialize<'de> for Members {
        fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
            struct Each;

            impl<'de> Visitor<'de> for Each {
                type Value = Members;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                    let mut members = Vec::new();
                    while let Some(member) = map.next_entry()? {
                        members.push(member);
                    }
                    Ok(Members(members))
                }
            }

            d.deserialize_map(Each)
        }
    }

    /// What the contract says of a body that wants one text called `key`, read by another reader.
    fn is_right(body: &[u8]) -> bool {
        let Ok(Members(members)) = serde_json::from_slice(body) else {
            return false;
        };
        let keys: Vec<_> = members.iter().filter(|(name, _)| name == "key").collect();
        matches!(keys[..], [(_, serde_json::Value::String(_))])
    }

    const VALUE: &str = "hunter2-value";

    fn member() -> impl Strategy<Value = String> {
        let name = prop_oneof![
            3 => Just("\"key\""),
            1 => Just("\"k\\u0065y\""),
            1 => Just("\"KEY\""),
            1 => Just("\"other\""),
            1 => Just("key"),
        ];
        let value = prop_oneof![
            4 => Just(format!("\"{VALUE}\"")),
            1 => Just("4711".to_owned()),
            1 => Just("null".to_owned()),
            1 => Just(format!("[\"{VALUE}\"]")),
            1 => Just(format!("{{\"key\":\"{VALUE}\"}}")),
        ];
        (name, value).prop_map(|(name, value)| format!("{name} : {value}"))
    }

    proptest! {
        #[test]
        fn a_body_is_read_as_another_reader_reads_it_and_no_value_comes_back(
            members in proptest::collection::vec(member(), 0..4),
            change in proptest::option::weighted(0.3, (any::<proptest::sample::Index>(), any::<u8>())),
        ) {
            let mut body = format!("{{{}}}", members.join(" , ")).into_bytes();
            if let Some((at, byte)) = change {
                let at = at.index(body.len());
                body[at] = byte;
            }
            let parsed = parse::<Wanted>(&body);
            prop_assert_eq!(parsed.is_ok(), is_right(&body), "{}", String::from_utf8_lossy(&body));
            if let Err(problem) = parsed {
                prop_assert!(!problem.error().contains("hunter2"), "{}", problem.error());
            }
        }

        #[test]
        fn no_bytes_make_a_reader_of_bodies_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse::<Wanted>(&body);
            let _ = parse_context::<Wanted>(&body);
            let _ = parse_form(&body);
        }
    }
}
