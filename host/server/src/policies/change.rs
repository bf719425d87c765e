//! What the folder proposes, as it is recorded and as it decides.

use std::sync::Arc;

use countersign_core::generation::{GenerationChange, GenerationKey, Genuine, ModuleRecord};
use countersign_core::time::Clock;
use countersign_core::verdict::ModuleId;
use countersign_engine::folder::Proposal;
use countersign_engine::{PolicySet, Proven};

use super::book::Book;
use super::modules::{Modules, named};
use super::recorded::{self, Workshop};

/// Who changes the policies by changing the folder.
pub(super) const FOLDER: &str = "policy-folder";

/// What a proposal becomes where `newest` is recorded.
pub(super) struct Plan {
    pub modules: Modules,
    /// Those that decide.
    pub policies: PolicySet,
}

/// Makes it, if those that would decide stand without those that stay in shadow, and with those that are
/// pinned.
pub(super) async fn plan(
    newest: Option<&Genuine>,
    proposal: &Proposal,
    book: Book<'_>,
    workshop: Workshop<'_>,
) -> anyhow::Result<Plan> {
    let live = newest.map(Modules::from).unwrap_or_default();
    let modules = live.with_folder(records(proposal));
    let proposed = proposal.policies.modules();
    let is_proposed = |module: &ModuleRecord| {
        let mut proposed = proposed.iter().map(|proposed| record(proposed));
        proposed.any(|known| known.id == module.id && known.settings == module.settings)
    };
    let policies = match modules.decide.iter().all(is_proposed) {
        true => {
            let is_out = |id: &ModuleId| named(&modules.decide, &id.name).is_none();
            proposal.policies.without(is_out)?
        }
        // What is pinned is not what the folder holds.
        false => {
            let known = [workshop.known, proposed].concat();
            let workshop = Workshop {
                known: &known,
                ..workshop
            };
            recorded::proven(book.ledger, workshop, &modules.decide).await?
        }
    };
    Ok(Plan { modules, policies })
}

/// The change from `newest`, which may be another host's, to the planned modules.
pub(super) fn change(
    newest: Option<&Genuine>,
    (proposal, modules): (&Proposal, &Modules),
    key: &GenerationKey,
    clock: &dyn Clock,
) -> GenerationChange {
    let follows = newest.map_or(0, |newest| newest.number);
    GenerationChange {
        seal: key.seal(follows.saturating_add(1), &modules.decide, &modules.shadow),
        components: proposal
            .policies
            .modules()
            .iter()
            .map(|module| (module.id().digest.clone(), module.bytes().to_vec()))
            .collect(),
        follows,
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
        pinned: None,
    }
}
