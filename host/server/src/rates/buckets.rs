//! Buckets that fill again by themselves, each of which is one number.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_core::time::Timestamp;

const MINUTE: i64 = 60_000_000;

/// What is in a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// How much it holds: requests a minute.
    pub limit: u32,
    /// How many more requests pass now.
    pub remaining: u32,
    /// In so many seconds it is full again, if nothing is taken.
    pub full_in: u64,
    /// In so many seconds one request passes; 0: now.
    pub next_in: u64,
}

/// A bucket of `limit` requests for each key, into which one comes back every `limit`-th part of a minute.
///
/// All that is kept of a bucket is when it will be full: of full ones nothing. Where there is no room for
/// another, the half that will be full soonest is forgotten. So who floods the host from many addresses
/// pushes out what had hardly been used, and not the bucket that they have emptied.
pub struct Buckets<K> {
    limit: u32,
    /// What one request costs, in microseconds.
    cost: i64,
    most: usize,
    full_at: Mutex<HashMap<K, i64>>,
}

impl<K: Clone + Eq + Hash> Buckets<K> {
    /// Buckets of `limit`, of which `most` are kept. Without a limit they are never empty.
    pub fn new(limit: u32, most: usize) -> Self {
        Self {
            limit,
            cost: MINUTE / i64::from(limit.max(1)),
            most,
            full_at: Mutex::default(),
        }
    }

    /// Takes one request out of the bucket of `key`; `Err`: it holds none. `None`: there is no limit.
    pub fn take(&self, key: &K, now: Timestamp) -> Option<Result<Reading, Reading>> {
        if self.limit == 0 {
            return None;
        }
        let now = now.as_micros();
        let mut full_at = self.full_at();
        let before = full_at.get(key).map_or(now, |at| now.max(*at));
        let after = before.saturating_add(self.cost);
        if after > now.saturating_add(self.depth()) {
            return Some(Err(self.reading(before, now)));
        }
        if full_at.len() >= self.most && !full_at.contains_key(key) {
            forget(&mut full_at, self.most / 2, now);
        }
        full_at.insert(key.clone(), after);
        Some(Ok(self.reading(after, now)))
    }

    /// Puts one request back.
    pub fn put_back(&self, key: &K) {
        if let Some(at) = self.full_at().get_mut(key) {
            *at = at.saturating_sub(self.cost);
        }
    }

    /// What is in the bucket of `key`. `None`: there is no limit.
    pub fn look(&self, key: &K, now: Timestamp) -> Option<Reading> {
        if self.limit == 0 {
            return None;
        }
        let now = now.as_micros();
        let at = self.full_at().get(key).map_or(now, |at| now.max(*at));
        Some(self.reading(at, now))
    }

    fn reading(&self, full_at: i64, now: i64) -> Reading {
        let missing = full_at - now;
        let room = (self.depth() - missing).max(0);
        let wait = (missing + self.cost - self.depth()).max(0);
        Reading {
            limit: self.limit,
            remaining: u32::try_from(room / self.cost).unwrap_or(self.limit),
            full_in: seconds(missing),
            next_in: seconds(wait),
        }
    }

    fn depth(&self) -> i64 {
        self.cost * i64::from(self.limit)
    }

    fn full_at(&self) -> MutexGuard<'_, HashMap<K, i64>> {
        self.full_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole seconds, rounded up.
fn seconds(micros: i64) -> u64 {
    let micros = u64::try_from(micros).unwrap_or(0);
    micros.div_ceil(1_000_000)
}

/// Forgets the buckets that are full, and where more than `kept` are left those that are nearly so.
fn forget<K: Eq + Hash>(full_at: &mut HashMap<K, i64>, kept: usize, now: i64) {
    full_at.retain(|_, at| *at > now);
    let surplus = full_at.len().saturating_sub(kept);
    if surplus == 0 {
        return;
    }
    let mut instants: Vec<i64> = full_at.values().copied().collect();
    let (_, last_to_go, _) = instants.select_nth_unstable(surplus - 1);
    let last_to_go = *last_to_go;
    full_at.retain(|_, at| *at > last_to_go);
}

#[cfg(test)]
#[path = "buckets/tests.rs"]
mod tests;
