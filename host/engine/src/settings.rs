//! A module's settings, as its owner wrote them.

use std::collections::BTreeMap;
use std::collections::btree_map::Iter;

use crate::LoadError;

/// Names and their values, in order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Vec<String>>);

impl Settings {
    /// No settings: every default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `name` to `values`, in place of earlier ones.
    pub fn with(mut self, name: impl Into<String>, values: Vec<String>) -> Self {
        self.0.insert(name.into(), values);
        self
    }

    /// Reads a flat TOML table: each name is a text, a list of texts, a whole number or a boolean.
    pub fn parse_toml(text: &str) -> Result<Self, LoadError> {
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| wrong(toml_sentence(text, &error)))?;
        Self::from_toml(table)
    }

    /// [`Settings::parse_toml`], of what was read already.
    pub fn from_toml(table: toml::Table) -> Result<Self, LoadError> {
        let settings = table.into_iter().map(|(name, value)| {
            let values = values(value).ok_or_else(|| {
                wrong(format!(
                    "`{name}` must be a text, a list of texts, a whole number or a boolean"
                ))
            })?;
            Ok((name, values))
        });
        settings.collect::<Result<_, _>>().map(Self)
    }

    /// The values of `name`.
    pub fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice)
    }

    /// All of them, in order of their names.
    pub fn iter(&self) -> Iter<'_, String, Vec<String>> {
        self.0.iter()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0
            .iter()
            .map(|(name, values)| name.len() + values.iter().map(String::len).sum::<usize>())
            .sum()
    }
}

fn values(value: toml::Value) -> Option<Vec<String>> {
    match value {
        toml::Value::String(text) => Some(vec![text]),
        toml::Value::Integer(number) => Some(vec![number.to_string()]),
        toml::Value::Boolean(flag) => Some(vec![flag.to_string()]),
        toml::Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                toml::Value::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

/// The parser's message with the line, without its drawing of the source.
fn toml_sentence(text: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    match error.span() {
        Some(span) => {
            let before = text.get(..span.start).unwrap_or(text);
            format!("line {}: {message}", before.matches('\n').count() + 1)
        }
        None => message.to_owned(),
    }
}

fn wrong(sentence: String) -> LoadError {
    LoadError::Settings(crate::text::tame(&sentence, 512))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_table_of_texts_lists_numbers_and_booleans_is_read() {
        let settings = Settings::parse_toml(
            "gated = [\"org_token_mint\", \"deprovision\"]\nttl = 900\nstrict = true\nname = \"x\"",
        )
        .expect("it is well formed");
        let expected = Settings::new()
            .with("gated", vec!["org_token_mint".into(), "deprovision".into()])
            .with("ttl", vec!["900".into()])
            .with("strict", vec!["true".into()])
            .with("name", vec!["x".into()]);
        assert_eq!(settings, expected);
    }

    #[test]
    fn anything_else_is_refused_by_name_or_line() {
        for (text, sentence) in [
            ("[table]\na = 1", "`table` must be a text"),
            ("a = 1.5", "`a` must be a text"),
            ("a = [1]", "`a` must be a text"),
            ("a = 1\nb =", "line 2: "),
            ("a = 1\na = 2", "line 2: "),
        ] {
            let error = Settings::parse_toml(text).expect_err(text).to_string();
            assert!(error.contains(sentence), "{text}: {error}");
        }
    }
}
