//! An instant as people read it: how far away it is, and when exactly, in UTC.

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::time::Timestamp;

/// An instant, seen from another. Draws itself as a `<time>`.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(path = "moment.html")]
pub struct Moment {
    /// RFC 3339, in whole seconds.
    pub machine: String,
    /// `2026-01-31 12:00:00 UTC`.
    pub exact: String,
    /// `in 3 minutes`, `2 days ago`.
    pub distance: String,
}

/// Its template writes digits, and words of its own.
impl HtmlSafe for Moment {}

impl Moment {
    /// `at`, seen from `now`.
    pub fn new(at: Timestamp, now: Timestamp) -> Self {
        let text = at.to_string();
        let (machine, exact) = match (text.get(..10), text.get(11..19)) {
            (Some(day), Some(time)) if text.as_bytes()[10] == b'T' => {
                (format!("{day}T{time}Z"), format!("{day} {time} UTC"))
            }
            // Beyond the years that RFC 3339 can write.
            _ => (String::new(), text),
        };
        Self {
            machine,
            exact,
            distance: distance(at, now),
        }
    }
}

/// How far `at` is from `now`, in the largest unit of which there are two, or one of the smallest.
fn distance(at: Timestamp, now: Timestamp) -> String {
    let seconds = at.as_micros().abs_diff(now.as_micros()) / 1_000_000;
    let (count, unit) = match seconds {
        0..=1 => return "now".to_owned(),
        2..=119 => (seconds, "seconds"),
        120..=7_199 => (seconds / 60, "minutes"),
        7_200..=172_799 => (seconds / 3_600, "hours"),
        _ => (seconds / 86_400, "days"),
    };
    if at > now {
        format!("in {count} {unit}")
    } else {
        format!("{count} {unit} ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_767_225_600 + seconds) * 1_000_000)
    }

    #[test]
    fn a_distance_is_told_in_a_unit_that_fits_it() {
        let words = |seconds| Moment::new(at(seconds), at(0)).distance;
        assert_eq!(words(0), "now");
        assert_eq!(words(90), "in 90 seconds");
        assert_eq!(words(3_599), "in 59 minutes");
        assert_eq!(words(-7_200), "2 hours ago");
        assert_eq!(words(90 * 86_400), "in 90 days");
    }

    #[test]
    fn the_instant_is_given_to_machines_and_to_people_in_utc() {
        let html = Moment::new(at(61), at(0)).render().expect("drawn");
        assert!(
            html.contains(r#"datetime="2026-01-01T00:01:01Z""#),
            "{html}"
        );
        assert!(html.contains("2026-01-01 00:01:01 UTC"), "{html}");
    }

    #[test]
    fn an_instant_that_no_calendar_holds_is_still_drawn() {
        let html = Moment::new(Timestamp::from_micros(i64::MAX), at(0))
            .render()
            .expect("drawn");
        assert!(html.contains("days"), "{html}");
    }
}
