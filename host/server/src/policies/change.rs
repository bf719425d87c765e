//! What the folder proposes, as it is recorded and as it decides.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::generation::{GenerationChange, GenerationRecord, ModuleRecord};
use countersign_core::time::Clock;
use countersign_engine::folder::Proposal;
use countersign_engine::{CLASSIFIER, PolicySet, Proven};

use super::modules::{Modules, named};

/// Who changes the policies by changing the folder.
const FOLDER: &str = "policy-folder";

/// What a proposal becomes where `newest` is recorded.
pub(super) struct Plan {
    pub modules: Modules,
    /// Those that decide.
    pub policies: PolicySet,
}

/// Makes it. Where those that would decide do not stand without those in shadow, all decide: more modules are
/// never looser.
pub(super) async fn plan(
    newest: Option<&GenerationRecord>,
    proposal: &Proposal,
) -> anyhow::Result<Plan> {
    let folder = records(proposal);
    let live = newest.map(Modules::from).unwrap_or_default();
    let modules = live.with_folder(folder.clone());
    let all = Plan {
        modules: Modules {
            decide: folder,
            shadow: Vec::new(),
        },
        policies: proposal.policies.clone(),
    };
    if modules.decide.len() == proposal.policies.modules().len() {
        return Ok(Plan { modules, ..all });
    }
    let decides = |module: &&Arc<Proven>| named(&modules.decide, &module.id().name).is_some();
    let deciding = proposal.policies.modules().iter().filter(decides);
    let deciding: Vec<_> = deciding.cloned().collect();
    let check = move || PolicySet::check(deciding, CLASSIFIER);
    let checked = tokio::task::spawn_blocking(check).await;
    match checked.context("checking the policies panicked")? {
        Ok(policies) => Ok(Plan { modules, policies }),
        Err(error) => {
            tracing::warn!(%error, "without the modules in shadow the others do not stand: all decide");
            Ok(all)
        }
    }
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
