//! What each module said since this host started, and how long it took: small numbers, for people.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use countersign_core::policy::{Question, Verdict};
use countersign_core::ports::Judge;
use countersign_core::tally::TallyKind;
use countersign_core::time::Timestamp;
use countersign_core::verdict::{Judgement, ModuleId, Opinion};
use countersign_engine::Live;

/// So many versions of modules are counted. The oldest make room: nobody asks how they were doing.
const MODULES: usize = 256;
/// Times are counted by powers of two of a microsecond, of which the last is over two minutes.
const BUCKETS: usize = 28;

/// What the modules said since a moment.
#[derive(Debug)]
pub struct Counts {
    since: Timestamp,
    modules: RwLock<Vec<Arc<Counted>>>,
}

/// What one module said.
#[derive(Debug)]
struct Counted {
    module: ModuleId,
    verdicts: [AtomicU64; 5],
    times: [AtomicU64; BUCKETS],
}

/// What one module said, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// It had nothing to say.
    pub abstained: u64,
    /// It allowed.
    pub allowed: u64,
    /// It gated.
    pub gated: u64,
    /// It denied.
    pub denied: u64,
    /// It had no verdict, which denies.
    pub failed: u64,
    /// Half of its answers took less than so many microseconds.
    pub half_within: u64,
    /// All but one in a hundred took less than so many.
    pub nearly_all_within: u64,
}

impl Said {
    /// How often it was asked.
    pub fn asked(&self) -> u64 {
        self.abstained + self.allowed + self.gated + self.denied + self.failed
    }
}

impl Counts {
    /// None so far.
    pub fn since(since: Timestamp) -> Self {
        Self {
            since,
            modules: RwLock::default(),
        }
    }

    /// From when on it is counted.
    pub fn began(&self) -> Timestamp {
        self.since
    }

    /// What this version of a module said.
    pub fn of(&self, name: &str, digest: &str) -> Said {
        let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = modules.iter();
        let found =
            found.find(|counted| counted.module.digest == digest && counted.module.name == name);
        found.map(|counted| counted.said()).unwrap_or_default()
    }

    /// Counts one answer.
    pub(super) fn add(&self, opinion: &Opinion) {
        let known = {
            let modules = self.modules.read().unwrap_or_else(PoisonError::into_inner);
            let mut known = modules.iter();
            known.find(|known| known.module == opinion.module).cloned()
        };
        known
            .unwrap_or_else(|| self.begin(&opinion.module))
            .add(opinion);
    }

    fn begin(&self, module: &ModuleId) -> Arc<Counted> {
        let mut modules = self.modules.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = modules.iter().find(|known| known.module == *module) {
            return Arc::clone(known);
        }
        if modules.len() == MODULES {
            modules.remove(0);
        }
        let fresh = Arc::new(Counted {
            module: module.clone(),
            verdicts: Default::default(),
            times: std::array::from_fn(|_| AtomicU64::new(0)),
        });
        modules.push(Arc::clone(&fresh));
        fresh
    }
}

impl Counted {
    fn add(&self, opinion: &Opinion) {
        let at = match &opinion.verdict {
            Ok(Verdict::Abstain) => 0,
            Ok(Verdict::Allow(_)) => 1,
            Ok(Verdict::Gate(_)) => 2,
            Ok(Verdict::Deny(_)) => 3,
            Err(_) => 4,
        };
        self.verdicts[at].fetch_add(1, Ordering::Relaxed);
        if let Some(micros) = opinion.took.micros() {
            let bits = (u64::BITS - micros.leading_zeros()) as usize;
            self.times[bits.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
        }
    }

    fn said(&self) -> Said {
        let of = |at: usize| self.verdicts[at].load(Ordering::Relaxed);
        let times: Vec<u64> = self
            .times
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        Said {
            abstained: of(0),
            allowed: of(1),
            gated: of(2),
            denied: of(3),
            failed: of(4),
            half_within: within(&times, 50),
            nearly_all_within: within(&times, 99),
        }
    }
}

/// Below how many microseconds so many of a hundred are.
fn within(times: &[u64], percent: u64) -> u64 {
    let all: u64 = times.iter().sum();
    let mut seen = 0;
    for (bits, count) in times.iter().enumerate() {
        seen += count;
        if seen > 0 && seen * 100 >= all * percent {
            return 1 << bits;
        }
    }
    0
}

/// The live policies, counted.
pub(super) fn counted(live: &Arc<Live>, counts: &Arc<Counts>) -> Arc<dyn Judge> {
    Arc::new(Counting {
        live: Arc::clone(live),
        counts: Arc::clone(counts),
    })
}

struct Counting {
    live: Arc<Live>,
    counts: Arc<Counts>,
}

impl Judge for Counting {
    fn judge(&self, question: &Question) -> Judgement {
        let judgement = self.live.judge(question);
        for opinion in &judgement.opinions {
            self.counts.add(opinion);
        }
        judgement
    }

    fn generation(&self) -> u64 {
        self.live.generation().number()
    }

    fn wants(&self) -> (u64, Arc<[TallyKind]>) {
        self.live.wants()
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::policy::Ground;
    use countersign_core::verdict::Took;

    use super::*;

    fn opinion(name: &str, verdict: Result<Verdict, String>, micros: u64) -> Opinion {
        Opinion {
            module: ModuleId {
                name: name.to_owned(),
                version: "1.0.0".to_owned(),
                digest: "ab".to_owned(),
            },
            verdict,
            notes: Vec::new(),
            took: Took::of_micros(micros),
        }
    }

    #[test]
    fn each_modules_answers_and_times_are_its_own() {
        let counts = Counts::since(Timestamp::from_micros(0));
        for _ in 0..98 {
            counts.add(&opinion("a", Ok(Verdict::Abstain), 6));
        }
        counts.add(&opinion("a", Ok(Verdict::Deny(Ground::new("r", "s"))), 7));
        counts.add(&opinion("a", Err("it trapped".to_owned()), 900));
        counts.add(&opinion("b", Ok(Verdict::Allow(Ground::new("r", "s"))), 3));
        let a = counts.of("a", "ab");
        assert_eq!(
            (a.asked(), a.abstained, a.denied, a.failed),
            (100, 98, 1, 1)
        );
        assert_eq!((a.half_within, a.nearly_all_within), (8, 8));
        let b = counts.of("b", "ab");
        assert_eq!((b.asked(), b.allowed, b.half_within), (1, 1, 4));
        assert_eq!(counts.of("a", "cd"), Said::default());
    }

    #[test]
    fn no_more_versions_are_counted_than_there_is_room_for() {
        let counts = Counts::since(Timestamp::from_micros(0));
        for number in 0..=MODULES {
            counts.add(&opinion(&number.to_string(), Ok(Verdict::Abstain), 1));
        }
        assert_eq!(counts.of("0", "ab").asked(), 0);
        assert_eq!(counts.of(&MODULES.to_string(), "ab").asked(), 1);
    }
}
