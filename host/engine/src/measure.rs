//! What the benchmark needs to see the parts of a decision apart. No API.

use countersign_core::policy::{CallerClass, Question, Verdict};

use crate::Proven;
use crate::contract::{Lists, Wire};
use crate::guest::Notebook;
use crate::instance::Running;

/// An instance that decides again and again, as no decision of the host's does.
pub struct Warm<'p> {
    proven: &'p Proven,
    running: Running<'p>,
}

impl<'p> Warm<'p> {
    /// `None` if it does not start.
    pub fn new(proven: &'p Proven) -> Option<Self> {
        let running = proven
            .ready(Notebook::Dropped, proven.limits().decide_time)
            .ok()?;
        Some(Self { proven, running })
    }

    /// Decides once more, within the first instance's time.
    pub fn decide(&mut self, question: &Question, class: CallerClass) -> Result<Verdict, String> {
        let lists = Lists::of(question);
        let wire = Wire::new(question, &lists);
        let context = wire.context(&self.proven.manifest().context);
        let request = wire.request(class, question.time, &context);
        self.running.decide(request).map_err(String::from)
    }
}

/// One module's part in a decision: a fresh instance that decides.
pub fn decide(proven: &Proven, question: &Question, class: CallerClass) -> Result<Verdict, String> {
    let lists = Lists::of(question);
    let wire = Wire::new(question, &lists);
    proven
        .decide(question, &wire, class, proven.limits().decide_time)
        .answer
        .map_err(String::from)
}
