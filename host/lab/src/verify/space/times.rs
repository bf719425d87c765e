//! Instants that are easily got wrong.

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
pub(super) const DAY: u64 = 24 * HOUR;
/// The time of the rows: the beginning of 2026, a Thursday.
pub(super) const NOW: u64 = 1_767_225_600_000;
/// Days of which every minute is tried beside today's, since a rule may ask for both: a Monday in summer, a
/// Sunday, the last of a month, a leap day, the last of a year, and one a hundred years away.
const DAYS: [u64; 6] = [
    1_782_691_200_000,
    1_783_209_600_000,
    1_777_507_200_000,
    1_835_395_200_000,
    1_767_139_200_000,
    4_923_072_000_000,
];

/// Around the clock, around the week, and at the edges of calendars and of the ways in which machines hold
/// instants; of those that a module whose clock ticks each `seconds` cannot tell apart, one.
pub(super) fn times(numbers: &[u64], seconds: u32) -> Vec<u64> {
    let around = |day: u64| (0..24 * 60).map(move |minute| day + minute * MINUTE);
    let seconds_of_a_minute = (0..60).map(|second| NOW + 12 * HOUR + second * SECOND);
    let week = (0..7 * 24).map(|hour| NOW + hour * HOUR + 30 * MINUTE);
    // Two leap years among them.
    let days = (0..8 * 366).map(|day| NOW - 2 * 365 * DAY + day * DAY + 12 * HOUR);
    let edges = [
        0,
        1,
        999,
        SECOND,
        DAY - 1,
        951_782_400_000,
        1_078_012_800_000,
        2_147_483_647_000,
        2_147_483_648_000,
        4_294_967_295_000,
        4_294_967_296_000,
        253_402_300_800_000,
        1 << 53,
        i64::MAX.cast_unsigned(),
        i64::MAX.cast_unsigned() + 1,
        u64::MAX - 1,
        u64::MAX,
    ];
    let constants = numbers.iter().flat_map(|number| {
        let within_a_day = |unit: u64| number.checked_mul(unit).filter(|at| *at < DAY);
        [
            Some(*number),
            number.checked_mul(SECOND),
            number.checked_mul(DAY),
            within_a_day(SECOND).map(|at| NOW + at),
            within_a_day(1).map(|at| NOW + at),
        ]
    });
    let mut times: Vec<u64> = around(NOW)
        .chain(DAYS.into_iter().flat_map(around))
        .chain(seconds_of_a_minute)
        .chain(week)
        .chain(days)
        .chain(edges)
        .chain(constants.flatten())
        .collect();
    times.sort_unstable();
    let tick = u64::from(seconds.max(1)) * SECOND;
    // The first of each tick, in which a module sees the tick's beginning anyway.
    times.dedup_by_key(|time| *time - *time % tick);
    times
}

/// The moments that every row is asked at: the hours of a week, and the minutes of its first day.
pub(super) fn is_common(time: u64) -> bool {
    (NOW..NOW + 7 * DAY).contains(&time)
}
