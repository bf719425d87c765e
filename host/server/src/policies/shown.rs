//! The policies, for people and programs.

use std::sync::Arc;

use countersign_core::generation::{Mode, ModuleRecord};
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::time::Timestamp;
use countersign_engine::folder::Problem;
use countersign_engine::{Failed, Generation, Proven};
use serde_json::{Value, json};

use super::modules::named;
use super::shadow::Standing;
use super::{Policies, change};

impl Policies {
    /// The live generation, what is in shadow of it and what came of that, and what is wrong.
    pub async fn shown(&self, ledger: &dyn Ledger) -> Result<Value, LedgerError> {
        let live = self.live.generation();
        let standing = self.shadow.standing().clone();
        let policies = live.policies();
        let mut modules: Vec<Value> = policies
            .modules()
            .iter()
            .map(|module| {
                let is_classifier = module.id().name == policies.classifier().id().name;
                let record = change::record(module);
                let mut shown = shown(&record, Some(module), (Mode::Enforce, is_classifier));
                show_failures(&mut shown, self.failures().of(module.id()));
                shown
            })
            .collect();
        for record in &standing.modules {
            let proven = standing.would_decide.iter().flat_map(|set| set.modules());
            let proven = proven.into_iter().find(|proven| *proven.id() == record.id);
            modules.push(shown(record, proven, (Mode::Shadow, false)));
        }
        let problems = self.problems(&live, &standing);
        let shadow = match standing.modules.is_empty() {
            true => None,
            false => Some(ledger.shadow_counts(live.number()).await?),
        };
        Ok(json!({
            "generation": live.number(),
            "modules": modules,
            "shadow": shadow,
            "problems": problems,
        }))
    }

    /// The folder's problems, and where it is not the folder that decides.
    fn problems(&self, live: &Generation, standing: &Standing) -> Vec<Problem> {
        let seen = self.seen();
        let mut problems = seen.problems.clone();
        let mut add = |sentence| {
            problems.push(Problem {
                file: None,
                sentence,
            })
        };
        let live_modules: Vec<_> = live
            .policies()
            .modules()
            .iter()
            .map(|one| change::record(one))
            .collect();
        let folder: Vec<_> = seen
            .policies
            .modules()
            .iter()
            .map(|one| change::record(one))
            .collect();
        let is_in = |modules: &[ModuleRecord], module: &ModuleRecord| {
            named(modules, &module.id.name)
                .is_some_and(|known| known.id == module.id && known.settings == module.settings)
        };
        let is_of_folder = folder
            .iter()
            .all(|module| is_in(&live_modules, module) || is_in(&standing.modules, module))
            && live_modules.iter().all(|module| is_in(&folder, module));
        if !is_of_folder {
            add(format!(
                "generation {} is live, which a person or another host recorded, and this host's folder holds other policies: the next change in this folder makes its content live everywhere; hosts that share a database need the same content",
                live.number()
            ));
        }
        if let Some(why) = &standing.problem {
            add(format!(
                "the policies in shadow of generation {} cannot be asked: {why}",
                live.number()
            ));
        }
        if let Some(why) = &*self.stuck() {
            add(format!(
                "what the folder holds is not live yet, and is tried again each second: {why}"
            ));
        }
        if let Some(behind) = &*self.behind() {
            add(format!(
                "generation {} was recorded by another host and cannot be taken over, so nothing is decided here: {}",
                behind.generation, behind.why
            ));
        }
        problems
    }
}

fn shown(
    record: &ModuleRecord,
    proven: Option<&Arc<Proven>>,
    (mode, is_classifier): (Mode, bool),
) -> Value {
    json!({
        "name": record.id.name,
        "version": record.id.version,
        "digest": record.id.digest,
        "description": proven.map(|proven| &proven.manifest().description),
        "mode": mode,
        "runs": proven.map(|proven| proven.mode()),
        "settings": record.settings,
        "classifier": is_classifier,
        "failures": { "count": 0, "last_kind": null, "last_at": null },
        "last_error": null,
    })
}

/// In words of this host alone: what a module says of its failure may quote what it was told, and is kept
/// with the decisions, for people.
fn show_failures(module: &mut Value, failed: Option<Failed>) {
    let Some(failed) = failed else {
        return;
    };
    let micros =
        i64::try_from(failed.last_at).map_or(i64::MAX, |millis| millis.saturating_mul(1_000));
    module["failures"] = json!({
        "count": failed.count,
        "last_kind": failed.last_kind,
        "last_at": Timestamp::from_micros(micros),
    });
    module["last_error"] = json!(failed.last_kind.sentence());
}
