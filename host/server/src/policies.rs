//! The live policies: what the folder proposes is recorded under a number, and only then decides; and what
//! another host of the fleet has recorded is taken over under its number.
//!
//! Architecture invariant: the number of the live generation never falls, and a host that lags behind the
//! newest recorded one has nothing done: the ledger records no decision of an older generation.

mod asking;
mod begin;
mod book;
mod cache;
mod candidate;
mod change;
mod choice_error;
mod chosen;
mod counts;
mod downgrades;
mod folder;
mod mark;
mod matrix;
mod modules;
mod pins;
mod promotion;
mod recorded;
mod review;
mod seen;
mod shadow;
mod shown;
mod signatures;
mod vetting;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use countersign_core::generation::{GenerationKey, Genuine, ModuleRecord};
use countersign_core::ports::{Judge, Ledger};
use countersign_engine::folder::{Problem, Proposal, Watcher};
use countersign_engine::{
    Cache, CacheCounts, Engine, Failures, Generation, Live, PolicySet, Proven,
};
use tokio::sync::{Notify, Semaphore, watch};

pub use self::asking::{AskError, Asked, Loaded, Whereabouts, Which};
pub use self::begin::{Sources, look};
use self::book::Book;
pub use self::cache::open as open_cache;
use self::candidate::Candidate;
pub use self::choice_error::ChoiceError;
pub use self::chosen::{Chosen, Ready};
pub use self::counts::{Counts, Said};
pub use self::folder::FolderMode;
use self::mark::FolderMark;
use self::matrix::Matrices;
pub use self::matrix::{Cell, Matrix};
use self::modules::Modules;
use self::recorded::Workshop;
pub use self::review::ReviewError;
use self::review::Reviewer;
use self::seen::GenerationMark;
pub use self::shadow::Shadow;
pub use self::signatures::Signatures;
use self::vetting::Vetting;
use crate::app::App;
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
    /// What those that decide said so far.
    counts: Arc<Counts>,
    /// What the live ones answer to the exhaustive table.
    matrices: Matrices,
    /// One made-up question is asked at a time: whoever tries things out does not keep callers waiting.
    asking: Arc<Semaphore>,
    /// The live generation's number, for those who wait for the next.
    number: watch::Sender<u64>,
    /// Rung by whoever has met a later generation in the ledger.
    bell: Notify,
    engine: Engine,
    cache: Option<Arc<Cache>>,
    vetting: Arc<Vetting>,
    signatures: Arc<Signatures>,
    /// Those that are only asked.
    pub shadow: Arc<Shadow>,
    /// What generations are sealed with.
    key: GenerationKey,
    mark: FolderMark,
    mode: FolderMode,
    last: GenerationMark,
    /// Those of the live generation that stay as they are, whatever the folder holds.
    pinned: Mutex<Vec<ModuleRecord>>,
    folder: Mutex<Seen>,
    /// What the folder holds and does not decide yet.
    candidate: Mutex<Option<Candidate>>,
    reviewer: Reviewer,
    /// The folder and the ledger are followed apart, and the number never falls.
    swapping: Mutex<()>,
    behind: Mutex<Option<Behind>>,
    /// Why what the folder proposes is not recorded yet.
    stuck: Mutex<Option<String>>,
    /// What was proven because somebody chose it, so that it need not be again when it is taken over.
    chosen: Mutex<Vec<Arc<Proven>>>,
    /// One choice is made ready at a time: proving takes a core, and memory.
    proving: Semaphore,
    /// One component is vetted at a time, which can take a minute: no choice waits for that.
    vetted: Semaphore,
    proposals: watch::Receiver<Option<Proposal>>,
    _watcher: Watcher,
}

/// What the folder last said.
#[derive(Clone)]
struct Seen {
    policies: PolicySet,
    problems: Vec<Problem>,
    files: BTreeMap<String, String>,
    signatures: BTreeMap<String, String>,
}

impl From<Proposal> for Seen {
    fn from(proposal: Proposal) -> Self {
        Self {
            policies: proposal.policies,
            problems: proposal.problems,
            files: proposal.files,
            signatures: proposal.signatures,
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
    /// What judges.
    pub fn judge(&self) -> Arc<dyn Judge> {
        counts::counted(&self.live, &self.counts)
    }

    /// What those that decide said so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
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
    pub async fn follow(self: Arc<Self>, app: App, stop: watch::Receiver<bool>) {
        // Apart, because comparing decisions takes seconds, and other hosts' changes do not wait for it.
        tokio::join!(
            self.follow_folder(&app, stop.clone()),
            self.follow_ledger(&*app.ledger, stop)
        );
    }

    async fn follow_ledger(&self, ledger: &dyn Ledger, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.bell.notified() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            self.take_over(ledger).await;
        }
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
            return;
        }
        let is_tried = self.behind().as_ref().is_some_and(|behind| {
            behind.generation == newest && behind.since.elapsed() < TRY_AGAIN
        });
        if is_tried {
            return;
        }
        match self.newest(ledger).await {
            Ok((generation, record)) => self.swap(generation, &Modules::from(&record)),
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

    async fn newest(&self, ledger: &dyn Ledger) -> anyhow::Result<(Generation, Genuine)> {
        let newest = self.book(ledger).newest().await?;
        let newest = newest.context("the datastore has lost its policies")?;
        let known = self.known();
        let policies = recorded::proven(ledger, self.workshop(&known), &newest.modules).await?;
        Ok((Generation::new(newest.number, policies), newest))
    }

    fn book<'b>(&'b self, ledger: &'b dyn Ledger) -> Book<'b> {
        Book {
            ledger,
            key: &self.key,
        }
    }

    fn workshop<'w>(&'w self, known: &'w [Arc<Proven>]) -> Workshop<'w> {
        Workshop {
            engine: &self.engine,
            signatures: &self.signatures,
            known,
        }
    }

    /// What is proven already, and so need not be again.
    fn known(&self) -> Vec<Arc<Proven>> {
        let mut known = self.live.generation().policies().modules().to_vec();
        known.extend_from_slice(self.seen().policies.modules());
        known.extend_from_slice(&self.chosen());
        let standing = self.shadow.standing();
        known.extend_from_slice(&standing.proven);
        if let Some(set) = &standing.would_decide {
            known.extend_from_slice(set.modules());
        }
        known
    }

    fn swap(&self, generation: Generation, modules: &Modules) {
        let number = generation.number();
        let swapping = self.swapping.lock();
        let _one_at_a_time = swapping.unwrap_or_else(PoisonError::into_inner);
        if number > self.generation() {
            self.shadow.begin(number, &modules.shadow);
            *self.pinned() = pins::of(modules);
            self.live.swap(generation);
            self.number.send_replace(number);
            self.reviewer.goes_live(number);
            tracing::info!(generation = number, "other policies are live");
            let seal = self.key.seal(number, &modules.decide, &modules.shadow);
            self.last.keep(number, &seal);
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pinned(&self) -> std::sync::MutexGuard<'_, Vec<ModuleRecord>> {
        self.pinned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chosen(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Proven>>> {
        self.chosen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stuck(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.stuck.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn candidate(&self) -> std::sync::MutexGuard<'_, Option<Candidate>> {
        self.candidate
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Without what is past: a later generation may be live before the ledger is looked at again.
    fn behind(&self) -> std::sync::MutexGuard<'_, Option<Behind>> {
        let mut behind = self.behind.lock().unwrap_or_else(PoisonError::into_inner);
        behind.take_if(|behind| behind.generation <= self.generation());
        behind
    }
}

fn report_problems<'a>(problems: impl IntoIterator<Item = &'a Problem>) {
    for problem in problems {
        tracing::warn!(
            file = problem.file.as_deref().unwrap_or("-"),
            problem = %problem.sentence,
            "not all of the policy folder is loaded; what was loaded before stands"
        );
    }
}
