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
/// So much longer than a debt is the time that pays it: a caller has a tenth of a processor in the long run.
const PAYBACK: u32 = 10;
/// A debt may grow to so many decisions that run into their limit.
const CREDIT: u32 = 3;
/// What takes less than this part of one decision's limit is free: some 20 ms, which is a thousand times what
/// our own modules take.
const FREE: u32 = 5;
/// Whoever asked for a judgement that took long is watched for so long: the time of their judgements is then
/// measured by the processor. By the clock a busy machine would look like a busy policy; and to measure all
/// judgements so would cost each some system calls.
const WATCH: Duration = Duration::from_secs(10);

/// The debts under one set of policies.
#[derive(Debug)]
pub(crate) struct Debts {
    // Random, so that nobody can choose names that share another's slot.
    hashes: RandomState,
    began: Instant,
    free: Duration,
    most: Duration,
    /// When nobody is watched and nothing is owed any more, so that until something is nobody is looked for.
    over: AtomicU64,
    slots: Box<[Slot]>,
}

/// Moments are in nanoseconds since the beginning.
#[derive(Debug, Default)]
struct Slot {
    watched_until: AtomicU64,
    /// When the debt is paid.
    paid: AtomicU64,
    /// The module that took most of the latest judgement that was not free.
    slowest: AtomicUsize,
}

/// How a caller stands, before a judgement.
pub(crate) enum Standing {
    /// Nothing is known against it.
    Good,
    /// It is watched, from when this thread had used so much of a processor.
    Watched(Duration),
    /// It owes too much, because of the module with this index.
    Excess(usize),
}

impl Debts {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            hashes: RandomState::new(),
            began: Instant::now(),
            free: limits.decide_time / FREE,
            most: limits.decide_time * CREDIT * PAYBACK,
            over: AtomicU64::new(0),
            slots: (0..2 * SLOTS).map(|_| Slot::default()).collect(),
        }
    }

    /// How `subject` stands.
    pub(crate) fn of(&self, subject: &Subject) -> Standing {
        let now = self.now();
        if self.over.load(Ordering::Relaxed) <= now {
            return Standing::Good;
        }
        let slot = self.slot(subject);
        let owed = slot.paid.load(Ordering::Relaxed).saturating_sub(now);
        if owed >= nanoseconds(self.most) {
            return Standing::Excess(slot.slowest.load(Ordering::Relaxed));
        }
        match slot.watched_until.load(Ordering::Relaxed) > now {
            true => Standing::Watched(processor_time(self.began)),
            false => Standing::Good,
        }
    }

    /// Writes down that a judgement for `subject`, who stood so before it, took so long by the clock, and
    /// which module took most of it.
    pub(crate) fn add(&self, subject: &Subject, stood: &Standing, took: Duration, slowest: usize) {
        if took < self.free {
            return;
        }
        let now = self.now();
        let slot = self.slot(subject);
        slot.slowest.store(slowest, Ordering::Relaxed);
        if let Standing::Watched(from) = stood {
            let spent = processor_time(self.began).saturating_sub(*from);
            if spent < self.free {
                return;
            }
            let cost = nanoseconds(spent * PAYBACK);
            let pay = |paid: u64| Some(paid.max(now) + cost);
            // It cannot fail: there is always another moment.
            let _ = slot
                .paid
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, pay);
        }
        let watched_until = now + nanoseconds(WATCH);
        slot.watched_until.store(watched_until, Ordering::Relaxed);
        let over = watched_until.max(slot.paid.load(Ordering::Relaxed));
        self.over.fetch_max(over, Ordering::Relaxed);
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

/// How long this thread has had a processor; where the system does not say, how long it is since `began`.
fn processor_time(began: Instant) -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = said.and_then(|line| line.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| began.elapsed(), Duration::from_nanos)
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
