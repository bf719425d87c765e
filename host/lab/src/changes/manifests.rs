//! What differs in what two modules say of themselves, and in what they are set to.

use std::collections::BTreeSet;

use countersign_core::policy::Properties;
use countersign_engine::Proven;
use serde::Serialize;

/// Something that a module says of itself, or is set to, and that another says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// What: `version`, `setting gated_verbs`.
    pub what: String,
    /// As it was; none where it was not there.
    pub before: Option<String>,
    /// As it is; none where it is gone.
    pub after: Option<String>,
}

/// Names, and what is said of them, in order.
type Said = Vec<(String, String)>;

/// All of it, in the order of the manifest.
pub fn declared(before: &Proven, after: &Proven) -> Vec<Declared> {
    let (before, after) = (said(before), said(after));
    let find = |said: &Said, what: &str| {
        let found = said.iter().find(|(name, _)| name == what);
        found.map(|(_, value)| value.clone())
    };
    let mut seen = BTreeSet::new();
    before
        .iter()
        .chain(&after)
        .filter(|(what, _)| seen.insert(what.clone()))
        .map(|(what, _)| Declared {
            what: what.clone(),
            before: find(&before, what),
            after: find(&after, what),
        })
        .filter(|declared| declared.before != declared.after)
        .collect()
}

fn said(module: &Proven) -> Said {
    let manifest = module.manifest();
    let plain = |name: &str, value: String| (name.to_owned(), value);
    let mut said = vec![
        plain("name", manifest.name.clone()),
        plain("version", manifest.version.clone()),
        plain("description", manifest.description.clone()),
        plain("context", listed(&manifest.context)),
        plain("clock", format!("{} s", manifest.clock_seconds)),
    ];
    for spec in &manifest.settings {
        let name = &spec.name;
        let given = module.settings().get(name).unwrap_or_default();
        said.push((format!("setting {name}"), listed(given)));
        said.push((format!("default of {name}"), listed(&spec.default)));
        said.push((format!("meaning of {name}"), spec.description.clone()));
    }
    said.extend(annotations(&manifest.annotations));
    said
}

fn annotations(annotations: &Properties) -> impl Iterator<Item = (String, String)> {
    annotations.iter().map(|one| {
        let value = serde_json::to_string(&one.value).unwrap_or_default();
        (format!("annotation {}", one.name), value)
    })
}

fn listed(values: &[String]) -> String {
    match values {
        [] => "none".to_owned(),
        values => values.join(", "),
    }
}
