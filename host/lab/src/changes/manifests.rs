//! What differs in what two modules say of themselves, and in what they are set to.

use std::collections::BTreeSet;

use countersign_core::policy::Value;
use countersign_engine::Proven;
use serde::Serialize;

/// Something that a module says of itself, or is set to, and that another says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// What: `version`, `setting gated_verbs`.
    pub what: String,
    /// As it was; none where it was not there.
    pub before: Option<Vec<String>>,
    /// As it is; none where it is gone.
    pub after: Option<Vec<String>>,
}

/// Names, and what is said of them, in order.
type Said = Vec<(String, Vec<String>)>;

impl Declared {
    /// What is no longer there and what is new, where that tells all: of two lists, what only one has.
    pub fn sides(&self) -> [Option<String>; 2] {
        let none = Vec::new();
        let (before, after) = (
            self.before.as_ref().unwrap_or(&none),
            self.after.as_ref().unwrap_or(&none),
        );
        let only = |one: &[String], other: &[String]| -> Vec<String> {
            one.iter()
                .filter(|item| !other.contains(item))
                .cloned()
                .collect()
        };
        let (gone, new) = (only(before, after), only(after, before));
        // Only their order or number differs, so all of both is shown.
        let (gone, new) = match gone.is_empty() && new.is_empty() {
            true => (before.clone(), after.clone()),
            false => (gone, new),
        };
        [(&self.before, gone), (&self.after, new)].map(|(side, items)| match side {
            None => Some("absent".to_owned()),
            Some(_) if items.is_empty() => None,
            Some(_) => Some(items.join(", ")),
        })
    }
}

/// All of it, in the order of the manifest.
pub fn declared(before: &Proven, after: &Proven) -> Vec<Declared> {
    compared(&said(before), &said(after))
}

fn compared(before: &Said, after: &Said) -> Vec<Declared> {
    let find = |said: &Said, what: &str| {
        let found = said.iter().find(|(name, _)| name == what);
        found.map(|(_, values)| values.clone())
    };
    let mut seen = BTreeSet::new();
    before
        .iter()
        .chain(after)
        .filter(|(what, _)| seen.insert(what.clone()))
        .map(|(what, _)| Declared {
            what: what.clone(),
            before: find(before, what),
            after: find(after, what),
        })
        .filter(|declared| declared.before != declared.after)
        .collect()
}

fn said(module: &Proven) -> Said {
    let manifest = module.manifest();
    let one = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
    let mut said = vec![
        one("name", &manifest.name),
        one("version", &manifest.version),
        one("description", &manifest.description),
        ("context".to_owned(), manifest.context.clone()),
        one("clock", &format!("{} s", manifest.clock_seconds)),
        ("imports".to_owned(), module.imports().to_vec()),
    ];
    for spec in &manifest.settings {
        let name = &spec.name;
        let given = module.settings().get(name).unwrap_or_default();
        said.push((format!("setting {name}"), given.to_vec()));
        said.push((format!("default of {name}"), spec.default.clone()));
        said.push(one(&format!("meaning of {name}"), &spec.description));
    }
    for annotation in manifest.annotations.iter() {
        let what = format!("annotation {}", annotation.name);
        said.push((what, vec![shown(&annotation.value)]));
    }
    said.extend(others(manifest));
    said
}

/// A value, for people.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Texts(texts) => texts.join(", "),
        Value::Json(json) => json.clone(),
    }
}

/// Whatever else a manifest has, so that nothing that it will ever say is left out of a comparison.
fn others(manifest: &countersign_engine::Manifest) -> Said {
    const SAID: [&str; 7] = [
        "name",
        "version",
        "description",
        "settings",
        "context",
        "clock_seconds",
        "annotations",
    ];
    let Ok(serde_json::Value::Object(all)) = serde_json::to_value(manifest) else {
        return Said::new();
    };
    let rest = all
        .into_iter()
        .filter(|(name, _)| !SAID.contains(&name.as_str()));
    rest.map(|(name, value)| match value {
        serde_json::Value::Array(items) => (name, items.iter().map(ToString::to_string).collect()),
        value => (name, vec![value.to_string()]),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(pairs: &[(&str, &[&str])]) -> Said {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        let pairs = pairs
            .iter()
            .map(|(what, values)| ((*what).to_owned(), owned(values)));
        pairs.collect()
    }

    fn sides(before: &[(&str, &[&str])], after: &[(&str, &[&str])]) -> Vec<[Option<String>; 2]> {
        let declared = compared(&said(before), &said(after));
        declared.iter().map(Declared::sides).collect()
    }

    #[test]
    fn of_two_lists_only_what_one_of_them_has_is_shown() {
        let some = |text: &str| Some(text.to_owned());
        assert!(sides(&[("a", &["x"])], &[("a", &["x"])]).is_empty());
        assert_eq!(
            sides(&[("a", &["x", "y"])], &[("a", &["y"])]),
            [[some("x"), None]]
        );
        assert_eq!(
            sides(&[("a", &["x"])], &[("b", &["x"])]),
            [[some("x"), some("absent")], [some("absent"), some("x")]]
        );
        assert_eq!(
            sides(&[("a", &["x", "y"])], &[("a", &["y", "x"])]),
            [[some("x, y"), some("y, x")]]
        );
    }
}
