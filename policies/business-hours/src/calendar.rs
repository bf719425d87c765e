//! Dates and times of day as RFC 3339 writes them, in days and minutes.

pub const DAY_MINUTES: i64 = 1_440;

/// Minutes since midnight of `hh:mm`; `24:00` is the end of the day.
pub fn minute_of_day(text: &str) -> Option<i64> {
    let (hours, minutes) = hours_and_minutes(text)?;
    let minute = hours * 60 + minutes;
    (minutes <= 59 && minute <= DAY_MINUTES).then_some(minute)
}

/// Minutes of `+hh:mm` or `-hh:mm`.
pub fn offset_minutes(text: &str) -> Option<i64> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = hours_and_minutes(rest)?;
    (minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

/// Days since 1970-01-01 of `yyyy-mm-dd`.
pub fn day(text: &str) -> Option<i64> {
    let [a, b, c, d, b'-', e, f, b'-', g, h] = text.as_bytes() else {
        return None;
    };
    let (year, month, day) = (
        digits(&[*a, *b, *c, *d])?,
        digits(&[*e, *f])?,
        digits(&[*g, *h])?,
    );
    let is_day = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    is_day.then(|| days_since_1970(year, month, day))
}

/// The day of the week, from Monday on. The first day of 1970 was a Thursday.
pub fn weekday(day: i64) -> usize {
    usize::try_from((day + 3).rem_euclid(7)).unwrap_or_default()
}

fn hours_and_minutes(text: &str) -> Option<(i64, i64)> {
    let [a, b, b':', c, d] = text.as_bytes() else {
        return None;
    };
    Some((digits(&[*a, *b])?, digits(&[*c, *d])?))
}

fn digits(bytes: &[u8]) -> Option<i64> {
    bytes.iter().try_fold(0, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    })
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
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
    use super::*;

    #[test]
    fn dates_and_times_are_read() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2000-02-29"), Some(11_016));
        assert_eq!(day("2026-12-31"), Some(20_818));
        assert_eq!(minute_of_day("00:00"), Some(0));
        assert_eq!(minute_of_day("24:00"), Some(1_440));
        assert_eq!(offset_minutes("+05:45"), Some(345));
        assert_eq!(offset_minutes("-03:30"), Some(-210));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "2026-13-01",
            "2026-02-29",
            "2026-4-01",
            "26-04-01",
            "2026-04-31",
            "2026/04/01",
            "2026-00-01",
            "2026-01-00",
            "+026-01-01",
            "2026-01-01 ",
            "2026-01-0ä",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
        for text in [
            "", "9:00", "09:60", "24:01", "25:00", "09.00", "09:00 ", "+9:00", "ä9:0",
        ] {
            assert_eq!(minute_of_day(text), None, "{text}");
        }
        for text in [
            "", "Z", "01:00", "+1:00", "+0100", "+01:60", "ä1:00", "++1:00",
        ] {
            assert_eq!(offset_minutes(text), None, "{text}");
        }
    }

    #[test]
    fn the_days_of_the_week_follow_each_other() {
        // 2026-01-01 was a Thursday.
        let thursday = day("2026-01-01").expect("INVARIANT: it is a date");
        let days: Vec<_> = (thursday..thursday + 7).map(weekday).collect();
        assert_eq!(days, [3, 4, 5, 6, 0, 1, 2]);
        assert_eq!(weekday(-1), 2);
    }
}
