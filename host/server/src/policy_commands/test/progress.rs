//! How far a test is, for whoever waits at a terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is done sooner needs no telling.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is told.
const EVERY: Duration = Duration::from_millis(100);

/// How far a test is. Nothing is said where standard error is no terminal.
pub struct Progress {
    total: usize,
    /// When it is told next; `None` where nobody looks.
    next: Option<Mutex<Instant>>,
    is_told: AtomicBool,
}

impl Progress {
    /// Of `total` cases none is done.
    pub fn new(total: usize) -> Self {
        let is_seen = io::stderr().is_terminal();
        Self {
            total,
            next: is_seen.then(|| Mutex::new(Instant::now() + PATIENCE)),
            is_told: AtomicBool::new(false),
        }
    }

    /// So many are done.
    pub fn tick(&self, done: usize) {
        let Some(mut next) = self.next.as_ref().and_then(|next| next.lock().ok()) else {
            return;
        };
        let now = Instant::now();
        if now >= *next {
            *next = now + EVERY;
            self.is_told.store(true, Ordering::Relaxed);
            let total = self.total;
            let _ = write!(io::stderr(), "\r{done} of {total} cases\u{1b}[K");
        }
    }

    /// Takes away what it said.
    pub fn end(&self) {
        if self.is_told.load(Ordering::Relaxed) {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
