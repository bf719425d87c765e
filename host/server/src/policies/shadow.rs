//! Policies in shadow, asked about what is decided: after the answer, one decision after the other, and at most
//! so many at once. Whoever asked does not wait for it, and what there is no room for is counted as missed.

mod asking;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_core::approval::Lives;
use countersign_core::generation::ModuleRecord;
use countersign_core::ports::Ledger;
use countersign_core::shadow::{Seen, Witness};
use countersign_core::tally::TallyKind;
use countersign_core::time::Timestamp;
use countersign_engine::{Failures, PolicySet, Proven};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::counts::Counts;
use super::modules::{Modules, named};
use super::{Policies, change, recorded};

/// Decisions that may wait. Each holds a question and what was said to it: some kilobytes.
const WAITING: usize = 1_024;
/// Decisions whose outcome is recorded at once.
const BATCH: usize = 128;
/// How soon it is tried again to make ready what is in shadow, at first and at last: a try can cost a minute.
const TRY_AGAIN: Duration = Duration::from_secs(5);
const AT_LAST: Duration = Duration::from_secs(600);

/// The policies in shadow.
pub struct Shadow {
    /// The generation whose decisions they are to be asked about; 0: none.
    watched: AtomicU64,
    waiting: mpsc::Sender<Seen>,
    queue: tokio::sync::Mutex<mpsc::Receiver<Seen>>,
    /// How many decisions of which generation they were not asked about, until that is recorded.
    missed: Mutex<BTreeMap<u64, u64>>,
    standing: Mutex<Standing>,
    /// The set that was checked because somebody chose it.
    kept: Mutex<Option<PolicySet>>,
    /// How often they failed: the live ones' failures are counted apart, because those deny.
    failures: Arc<Failures>,
    /// What they said, apart from what decides: one version may do both, under other settings.
    counts: Arc<Counts>,
    /// Whether the host was told to stop.
    is_stopping: Arc<AtomicBool>,
}

/// What is in shadow of a generation.
#[derive(Clone, Default)]
pub(super) struct Standing {
    generation: u64,
    /// The modules.
    pub modules: Vec<ModuleRecord>,
    /// Those of them that can be asked, each by itself: with or without a set that stands.
    pub proven: Vec<Arc<Proven>>,
    /// The set that would decide, where it is ready.
    pub would_decide: Option<PolicySet>,
    /// Why it is not.
    pub problem: Option<String>,
}

impl Witness for Shadow {
    fn watches(&self, generation: u64) -> bool {
        generation != 0 && self.watched.load(Ordering::Relaxed) == generation
    }

    fn wants(&self, generation: u64) -> Arc<[TallyKind]> {
        let standing = self.standing();
        match &standing.would_decide {
            Some(set) if standing.generation == generation => Arc::clone(set.wants()),
            _ => Arc::default(),
        }
    }

    fn saw(&self, seen: Seen) {
        let generation = seen.judgement.generation;
        if self.waiting.try_send(seen).is_err() {
            self.miss(generation, 1);
        }
    }
}

impl Shadow {
    /// Nothing is in shadow yet; what will be is counted since that moment.
    pub(super) fn since(since: Timestamp) -> Self {
        let (waiting, queue) = mpsc::channel(WAITING);
        Self {
            watched: AtomicU64::new(0),
            waiting,
            queue: tokio::sync::Mutex::new(queue),
            missed: Mutex::default(),
            standing: Mutex::default(),
            kept: Mutex::default(),
            failures: Arc::new(Failures::in_shadow()),
            counts: Arc::new(Counts::since(since)),
            is_stopping: Arc::default(),
        }
    }

    /// From now on `modules` are in shadow of `generation`.
    pub(super) fn begin(&self, generation: u64, modules: &[ModuleRecord]) {
        *self.standing() = Standing {
            generation,
            modules: modules.to_vec(),
            ..Standing::default()
        };
        let watched = match modules {
            [] => 0,
            _ => generation,
        };
        self.watched.store(watched, Ordering::Relaxed);
    }

    /// How often which module failed while it was in shadow.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    /// What they said so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Keeps a set that was checked, for when it is in shadow.
    pub(super) fn keep(&self, would_decide: Option<PolicySet>) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = would_decide;
    }

    /// What is in shadow.
    pub(super) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn miss(&self, generation: u64, count: u64) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        *missed.entry(generation).or_default() += count;
    }

    /// Asks them until `stop`. What waits then is missed.
    pub async fn follow(
        &self,
        policies: &Policies,
        (ledger, lives): (&dyn Ledger, Lives),
        mut stop: watch::Receiver<bool>,
    ) {
        let mut queue = self.queue.lock().await;
        let mut numbers = policies.numbers();
        numbers.mark_changed();
        let mut ready = None;
        let (mut again_at, mut wait) = (None, TRY_AGAIN);
        let mut batch = Vec::new();
        loop {
            let again = async {
                match again_at {
                    Some(instant) => sleep_until(instant).await,
                    None => std::future::pending().await,
                }
            };
            let is_asked = tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                changed = numbers.changed() => match changed {
                    Ok(()) => {
                        wait = TRY_AGAIN;
                        false
                    }
                    Err(_) => return,
                },
                () = again => false,
                _ = queue.recv_many(&mut batch, BATCH) => true,
            };
            if is_asked {
                let decisions = (std::mem::take(&mut batch), lives);
                let asked = self.ask(ready.as_ref(), decisions, ledger);
                let mut asked = std::pin::pin!(asked);
                tokio::select! {
                    () = &mut asked => continue,
                    () = self.told_to_stop(&mut stop) => {}
                }
                // It ends with the decision that it is at.
                asked.await;
                break;
            }
            let number = *numbers.borrow_and_update();
            ready = tokio::select! {
                ready = self.made_ready(policies, ledger, number) => ready,
                () = self.told_to_stop(&mut stop) => break,
            };
            again_at = None;
            if ready.is_none() && self.watches(number) {
                again_at = Some(Instant::now() + wait);
                wait = (wait * 2).min(AT_LAST);
            }
        }
        self.is_stopping.store(true, Ordering::Relaxed);
        queue.close();
        while let Some(seen) = queue.recv().await {
            self.miss(seen.judgement.generation, 1);
        }
        self.record_missed(ledger).await;
    }

    async fn told_to_stop(&self, stop: &mut watch::Receiver<bool>) {
        let _ = stop.wait_for(|stop| *stop).await;
        self.is_stopping.store(true, Ordering::Relaxed);
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
        let mut proven = Vec::new();
        let made = self.made(policies, (ledger, number), &mut proven).await;
        let mut standing = self.standing();
        // Others may be in shadow by now, and are next.
        if standing.generation != number {
            return None;
        }
        standing.proven = proven;
        match made {
            Ok(set) => {
                tracing::info!(generation = number, "policies are asked in shadow");
                standing.would_decide = Some(set.clone());
                standing.problem = None;
                Some((number, set))
            }
            Err(error) => {
                let why = format!("{error:#}");
                tracing::warn!(generation = number, error = %why, "the policies in shadow cannot be asked");
                standing.problem = Some(why);
                None
            }
        }
    }

    /// The set that would decide. Those in shadow that can be asked go to `proven`, whether or not it stands.
    async fn made(
        &self,
        policies: &Policies,
        (ledger, number): (&dyn Ledger, u64),
        proven: &mut Vec<Arc<Proven>>,
    ) -> anyhow::Result<PolicySet> {
        let record = policies.book(ledger).numbered(number).await?;
        let record = record.ok_or_else(|| anyhow::anyhow!("the datastore has lost it"))?;
        let all = Modules::from(&record);
        let wanted = all.if_enforced();
        let is_it = |set: &PolicySet| {
            let known = set.modules().iter().map(|module| change::record(module));
            known.map(|known| (known.id, known.settings)).eq(wanted
                .iter()
                .map(|module| (module.id.clone(), module.settings.clone())))
        };
        let is_shadowed = |module: &&Arc<Proven>| named(&all.shadow, &module.id().name).is_some();
        let kept = self
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(kept) = kept.filter(is_it) {
            proven.extend(kept.modules().iter().filter(is_shadowed).cloned());
            return Ok(kept);
        }
        let known = policies.known();
        let (mut modules, mut broken) = (Vec::new(), None);
        // Each by itself: one that cannot be loaded keeps nobody from asking the others.
        for module in &wanted {
            let workshop = policies.workshop(&known);
            match recorded::modules(ledger, workshop, std::slice::from_ref(module)).await {
                Ok(one) => modules.extend(one),
                Err(error) => broken = broken.or(Some(error)),
            }
        }
        proven.extend(modules.iter().filter(is_shadowed).cloned());
        match broken {
            Some(error) => Err(error),
            None => recorded::checked(modules).await,
        }
    }
}
