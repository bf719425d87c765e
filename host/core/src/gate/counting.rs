//! What is counted for a decision, and who is told of it.

use super::Gate;
use crate::action::Intent;
use crate::caller::Caller;
use crate::decision::Decision;
use crate::ports::LedgerError;
use crate::shadow::Seen;
use crate::tally::{Counted, Tally, TallyKind};
use crate::time::Timestamp;
use crate::verb::Verb;

impl Gate {
    /// What the policies of which generation want counted for a request of `verb`, and what those in shadow of it
    /// do.
    pub(super) fn wanted(&self, verb: Verb) -> (u64, Vec<TallyKind>) {
        let (generation, kinds) = self.judge.wants();
        if verb.is_judged_by_core_alone() {
            return (generation, Vec::new());
        }
        let mut kinds = kinds.to_vec();
        if self.witness.watches(generation) {
            let others = self.witness.wants(generation);
            kinds.extend(others.iter().cloned());
            kinds.sort_unstable();
            kinds.dedup();
        }
        (generation, kinds)
    }

    pub(super) async fn tallies(
        &self,
        caller: &Caller,
        intent: &Intent,
        kinds: &[TallyKind],
        now: Timestamp,
    ) -> Result<Vec<Tally>, LedgerError> {
        if kinds.is_empty() {
            return Ok(Vec::new());
        }
        let counted = Counted {
            caller,
            digest: &intent.digest,
            kinds,
        };
        self.ledger.tallies(&counted, now).await
    }

    /// What the witness will be told, if it wants to know.
    pub(super) fn seen(&self, decision: &Decision) -> Option<Seen> {
        let question = decision.question.as_ref()?;
        self.witness
            .watches(decision.judgement.generation)
            .then(|| Seen {
                decision: decision.id,
                verb: decision.verb,
                question: question.clone(),
                judgement: decision.judgement.clone(),
            })
    }
}
