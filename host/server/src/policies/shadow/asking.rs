//! Asking about decisions, and recording what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use countersign_core::approval::Lives;
use countersign_core::ports::Ledger;
use countersign_core::shadow::{Difference, Round, Seen};
use countersign_core::verdict::Judgement;
use countersign_engine::{Failures, PolicySet, depends_on_the_moment, was_not_asked};

use super::super::counts::Counts;
use super::Shadow;
use crate::report;

impl Shadow {
    /// Asks about `decisions`, of a host whose approvals have these lives, and records what came of it.
    pub(super) async fn ask(
        &self,
        ready: Option<&(u64, PolicySet)>,
        (decisions, lives): (Vec<Seen>, Lives),
        ledger: &dyn Ledger,
    ) {
        let mut of_generation: BTreeMap<u64, u64> = BTreeMap::new();
        for seen in &decisions {
            *of_generation.entry(seen.judgement.generation).or_default() += 1;
        }
        let mut asked = None;
        if let Some((number, set)) = ready.cloned() {
            of_generation.remove(&number);
            let is_stopping = self.is_stopping.clone();
            let candidates = Candidates {
                names: self.names(),
                failures: Arc::clone(&self.failures),
                counts: Arc::clone(&self.counts),
                set,
            };
            let ask = move || round((number, &candidates), lives, (decisions, &is_stopping));
            match tokio::task::spawn_blocking(ask).await {
                Ok(round) => asked = Some(round),
                Err(error) => tracing::warn!(%error, "asking policies in shadow panicked"),
            }
        }
        for (generation, count) in of_generation {
            self.miss(generation, count);
        }
        if let Some(round) = asked {
            self.record(&round, ledger).await;
        }
        self.record_missed(ledger).await;
    }

    /// Records how many decisions they were not asked about.
    pub(super) async fn record_missed(&self, ledger: &dyn Ledger) {
        let missed =
            std::mem::take(&mut *self.missed.lock().unwrap_or_else(PoisonError::into_inner));
        for (generation, missed) in missed {
            let mut round = Round {
                generation,
                ..Round::default()
            };
            round.counts.missed = missed;
            self.record(&round, ledger).await;
        }
    }

    /// What is in shadow is called.
    fn names(&self) -> BTreeSet<String> {
        let standing = self.standing();
        let names = standing.modules.iter().map(|module| &module.id.name);
        names.cloned().collect()
    }

    async fn record(&self, round: &Round, ledger: &dyn Ledger) {
        if let Err(error) = ledger.record_shadow(round).await {
            tracing::warn!(error = %report(&error), "what policies in shadow would have changed is not recorded");
            self.miss(round.generation, round.counts.asked + round.counts.missed);
        }
    }
}

/// The set that would decide, and what of it is in shadow: what the others say, and their failures, are counted
/// where they decide.
struct Candidates {
    set: PolicySet,
    names: BTreeSet<String>,
    failures: Arc<Failures>,
    counts: Arc<Counts>,
}

/// What the set makes of those decisions that are of `generation`.
fn round(
    (generation, candidates): (u64, &Candidates),
    lives: Lives,
    (decisions, is_stopping): (Vec<Seen>, &AtomicBool),
) -> Round {
    let mut round = Round {
        generation,
        ..Round::default()
    };
    let set = &candidates.set;
    let of_generation = |seen: &Seen| seen.judgement.generation == generation;
    for seen in decisions.into_iter().filter(of_generation) {
        // What was decided before it was known what else is to be counted cannot be compared.
        if is_stopping.load(Ordering::Relaxed) || set.lacks(&seen.question) {
            round.counts.missed += 1;
            continue;
        }
        let (would_be, failed) = set.patiently_with_failures(&seen.question);
        let mut would_be = would_be.within(&lives);
        would_be.generation = generation;
        // A module that had time enough, again and again, would fail there as well.
        if fails(&seen.judgement, depends_on_the_moment) || fails(&would_be, was_not_asked) {
            round.counts.missed += 1;
            continue;
        }
        for (module, kind) in failed {
            if candidates.names.contains(&module.name) {
                candidates.failures.add(module, kind, seen.question.time);
            }
        }
        for opinion in &would_be.opinions {
            if candidates.names.contains(&opinion.module.name) {
                candidates.counts.add(opinion);
            }
        }
        let difference = Difference::between(&seen, would_be);
        round
            .counts
            .add(difference.as_ref().map(|difference| difference.kind.change));
        round.differences.extend(difference);
    }
    round
}

fn fails(judgement: &Judgement, is_such: fn(&str) -> bool) -> bool {
    let opinions = judgement.opinions.iter();
    let mut failures = opinions.filter_map(|opinion| opinion.verdict.as_ref().err());
    failures.any(|failure| is_such(failure))
}
