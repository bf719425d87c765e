//! From when to when.

use countersign_core::time::Timestamp;

use super::super::failure::Failure;
use super::super::span;
use crate::cli::DecisionExport;

/// Which decisions are asked for, by their time.
#[derive(Clone, Copy)]
pub struct Range {
    /// None that is earlier.
    pub since: Option<Timestamp>,
    /// None of this moment or later.
    pub until: Option<Timestamp>,
}

impl Range {
    /// What the options say at `now`.
    pub fn of(asked: &DecisionExport, now: Timestamp) -> Result<Self, Failure> {
        let instant = |name, text: &Option<String>| {
            let text = text.as_deref();
            text.map(|text| before(name, text, now)).transpose()
        };
        let range = Self {
            since: instant("--since", &asked.since)?,
            until: instant("--until", &asked.until)?,
        };
        match (range.since, range.until) {
            (Some(since), Some(until)) if since >= until => Err(Failure::usage(format!(
                "--since is {since} and --until {until}: there is nothing between them"
            ))),
            _ => Ok(range),
        }
    }

    /// What the first page goes on after. An id begins with the millisecond in which it was made.
    pub fn cursor(self) -> Option<String> {
        let until = u64::try_from(self.until?.as_millis()).unwrap_or(0) + 1;
        let (high, low) = (until >> 16, until & 0xffff);
        Some(format!("{high:08x}-{low:04x}-7000-8000-000000000000"))
    }
}

/// An instant, or so long before `now`.
fn before(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let named = span::parse(text).map(|span| now.minus(span));
    let named = named.or_else(|| Timestamp::parse(text));
    named.ok_or_else(|| {
        Failure::usage(format!(
            "{name}: write how long ago as 12h or 30d, or an instant as 2027-01-31T12:00:00Z"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_the_first_id_that_is_too_late() {
        let range = Range {
            since: None,
            until: Timestamp::parse("2026-01-01T00:00:00Z"),
        };
        assert_eq!(
            range.cursor().as_deref(),
            Some("019b76da-a801-7000-8000-000000000000")
        );
    }
}
