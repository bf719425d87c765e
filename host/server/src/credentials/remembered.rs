//! What was found by a token's hash a moment ago.
//!
//! To find it again takes one look into a map, and neither the ledger nor an allocation. Whoever knows that
//! tokens have ended has all of it forgotten, which costs each of them one look into the ledger.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use countersign_core::token::TokenHash;

/// Parts of the map, so that those who look seldom meet: a power of two.
const SHARDS: usize = 16;

/// Passes on the first bits of a token's hash, which are as good as a hash of them.
#[derive(Default)]
struct Bits(u64);

impl Hasher for Bits {
    fn write_u64(&mut self, bits: u64) {
        self.0 = bits;
    }

    /// Nothing but a [`TokenHash`] is looked for here, and it writes its bits.
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

struct Slot<V> {
    value: Arc<V>,
    until: Instant,
}

type Shard<V> = HashMap<TokenHash, Slot<V>, BuildHasherDefault<Bits>>;

/// A bounded memory, in which nothing is older than it may be.
pub struct Remembered<V> {
    shards: [RwLock<Shard<V>>; SHARDS],
    most_in_shard: usize,
    lives: Duration,
    /// How often all was forgotten.
    forgotten: AtomicU64,
}

/// That nothing was forgotten until now: what is found out from here on may be remembered only while that
/// is still so, for it may have been found before what made others forget.
#[derive(Clone, Copy)]
pub struct Seen(u64);

impl<V> Remembered<V> {
    /// Of about `most` values, each for as long as `lives`.
    pub fn new(most: usize, lives: Duration) -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            most_in_shard: most / SHARDS,
            lives,
            forgotten: AtomicU64::new(0),
        }
    }

    /// What was remembered under `hash`, if that is not too long ago.
    pub fn get(&self, hash: &TokenHash, now: Instant) -> Option<Arc<V>> {
        let shard = self.shard(hash).read();
        let shard = shard.unwrap_or_else(PoisonError::into_inner);
        let slot = shard.get(hash).filter(|slot| slot.until > now)?;
        Some(Arc::clone(&slot.value))
    }

    /// To be asked before it is found out what is to be remembered.
    pub fn seen(&self) -> Seen {
        Seen(self.forgotten.load(Ordering::SeqCst))
    }

    /// Remembers `value`, unless all was forgotten since `seen`.
    pub fn insert(&self, hash: TokenHash, value: Arc<V>, now: Instant, seen: Seen) {
        let shard = self.shard(&hash).write();
        let mut shard = shard.unwrap_or_else(PoisonError::into_inner);
        // Within the lock: whoever forgets counts first, and then empties each part.
        if self.forgotten.load(Ordering::SeqCst) != seen.0 {
            return;
        }
        if shard.len() >= self.most_in_shard {
            shard.retain(|_, slot| slot.until > now);
        }
        if shard.len() >= self.most_in_shard {
            shard.clear();
        }
        let until = now + self.lives;
        shard.insert(hash, Slot { value, until });
    }

    /// Forgets everything.
    pub fn forget(&self) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.clear();
        }
    }

    fn shard(&self, hash: &TokenHash) -> &RwLock<Shard<V>> {
        // The lowest bits and the highest ones are those by which a map finds its place.
        let at = (hash.bits() >> 24) as usize % SHARDS;
        &self.shards[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVES: Duration = Duration::from_secs(1);

    fn hash(n: usize) -> TokenHash {
        TokenHash::of(&n.to_string())
    }

    #[test]
    fn what_is_remembered_is_found_until_it_is_too_old() {
        let remembered = Remembered::new(100, LIVES);
        let now = Instant::now();
        remembered.insert(hash(1), Arc::new(1), now, remembered.seen());
        assert_eq!(remembered.get(&hash(1), now).as_deref(), Some(&1));
        assert_eq!(remembered.get(&hash(2), now), None);
        let later = now + LIVES - Duration::from_nanos(1);
        assert!(remembered.get(&hash(1), later).is_some());
        assert!(remembered.get(&hash(1), now + LIVES).is_none());
    }

    #[test]
    fn what_was_found_before_others_forgot_is_not_remembered_after() {
        let remembered = Remembered::new(100, LIVES);
        let now = Instant::now();
        remembered.insert(hash(1), Arc::new(1), now, remembered.seen());
        // Found in the ledger, revoked there, forgotten here, and only now brought home.
        let seen = remembered.seen();
        remembered.forget();
        assert!(remembered.get(&hash(1), now).is_none());
        remembered.insert(hash(2), Arc::new(2), now, seen);
        assert!(remembered.get(&hash(2), now).is_none());
        remembered.insert(hash(2), Arc::new(2), now, remembered.seen());
        assert!(remembered.get(&hash(2), now).is_some());
    }

    #[test]
    fn there_is_a_bound_to_what_is_remembered() {
        let remembered = Remembered::new(64, LIVES);
        let now = Instant::now();
        for n in 0..1_000 {
            remembered.insert(hash(n), Arc::new(n), now, remembered.seen());
            assert_eq!(remembered.get(&hash(n), now).as_deref(), Some(&n));
        }
        let kept = (0..1_000).filter(|n| remembered.get(&hash(*n), now).is_some());
        assert!(kept.count() <= 64);
    }
}
