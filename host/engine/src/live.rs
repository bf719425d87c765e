//! The one set of modules that is live.

use std::sync::Arc;

use arc_swap::ArcSwap;
use countersign_core::policy::Question;
use countersign_core::ports::Judge;
use countersign_core::tally::TallyKind;
use countersign_core::verdict::Judgement;

use crate::PolicySet;
use crate::failures::Failures;

/// A set of modules under the number that its activation was recorded with.
#[derive(Clone, Debug)]
pub struct Generation {
    number: u64,
    policies: PolicySet,
}

impl Generation {
    /// Numbers a set.
    pub fn new(number: u64, policies: PolicySet) -> Self {
        Self { number, policies }
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Its modules.
    pub fn policies(&self) -> &PolicySet {
        &self.policies
    }
}

impl Judge for Generation {
    fn judge(&self, question: &Question) -> Judgement {
        self.policies
            .answer(question, self.number, &Failures::default())
    }

    fn generation(&self) -> u64 {
        self.number
    }

    fn wants(&self) -> (u64, Arc<[TallyKind]>) {
        (self.number, Arc::clone(self.policies.wants()))
    }
}

/// The live generation. Readers never wait, and each decision is made by one generation from its
/// beginning to its end.
///
/// It counts the failures of modules in the decisions that it makes, and goes on counting when another
/// generation is live.
#[derive(Debug)]
pub struct Live {
    generation: ArcSwap<Generation>,
    failures: Failures,
}

impl Live {
    /// Begins with `generation`.
    pub fn new(generation: Generation) -> Self {
        Self {
            generation: ArcSwap::from_pointee(generation),
            failures: Failures::default(),
        }
    }

    /// The generation that is live now.
    pub fn generation(&self) -> Arc<Generation> {
        self.generation.load_full()
    }

    /// How often which module failed.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    /// Makes `generation` live and returns the one that was. Decisions under way end under the old one.
    pub fn swap(&self, generation: Generation) -> Arc<Generation> {
        self.generation.swap(Arc::new(generation))
    }
}

impl Judge for Live {
    fn judge(&self, question: &Question) -> Judgement {
        // A guard rather than a clone: threads that judge at once do not write to one counter.
        let live = self.generation.load();
        live.policies.answer(question, live.number, &self.failures)
    }

    fn generation(&self) -> u64 {
        self.generation.load().number
    }

    fn wants(&self) -> (u64, Arc<[TallyKind]>) {
        self.generation.load().wants()
    }
}
