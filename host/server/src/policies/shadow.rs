//! Policies in shadow, asked about what is decided: after the answer, one decision after the other, and at most
//! so many at once. Whoever asked does not wait for it, and what there is no room for is counted as missed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use countersign_core::generation::ModuleRecord;
use countersign_core::ports::Ledger;
use countersign_core::shadow::{Difference, Round, Seen, Witness};
use countersign_core::tally::TallyKind;
use countersign_engine::{PolicySet, depends_on_the_moment};
use tokio::sync::{mpsc, watch};

use super::modules::Modules;
use super::{Policies, recorded};
use crate::report;

/// Decisions that may wait. Each holds a question and what was said to it: some kilobytes.
const WAITING: usize = 1_024;
/// Decisions whose outcome is recorded at once.
const BATCH: usize = 128;
/// How soon it is tried again to find out what is in shadow.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The policies in shadow.
pub struct Shadow {
    /// The generation whose decisions they are to be asked about; 0: none.
    watched: AtomicU64,
    missed: AtomicU64,
    waiting: mpsc::Sender<Seen>,
    queue: tokio::sync::Mutex<mpsc::Receiver<Seen>>,
    standing: Mutex<Standing>,
}

/// What is in shadow, for people.
#[derive(Clone, Default)]
pub(super) struct Standing {
    /// The modules.
    pub modules: Vec<ModuleRecord>,
    /// The set that would decide, where it stands.
    pub would_decide: Option<PolicySet>,
    /// Why it does not.
    pub problem: Option<String>,
}

impl Default for Shadow {
    fn default() -> Self {
        let (waiting, queue) = mpsc::channel(WAITING);
        Self {
            watched: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            waiting,
            queue: tokio::sync::Mutex::new(queue),
            standing: Mutex::default(),
        }
    }
}

impl Witness for Shadow {
    fn watches(&self, generation: u64) -> bool {
        generation != 0 && self.watched.load(Ordering::Relaxed) == generation
    }

    fn wants(&self, generation: u64) -> Arc<[TallyKind]> {
        let standing = self.standing();
        match &standing.would_decide {
            Some(set) if self.watches(generation) => Arc::clone(set.wants()),
            _ => Arc::default(),
        }
    }

    fn saw(&self, seen: Seen) {
        if self.waiting.try_send(seen).is_err() {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Shadow {
    /// From now on `modules` are in shadow of `generation`.
    pub(super) fn begin(&self, generation: u64, modules: &[ModuleRecord]) {
        *self.standing() = Standing {
            modules: modules.to_vec(),
            ..Standing::default()
        };
        let watched = match modules {
            [] => 0,
            _ => generation,
        };
        self.watched.store(watched, Ordering::Relaxed);
    }

    /// What is in shadow.
    pub(super) fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks them until `stop`, and then about what waits.
    pub async fn follow(
        &self,
        policies: &Policies,
        ledger: &dyn Ledger,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut queue = self.queue.lock().await;
        let mut numbers = policies.numbers();
        numbers.mark_changed();
        let mut set = None;
        let mut batch = Vec::new();
        loop {
            let is_changed = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                changed = numbers.changed() => match changed {
                    Ok(()) => true,
                    Err(_) => return,
                },
                _ = queue.recv_many(&mut batch, BATCH) => false,
            };
            if !is_changed {
                let batch = std::mem::take(&mut batch);
                self.ask(set.as_ref(), batch, ledger).await;
                continue;
            }
            let number = *numbers.borrow_and_update();
            set = self.made_ready(policies, ledger, number).await;
            if set.is_none() && self.watches(number) {
                tokio::time::sleep(TRY_AGAIN).await;
                numbers.mark_changed();
            }
        }
        while let Ok(seen) = queue.try_recv() {
            batch.push(seen);
        }
        self.ask(set.as_ref(), batch, ledger).await;
    }

    /// The set that would decide in generation `number`. `None` and still watching: to be tried again.
    async fn made_ready(
        &self,
        policies: &Policies,
        ledger: &dyn Ledger,
        number: u64,
    ) -> Option<(u64, PolicySet)> {
        if !self.watches(number) {
            return None;
        }
        let record = match ledger.generation(number).await {
            Ok(record) => record?,
            Err(error) => {
                tracing::warn!(error = %report(&error), "cannot look for what is in shadow");
                return None;
            }
        };
        let modules = Modules::from(&record).if_enforced();
        let known = policies.known();
        match recorded::proven(ledger, &policies.engine, &modules, &known).await {
            Ok(set) => {
                tracing::info!(generation = number, shadow = %Modules { decide: Vec::new(), shadow: record.shadow }.all(), "policies are asked in shadow");
                self.standing().would_decide = Some(set.clone());
                Some((number, set))
            }
            Err(error) => {
                let why = format!("{error:#}");
                tracing::warn!(generation = number, error = %why, "the policies in shadow cannot be asked");
                self.standing().problem = Some(why);
                self.watched.store(0, Ordering::Relaxed);
                None
            }
        }
    }

    /// Asks about `decisions`, and records what came of it.
    async fn ask(&self, set: Option<&(u64, PolicySet)>, decisions: Vec<Seen>, ledger: &dyn Ledger) {
        let Some((number, set)) = set.cloned() else {
            let count = decisions.len() as u64;
            self.missed.fetch_add(count, Ordering::Relaxed);
            return;
        };
        let missed = self.missed.swap(0, Ordering::Relaxed);
        if decisions.is_empty() && missed == 0 {
            return;
        }
        let all = decisions.len() as u64;
        let asked = tokio::task::spawn_blocking(move || round(number, &set, decisions)).await;
        let recorded = async {
            let mut round = asked.context("asking them panicked")?;
            round.counts.missed += missed;
            anyhow::Ok(ledger.record_shadow(&round).await?)
        };
        if let Err(error) = recorded.await {
            tracing::warn!(
                error = format!("{error:#}"),
                "what policies in shadow would have changed is not recorded"
            );
            self.missed.fetch_add(all + missed, Ordering::Relaxed);
        }
    }
}

fn round(generation: u64, set: &PolicySet, decisions: Vec<Seen>) -> Round {
    let mut round = Round {
        generation,
        ..Round::default()
    };
    for seen in decisions {
        // Of a generation before this one.
        if seen.judgement.generation != generation {
            continue;
        }
        // Decided before it was known what else is to be counted.
        if set.lacks(&seen.question) {
            round.counts.missed += 1;
            continue;
        }
        let mut would_be = set.patiently(&seen.question);
        would_be.generation = generation;
        let lacked_time = [&seen.judgement, &would_be]
            .iter()
            .flat_map(|judgement| &judgement.opinions)
            .filter_map(|opinion| opinion.verdict.as_ref().err())
            .any(|failure| depends_on_the_moment(failure));
        if lacked_time {
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
