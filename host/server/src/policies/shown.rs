//! The policies, for people and programs.

use std::sync::Arc;

use countersign_core::generation::{GenerationRecord, Mode, ModuleRecord};
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::time::Timestamp;
use countersign_engine::folder::Problem;
use countersign_engine::{BASELINE, CLASSIFIER, Failed, Generation, Proven};
use serde_json::{Value, json};

use super::candidate::Candidate;
use super::modules::named;
use super::shadow::Standing;
use super::{FolderMode, Policies, change, downgrades, pins};

impl Policies {
    /// The live generation, what is in shadow of it and what came of that, and what is wrong.
    pub async fn shown(&self, ledger: &dyn Ledger, base_url: &str) -> Result<Value, LedgerError> {
        let live = self.live.generation();
        let standing = self.shadow.standing().clone();
        // Of the same moment, before the ledger is waited for.
        let problems = self.problems(&live, &standing);
        let candidate = self.candidate().as_ref().map(|one| one.shown(base_url));
        let policies = live.policies();
        let pinned = self.pinned().clone();
        let mut modules = Vec::new();
        for module in policies.modules() {
            let is_classifier = module.id().name == policies.classifier().id().name;
            let pin = named(&pinned, &module.id().name);
            let record = ModuleRecord {
                pinned: pin.and_then(|pin| pin.pinned.clone()),
                ..change::record(module)
            };
            let mode = (Mode::Enforce, is_classifier);
            let mut shown = self.shown_one(ledger, &record, Some(module), mode).await?;
            show_failures(&mut shown, self.failures().of(module.id()));
            modules.push(shown);
        }
        for record in &standing.modules {
            let proven = standing.would_decide.iter().flat_map(|set| set.modules());
            let proven = proven.into_iter().find(|proven| *proven.id() == record.id);
            let mode = (Mode::Shadow, false);
            let mut shown = self.shown_one(ledger, record, proven, mode).await?;
            show_failures(&mut shown, self.shadow.failures().of(&record.id));
            modules.push(shown);
        }
        let shadow = match standing.modules.is_empty() {
            true => None,
            false => Some(ledger.shadow_counts(live.number()).await?),
        };
        Ok(json!({
            "generation": live.number(),
            "modules": modules,
            "shadow": shadow,
            "folder": self.mode.word(),
            "candidate": candidate,
            "problems": problems,
        }))
    }

    /// The modules of a recorded generation, as they are shown of the live one. Whose bytes are not at hand are
    /// not verified for this: that is done when they are to decide.
    pub async fn shown_record(
        &self,
        ledger: &dyn Ledger,
        record: &GenerationRecord,
    ) -> Result<Value, LedgerError> {
        let known = self.known();
        let mut modules = Vec::new();
        let decide = record.modules.iter().map(|one| (one, Mode::Enforce));
        let shadow = record.shadow.iter().map(|one| (one, Mode::Shadow));
        for (module, mode) in decide.chain(shadow) {
            let proven = known.iter().find(|proven| *proven.id() == module.id);
            let is_classifier = mode == Mode::Enforce && module.id.name == CLASSIFIER;
            let mut one = self
                .shown_one(ledger, module, proven, (mode, is_classifier))
                .await?;
            if proven.is_none() {
                let kept = ledger.policy_signatures(&module.id.digest).await?;
                let unchecked = kept.iter().map(|kept| {
                    json!({ "key_id": kept.key_id, "name": null, "trusted": true, "comment": "", "unchecked": true })
                });
                one["signatures"] = unchecked.collect();
            }
            modules.push(one);
        }
        Ok(modules.into())
    }

    /// What the folder holds and an operator is asked about, with the generation that it would follow.
    pub fn waiting_modules(&self) -> Option<(u64, Vec<ModuleRecord>, Vec<ModuleRecord>)> {
        let waiting = self.waiting()?;
        Some((
            waiting.follows,
            waiting.modules.decide,
            waiting.modules.shadow,
        ))
    }

    async fn shown_one(
        &self,
        ledger: &dyn Ledger,
        record: &ModuleRecord,
        proven: Option<&Arc<Proven>>,
        mode: (Mode, bool),
    ) -> Result<Value, LedgerError> {
        let mut one = shown(record, proven, mode);
        let digest = &record.id.digest;
        one["signatures"] = self.signatures.shown(ledger, digest, proven).await?;
        one["built_in"] = json!(proven.is_some_and(|proven| proven.bytes() == BASELINE));
        Ok(one)
    }

    /// The folder's problems, and where it is not the folder that decides.
    fn problems(&self, live: &Generation, standing: &Standing) -> Vec<Problem> {
        // Before what was seen: whoever takes note of a proposal takes them in this order.
        let candidate = self.candidate();
        let is_compared = candidate.is_some();
        let seen = self.seen();
        let pinned = self.pinned().clone();
        let mut problems = seen.problems.clone();
        problems.extend(pins::problems(&pinned, &seen));
        let live_modules: Vec<_> = live
            .policies()
            .modules()
            .iter()
            .map(|one| change::record(one))
            .filter(|one| named(&pinned, &one.id.name).is_none())
            .collect();
        let folder: Vec<_> = seen
            .policies
            .modules()
            .iter()
            .map(|one| change::record(one))
            .filter(|one| named(&pinned, &one.id.name).is_none())
            .collect();
        let is_in = |modules: &[ModuleRecord], module: &ModuleRecord| {
            named(modules, &module.id.name)
                .is_some_and(|known| known.id == module.id && known.settings == module.settings)
        };
        let is_of_folder = folder
            .iter()
            .all(|module| is_in(&live_modules, module) || is_in(&standing.modules, module))
            && live_modules.iter().all(|module| is_in(&folder, module));
        // What is compared is what the folder holds now, and may be live already.
        let (held, files) = match &*candidate {
            Some(candidate) => (&candidate.proposal.policies, &candidate.proposal.files),
            None => (&seen.policies, &seen.files),
        };
        let older = downgrades::problems(held.modules(), files, &live_modules);
        let is_of_folder = is_of_folder || !older.is_empty();
        problems.extend(older);
        let mut add = |sentence| {
            problems.push(Problem {
                file: None,
                sentence,
            })
        };
        if let Some(sentence) = candidate.as_ref().and_then(Candidate::sentence) {
            add(sentence);
        } else if !is_of_folder && !is_compared {
            add(format!(
                "generation {} is live, which a person or another host recorded, and this host's folder holds other policies: {}; hosts that share a database need the same content",
                live.number(),
                match self.mode {
                    FolderMode::Trusted =>
                        "the next change in this folder makes its content live everywhere",
                    FolderMode::Reviewed =>
                        "the next change in this folder brings its content up again, compared with what is live",
                }
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
                "generation {} is recorded and cannot be taken over, so nothing is decided here: {}",
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
    let mut shown = json!({
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
    });
    if let Some(pin) = &record.pinned {
        shown["pinned"] = json!(pin);
    }
    shown
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
