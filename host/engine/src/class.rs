//! What the classifier made of callers that were seen before.
//!
//! The class depends on the caller alone, and the classifier is a pure function, so under one set of
//! policies its answer can be remembered. Failures are not.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use countersign_core::policy::{CallerClass, Subject};

/// How many callers are remembered; a new one takes the place of whichever has its slot. A caller that
/// is forgotten costs one more instance, some microseconds.
const SLOTS: usize = 256;

/// Callers and their classes.
#[derive(Debug)]
pub(crate) struct Classes {
    // Random, so that nobody can choose names that drive another's class out.
    hashes: RandomState,
    slots: Box<[ArcSwapOption<(Subject, CallerClass)>]>,
}

impl Classes {
    pub(crate) fn new() -> Self {
        Self {
            hashes: RandomState::new(),
            slots: (0..SLOTS).map(|_| ArcSwapOption::empty()).collect(),
        }
    }

    /// The class of a caller who is equal to `subject` in everything.
    pub(crate) fn get(&self, subject: &Subject) -> Option<CallerClass> {
        let slot = self.slot(subject).load();
        let (known, class) = slot.as_deref()?;
        (known == subject).then_some(*class)
    }

    pub(crate) fn remember(&self, subject: &Subject, class: CallerClass) {
        let known = Arc::new((subject.clone(), class));
        self.slot(subject).store(Some(known));
    }

    fn slot(&self, subject: &Subject) -> &ArcSwapOption<(Subject, CallerClass)> {
        let key = (
            subject.credential,
            subject.role,
            &subject.principal,
            &subject.actor,
            &subject.workspace,
        );
        &self.slots[self.hashes.hash_one(key) as usize % SLOTS]
    }
}
