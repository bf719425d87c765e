//! What a generation is made of: the modules that decide, and those in shadow.

use std::collections::BTreeSet;

use countersign_core::generation::{Genuine, Mode, ModuleRecord, Pin};

/// Modules, by name: of each name one that decides at most, and one in shadow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Modules {
    /// Those that decide.
    pub decide: Vec<ModuleRecord>,
    /// Those that are only asked.
    pub shadow: Vec<ModuleRecord>,
}

impl From<&Genuine> for Modules {
    fn from(record: &Genuine) -> Self {
        Self {
            decide: record.modules.clone(),
            shadow: record.shadow.clone(),
        }
    }
}

impl Modules {
    /// All of them, those of a mode first.
    pub fn first(&self, mode: Mode) -> Vec<ModuleRecord> {
        let (one, other) = match mode {
            Mode::Enforce => (&self.decide, &self.shadow),
            Mode::Shadow => (&self.shadow, &self.decide),
        };
        one.iter().chain(other).cloned().collect()
    }

    /// Those of a mode.
    pub fn of(&mut self, mode: Mode) -> &mut Vec<ModuleRecord> {
        match mode {
            Mode::Enforce => &mut self.decide,
            Mode::Shadow => &mut self.shadow,
        }
    }

    /// `module` in this mode, and nowhere else: in the place of the one of its name that has the mode.
    pub fn put(&mut self, module: ModuleRecord, mode: Mode) {
        let name = module.id.name.clone();
        // Under other settings it may be in shadow of itself, and never the other way round.
        let is_moved = |known: &ModuleRecord| {
            known.id == module.id && (mode == Mode::Enforce || known.settings == module.settings)
        };
        self.of(mode.other()).retain(|known| !is_moved(known));
        let modules = self.of(mode);
        modules.retain(|known| known.id.name != name);
        modules.push(module);
        modules.sort_by(|a, b| a.id.cmp(&b.id));
    }

    /// Those that stay as they are, whatever a folder holds.
    pub fn pinned(&self) -> impl Iterator<Item = (&ModuleRecord, &Pin)> {
        let decide = self.decide.iter();
        decide.filter_map(|module| Some((module, module.pinned.as_ref()?)))
    }

    /// The one of that name that is pinned.
    pub fn pin(&self, name: &str) -> Option<(&ModuleRecord, &Pin)> {
        self.pinned().find(|(module, _)| module.id.name == name)
    }

    /// Lets go of the one of that name.
    pub fn let_go(&mut self, name: &str) {
        for module in &mut self.decide {
            if module.id.name == name {
                module.pinned = None;
            }
        }
    }

    /// What a folder's content becomes where these are live: the folder has no say in the mode, so what came from
    /// a file and is in shadow stays there until somebody says otherwise, or the file is gone. What is pinned
    /// stays. Any other file decides.
    pub fn with_folder(&self, mut folder: Vec<ModuleRecord>) -> Self {
        folder.retain(|module| self.pin(&module.id.name).is_none());
        folder.extend(self.pinned().map(|(module, _)| module.clone()));
        folder.sort_by(|a, b| a.id.cmp(&b.id));
        let is_shadow = |module: &ModuleRecord| {
            let shadowed = named(&self.shadow, &module.id.name);
            shadowed.is_some_and(|known| known.file.is_some() && known.file == module.file)
                && named(&self.decide, &module.id.name).is_none()
        };
        let (mut shadow, decide): (Vec<_>, Vec<_>) = folder.into_iter().partition(is_shadow);
        for module in &self.shadow {
            let is_it =
                |other: &ModuleRecord| other.id == module.id && other.settings == module.settings;
            if module.file.is_none() && !decide.iter().any(is_it) {
                shadow.push(module.clone());
            }
        }
        shadow.sort_by(|a, b| a.id.cmp(&b.id));
        Self { decide, shadow }
    }

    /// Whether `modules` decide as those do that decide here, wherever they come from.
    pub fn decide_as(&self, modules: &[ModuleRecord]) -> bool {
        let pairs = self.decide.iter().zip(modules);
        self.decide.len() == modules.len() && pairs.into_iter().all(|(a, b)| a.decides_as(b))
    }

    /// The names of those that decide otherwise in `other`, or in one of the two alone.
    pub fn names_changed(&self, other: &Self) -> BTreeSet<String> {
        let all = self.decide.iter().chain(&other.decide);
        let is_changed = |module: &&ModuleRecord| {
            let [one, two] = [self, other].map(|modules| named(&modules.decide, &module.id.name));
            !one.zip(two).is_some_and(|(one, two)| one.decides_as(two))
        };
        all.filter(is_changed)
            .map(|module| module.id.name.clone())
            .collect()
    }

    /// The modules that would decide if those in shadow did.
    pub fn if_enforced(&self) -> Vec<ModuleRecord> {
        let is_shadowed = |module: &&ModuleRecord| named(&self.shadow, &module.id.name).is_none();
        let kept = self.decide.iter().filter(is_shadowed);
        kept.chain(&self.shadow).cloned().collect()
    }

    /// What changes from these to others, in one line.
    pub fn change_to(&self, to: &Self) -> String {
        let mut changes = Vec::new();
        differences(&self.decide, &to.decide, "", &mut changes);
        differences(&self.shadow, &to.shadow, " in shadow", &mut changes);
        match changes.is_empty() {
            true => "the same modules from other files".to_owned(),
            false => changes.join(", "),
        }
    }

    /// All of them, in one line.
    pub fn all(&self) -> String {
        let decide = self.decide.iter().map(shown);
        let shadow = self
            .shadow
            .iter()
            .map(|module| format!("{} in shadow", shown(module)));
        decide.chain(shadow).collect::<Vec<_>>().join(", ")
    }
}

/// The one of that name.
pub(super) fn named<'m>(modules: &'m [ModuleRecord], name: &str) -> Option<&'m ModuleRecord> {
    modules.iter().find(|module| module.id.name == name)
}

fn differences(from: &[ModuleRecord], to: &[ModuleRecord], place: &str, changes: &mut Vec<String>) {
    for module in to {
        let id = shown(module);
        match named(from, &module.id.name) {
            None => changes.push(format!("{id} added{place}")),
            Some(old) if old.id != module.id => {
                changes.push(format!("{} replaced by {id}{place}", shown(old)));
            }
            Some(old) if old.settings != module.settings => {
                changes.push(format!("{id} configured anew{place}"));
            }
            Some(_) => {}
        }
        let was = named(from, &module.id.name).and_then(|old| old.pinned.as_ref());
        match (was, &module.pinned) {
            (None, Some(_)) => changes.push(format!("{id} pinned")),
            (Some(_), None) => changes.push(format!("{id} no longer pinned")),
            _ => {}
        }
    }
    for module in from {
        if named(to, &module.id.name).is_none() {
            changes.push(format!("{} removed{place}", shown(module)));
        }
    }
}

fn shown(module: &ModuleRecord) -> String {
    let digest = &module.id.digest;
    format!("{} ({})", module.id, digest.get(..12).unwrap_or(digest))
}

#[cfg(test)]
mod tests {
    use countersign_core::verdict::ModuleId;

    use super::*;

    fn module(name: &str, digest: &str, file: Option<&str>) -> ModuleRecord {
        ModuleRecord {
            id: ModuleId {
                name: name.to_owned(),
                version: "1.0.0".to_owned(),
                digest: digest.to_owned(),
            },
            settings: [].into(),
            file: file.map(str::to_owned),
            pinned: None,
        }
    }

    fn digests(modules: &[ModuleRecord]) -> Vec<&str> {
        modules.iter().map(|module| &*module.id.digest).collect()
    }

    #[test]
    fn the_folder_changes_no_mode() {
        let live = Modules {
            decide: vec![module("a", "a1", None), module("b", "b1", Some("b.wasm"))],
            shadow: vec![
                module("a", "a2", None),
                module("c", "c1", Some("c.wasm")),
                module("d", "d1", None),
            ],
        };
        let folder = vec![module("a", "a1", None), module("c", "c2", Some("c.wasm"))];
        let next = live.with_folder(folder);
        assert_eq!(digests(&next.decide), ["a1"]);
        assert_eq!(
            digests(&next.shadow),
            ["a2", "c2", "d1"],
            "c is a new version, and still in shadow"
        );

        // The file is gone, and what was pushed decides by a file of its own.
        let next = next.with_folder(vec![module("a", "a2", Some("a.wasm"))]);
        assert_eq!(
            (digests(&next.decide), digests(&next.shadow)),
            (vec!["a2"], vec!["d1"])
        );
    }

    #[test]
    fn what_is_pinned_stays_whatever_the_folder_holds() {
        let pinned = ModuleRecord {
            pinned: Some(Pin {
                by: "session:ann".to_owned(),
                since: 3,
            }),
            ..module("a", "a1", Some("a.wasm"))
        };
        let live = Modules {
            decide: vec![pinned.clone(), module("b", "b1", Some("b.wasm"))],
            shadow: Vec::new(),
        };
        for folder in [
            vec![],
            vec![module("a", "a2", Some("a.wasm"))],
            vec![module("a", "a1", Some("elsewhere.wasm"))],
        ] {
            let next = live.with_folder(folder);
            assert_eq!(next.decide, std::slice::from_ref(&pinned));
        }
        let freed = live.with_folder(vec![module("b", "b2", Some("b.wasm"))]);
        assert_eq!(digests(&freed.decide), ["a1", "b2"]);
        let mut unpinned = live.clone();
        unpinned.decide[0].pinned = None;
        assert_eq!(live.change_to(&unpinned), "a@1.0.0 (a1) no longer pinned");
        assert_eq!(unpinned.change_to(&live), "a@1.0.0 (a1) pinned");
    }

    #[test]
    fn a_module_has_one_mode_and_another_version_of_it_may_have_the_other() {
        let mut modules = Modules::default();
        modules.put(module("a", "a1", None), Mode::Enforce);
        modules.put(module("a", "a2", None), Mode::Shadow);
        assert_eq!(
            (digests(&modules.decide), digests(&modules.shadow)),
            (vec!["a1"], vec!["a2"])
        );
        assert_eq!(digests(&modules.if_enforced()), ["a2"]);
        modules.put(module("a", "a2", None), Mode::Enforce);
        assert_eq!(
            (digests(&modules.decide), digests(&modules.shadow)),
            (vec!["a2"], vec![])
        );
        modules.put(module("a", "a2", None), Mode::Shadow);
        assert_eq!(
            (digests(&modules.decide), digests(&modules.shadow)),
            (vec![], vec!["a2"])
        );
    }

    #[test]
    fn what_an_operator_put_in_shadow_keeps_no_file_from_deciding() {
        let file = || module("a", "a1", Some("a.wasm"));
        let live = Modules {
            decide: vec![file()],
            shadow: vec![module("a", "a2", None)],
        };
        // Taken away, and put back.
        let without = live.with_folder(Vec::new());
        assert_eq!(
            (digests(&without.decide), digests(&without.shadow)),
            (vec![], vec!["a2"])
        );
        let with = without.with_folder(vec![file()]);
        assert_eq!(
            (digests(&with.decide), digests(&with.shadow)),
            (vec!["a1"], vec!["a2"])
        );
    }

    #[test]
    fn a_version_that_decides_is_in_shadow_under_other_settings_only() {
        let mut other = module("a", "a1", None);
        other.settings = [("x".to_owned(), vec!["1".to_owned()])].into();
        let mut modules = Modules::default();
        modules.put(module("a", "a1", None), Mode::Enforce);
        modules.put(other.clone(), Mode::Shadow);
        assert_eq!((modules.decide.len(), modules.shadow.len()), (1, 1));
        modules.put(other.clone(), Mode::Enforce);
        assert_eq!(
            (&modules.decide[..], modules.shadow.len()),
            (&[other][..], 0)
        );
    }

    #[test]
    fn a_change_of_mode_is_told_as_one() {
        let mut from = Modules::default();
        from.put(module("a", "a1", None), Mode::Enforce);
        let mut to = from.clone();
        to.put(module("a", "a2", None), Mode::Shadow);
        assert_eq!(from.change_to(&to), "a@1.0.0 (a2) added in shadow");
        assert_eq!(to.change_to(&from), "a@1.0.0 (a2) removed in shadow");
        assert_eq!(to.all(), "a@1.0.0 (a1), a@1.0.0 (a2) in shadow");
    }
}
