//! What callers owe for the time that the policies spent on their questions.
//!
//! Policies work on the threads that serve requests, so one that runs into its limit holds up everybody,
//! however often an agent repeats the question that does it. A caller's long judgements are therefore a
//! debt that time pays back, and whoever owes too much is denied without asking the policies: at once, and
//! for a moment only. It is kept by caller, so that nobody can use up another's judgements.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_core::policy::{Credential, Subject};

use crate::Limits;

/// Callers share so many slots, and those of one slot a debt. It bounds what all callers together can use
/// up at once, however many credentials they have. People have as many again for themselves: whoever mints
/// itself tokens until every slot of programs owes stops no person.
const SLOTS: usize = 64;
/// So much longer than a debt is the time that pays it: a caller has a tenth of one thread in the long run.
const PAYBACK: u32 = 10;
/// A debt may grow to so many decisions that run into their limit.
const CREDIT: u32 = 3;
/// The first part of one decision's limit is free: some 20 ms, which is a thousand times what our own modules
/// take. It is over only when the module itself runs on after it. One that a busy machine kept waiting is
/// through in no time then, so what is counted is what the module does, and not how busy the machine is.
const FREE: u32 = 5;

/// How long one call may take before it begins to count.
pub(crate) fn free(limits: &Limits) -> Duration {
    limits.decide_time / FREE
}

/// The debts under one set of policies.
#[derive(Debug)]
pub(crate) struct Debts {
    // Random, so that nobody can choose names that share another's slot.
    hashes: RandomState,
    began: Instant,
    most: Duration,
    /// When the last of all debts is paid, so that where there are none nobody is looked for.
    over: AtomicU64,
    slots: Box<[Slot]>,
}

#[derive(Debug, Default)]
struct Slot {
    /// When the debt is paid, in nanoseconds since the beginning.
    paid: AtomicU64,
    /// The module to which most of the latest debt is due.
    slowest: AtomicUsize,
}

impl Debts {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            hashes: RandomState::new(),
            began: Instant::now(),
            most: limits.decide_time * CREDIT * PAYBACK,
            over: AtomicU64::new(0),
            slots: (0..2 * SLOTS).map(|_| Slot::default()).collect(),
        }
    }

    /// The module because of which `subject` owes too much, if it does.
    pub(crate) fn excess(&self, subject: &Subject) -> Option<usize> {
        let now = self.now();
        if self.over.load(Ordering::Relaxed) <= now {
            return None;
        }
        let slot = self.slot(subject);
        let owed = slot.paid.load(Ordering::Relaxed).saturating_sub(now);
        (owed >= nanoseconds(self.most)).then(|| slot.slowest.load(Ordering::Relaxed))
    }

    /// Writes down that a judgement for `subject` took so long beyond what is free, and which module most of it.
    pub(crate) fn add(&self, subject: &Subject, used: Duration, slowest: usize) {
        if used.is_zero() {
            return;
        }
        let now = self.now();
        let slot = self.slot(subject);
        slot.slowest.store(slowest, Ordering::Relaxed);
        let cost = nanoseconds(used * PAYBACK);
        let pay = |paid: u64| Some(paid.max(now) + cost);
        // It cannot fail: there is always another moment.
        let _ = slot
            .paid
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
        let paid = slot.paid.load(Ordering::Relaxed);
        self.over.fetch_max(paid, Ordering::Relaxed);
    }

    fn slot(&self, subject: &Subject) -> &Slot {
        let key = (subject.credential, &subject.principal, &subject.actor);
        let slot = self.hashes.hash_one(key) as usize % SLOTS;
        match subject.credential {
            Credential::VerifiedSession => &self.slots[SLOTS + slot],
            _ => &self.slots[slot],
        }
    }

    fn now(&self) -> u64 {
        nanoseconds(self.began.elapsed())
    }
}

/// It fits for five centuries.
fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use countersign_core::exhaustive;

    use super::*;

    #[test]
    fn programs_share_their_debts_with_no_person() {
        let debts = Debts::new(&Limits::default());
        for mut subject in exhaustive::rows().map(|row| row.question().subject) {
            let is_person = subject.credential == Credential::VerifiedSession;
            for principal in 0..8 {
                subject.principal = principal.to_string();
                let slot = std::ptr::from_ref(debts.slot(&subject));
                let of_people = debts.slots[SLOTS..].as_ptr_range();
                assert_eq!(of_people.contains(&slot), is_person, "{subject:?}");
            }
        }
    }
}
