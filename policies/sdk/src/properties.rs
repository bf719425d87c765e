//! Reading what a policy is told.

use crate::{Action, Caller, Entity, Property, Value};

/// Anything that carries named values: an action, a resource, a caller, a request's context.
///
/// A value of another type than the one asked for counts as absent: a policy that guesses is worse
/// than one that takes the unset case.
pub trait Properties {
    /// All of them.
    fn properties(&self) -> &[Property];

    /// The value of that name.
    fn value(&self, name: &str) -> Option<&Value> {
        self.properties()
            .iter()
            .find(|property| property.name == name)
            .map(|property| &property.value)
    }

    /// A text.
    fn text(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// A whole number.
    fn integer(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Some(Value::Integer(integer)) => Some(*integer),
            _ => None,
        }
    }

    /// A number, whole or not.
    fn decimal(&self, name: &str) -> Option<f64> {
        match self.value(name) {
            Some(Value::Decimal(decimal)) => Some(*decimal),
            #[allow(clippy::cast_precision_loss)]
            Some(Value::Integer(integer)) => Some(*integer as f64),
            _ => None,
        }
    }

    /// Whether a boolean is there and true. Name the loosening side: absent is false.
    fn flag(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Boolean(true)))
    }

    /// A list of texts; empty where it is absent.
    fn texts(&self, name: &str) -> &[String] {
        match self.value(name) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// RFC 8785 text of a value that has no other shape here.
    fn json(&self, name: &str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Json(json)) => Some(json),
            _ => None,
        }
    }
}

impl Properties for [Property] {
    fn properties(&self) -> &[Property] {
        self
    }
}

impl Properties for Action {
    fn properties(&self) -> &[Property] {
        &self.properties
    }
}

impl Properties for Entity {
    fn properties(&self) -> &[Property] {
        &self.properties
    }
}

impl Properties for Caller {
    fn properties(&self) -> &[Property] {
        &self.properties
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<f64> for Value {
    fn from(decimal: f64) -> Self {
        Self::Decimal(decimal)
    }
}

impl From<bool> for Value {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(texts: [&str; N]) -> Self {
        Self::Texts(texts.map(str::to_owned).to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> Vec<Property> {
        [
            ("count", Value::from(3)),
            ("fields", Value::from(["name", "parent_id"])),
            ("own", Value::from(true)),
            ("role", Value::from("admin")),
        ]
        .map(|(name, value)| Property {
            name: name.to_owned(),
            value,
        })
        .to_vec()
    }

    #[test]
    fn a_value_is_read_by_its_name_and_type() {
        let told = told();
        assert_eq!(told.text("role"), Some("admin"));
        assert_eq!(told.integer("count"), Some(3));
        assert_eq!(told.decimal("count"), Some(3.0));
        assert!(told.flag("own"));
        assert_eq!(told.texts("fields"), ["name", "parent_id"]);
    }

    #[test]
    fn an_absent_value_or_one_of_another_type_is_unset() {
        let told = told();
        assert_eq!(told.text("count"), None);
        assert_eq!(told.integer("role"), None);
        assert_eq!(told.decimal("role"), None);
        assert!(!told.flag("role"));
        assert!(!told.flag("nowhere"));
        assert!(told.texts("role").is_empty());
        assert_eq!(told.json("role"), None);
    }
}
