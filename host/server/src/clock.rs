//! The host's time, which never goes back.
//!
//! What has ended (a grant, a token, a session, a login link, a request that waits) would live again if it
//! did. See `docs/decisions/0007-time-never-goes-back.md`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use countersign_core::time::{Clock, SystemClock, Timestamp};

/// A system clock that is behind what is in the ledger by this much and no more is an ordinary one, set
/// right by the network's time or a little behind another host's. The host lives in the ledger's time
/// until the system's has caught up. Behind by more, somebody has to look.
const LIFTED: Duration = Duration::from_secs(5 * 60);

/// A step back of this much is not worth a word.
const UNSAID: Duration = Duration::from_secs(1);

/// Where the time comes from.
pub trait Source: Send + Sync {
    /// What the system's clock says, which anybody may set.
    fn system(&self) -> Timestamp;

    /// How long this has been running, by a clock that nobody sets.
    fn running(&self) -> Duration;
}

/// The machine's clocks.
pub struct Machine(Instant);

impl Default for Machine {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Source for Machine {
    fn system(&self) -> Timestamp {
        SystemClock.now()
    }

    fn running(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The later of the system's time and of the time that must have come since it was last later.
pub struct SteadyClock<S = Machine> {
    source: S,
    last: Mutex<Anchor>,
}

/// When the system's time was last believed.
struct Anchor {
    at: Timestamp,
    running: Duration,
    is_behind: bool,
}

/// The system's clock is too far behind the ledger.
#[derive(Debug, thiserror::Error)]
#[error(
    "the system's clock says {system}, but the database was written as late as {latest}: what has ended since would live again. Set the clock right (`timedatectl` shows it) and start again; if it is right now, and was ahead when that was written, restore a backup of the database from before"
)]
pub struct ClockBehind {
    system: Timestamp,
    latest: Timestamp,
}

impl<S: Source> SteadyClock<S> {
    /// The time of a host whose ledger was written as late as `latest`.
    pub fn start(source: S, latest: Option<Timestamp>) -> Result<Self, ClockBehind> {
        let (system, running) = (source.system(), source.running());
        let latest = latest.unwrap_or(system);
        if latest > system.plus(LIFTED) {
            return Err(ClockBehind { system, latest });
        }
        let clock = Self {
            source,
            last: Mutex::new(Anchor {
                at: latest.max(system),
                running,
                is_behind: false,
            }),
        };
        clock.now();
        Ok(clock)
    }
}

impl<S: Source> Clock for SteadyClock<S> {
    fn now(&self) -> Timestamp {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // Read while nobody else does, so that who asks later is never told an earlier time.
        let (system, running) = (self.source.system(), self.source.running());
        let steady = last.at.plus(running.saturating_sub(last.running));
        if system >= steady {
            // Anchored anew only here: each time costs what is less than a microsecond.
            *last = Anchor {
                at: system,
                running,
                is_behind: false,
            };
            return system;
        }
        if !last.is_behind && steady > system.plus(UNSAID) {
            last.is_behind = true;
            tracing::warn!(
                %system,
                host = %steady,
                "the system's clock is behind the host's time, which never goes back: nothing that has ended lives again; set the clock right"
            );
        }
        steady
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const START: i64 = 1_767_225_600_000_000;
    const SECOND: i64 = 1_000_000;

    /// Clocks that a test moves: microseconds since `START`, and since the machine was started.
    #[derive(Clone, Default)]
    struct Moved {
        system: Arc<AtomicI64>,
        running: Arc<AtomicI64>,
    }

    impl Moved {
        fn pass(&self, seconds: i64) {
            self.step(seconds);
            self.running.fetch_add(seconds * SECOND, Ordering::Relaxed);
        }

        fn step(&self, seconds: i64) {
            self.system.fetch_add(seconds * SECOND, Ordering::Relaxed);
        }
    }

    impl Source for Moved {
        fn system(&self) -> Timestamp {
            Timestamp::from_micros(START + self.system.load(Ordering::Relaxed))
        }

        fn running(&self) -> Duration {
            let micros = self.running.load(Ordering::Relaxed);
            Duration::from_micros(micros.try_into().expect("it only runs"))
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(START + seconds * SECOND)
    }

    fn started(latest: Option<i64>) -> (Moved, SteadyClock<Moved>) {
        let moved = Moved::default();
        let clock = SteadyClock::start(moved.clone(), latest.map(at));
        (moved, clock.unwrap_or_else(|error| panic!("{error}")))
    }

    #[test]
    fn time_is_the_systems_while_that_goes_on() {
        let (moved, clock) = started(None);
        assert_eq!(clock.now(), at(0));
        moved.pass(10);
        assert_eq!(clock.now(), at(10));
        // Set right, or awake after a sleep in which the other clock stood.
        moved.step(3600);
        assert_eq!(clock.now(), at(3610));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_take_time_back_and_time_goes_on() {
        let (moved, clock) = started(None);
        moved.pass(10);
        assert_eq!(clock.now(), at(10));
        moved.step(-3600);
        assert_eq!(clock.now(), at(10));
        moved.pass(5);
        assert_eq!(clock.now(), at(15));
        // Once more, further.
        moved.step(-86_400);
        moved.pass(5);
        assert_eq!(clock.now(), at(20));
        // Set right again.
        moved.step(3600 + 86_400 + 1);
        assert_eq!(clock.now(), at(21));
    }

    #[test]
    fn what_passed_since_the_clock_was_last_read_counts() {
        let (moved, clock) = started(None);
        // Nobody asked for an hour, and then it was set back.
        moved.pass(3600);
        moved.step(-3600);
        assert_eq!(clock.now(), at(3600));
    }

    #[test]
    fn a_host_that_starts_a_little_early_lives_in_the_time_of_its_ledger() {
        let (moved, clock) = started(Some(300));
        assert_eq!(clock.now(), at(300));
        moved.pass(60);
        assert_eq!(clock.now(), at(360));
        moved.step(3600);
        assert_eq!(clock.now(), at(3660));
        let (_, clock) = started(Some(-300));
        assert_eq!(clock.now(), at(0));
    }

    #[test]
    fn a_host_that_starts_far_too_early_is_told_both_instants() {
        let error = SteadyClock::start(Moved::default(), Some(at(301)))
            .err()
            .expect("it is refused")
            .to_string();
        for word in [
            "2026-01-01T00:00:00Z",
            "2026-01-01T00:05:01Z",
            "start again",
        ] {
            assert!(error.contains(word), "{error}");
        }
    }
}
