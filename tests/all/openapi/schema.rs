//! JSON Schema (2020-12), the part that the description uses, and stricter than the standard: a member of
//! an answer that is not described is wrong, and so is a word of a schema that is not understood here.

use serde_json::{Map, Value};

pub struct Judge<'a> {
    document: &'a Value,
    is_strict: bool,
}

impl<'a> Judge<'a> {
    /// By schemas that refer to those of `document`; what they do not name is wrong.
    pub fn of_all(document: &'a Value) -> Self {
        let is_strict = true;
        Self {
            document,
            is_strict,
        }
    }

    /// The same, of requests: what is not known is ignored there.
    pub fn of_what_is_known(document: &'a Value) -> Self {
        let is_strict = false;
        Self {
            document,
            is_strict,
        }
    }

    /// What is wrong with `value`.
    pub fn problems(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.judge(schema, value, "", &mut problems);
        problems
    }

    fn judge(&self, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
        let members = schema.as_object().expect("a schema");
        for (word, said) in members {
            let fits = match word.as_str() {
                "type" => is_type(said, value),
                "enum" => said.as_array().expect("a list").contains(value),
                "format" => is_format(said, value),
                "minimum" => value
                    .as_f64()
                    .is_none_or(|n| n >= said.as_f64().unwrap_or(0.0)),
                "maximum" => value
                    .as_f64()
                    .is_none_or(|n| n <= said.as_f64().unwrap_or(0.0)),
                "minLength" => value
                    .as_str()
                    .is_none_or(|s| s.chars().count() as u64 >= number(said)),
                "maxLength" => value
                    .as_str()
                    .is_none_or(|s| s.chars().count() as u64 <= number(said)),
                "required" => {
                    let names = said.as_array().expect("names").iter();
                    let mut names = names.filter_map(Value::as_str);
                    value
                        .as_object()
                        .is_none_or(|object| names.all(|name| object.contains_key(name)))
                }
                "$ref" => {
                    let target = said.as_str().expect("a reference").trim_start_matches('#');
                    let target = self.document.pointer(target).expect("what is referred to");
                    self.judge(target, value, at, problems);
                    true
                }
                "anyOf" | "oneOf" => {
                    let mut ways = said.as_array().expect("ways").iter();
                    ways.any(|way| self.problems(way, value).is_empty())
                }
                "items" => {
                    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.judge(said, item, &format!("{at}/{n}"), problems);
                    }
                    true
                }
                "properties" => {
                    self.judge_members(members, value, at, problems);
                    true
                }
                "additionalProperties" => {
                    for (name, member) in value.as_object().into_iter().flatten() {
                        self.judge(said, member, &format!("{at}/{name}"), problems);
                    }
                    true
                }
                // What a pattern says is tested where it is parsed.
                "pattern" | "x-data" | "description" | "default" | "propertyNames" => true,
                other => panic!("`{other}` is not understood: {schema}"),
            };
            if !fits {
                problems.push(format!("`{at}` is {value}, against {word}: {said}"));
            }
        }
    }

    fn judge_members(
        &self,
        schema: &Map<String, Value>,
        value: &Value,
        at: &str,
        problems: &mut Vec<String>,
    ) {
        let told = &schema["properties"];
        // Beside a reference they are but a part of what is told.
        let is_all = self.is_strict && !schema.contains_key("$ref");
        for (name, member) in value.as_object().into_iter().flatten() {
            match told.get(name) {
                Some(schema) => self.judge(schema, member, &format!("{at}/{name}"), problems),
                None if is_all => problems.push(format!("`{at}/{name}` is not described")),
                None => {}
            }
        }
    }
}

fn number(said: &Value) -> u64 {
    said.as_u64().expect("a number")
}

fn is_type(said: &Value, value: &Value) -> bool {
    match said {
        Value::Array(types) => types.iter().any(|said| is_type(said, value)),
        said => match said.as_str().expect("a type") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("`{other}` is not understood"),
        },
    }
}

fn is_format(said: &Value, value: &Value) -> bool {
    let Some(text) = value.as_str() else {
        return true;
    };
    match said.as_str().expect("a format") {
        "uuid" => {
            let pieces: Vec<usize> = text.split('-').map(str::len).collect();
            let is_hex = text
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
            is_hex && pieces == [8, 4, 4, 4, 12]
        }
        "date-time" => text.len() >= 20 && text.as_bytes()[10] == b'T' && text.ends_with('Z'),
        other => panic!("`{other}` is not understood"),
    }
}
