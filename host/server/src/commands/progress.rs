//! How far something is, for whoever waits: at a terminal or in a log.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::terminal;

/// What is done within this says nothing of how far it is.
const SOON: Duration = Duration::from_secs(1);
/// And then a line so often, which is no flood in a log either.
const EVERY: Duration = Duration::from_secs(3);

/// Tells it now and then.
pub struct Progress {
    next: Cell<Instant>,
}

impl Progress {
    /// From now on.
    pub fn new() -> Self {
        Self {
            next: Cell::new(Instant::now() + SOON),
        }
    }

    /// Says it, where it is time to.
    pub fn tell(&self, what: impl FnOnce() -> String) {
        let now = Instant::now();
        if now >= self.next.get() {
            self.next.set(now + EVERY);
            terminal::tell(&what());
        }
    }
}
