//! How often a key was used, hour by hour, as a small picture with its words.

use std::time::Duration;

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::ledger::HourOfUse;
use countersign_core::time::Timestamp;

/// How many hours are drawn.
const HOURS: usize = 24;
/// For so long it looks back.
pub const A_DAY: Duration = Duration::from_secs(HOURS as u64 * 3_600);
const HOUR_MICROS: i64 = 3_600_000_000;
/// The height of the tallest bar, in the picture's own units.
const TALLEST: u64 = 22;

/// Draws itself as an `<svg>`.
#[derive(Template)]
#[template(path = "chart.html")]
pub struct Chart {
    words: String,
    bars: String,
    uses: [u64; HOURS],
    /// The last of the hours, since 1970.
    current: i64,
}

/// Its template writes digits, and words of its own.
impl HtmlSafe for Chart {}

impl Chart {
    /// Of the hours in which it was used, of which those of the last day count.
    pub fn new<'a>(hours: impl IntoIterator<Item = &'a HourOfUse>, now: Timestamp) -> Self {
        let current = now.as_micros().div_euclid(HOUR_MICROS);
        let mut uses = [0_u64; HOURS];
        for hour in hours {
            let ago = current - hour.hour.as_micros().div_euclid(HOUR_MICROS);
            if let Some(slot) = usize::try_from(ago).ok().filter(|ago| *ago < HOURS) {
                uses[HOURS - 1 - slot] += hour.uses;
            }
        }
        let most = uses.iter().copied().max().unwrap_or(0);
        Self {
            words: words(&uses, most, current),
            bars: bars(&uses, most),
            uses,
            current,
        }
    }

    /// The first hour that is drawn, in UTC.
    pub fn first(&self) -> String {
        self.hour(0)
    }

    /// The last one, which goes on.
    pub fn last(&self) -> String {
        self.hour(HOURS - 1)
    }

    /// The hours in which it was used, and how often, the newest first.
    pub fn used(&self) -> Vec<(String, u64)> {
        let hours = self.uses.iter().enumerate().rev();
        let hours = hours.filter(|(_, uses)| **uses > 0);
        hours.map(|(at, uses)| (self.hour(at), *uses)).collect()
    }

    fn hour(&self, at: usize) -> String {
        let began = self.current.saturating_sub(ago(at));
        let began = Timestamp::from_micros(began.saturating_mul(HOUR_MICROS)).to_string();
        began.get(..16).unwrap_or(&began).replace('T', " ")
    }
}

/// How many hours before the last one the one at `at` is.
fn ago(at: usize) -> i64 {
    i64::try_from(HOURS - 1 - at).unwrap_or(0)
}

fn words(uses: &[u64; HOURS], most: u64, current: i64) -> String {
    let total: u64 = uses.iter().sum();
    let Some(at) = uses.iter().position(|uses| *uses == most && most > 0) else {
        return "Not used in the last 24 hours".to_owned();
    };
    let hour = (current - ago(at)).rem_euclid(24);
    format!(
        "Uses by hour in the last 24 hours: {total} in all, the most of them, {most}, in the hour from {hour:02}:00 UTC"
    )
}

fn bars(uses: &[u64; HOURS], most: u64) -> String {
    uses.iter()
        .enumerate()
        .filter(|(_, uses)| **uses > 0)
        .map(|(at, uses)| {
            let height = uses
                .saturating_mul(TALLEST)
                .div_ceil(most.max(1))
                .min(TALLEST);
            format!("M{} 23v-{height}h3v{height}z", at * 4)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::examples::NOW;
    use super::*;

    fn hour(ago: i64, uses: u64) -> HourOfUse {
        HourOfUse {
            hour: Timestamp::from_micros(NOW.as_micros() - ago * HOUR_MICROS),
            uses,
        }
    }

    #[test]
    fn a_day_is_drawn_and_told_and_what_is_older_is_not() {
        let chart = Chart::new(&[hour(24, 90), hour(23, 1), hour(2, 11), hour(0, 4)], NOW);
        assert!(chart.words.contains("16 in all"), "{}", chart.words);
        assert!(
            chart.words.contains("11, in the hour from 22:00"),
            "{}",
            chart.words
        );
        assert_eq!(chart.bars, "M0 23v-2h3v2zM84 23v-22h3v22zM92 23v-8h3v8z");
        let [first, busiest, last] = ["2025-12-31 01:00", "2025-12-31 22:00", "2026-01-01 00:00"];
        assert_eq!((&*chart.first(), &*chart.last()), (first, last));
        let used = chart.used();
        let used: Vec<_> = used.iter().map(|(hour, uses)| (&**hour, *uses)).collect();
        assert_eq!(used, [(last, 4), (busiest, 11), (first, 1)]);
        let html = chart.render().expect("drawn");
        assert!(
            html.contains("role=\"img\"") && html.contains("aria-label="),
            "{html}"
        );
        assert!(!html.contains("style"), "{html}");
    }

    #[test]
    fn an_idle_key_says_so() {
        let html = Chart::new(&[], NOW).render().expect("drawn");
        assert!(html.contains("Not used in the last 24 hours"), "{html}");
        Chart::new(&[hour(0, u64::MAX)], NOW)
            .render()
            .expect("drawn");
    }
}
