//! One module, asked alone: for those who work on policies without a host.
//!
//! What stands here is what a decision of the host's is made of, part by part; nothing here records,
//! remembers or folds.

use std::time::Duration;

use countersign_core::policy::{CallerClass, Question, Verdict};

use crate::Proven;
use crate::contract::{Lists, Wire};
use crate::guest::Notebook;
use crate::instance::Running;
use crate::proven::{Said, rounded};

/// What a module said to one question, or in one sentence why it has no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply<T> {
    /// The answer.
    pub answer: Result<T, String>,
    /// What it wrote for whoever debugs it.
    pub notes: Vec<String>,
}

impl<T> From<Said<T>> for Reply<T> {
    fn from(said: Said<T>) -> Self {
        Self {
            answer: said.answer.map_err(String::from),
            notes: said.notes,
        }
    }
}

impl Proven {
    /// What kind of caller asks, in a fresh instance. A class that the caller's credential cannot have is a
    /// failure.
    pub fn class_of(&self, question: &Question) -> Reply<CallerClass> {
        let lists = Lists::of(question);
        let wire = Wire::new(question, &lists);
        self.classify(question, &wire, self.time()).into()
    }

    /// The verdict on a caller of `class`, in a fresh instance.
    pub fn verdict_on(&self, question: &Question, class: CallerClass) -> Reply<Verdict> {
        let lists = Lists::of(question);
        let wire = Wire::new(question, &lists);
        self.decide(question, &wire, class, self.time()).into()
    }

    fn time(&self) -> Duration {
        self.limits().decide_time
    }
}

/// An instance that decides again and again, as no decision of the host's does: what one call leaves
/// behind, the next one sees.
pub struct Warm<'p> {
    proven: &'p Proven,
    running: Running<'p>,
}

impl<'p> Warm<'p> {
    /// One that has just started. Its memory is an arena that does not shrink, so it ends some time.
    pub fn new(proven: &'p Proven) -> Result<Self, String> {
        let running = proven.ready(Notebook::Dropped, proven.time());
        let running = running.map_err(String::from)?;
        Ok(Self { proven, running })
    }

    /// Decides once more.
    pub fn decide(&mut self, question: &Question, class: CallerClass) -> Result<Verdict, String> {
        let lists = Lists::of(question);
        let wire = Wire::new(question, &lists);
        let manifest = self.proven.manifest();
        let told = wire.told(manifest);
        let now = rounded(question.time, manifest.clock_seconds);
        let request = wire.request(class, now, &told);
        self.running.begin_again();
        self.running.decide(request).map_err(String::from)
    }

    /// Says once more what kind of caller asks, in its own words: a class that the caller's credential cannot
    /// have is an answer like any other.
    pub fn classify(&mut self, question: &Question) -> Result<CallerClass, String> {
        let lists = Lists::of(question);
        let wire = Wire::new(question, &lists);
        self.running.begin_again();
        self.running.classify(wire.caller()).map_err(String::from)
    }
}
