//! Modules that stay as they are, whatever the folder holds, until somebody lets go of them.

use countersign_core::generation::{Mode, ModuleRecord, Pin};
use countersign_core::ports::Ledger;
use countersign_engine::folder::Problem;

use super::choice_error::ChoiceError;
use super::chosen::{Chosen, Proving, Ready, version};
use super::modules::{Modules, named};
use super::{Policies, Seen, change};

/// Those of a generation.
pub(super) fn of(modules: &Modules) -> Vec<ModuleRecord> {
    modules.pinned().map(|(module, _)| module.clone()).collect()
}

impl Policies {
    /// The change that pins the policy `name`: the kept version that is named, which decides from then on, or
    /// else the one that decides now.
    pub async fn pin(
        &self,
        ledger: &dyn Ledger,
        name: &str,
        (by, version_named): (String, Option<Chosen>),
    ) -> Result<Ready, ChoiceError> {
        let base = self.base(ledger).await?;
        let mut wanted = base.modules.clone();
        let mut module = match version_named {
            Some(chosen) => version(ledger, chosen, &wanted.first(Mode::Enforce)).await?,
            None => {
                let decides = named(&wanted.decide, name);
                decides
                    .cloned()
                    .ok_or_else(|| not_deciding(&wanted, name))?
            }
        };
        let is_pinned = wanted
            .pin(name)
            .is_some_and(|(known, _)| known.id == module.id && known.settings == module.settings);
        if is_pinned {
            return Err(ChoiceError::NoChange(base.number));
        }
        module.pinned = Some(Pin {
            by,
            since: base.number.saturating_add(1),
        });
        wanted.put(module, Mode::Enforce);
        self.ready(ledger, (base, Proving::All), wanted).await
    }

    /// The change that lets go of the policy `name`. It decides as before, until somebody changes it.
    pub async fn unpin(&self, ledger: &dyn Ledger, name: &str) -> Result<Ready, ChoiceError> {
        let base = self.base(ledger).await?;
        let mut wanted = base.modules.clone();
        let pinned = wanted.decide.iter_mut();
        let mut pinned = pinned.filter(|module| module.id.name == name && module.pinned.is_some());
        match pinned.next() {
            Some(module) => module.pinned = None,
            None if named(&base.modules.decide, name).is_some() => {
                return Err(ChoiceError::NotPinned(name.to_owned()));
            }
            None => return Err(not_deciding(&base.modules, name)),
        }
        self.ready(ledger, (base, Proving::All), wanted).await
    }
}

/// Refuses what would move a pinned module out of its place.
pub(super) fn keep(live: &Modules, wanted: &Modules) -> Result<(), ChoiceError> {
    for (module, pin) in live.pinned() {
        let wanted = named(&wanted.decide, &module.id.name);
        let is_kept = wanted
            .is_some_and(|wanted| wanted.id == module.id && wanted.settings == module.settings);
        if !is_kept {
            return Err(ChoiceError::Pinned {
                name: module.id.name.clone(),
                version: module.id.version.clone(),
                pin: pin.clone(),
            });
        }
    }
    Ok(())
}

/// What the folder holds in the place of what is pinned.
pub(super) fn problems(pinned: &[ModuleRecord], seen: &Seen) -> Vec<Problem> {
    let folder = seen
        .policies
        .modules()
        .iter()
        .map(|one| change::record(one));
    let folder: Vec<ModuleRecord> = folder.collect();
    let mut problems = Vec::new();
    for module in pinned {
        let Some(pin) = &module.pinned else { continue };
        let name = &module.id.name;
        let held = named(&folder, name);
        let is_it = |held: &ModuleRecord| held.id == module.id && held.settings == module.settings;
        let instead = match held {
            Some(held) if is_it(held) => continue,
            Some(held) if held.id == module.id => {
                "the other settings that the folder holds are not live".to_owned()
            }
            Some(held) => {
                let digest = &held.id.digest;
                let short = digest.get(..12).unwrap_or(digest);
                format!("what the folder holds, {} ({short}), is not live", held.id)
            }
            None if module.file.is_none() => continue,
            None => "it decides although its file is gone".to_owned(),
        };
        problems.push(Problem {
            file: seen.files.get(name).or(module.file.as_ref()).cloned(),
            sentence: format!(
                "`{name}` is pinned at {} by {} since generation {}, so {instead}: `countersign policy unpin {name}` lets go of it, and the next change in the folder counts",
                module.id, pin.by, pin.since
            ),
        });
    }
    problems
}

fn not_deciding(modules: &Modules, name: &str) -> ChoiceError {
    match named(&modules.shadow, name) {
        Some(_) => ChoiceError::InShadow(name.to_owned()),
        None => ChoiceError::NotLive(name.to_owned()),
    }
}
