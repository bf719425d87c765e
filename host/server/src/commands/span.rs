//! Spans of time, as people write them.

use std::time::Duration;

use countersign_core::time::Timestamp;

use super::failure::Failure;

/// Reads `90s`, `10m`, `12h`, `30d`.
pub fn parse(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = number.parse().ok()?;
    Some(Duration::from_secs(number.checked_mul(seconds)?))
}

/// The span that the option `name` has.
pub fn of_option(name: &str, text: Option<&str>) -> Result<Option<Duration>, Failure> {
    let parse = |text| {
        parse(text)
            .ok_or_else(|| Failure::usage(format!("{name}: write a time as 90s, 10m, 12h or 30d")))
    };
    text.map(parse).transpose()
}

/// The instant that `text` names: an RFC 3339 one, or a span from `now`, to whole seconds.
pub fn instant(name: &str, text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Some(span) = parse(text) {
        let end = now.plus(span).as_micros();
        return Ok(Timestamp::from_micros(end - end.rem_euclid(1_000_000)));
    }
    Timestamp::parse(text).ok_or_else(|| {
        Failure::usage(format!(
            "{name}: write a time as 12h or 30d, or an instant as 2027-01-31T12:00:00Z"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("90s", 90),
            ("10m", 600),
            ("12h", 43_200),
            ("30d", 2_592_000),
        ] {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "s",
            "10",
            "-1s",
            "+1s",
            "1.5h",
            "1w",
            "1 h",
            "99999999999999999999d",
            "1é",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_is_one_or_a_span_from_now() {
        let now = Timestamp::from_micros(1_767_225_600_500_000);
        let read = |text| instant("--expires", text, now).map(|at| at.to_string());
        assert_eq!(read("1m").expect("a span"), "2026-01-01T00:01:00Z");
        assert_eq!(
            read("2027-01-01T00:00:00+01:00").expect("an instant"),
            "2026-12-31T23:00:00Z"
        );
        assert!(read("tomorrow").is_err());
    }
}
