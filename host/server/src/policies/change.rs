//! What the folder proposes, as it is recorded.

use std::sync::Arc;

use countersign_core::generation::{GenerationChange, GenerationRecord, ModuleRecord};
use countersign_core::time::Clock;
use countersign_engine::Proven;
use countersign_engine::folder::Proposal;

/// Who changes the policies by changing the folder.
const FOLDER: &str = "policy-folder";

/// The change from `newest`, which may be another host's, to what the folder proposes.
pub(super) fn change(
    newest: Option<&GenerationRecord>,
    proposal: &Proposal,
    clock: &dyn Clock,
) -> GenerationChange {
    let modules = records(proposal);
    GenerationChange {
        components: proposal
            .policies
            .modules()
            .iter()
            .map(|module| (module.id().digest.clone(), module.bytes().to_vec()))
            .collect(),
        follows: newest.map_or(0, |newest| newest.number),
        by: FOLDER.to_owned(),
        summary: match newest {
            Some(newest) => difference(&newest.modules, &modules),
            None => at_first(&modules),
        },
        modules,
        at: clock.now(),
    }
}

/// The proposed modules, as they would be recorded.
pub(super) fn records(proposal: &Proposal) -> Vec<ModuleRecord> {
    let of_file = |module: &Arc<Proven>| ModuleRecord {
        file: proposal.files.get(&module.id().name).cloned(),
        ..record(module)
    };
    proposal.policies.modules().iter().map(of_file).collect()
}

/// A module, as it would be recorded if it came from no file.
pub(super) fn record(module: &Proven) -> ModuleRecord {
    ModuleRecord {
        id: module.id().clone(),
        settings: module
            .settings()
            .iter()
            .map(|(name, values)| (name.clone(), values.clone()))
            .collect(),
        file: None,
    }
}

fn named(module: &ModuleRecord) -> String {
    let digest = &module.id.digest;
    format!("{} ({})", module.id, digest.get(..12).unwrap_or(digest))
}

fn at_first(modules: &[ModuleRecord]) -> String {
    let names: Vec<_> = modules.iter().map(named).collect();
    format!("at start: {}", names.join(", "))
}

/// What changed, in one line.
pub(super) fn difference(from: &[ModuleRecord], to: &[ModuleRecord]) -> String {
    let mut changes = Vec::new();
    for module in to {
        let id = named(module);
        match from.iter().find(|known| known.id.name == module.id.name) {
            None => changes.push(format!("{id} added")),
            Some(old) if old.id != module.id => {
                changes.push(format!("{} replaced by {id}", named(old)));
            }
            Some(old) if old.settings != module.settings => {
                changes.push(format!("{id} configured anew"));
            }
            Some(_) => {}
        }
    }
    for module in from {
        if !to.iter().any(|known| known.id.name == module.id.name) {
            changes.push(format!("{} removed", named(module)));
        }
    }
    if changes.is_empty() {
        changes.push("the same modules from other files".to_owned());
    }
    changes.join(", ")
}
