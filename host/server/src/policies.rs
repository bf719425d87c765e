//! The live policies: what the folder proposes is recorded under a number, and only then decides; and what
//! another host of the fleet has recorded is taken over under its number.
//!
//! Architecture invariant: the number of the live generation never falls, and a host that lags behind the
//! newest recorded one has nothing done: the ledger records no decision of an older generation.

mod begin;
mod cache;
mod change;
mod chosen;
mod mark;
mod modules;
mod recorded;
mod shadow;
mod shown;
mod vetting;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use countersign_core::generation::{GenerationRecord, ModuleRecord};
use countersign_core::ports::{Judge, Ledger};
use countersign_core::time::Clock;
use countersign_engine::folder::{Problem, Proposal, Watcher};
use countersign_engine::{
    Cache, CacheCounts, Engine, Failures, Generation, Live, PolicySet, Proven,
};
use tokio::sync::{Notify, Semaphore, watch};

use self::begin::Opened;
pub use self::begin::look;
pub use self::cache::open as open_cache;
use self::change::{change, plan, records};
pub use self::chosen::{ChoiceError, Chosen};
pub use self::mark::FolderMark;
use self::modules::Modules;
pub use self::shadow::Shadow;
use self::vetting::Vetting;
use crate::report;

/// How often the ledger is asked whether another host made other policies live, and how soon a change that
/// could not be recorded is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How soon a recorded generation that could not be proven is tried again. It may have lacked time or
/// memory only, and until then this host refuses; but a try can cost all that the compiler may take.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// The live generation, what is wrong in the folder, and what the folder proposes.
pub struct Policies {
    live: Arc<Live>,
    /// The live generation's number, for those who wait for the next.
    number: watch::Sender<u64>,
    /// Rung by whoever has met a later generation in the ledger.
    bell: Notify,
    engine: Engine,
    cache: Option<Arc<Cache>>,
    vetting: Arc<Vetting>,
    /// Those that are only asked.
    pub shadow: Arc<Shadow>,
    mark: FolderMark,
    folder: Mutex<Seen>,
    behind: Mutex<Option<Behind>>,
    /// Why what the folder proposes is not recorded yet.
    stuck: Mutex<Option<String>>,
    /// What was proven because somebody chose it, so that it need not be again when it is taken over.
    chosen: Mutex<Vec<Arc<Proven>>>,
    /// One choice is made ready at a time: proving takes a core, and memory.
    proving: Semaphore,
    proposals: watch::Receiver<Option<Proposal>>,
    _watcher: Watcher,
}

/// What the folder last said.
#[derive(Clone)]
struct Seen {
    policies: PolicySet,
    problems: Vec<Problem>,
    files: BTreeMap<String, String>,
}

impl From<Proposal> for Seen {
    fn from(proposal: Proposal) -> Self {
        Self {
            policies: proposal.policies,
            problems: proposal.problems,
            files: proposal.files,
        }
    }
}

/// A recorded generation that does not decide here.
struct Behind {
    generation: u64,
    why: String,
    since: Instant,
}

impl Policies {
    /// Proves the built-in baseline and what is in the folder, and makes them the live generation, or the
    /// one that another host has recorded since this one last looked into its folder.
    pub async fn start(
        (folder, cache): (&Path, Option<Arc<Cache>>),
        mark: FolderMark,
        ledger: &dyn Ledger,
        clock: &dyn Clock,
    ) -> anyhow::Result<Self> {
        let (proposed, proposals) = watch::channel(None);
        let newest = ledger.latest_generation().await?;
        let stand_ins = recorded::stand_ins(ledger, newest.as_ref()).await?;
        let path = folder.to_owned();
        let kept = cache.clone();
        let open = move || begin::open(path, kept, stand_ins, proposed);
        let opened = tokio::task::spawn_blocking(open);
        let Opened {
            engine,
            vetting,
            watcher,
            first,
        } = opened.await.context("proving the policies panicked")??;
        report_problems(&first.problems);
        let is_changed = mark.is_of_others(&records(&first));
        let generation = loop {
            if let Some(generation) =
                begin::first(&first, is_changed, &engine, ledger, clock).await?
            {
                break generation;
            }
        };
        mark.keep(&records(&first));
        let shadow = Arc::<Shadow>::default();
        let newest = ledger.generation(generation.number()).await?;
        let newest = newest.context("the datastore has lost its policies")?;
        shadow.begin(newest.number, &newest.shadow);
        Ok(Self {
            number: watch::Sender::new(generation.number()),
            live: Arc::new(Live::new(generation)),
            bell: Notify::new(),
            engine,
            cache,
            vetting,
            shadow,
            mark,
            folder: Mutex::new(first.into()),
            behind: Mutex::new(None),
            stuck: Mutex::new(None),
            chosen: Mutex::new(Vec::new()),
            proving: Semaphore::new(1),
            proposals,
            _watcher: watcher,
        })
    }

    /// What judges.
    pub fn judge(&self) -> Arc<dyn Judge> {
        Arc::clone(&self.live) as Arc<dyn Judge>
    }

    /// The number of the live generation.
    pub fn generation(&self) -> u64 {
        self.live.generation().number()
    }

    /// How often which module failed.
    pub fn failures(&self) -> &Failures {
        self.live.failures()
    }

    /// Of what use the cache was, where there is one.
    pub fn cache_counts(&self) -> Option<CacheCounts> {
        self.cache.as_ref().map(|cache| cache.counts())
    }

    /// Whether another host's policies cannot be taken over, so that nothing is decided here.
    pub fn is_behind(&self) -> bool {
        self.behind().is_some()
    }

    /// The live generation's number, to wait for the next.
    pub fn numbers(&self) -> watch::Receiver<u64> {
        self.number.subscribe()
    }

    /// Has the ledger looked at now, not within a second.
    pub fn look(&self) {
        self.bell.notify_one();
    }

    /// Adopts what the folder proposes and what other hosts have recorded, until `stop`. A change that
    /// cannot be recorded does not decide.
    pub async fn follow(
        self: Arc<Self>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut proposals = self.proposals.clone();
        let mut waiting = None;
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = proposals.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    waiting.clone_from(&proposals.borrow_and_update());
                    report_problems(waiting.iter().flat_map(|proposal: &Proposal| &proposal.problems));
                }
                _ = ticks.tick() => {}
                () = self.bell.notified() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            if let Some(proposal) = waiting.take()
                && !self.adopt(&*ledger, &*clock, &proposal).await
            {
                waiting = Some(proposal);
            }
            self.take_over(&*ledger).await;
        }
    }

    /// Whether what the folder proposes is dealt with; else it is tried again.
    async fn adopt(&self, ledger: &dyn Ledger, clock: &dyn Clock, proposal: &Proposal) -> bool {
        match self.record(ledger, clock, proposal).await {
            // What another host records meanwhile comes first, and then this.
            Ok(None) => {
                self.look();
                false
            }
            Ok(Some(live)) => {
                *self.stuck() = None;
                if let Some((generation, modules)) = live {
                    self.swap(generation, &modules.shadow);
                }
                *self.seen() = proposal.clone().into();
                true
            }
            Err(error) => {
                let why = format!("{error:#}");
                let mut stuck = self.stuck();
                if stuck.as_ref() != Some(&why) {
                    tracing::error!(error = %why, "a change of policies cannot be recorded, and waits");
                }
                *stuck = Some(why);
                false
            }
        }
    }

    /// What the proposal is recorded as, unless it is what was seen already; `None` where another host was first.
    async fn record(
        &self,
        ledger: &dyn Ledger,
        clock: &dyn Clock,
        proposal: &Proposal,
    ) -> anyhow::Result<Option<Option<(Generation, Modules)>>> {
        // Held against what the folder said before, and not against what is live: that may be another
        // host's, and a mere problem here is no reason to go back. Which file a module comes from counts:
        // it is what stands when that file breaks.
        let is_same_folder = {
            let seen = self.seen();
            seen.files == proposal.files && is_same(&seen.policies, &proposal.policies)
        };
        if is_same_folder {
            return Ok(Some(None));
        }
        let newest = ledger.latest_generation().await?;
        let plan = plan(newest.as_ref(), proposal)?;
        let number = match &newest {
            Some(newest) if Modules::from(newest) == plan.modules => Some(newest.number),
            newest => {
                let change = change(newest.as_ref(), (proposal, &plan.modules), clock);
                let number = ledger.record_generation(&change).await?;
                if let Some(number) = number {
                    tracing::info!(generation = number, summary = %change.summary, "other policies are recorded");
                }
                number
            }
        };
        let Some(number) = number else {
            return Ok(None);
        };
        self.mark.keep(&records(proposal));
        let generation = Generation::new(number, plan.policies);
        Ok(Some(Some((generation, plan.modules))))
    }

    /// Makes the newest recorded generation live, if that is not the one that is.
    async fn take_over(&self, ledger: &dyn Ledger) {
        let newest = match ledger.newest_generation().await {
            Ok(newest) => newest,
            // Without the ledger nothing is decided anyway.
            Err(error) => {
                tracing::warn!(error = %report(&error), "cannot look for other hosts' policies");
                return;
            }
        };
        let live = self.live.generation();
        if newest <= live.number() {
            *self.behind() = None;
            return;
        }
        let is_tried = self.behind().as_ref().is_some_and(|behind| {
            behind.generation == newest && behind.since.elapsed() < TRY_AGAIN
        });
        if is_tried {
            return;
        }
        match self.newest(ledger).await {
            Ok((generation, record)) => {
                self.swap(generation, &record.shadow);
                *self.behind() = None;
            }
            Err(error) => {
                let why = format!("{error:#}");
                tracing::error!(generation = newest, error = %why, "another host's policies cannot be taken over, and nothing is decided until they are");
                *self.behind() = Some(Behind {
                    generation: newest,
                    why,
                    since: Instant::now(),
                });
            }
        }
    }

    async fn newest(&self, ledger: &dyn Ledger) -> anyhow::Result<(Generation, GenerationRecord)> {
        let newest = ledger.latest_generation().await?;
        let newest = newest.context("the datastore has lost its policies")?;
        let known = self.known();
        let policies = recorded::proven(ledger, &self.engine, &newest.modules, &known).await?;
        Ok((Generation::new(newest.number, policies), newest))
    }

    /// What is proven already, and so need not be again.
    fn known(&self) -> Vec<Arc<Proven>> {
        let mut known = self.live.generation().policies().modules().to_vec();
        known.extend_from_slice(self.seen().policies.modules());
        known.extend_from_slice(&self.chosen());
        if let Some(set) = &self.shadow.standing().would_decide {
            known.extend_from_slice(set.modules());
        }
        known
    }

    fn swap(&self, generation: Generation, shadow: &[ModuleRecord]) {
        let number = generation.number();
        if number > self.generation() {
            self.shadow.begin(number, shadow);
            self.live.swap(generation);
            self.number.send_replace(number);
            tracing::info!(generation = number, "other policies are live");
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chosen(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Proven>>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stuck(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn behind(&self) -> std::sync::MutexGuard<'_, Option<Behind>> {
        self.behind.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_same(a: &PolicySet, b: &PolicySet) -> bool {
    a.modules().len() == b.modules().len()
        && a.modules()
            .iter()
            .zip(b.modules())
            .all(|(a, b)| a.id() == b.id() && a.settings() == b.settings())
}

fn report_problems<'a>(problems: impl IntoIterator<Item = &'a Problem>) {
    for problem in problems {
        tracing::warn!(
            file = problem.file.as_deref().unwrap_or("-"),
            problem = %problem.sentence,
            "a policy is not loaded; the last good one stands"
        );
    }
}
