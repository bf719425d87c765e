//! Asking about decisions, and recording what came of it.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_core::approval::Lives;
use countersign_core::ports::Ledger;
use countersign_core::shadow::{Difference, Round, Seen};
use countersign_core::verdict::Judgement;
use countersign_engine::{PolicySet, depends_on_the_moment, was_not_asked};

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
            let ask = move || round((number, &set), lives, (decisions, &is_stopping));
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

    async fn record(&self, round: &Round, ledger: &dyn Ledger) {
        if let Err(error) = ledger.record_shadow(round).await {
            tracing::warn!(error = %report(&error), "what policies in shadow would have changed is not recorded");
            self.miss(round.generation, round.counts.asked + round.counts.missed);
        }
    }
}

/// What the set makes of those decisions that are of `generation`.
fn round(
    (generation, set): (u64, &PolicySet),
    lives: Lives,
    (decisions, is_stopping): (Vec<Seen>, &AtomicBool),
) -> Round {
    let mut round = Round {
        generation,
        ..Round::default()
    };
    let of_generation = |seen: &Seen| seen.judgement.generation == generation;
    for seen in decisions.into_iter().filter(of_generation) {
        // What was decided before it was known what else is to be counted cannot be compared.
        if is_stopping.load(Ordering::Relaxed) || set.lacks(&seen.question) {
            round.counts.missed += 1;
            continue;
        }
        let mut would_be = set.patiently(&seen.question).within(&lives);
        would_be.generation = generation;
        // A module that had time enough, again and again, would fail there as well.
        if fails(&seen.judgement, depends_on_the_moment) || fails(&would_be, was_not_asked) {
            round.counts.missed += 1;
            continue;
        }
        let difference = Difference::between(&seen, would_be);
        round
            .counts
            .add(difference.as_ref().map(|difference| difference.change));
        round.differences.extend(difference);
    }
    round
}

fn fails(judgement: &Judgement, is_such: fn(&str) -> bool) -> bool {
    let opinions = judgement.opinions.iter();
    let mut failures = opinions.filter_map(|opinion| opinion.verdict.as_ref().err());
    failures.any(|failure| is_such(failure))
}
