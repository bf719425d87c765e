//! What changes from one set of modules to another, module by module.

use std::collections::BTreeSet;

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::generation::{GenerationRecord, ModuleRecord};

/// So much of a digest tells two components apart for the eye.
const DIGEST: usize = 12;

/// The changes, for people. Draws itself as a list.
#[derive(Template)]
#[template(path = "policies/changes.html")]
pub struct Changes {
    /// By name, those that decide first.
    pub modules: Vec<ModuleChange>,
}

/// Its template escapes what modules call themselves.
impl HtmlSafe for Changes {}

/// What changes of one module.
pub struct ModuleChange {
    /// Its name.
    pub name: String,
    /// Whether it is in shadow.
    pub is_shadow: bool,
    /// What becomes of it.
    pub steps: Vec<&'static str>,
    /// Which version it was; none where there was none.
    pub before: Option<String>,
    /// Which version it is.
    pub after: Option<String>,
    /// What is set otherwise.
    pub settings: Vec<SettingChange>,
}

/// What changes of one setting.
#[derive(Debug, PartialEq, Eq)]
pub struct SettingChange {
    /// Its name.
    pub name: String,
    /// The values that go.
    pub gone: Vec<String>,
    /// The values that come.
    pub come: Vec<String>,
}

/// Modules that stand together: those that decide, and those in shadow.
#[derive(Clone, Copy, Default)]
pub struct Sides<'m> {
    /// Those that decide.
    pub decide: &'m [ModuleRecord],
    /// Those in shadow.
    pub shadow: &'m [ModuleRecord],
}

impl<'m> Sides<'m> {
    /// Of a recorded generation; of none, where there is none before.
    pub fn of(record: Option<&'m GenerationRecord>) -> Self {
        record.map_or_else(Self::default, |record| Self {
            decide: &record.modules,
            shadow: &record.shadow,
        })
    }
}

impl Changes {
    /// From one to the other.
    pub fn between(before: Sides<'_>, after: Sides<'_>) -> Self {
        let mut modules = Vec::new();
        for (is_shadow, before, after) in [
            (false, before.decide, after.decide),
            (true, before.shadow, after.shadow),
        ] {
            let names: BTreeSet<&str> = before
                .iter()
                .chain(after)
                .map(|module| &*module.id.name)
                .collect();
            for name in names {
                let [old, new] =
                    [before, after].map(|side| side.iter().find(|module| module.id.name == name));
                modules.extend(change(name, is_shadow, old, new));
            }
        }
        Self { modules }
    }
}

fn change(
    name: &str,
    is_shadow: bool,
    old: Option<&ModuleRecord>,
    new: Option<&ModuleRecord>,
) -> Option<ModuleChange> {
    let mut steps = Vec::new();
    let mut settings = Vec::new();
    match (old, new) {
        (None, None) => {}
        (None, Some(_)) => steps.push("added"),
        (Some(_), None) => steps.push("removed"),
        (Some(old), Some(new)) => {
            if old.id != new.id {
                steps.push("another version");
            }
            settings = settings_between(old, new);
            if !settings.is_empty() {
                steps.push("other settings");
            }
            if old.file != new.file {
                steps.push("from elsewhere");
            }
        }
    }
    let is_pinned = |side: Option<&ModuleRecord>| side.is_some_and(|side| side.pinned.is_some());
    match (is_pinned(old), is_pinned(new)) {
        (false, true) => steps.push("pinned"),
        (true, false) => steps.push("no longer pinned"),
        _ => {}
    }
    (!steps.is_empty()).then(|| ModuleChange {
        name: name.to_owned(),
        is_shadow,
        steps,
        before: old.map(version),
        after: new.map(version),
        settings,
    })
}

fn settings_between(old: &ModuleRecord, new: &ModuleRecord) -> Vec<SettingChange> {
    let names: BTreeSet<&String> = old.settings.keys().chain(new.settings.keys()).collect();
    let changed = |name: &String| {
        let [before, after] = [old, new].map(|side| side.settings.get(name));
        if before == after {
            return None;
        }
        let [before, after] = [before, after].map(|values| values.cloned().unwrap_or_default());
        let without = |some: &[String], others: &[String]| -> Vec<String> {
            let mut some = some.to_vec();
            some.retain(|value| !others.contains(value));
            some
        };
        let (gone, come) = (without(&before, &after), without(&after, &before));
        // In another order, or as often as not before: then all of it is said.
        let (gone, come) = match gone.is_empty() && come.is_empty() {
            true => (before, after),
            false => (gone, come),
        };
        Some(SettingChange {
            name: name.clone(),
            gone,
            come,
        })
    };
    names.into_iter().filter_map(changed).collect()
}

fn version(module: &ModuleRecord) -> String {
    let digest = &module.id.digest;
    let digest = digest.get(..DIGEST).unwrap_or(digest);
    format!("{} ({digest})", module.id.version)
}

#[cfg(test)]
mod tests {
    use countersign_core::generation::Pin;

    use super::super::tests::module;
    use super::*;

    #[test]
    fn what_changes_is_said_module_by_module_and_setting_by_setting() {
        let mut set = module("baseline", "ab");
        set.settings = [
            ("gated".to_owned(), vec!["a".to_owned(), "<b>".to_owned()]),
            ("kept".to_owned(), vec!["k".to_owned()]),
        ]
        .into();
        let mut reset = set.clone();
        reset
            .settings
            .insert("gated".to_owned(), vec!["a".to_owned(), "c".to_owned()]);
        reset.pinned = Some(Pin {
            by: "session:ann".to_owned(),
            since: 2,
        });
        let (old, new) = (module("freeze", "cd"), module("freeze", "ef"));
        let gone = module("gone", "01");
        let before = [set, old, gone];
        let after = [reset, new];
        let shadow = [module("later", "23")];
        let changes = Changes::between(
            Sides {
                decide: &before,
                shadow: &[],
            },
            Sides {
                decide: &after,
                shadow: &shadow,
            },
        );
        let said: Vec<_> = changes
            .modules
            .iter()
            .map(|module| (&*module.name, module.is_shadow, module.steps.clone()))
            .collect();
        assert_eq!(
            said,
            [
                ("baseline", false, vec!["other settings", "pinned"]),
                ("freeze", false, vec!["another version"]),
                ("gone", false, vec!["removed"]),
                ("later", true, vec!["added"]),
            ]
        );
        assert_eq!(
            changes.modules[0].settings,
            [SettingChange {
                name: "gated".to_owned(),
                gone: vec!["<b>".to_owned()],
                come: vec!["c".to_owned()],
            }]
        );
        let html = changes.render().expect("drawn");
        assert!(
            html.contains("&#60;b&#62;") && !html.contains("<b>"),
            "{html}"
        );
        assert!(html.contains("in shadow"), "{html}");
    }

    #[test]
    fn values_in_another_order_are_a_change() {
        let mut old = module("m", "ab");
        old.settings = [("x".to_owned(), vec!["1".to_owned(), "2".to_owned()])].into();
        let mut new = old.clone();
        new.settings
            .insert("x".to_owned(), vec!["2".to_owned(), "1".to_owned()]);
        let changed = settings_between(&old, &new);
        assert_eq!((changed[0].gone.len(), changed[0].come.len()), (2, 2));
        assert!(settings_between(&old, &old).is_empty());
    }
}
