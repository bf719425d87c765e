//! Looks for questions at which a module breaks a law: all of the finite part of the input, and a directed
//! search over the rest.
//!
//! The laws need no knowledge of a module's rules, and its source is not needed. The search is directed by
//! the vocabulary, by what is easily got wrong, and by the texts and numbers that the component has in it.
//! It is reproducible: the same module, seed and effort ask the same questions.
//!
//! What it does not find is no proof that there is nothing: a rule that opens for a text that is only known
//! as a hash is beyond any search of this kind.

pub(crate) mod asker;
mod bases;
mod case;
mod dictionary;
mod laws;
mod look;
pub(crate) mod point;
mod rank;
mod search;
pub(crate) mod shrink;
pub(crate) mod space;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_core::exhaustive::{self, Row};

use self::asker::Asker;
use self::bases::Bases;
use self::search::Search;
use self::space::Space;
use crate::cases::Property;
use crate::module::Module;

pub(crate) use self::case::{given, quoted};
pub use self::laws::Law;

/// The seed where none is given: whoever runs it again sees the same.
pub const SEED: u64 = 1;

/// How much is asked.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Of the rows that are swept, each one in so many: 1 is all.
    pub stride: usize,
    /// Questions with several changes, drawn at random.
    pub draws: usize,
    /// Questions for each property of one's own.
    pub for_each_property: usize,
    /// What is drawn, is drawn by it.
    pub seed: u64,
    /// Threads that ask.
    pub threads: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            stride: 1,
            draws: 100_000,
            for_each_property: 20_000,
            seed: SEED,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

impl Effort {
    /// A tenth of it: seconds, where somebody waits.
    pub fn quick() -> Self {
        let normal = Self::default();
        Self {
            stride: 10,
            draws: normal.draws / 10,
            for_each_property: normal.for_each_property / 10,
            ..normal
        }
    }
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Questions that were asked.
    pub asked: u64,
    /// How long it took.
    pub took: Duration,
    /// Counterexamples, by law, each as small as it got.
    pub findings: Vec<Finding>,
    /// How often each law was found broken, the counterexamples that are not shown included.
    pub breaches: BTreeMap<&'static str, usize>,
}

/// A counterexample.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// The law's name, or that of a property of one's own.
    pub law: String,
    /// What is wrong, in a sentence.
    pub sentence: String,
    /// A case that `test` accepts, and that fails as long as this is wrong.
    pub case: String,
}

/// How far a verification has come.
pub struct Progress {
    done: AtomicUsize,
    all: AtomicUsize,
    asked: AtomicU64,
    ends: OnceLock<Instant>,
    stopped: AtomicBool,
}

impl Progress {
    /// At the beginning.
    pub const fn new() -> Self {
        Self {
            done: AtomicUsize::new(0),
            all: AtomicUsize::new(0),
            asked: AtomicU64::new(0),
            ends: OnceLock::new(),
            stopped: AtomicBool::new(false),
        }
    }

    /// Ends the search at `instant`, with what is found by then.
    pub fn end_at(&self, instant: Instant) {
        let _ = self.ends.set(instant);
    }

    /// Ends it now: nobody waits for it any more.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    /// Whether nobody waits for it any more.
    pub fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Whether it has to end, and did so before all was asked.
    pub fn is_cut_short(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
            || self.ends.get().is_some_and(|end| Instant::now() > *end)
    }

    /// Parts that are done, all parts, and the questions so far.
    pub fn so_far(&self) -> (usize, usize, u64) {
        let load = |number: &AtomicUsize| number.load(Ordering::Relaxed);
        (
            load(&self.done),
            load(&self.all),
            self.asked.load(Ordering::Relaxed),
        )
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// Verifies `module`, with `properties` beside the laws.
pub fn verify(
    module: &Module,
    properties: &[Property],
    effort: &Effort,
    progress: &Progress,
) -> Verified {
    let began = Instant::now();
    let space = Space::of(module.proven());
    let rows: Vec<Row> = exhaustive::rows().collect();
    let mut asker = Asker::new(module);
    let bases = Bases::new(&space, &rows, &mut asker);
    let search = Search::new(module, (&space, &rows, &bases), effort);
    search.table(&mut asker);
    let parts = search.parts(properties);
    progress.all.store(parts.len(), Ordering::Relaxed);
    progress.asked.fetch_add(asker.asked, Ordering::Relaxed);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..effort.threads.max(1) {
            scope.spawn(|| {
                let mut asker = Asker::new(module);
                let mut before = 0;
                while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if progress.is_cut_short() {
                        break;
                    }
                    search.part(part, &mut asker);
                    progress
                        .asked
                        .fetch_add(asker.asked - before, Ordering::Relaxed);
                    before = asker.asked;
                    progress.done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let (findings, breaches) = search.report(&mut asker);
    Verified {
        asked: progress.so_far().2,
        took: began.elapsed(),
        findings,
        breaches,
    }
}
