//! Instants as RFC 3339 writes them.

const DAY_SECONDS: i64 = 86_400;

/// Unix milliseconds of an RFC 3339 `date-time`, fractions of a second dropped.
///
/// `None` for anything else, for what lies before 1970, and for a leap second: a library would cost
/// the module more than all its rules.
pub fn unix_ms(text: &str) -> Option<u64> {
    let (date_time, zone) = text.split_at_checked(19)?;
    let bytes = date_time.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if separators
        .iter()
        .any(|&(at, separator)| bytes[at] != separator)
    {
        return None;
    }
    let number = |from: usize, to: usize| digits(&bytes[from..to]);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    let second_of_day = second_of_day(hour, minute)? + within(second, 59)?;
    let seconds =
        days_since_1970(year, month, day) * DAY_SECONDS + second_of_day - offset_seconds(zone)?;
    u64::try_from(seconds).ok()?.checked_mul(1_000)
}

/// The offset from UTC, behind an optional fraction of a second.
fn offset_seconds(zone: &str) -> Option<i64> {
    let zone = match zone.strip_prefix('.') {
        Some(fraction) => {
            let behind = fraction.trim_start_matches(|digit: char| digit.is_ascii_digit());
            (behind.len() < fraction.len()).then_some(behind)?
        }
        None => zone,
    };
    let sign = match zone.as_bytes() {
        b"Z" => return Some(0),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    match zone.as_bytes() {
        [_, hour @ .., b':', tens, ones] if hour.len() == 2 => {
            Some(sign * second_of_day(digits(hour)?, digits(&[*tens, *ones])?)?)
        }
        _ => None,
    }
}

fn second_of_day(hour: i64, minute: i64) -> Option<i64> {
    Some(within(hour, 23)? * 3_600 + within(minute, 59)? * 60)
}

fn within(number: i64, most: i64) -> Option<i64> {
    (number <= most).then_some(number)
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of the proleptic Gregorian calendar, counted in years that begin in March, so that the leap
/// day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::unix_ms;

    #[test]
    fn instants_are_read_with_their_offset() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T12:00:00Z", 951_825_600_000),
            ("2026-12-31T00:00:00Z", 1_798_675_200_000),
            ("2026-12-31T01:30:00+01:30", 1_798_675_200_000),
            ("2026-12-30T19:00:00.999-05:00", 1_798_675_200_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(unix_ms(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_instant_is_refused() {
        for text in [
            "",
            "tomorrow",
            "2026-12-31",
            "2026-12-31T00:00:00",
            "2026-12-31 00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-12-31T24:00:00Z",
            "2026-12-31T00:60:00Z",
            "2026-12-31T00:00:60Z",
            "2026-12-31T00:00:00.Z",
            "2026-12-31T00:00:00+1:00",
            "2026-12-31T00:00:00+0100",
            "2026-12-31T00:00:00+24:00",
            "2026-12-31T00:00:00Zz",
            "+026-12-31T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-12-31T00:00:0äZ",
        ] {
            assert_eq!(unix_ms(text), None, "{text}");
        }
    }
}
