//! Uses of tokens, counted here and written down in batches.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign_core::id::TokenId;
use countersign_core::ledger::TokenUses;
use countersign_core::time::Timestamp;

/// The microseconds of an hour.
const HOUR: i64 = 3_600_000_000;

/// At most so many tokens are counted between two batches, a hundred bytes each. What is beyond is not
/// counted.
const COUNTED: usize = 20_000;

/// What all tokens were used since it was last taken.
#[derive(Default)]
pub struct Uses {
    counters: Mutex<HashMap<TokenId, Arc<Counter>>>,
}

/// The uses of one token. Whoever remembers the token keeps its counter beside it.
#[derive(Default)]
pub struct Counter(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    /// When each hour began, and the uses in it. Nearly always there is one.
    hours: Vec<(i64, u64)>,
    last_at: i64,
}

/// `at`'s hour, as the instant at which it began.
pub fn hour_of(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros().div_euclid(HOUR) * HOUR)
}

impl Counter {
    /// One more use, at `at`. It waits for nothing but another such count.
    pub fn count(&self, at: Timestamp) {
        self.add(hour_of(at).as_micros(), 1, at.as_micros());
    }

    fn add(&self, hour: i64, uses: u64, last_at: i64) {
        let mut counted = locked(&self.0);
        counted.last_at = counted.last_at.max(last_at);
        match counted.hours.iter_mut().find(|(known, _)| *known == hour) {
            Some((_, known)) => *known += uses,
            None => counted.hours.push((hour, uses)),
        }
    }
}

impl Uses {
    /// Where uses of `token` are counted.
    pub fn counter(&self, token: TokenId) -> Arc<Counter> {
        let mut counters = locked(&self.counters);
        if counters.len() >= COUNTED && !counters.contains_key(&token) {
            return Arc::default();
        }
        Arc::clone(counters.entry(token).or_default())
    }

    /// All that was counted, which is not counted any more.
    pub fn take(&self) -> Vec<TokenUses> {
        let mut taken = Vec::new();
        locked(&self.counters).retain(|token, counter| {
            let counted = std::mem::take(&mut *locked(&counter.0));
            taken.extend(counted.hours.into_iter().map(|(hour, uses)| TokenUses {
                token: *token,
                hour: Timestamp::from_micros(hour),
                uses,
                last_at: Timestamp::from_micros(counted.last_at),
            }));
            // Nobody remembers the token: whoever finds it again gets another counter.
            Arc::strong_count(counter) > 1
        });
        taken
    }

    /// Counts again what could not be written down.
    pub fn give_back(&self, taken: Vec<TokenUses>) {
        for uses in taken {
            self.counter(uses.token).add(
                uses.hour.as_micros(),
                uses.uses,
                uses.last_at.as_micros(),
            );
        }
    }
}

/// A count is whole whoever has panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "019b76da-a800-7000-8000-000000000003";

    fn token() -> TokenId {
        TokenId::parse(ID).expect("a UUID")
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn uses_count_to_the_hour_in_which_they_were() {
        let uses = Uses::default();
        let counter = uses.counter(token());
        for micros in [0, 1, HOUR - 1, HOUR, HOUR + 1] {
            counter.count(at(micros));
        }
        let of = |hour, number| TokenUses {
            token: token(),
            hour: at(hour),
            uses: number,
            last_at: at(HOUR + 1),
        };
        assert_eq!(uses.take(), [of(0, 3), of(HOUR, 2)]);
        assert_eq!(uses.take(), []);
    }

    #[test]
    fn what_could_not_be_written_is_counted_again() {
        let uses = Uses::default();
        uses.counter(token()).count(at(7));
        let taken = uses.take();
        uses.counter(token()).count(at(9));
        uses.give_back(taken);
        let all = uses.take();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].uses, all[0].last_at), (2, at(9)));
    }

    #[test]
    fn a_counter_that_somebody_keeps_is_the_one_that_is_taken_from() {
        let uses = Uses::default();
        let kept = uses.counter(token());
        for _ in 0..3 {
            kept.count(at(1));
            assert_eq!(uses.take()[0].uses, 1);
        }
    }

    #[test]
    fn there_is_a_bound_to_the_tokens_that_are_counted() {
        let uses = Uses::default();
        let chance = countersign_core::chance::OsChance;
        for n in 0..COUNTED + 10 {
            uses.counter(TokenId::new(at(n as i64), &chance))
                .count(at(1));
        }
        assert_eq!(uses.take().len(), COUNTED);
        assert_eq!(locked(&uses.counters).len(), 0);
    }
}
