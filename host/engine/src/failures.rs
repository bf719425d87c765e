//! How often modules failed while they decided.
//!
//! A module that fails is asked again at the next decision: leaving it out would let more happen. So one that
//! keeps failing must show, here and in the log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use countersign_core::verdict::ModuleId;

use crate::failure::FailureKind;

/// How many names are kept: those of a full set, and of some before it. The one that failed longest ago goes.
const NAMES: usize = 256;

/// How often a module's failures are a line in the log, after the first.
const LOG_EVERY: Duration = Duration::from_secs(60);

/// The failures of all modules, by name, since they began to be counted.
#[derive(Debug, Default)]
pub struct Failures {
    all: Mutex<BTreeMap<String, Named>>,
    of: Of,
}

/// Whose failures they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Of {
    /// Modules that decide.
    #[default]
    Deciding,
    /// Modules in shadow.
    Shadow,
}

/// The failures of modules of one name.
#[derive(Debug)]
struct Named {
    by_kind: [u64; FailureKind::ALL.len()],
    digest: String,
    failed: Failed,
    logged: Instant,
    unlogged: u64,
}

/// The failures of one module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// How many decisions it failed.
    pub count: u64,
    /// What kind of failure the last was.
    pub last_kind: FailureKind,
    /// When that was, in Unix milliseconds, by the request's time.
    pub last_at: u64,
}

impl Failures {
    /// None so far of modules in shadow, which deny nothing.
    pub fn in_shadow() -> Self {
        Self {
            of: Of::Shadow,
            ..Self::default()
        }
    }

    /// Counts one of `module`.
    pub fn add(&self, module: &ModuleId, kind: FailureKind, at: u64) {
        let Some(count) = self.counted(module, kind, at) else {
            return;
        };
        // The module's own words are in the decisions, for those who may read them.
        let what = match self.of {
            Of::Deciding => "a policy fails, and what it is asked about is denied",
            Of::Shadow => {
                "a policy in shadow fails, and would deny what it is asked about if it decided"
            }
        };
        tracing::warn!(
            module = %module,
            kind = kind.as_str(),
            count,
            "{what}: {}",
            kind.sentence()
        );
    }

    /// How many there are to tell of, if it is time to.
    fn counted(&self, module: &ModuleId, kind: FailureKind, at: u64) -> Option<u64> {
        let mut all = self.all();
        if all.len() >= NAMES && !all.contains_key(&module.name) {
            let oldest = all.iter().min_by_key(|(_, named)| named.failed.last_at);
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                all.remove(&oldest);
            }
        }
        let mut is_first = false;
        let named = all.entry(module.name.clone()).or_insert_with(|| {
            is_first = true;
            Named::new(module, kind)
        });
        is_first |= named.digest != module.digest;
        if named.digest != module.digest {
            named.digest.clone_from(&module.digest);
            named.failed.count = 0;
        }
        named.by_kind[kind as usize] += 1;
        named.failed.count += 1;
        named.failed.last_kind = kind;
        named.failed.last_at = named.failed.last_at.max(at);
        named.unlogged += 1;
        if !is_first && named.logged.elapsed() < LOG_EVERY {
            return None;
        }
        named.logged = Instant::now();
        Some(std::mem::take(&mut named.unlogged))
    }

    /// Those of `module`, if it failed since a module of its name with another digest last did.
    pub fn of(&self, module: &ModuleId) -> Option<Failed> {
        let all = self.all();
        let named = all.get(&module.name)?;
        (named.digest == module.digest).then_some(named.failed)
    }

    /// How often modules failed, by name and kind.
    pub fn counts(&self) -> Vec<(String, FailureKind, u64)> {
        let all = self.all();
        let counts = all.iter().flat_map(|(name, named)| {
            let counts = FailureKind::ALL.into_iter().zip(named.by_kind);
            counts.map(|(kind, count)| (name.clone(), kind, count))
        });
        counts.filter(|(_, _, count)| *count > 0).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Named>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Named {
    fn new(module: &ModuleId, kind: FailureKind) -> Self {
        Self {
            by_kind: [0; FailureKind::ALL.len()],
            digest: module.digest.clone(),
            failed: Failed {
                count: 0,
                last_kind: kind,
                last_at: 0,
            },
            logged: Instant::now(),
            unlogged: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str, digest: &str) -> ModuleId {
        ModuleId {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            digest: digest.to_owned(),
        }
    }

    #[test]
    fn each_failure_is_counted_and_the_first_alone_is_told_at_once() {
        let failures = Failures::default();
        let broken = module("broken", "aa");
        let told: Vec<_> = (1..=3)
            .map(|at| failures.counted(&broken, FailureKind::Trap, at))
            .collect();
        assert_eq!(told, [Some(1), None, None]);
        failures.add(&broken, FailureKind::TooLong, 9);
        assert_eq!(
            failures.of(&broken),
            Some(Failed {
                count: 4,
                last_kind: FailureKind::TooLong,
                last_at: 9,
            })
        );
        let name = || "broken".to_owned();
        assert_eq!(
            failures.counts(),
            [
                (name(), FailureKind::TooLong, 1),
                (name(), FailureKind::Trap, 3)
            ]
        );
    }

    #[test]
    fn a_minute_later_it_is_told_how_many_there_were_meanwhile() {
        let failures = Failures::default();
        let broken = module("broken", "aa");
        for at in 0..5 {
            failures.counted(&broken, FailureKind::Trap, at);
        }
        let earlier = Instant::now().checked_sub(LOG_EVERY).expect("a minute ago");
        failures
            .all()
            .get_mut("broken")
            .expect("it is there")
            .logged = earlier;
        assert_eq!(failures.counted(&broken, FailureKind::Trap, 6), Some(5));
        assert_eq!(failures.counted(&broken, FailureKind::Trap, 7), None);
    }

    #[test]
    fn a_module_that_is_mended_has_no_failures_and_what_its_name_had_is_still_counted() {
        let failures = Failures::default();
        failures.add(&module("broken", "aa"), FailureKind::Trap, 1);
        let mended = module("broken", "bb");
        assert_eq!(failures.of(&mended), None);
        failures.add(&mended, FailureKind::Trap, 2);
        assert_eq!(failures.of(&mended).map(|failed| failed.count), Some(1));
        assert_eq!(
            failures.counts(),
            [("broken".to_owned(), FailureKind::Trap, 2)]
        );
    }

    #[test]
    fn however_many_names_fail_so_many_are_kept() {
        let failures = Failures::default();
        for n in 0..2 * NAMES {
            let at = u64::try_from(n).expect("it fits");
            failures.add(&module(&format!("m{n}"), "aa"), FailureKind::Trap, at);
        }
        assert_eq!(failures.all().len(), NAMES);
        assert!(failures.of(&module("m0", "aa")).is_none());
        assert!(failures.of(&module("m511", "aa")).is_some());
    }

    #[test]
    fn kinds_are_counted_in_the_order_of_their_list() {
        for (at, kind) in FailureKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, at, "{kind:?}");
            let name = serde_json::to_value(kind).expect("a name");
            assert_eq!(name, kind.as_str());
        }
    }
}
