//! What the folder proposes, as it is recorded and as it decides.

use std::sync::Arc;

use countersign_core::generation::{GenerationChange, GenerationRecord, ModuleRecord};
use countersign_core::time::Clock;
use countersign_core::verdict::ModuleId;
use countersign_engine::folder::Proposal;
use countersign_engine::{LoadError, PolicySet, Proven};

use super::modules::{Modules, named};

/// Who changes the policies by changing the folder.
pub(super) const FOLDER: &str = "policy-folder";

/// What a proposal becomes where `newest` is recorded.
pub(super) struct Plan {
    pub modules: Modules,
    /// Those that decide.
    pub policies: PolicySet,
}

/// Makes it, if those that would decide stand without those that stay in shadow.
pub(super) fn plan(
    newest: Option<&GenerationRecord>,
    proposal: &Proposal,
) -> Result<Plan, LoadError> {
    let live = newest.map(Modules::from).unwrap_or_default();
    let modules = live.with_folder(records(proposal));
    let is_out = |id: &ModuleId| named(&modules.decide, &id.name).is_none();
    let policies = proposal.policies.without(is_out)?;
    Ok(Plan { modules, policies })
}

/// The change from `newest`, which may be another host's, to the planned modules.
pub(super) fn change(
    newest: Option<&GenerationRecord>,
    (proposal, modules): (&Proposal, &Modules),
    clock: &dyn Clock,
) -> GenerationChange {
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
            Some(newest) => Modules::from(newest).change_to(modules),
            None => format!("at start: {}", modules.all()),
        },
        modules: modules.decide.clone(),
        shadow: modules.shadow.clone(),
        at: clock.now(),
        approval: None,
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
