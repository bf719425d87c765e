//! When it is open: days, times of day, holidays and an offset from UTC, all of them whole minutes.

use countersign_policy::{Manifest, Settings};
use countersign_scope::nearest;

use crate::calendar::{self, DAY_MINUTES};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Holidays of some decades, or of many places.
const HOLIDAYS: usize = 500;

/// No clock stands further behind or ahead.
const OFFSETS: std::ops::RangeInclusive<i64> = -12 * 60..=14 * 60;

/// Past the year 9999 a clock is broken.
const LATEST_UNIX_MS: u64 = 253_402_300_799_999;

/// The hours. A span belongs to the day on which it begins.
#[derive(Clone, Debug)]
pub struct Hours {
    offset_minutes: i64,
    /// From Monday on.
    days: [bool; 7],
    from_minute: i64,
    /// Up to 24:00, which is the end of the day. Before `from_minute` it is one of the next day.
    to_minute: i64,
    /// Days since 1970, sorted.
    holidays: Vec<i64>,
    /// For people: `mon, tue from 09:00 to 17:00 (+01:00)`.
    text: String,
}

/// What the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Now {
    Open,
    Closed,
    /// There is no clock, or a broken one.
    Unknown,
}

impl Hours {
    pub fn declare(manifest: Manifest) -> Manifest {
        manifest
            .setting(
                "utc_offset",
                "how far the clocks on the wall are ahead of UTC, such as `+01:00`; no summer time",
                &["+00:00"],
            )
            .setting(
                "days",
                "the days on which the hours begin: mon, tue, wed, thu, fri, sat, sun",
                &DAYS[..5],
            )
            .setting("from", "when the hours begin, such as `09:00`", &["09:00"])
            .setting(
                "to",
                "when they have ended, up to `24:00`; before `from` it is on the next day",
                &["17:00"],
            )
            .setting(
                "holidays",
                "dates such as `2026-12-25`, closed from midnight to midnight",
                &[],
            )
    }

    pub fn take(settings: &Settings) -> Result<Self, String> {
        let (offset, from, to) = (
            settings.text("utc_offset")?,
            settings.text("from")?,
            settings.text("to")?,
        );
        let offset_minutes = calendar::offset_minutes(offset)
            .filter(|minutes| OFFSETS.contains(minutes))
            .ok_or_else(|| {
                format!(
                    "the setting `utc_offset` is an offset from -12:00 to +14:00 such as `+01:00`, \
                     not `{offset}`"
                )
            })?;
        let from_minute = calendar::minute_of_day(from)
            .filter(|minute| *minute < DAY_MINUTES)
            .ok_or_else(|| {
                format!(
                    "the setting `from` is a time from 00:00 to 23:59 such as `09:00`, not `{from}`"
                )
            })?;
        let to_minute = calendar::minute_of_day(to).ok_or_else(|| {
            format!("the setting `to` is a time from 00:00 to 24:00 such as `17:00`, not `{to}`")
        })?;
        if from_minute == to_minute {
            return Err(format!(
                "the setting `to` is `{to}` like `from`, which is no time or all day; \
                 for all day write `00:00` and `24:00`"
            ));
        }
        let names = settings.texts("days")?;
        Ok(Self {
            offset_minutes,
            days: days(names)?,
            from_minute,
            to_minute,
            holidays: holidays(settings.texts("holidays")?)?,
            text: format!("{} from {from} to {to} ({offset})", names.join(", ")),
        })
    }

    /// The hours, for people.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What it is at an instant that is rounded down to the minute.
    ///
    /// All bounds are whole minutes, so the rounding moves none of them: the first moment of `from` is
    /// open, and the first moment of `to` is closed.
    pub fn at(&self, unix_ms: u64) -> Now {
        if unix_ms == 0 || unix_ms > LATEST_UNIX_MS {
            return Now::Unknown;
        }
        let Ok(minutes) = i64::try_from(unix_ms / 60_000) else {
            return Now::Unknown;
        };
        let local = minutes + self.offset_minutes;
        let (today, minute) = (local.div_euclid(DAY_MINUTES), local.rem_euclid(DAY_MINUTES));
        let begun = if self.from_minute < self.to_minute {
            (self.from_minute..self.to_minute)
                .contains(&minute)
                .then_some(today)
        } else if minute >= self.from_minute {
            Some(today)
        } else {
            (minute < self.to_minute).then_some(today - 1)
        };
        match begun {
            Some(begun) if self.has_hours(begun) && !self.is_holiday(today) => Now::Open,
            _ => Now::Closed,
        }
    }

    fn has_hours(&self, day: i64) -> bool {
        self.days[calendar::weekday(day)] && !self.is_holiday(day)
    }

    fn is_holiday(&self, day: i64) -> bool {
        self.holidays.binary_search(&day).is_ok()
    }
}

fn days(names: &[String]) -> Result<[bool; 7], String> {
    if names.is_empty() {
        return Err(
            "the setting `days` is empty, so that it would never be open; \
             leave it out for mon to fri, or load `lockdown` instead"
                .to_owned(),
        );
    }
    let mut days = [false; 7];
    for name in names {
        let Some(day) = DAYS.iter().position(|day| day == name) else {
            let lower = name.to_ascii_lowercase();
            let begins = DAYS.iter().copied().find(|day| lower.starts_with(day));
            let meant = begins
                .or_else(|| nearest(&lower, DAYS))
                .map(|day| format!("; did you mean `{day}`?"))
                .unwrap_or_default();
            let known = DAYS.join(", ");
            return Err(format!(
                "the setting `days` has `{name}`, which is none of {known}{meant}"
            ));
        };
        if days[day] {
            return Err(format!("the setting `days` has `{name}` twice"));
        }
        days[day] = true;
    }
    Ok(days)
}

fn holidays(dates: &[String]) -> Result<Vec<i64>, String> {
    if dates.len() > HOLIDAYS {
        return Err(format!(
            "the setting `holidays` has {} dates, and takes at most {HOLIDAYS}",
            dates.len()
        ));
    }
    let mut days = Vec::with_capacity(dates.len());
    for date in dates {
        days.push(calendar::day(date).ok_or_else(|| {
            format!("the setting `holidays` has `{date}`, which is not a date such as `2026-12-25`")
        })?);
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}
