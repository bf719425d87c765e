use proptest::prelude::*;

use super::*;

const START: i64 = 1_767_225_600_000_000;
const SECOND: i64 = 1_000_000;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_micros(START + micros)
}

fn taken(buckets: &Buckets<u32>, key: u32, micros: i64) -> Result<Reading, Reading> {
    buckets.take(&key, at(micros)).expect("there is a limit")
}

#[test]
fn a_bucket_holds_what_it_says_and_fills_again() {
    let buckets = Buckets::new(5, 100);
    for left in (0..5).rev() {
        let reading = taken(&buckets, 1, 0).expect("it holds more");
        assert_eq!((reading.limit, reading.remaining), (5, left));
    }
    let empty = taken(&buckets, 1, 0).expect_err("it is empty");
    let expected = Reading {
        limit: 5,
        remaining: 0,
        full_in: 60,
        next_in: 12,
    };
    assert_eq!(empty, expected);
    // Asking in vain costs nothing.
    taken(&buckets, 1, 12 * SECOND - 1).expect_err("a moment too early");
    taken(&buckets, 1, 12 * SECOND).expect("one came back");
    taken(&buckets, 1, 12 * SECOND).expect_err("and no more");
    assert_eq!(
        taken(&buckets, 2, 0).map(|reading| reading.remaining),
        Ok(4)
    );
    let full = buckets.look(&1, at(120 * SECOND)).expect("a limit");
    assert_eq!((full.remaining, full.full_in, full.next_in), (5, 0, 0));
}

#[test]
fn what_is_put_back_can_be_taken_again() {
    let buckets = Buckets::new(1, 100);
    taken(&buckets, 1, 0).expect("one");
    buckets.put_back(&1);
    taken(&buckets, 1, 0).expect("the same one");
    taken(&buckets, 1, 0).expect_err("there was no other");
    // Not more than a bucket holds.
    buckets.put_back(&1);
    buckets.put_back(&1);
    taken(&buckets, 1, 0).expect("one");
    taken(&buckets, 1, 0).expect_err("one alone");
}

#[test]
fn without_a_limit_nothing_is_counted() {
    let buckets = Buckets::new(0, 100);
    for _ in 0..10_000 {
        assert_eq!(buckets.take(&1, at(0)), None);
    }
    assert_eq!(buckets.look(&1, at(0)), None);
    assert!(buckets.full_at().is_empty());
}

#[test]
fn the_highest_limit_still_limits() {
    let buckets = Buckets::new(1_000_000, 100);
    for _ in 0..1_000_000 {
        taken(&buckets, 1, 0).expect("it holds more");
    }
    taken(&buckets, 1, 0).expect_err("it is empty");
}

#[test]
fn a_flood_of_other_addresses_does_not_fill_the_bucket_of_who_emptied_it() {
    let buckets = Buckets::new(3, 64);
    while taken(&buckets, 0, 0).is_ok() {}
    for key in 1..10_000 {
        taken(&buckets, key, 0).expect("its first");
        assert!(buckets.full_at().len() <= 64);
        taken(&buckets, 0, 0).expect_err("it stays empty");
    }
}

#[test]
fn what_is_full_is_forgotten_first() {
    let buckets = Buckets::new(60, 64);
    for key in 0..64 {
        taken(&buckets, key, 0).expect("its first");
    }
    // A second later each of them is full.
    taken(&buckets, 64, SECOND).expect("its first");
    assert_eq!(buckets.full_at().len(), 1);
}

proptest! {
    #[test]
    fn no_minute_lets_more_through_than_a_full_bucket_and_what_came_back(
        limit in 1..40_u32,
        gaps in proptest::collection::vec(0..20 * SECOND, 1..200),
    ) {
        let buckets = Buckets::new(limit, 4);
        let mut passed: Vec<i64> = Vec::new();
        let mut now = 0;
        for gap in gaps {
            now += gap;
            // The promise of a refusal: not a moment before, and whole seconds later for certain.
            match taken(&buckets, 1, now) {
                Ok(reading) => {
                    prop_assert_eq!(reading.next_in == 0, reading.remaining > 0);
                    passed.push(now);
                }
                Err(reading) => {
                    prop_assert_eq!(reading.remaining, 0);
                    let wait = i64::try_from(reading.next_in).expect("short") * SECOND;
                    let later = buckets.look(&1, at(now + wait)).expect("a limit");
                    prop_assert!(later.remaining >= 1);
                }
            }
        }
        let cost = MINUTE / i64::from(limit);
        for (first, begin) in passed.iter().enumerate() {
            for (last, end) in passed.iter().enumerate().skip(first) {
                let through = i64::try_from(last - first + 1).expect("few");
                prop_assert!(through <= i64::from(limit) + (end - begin) / cost);
            }
        }
    }
}
