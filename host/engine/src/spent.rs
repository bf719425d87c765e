//! What a decision uses up: for those who compare policies.

use countersign_core::policy::{CallerClass, Question};

use crate::Proven;
use crate::contract::{Lists, Wire};
use crate::guest::Notebook;
use crate::proven::rounded;

/// What one instance used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The instructions that it ran, by wasmtime's count, where its engine counts them
    /// ([`crate::Engine::counting`]).
    pub fuel: Option<u64>,
    /// The most linear memory that it had, in bytes.
    pub memory_bytes: usize,
}

impl Proven {
    /// What the decision on a caller of `class` uses up, in a fresh instance, its start included. A failure
    /// is a sentence.
    pub fn spent_on(&self, question: &Question, class: CallerClass) -> Result<Spent, String> {
        let time = self.limits().decide_time;
        let mut running = self.ready(Notebook::Dropped, time)?;
        let lists = Lists::of(question);
        let wire = Wire::new(question, &lists);
        let told = wire.told(self.manifest());
        let now = rounded(question.time, self.manifest().clock_seconds);
        running.decide(wire.request(class, now, &told))?;
        Ok(running.spent())
    }
}
