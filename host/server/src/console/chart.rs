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
        }
    }
}

fn words(uses: &[u64; HOURS], most: u64, current: i64) -> String {
    let total: u64 = uses.iter().sum();
    let Some(at) = uses.iter().position(|uses| *uses == most && most > 0) else {
        return "Not used in the last 24 hours".to_owned();
    };
    let ago = i64::try_from(HOURS - 1 - at).unwrap_or(0);
    let hour = (current - ago).rem_euclid(24);
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
