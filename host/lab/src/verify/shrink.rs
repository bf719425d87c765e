//! Makes a counterexample as small as it gets.

use std::time::{Duration, Instant};

use countersign_core::exhaustive::{Row, rows};
use countersign_core::policy::{Role, Value};

use super::laws::Breach;
use super::look::Look;
use super::point::{Change, Point};

/// So many smaller questions are tried, and for so long: one that runs into the time limit costs that limit.
const TRIES: usize = 400;
const TIME: Duration = Duration::from_secs(1);

/// The smallest point found at which the same law is broken.
pub fn shrunk(breach: Breach, look: &mut Look<'_, '_>) -> Breach {
    let mut smallest = breach;
    let began = Instant::now();
    let mut tries = 0;
    'smaller: loop {
        for point in smaller(&smallest.point) {
            tries += 1;
            if tries > TRIES || began.elapsed() > TIME {
                return smallest;
            }
            let question = point.question();
            let said = look.asker.ask(&question);
            let breaches = look.breaches(&point, &question, &said);
            let mut same = breaches.into_iter();
            if let Some(found) =
                same.find(|found| found.law == smallest.law && found.point == point)
            {
                smallest = found;
                continue 'smaller;
            }
        }
        return smallest;
    }
}

/// Points that are a step smaller, the greatest step first.
pub fn smaller(point: &Point) -> Vec<Point> {
    let mut points = Vec::new();
    for at in 0..point.changes.len() {
        let mut fewer = point.clone();
        fewer.changes.remove(at);
        points.push(fewer);
    }
    points.extend(plainer(&point.row).map(|row| point.on(row)));
    for (at, change) in point.changes.iter().enumerate() {
        for change in less(change) {
            let mut simpler = point.clone();
            simpler.changes[at] = change;
            points.push(simpler);
        }
    }
    points
}

/// Rows with the same verb and caller, fewer flags, and the widest role.
fn plainer(row: &Row) -> impl Iterator<Item = Row> + '_ {
    let others =
        rows().filter(|other| other.verb == row.verb && other.credential == row.credential);
    let weight = |row: &Row| (row.flags.len(), row.role != Role::Admin);
    others.filter(move |other| weight(other) < weight(row))
}

fn less(change: &Change) -> Vec<Change> {
    match change {
        Change::Text(which, text) => {
            let shorter = shorter(text).into_iter();
            shorter.map(|text| Change::Text(*which, text)).collect()
        }
        Change::Set(place, name, value) => {
            let values: Vec<Value> = match value {
                Value::Text(text) => shorter(text).into_iter().map(Value::Text).collect(),
                Value::Integer(number) => closer(*number).into_iter().map(Value::Integer).collect(),
                Value::Texts(texts) => {
                    let one_less = (0..texts.len().min(32)).map(|at| {
                        let mut fewer = texts.clone();
                        fewer.remove(at);
                        fewer
                    });
                    let half = texts
                        .chunks(texts.len().div_ceil(2).max(1))
                        .map(<[String]>::to_vec);
                    let fewer = half.filter(|half| half.len() < texts.len()).chain(one_less);
                    fewer.map(Value::Texts).collect()
                }
                Value::Decimal(_) | Value::Boolean(_) | Value::Json(_) => Vec::new(),
            };
            let set = |value| Change::Set(*place, name.clone(), value);
            values.into_iter().map(set).collect()
        }
        Change::Extra(place, count) => {
            let fewer = [1, count / 2, count - 1].into_iter();
            let fewer = fewer.filter(|fewer| *fewer > 0 && fewer < count);
            fewer.map(|count| Change::Extra(*place, count)).collect()
        }
        Change::Time(time) => {
            let rounded = [86_400_000, 3_600_000, 60_000, 1_000].map(|unit| time - time % unit);
            let rounded = rounded.into_iter().filter(|rounded| rounded < time);
            rounded.map(Change::Time).collect()
        }
        Change::Tally(name, count) => {
            let fewer = [count / 2, count.saturating_sub(1)].into_iter();
            let fewer = fewer.filter(|fewer| fewer < count);
            fewer
                .map(|count| Change::Tally(name.clone(), count))
                .collect()
        }
        Change::Absent(..) => Vec::new(),
    }
}

/// Texts that are shorter, or plainer at the same length.
fn shorter(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut texts = Vec::new();
    if characters.is_empty() {
        return texts;
    }
    let half = characters.len() / 2;
    texts.push(characters[..half].iter().collect());
    texts.push(characters[half..].iter().collect());
    for at in 0..characters.len().min(48) {
        let mut fewer = characters.clone();
        fewer.remove(at);
        texts.push(fewer.into_iter().collect());
    }
    texts.retain(|shorter: &String| shorter.len() < text.len());
    let plain = "a".repeat(characters.len());
    if plain != text {
        texts.push(plain);
    }
    texts
}

fn closer(number: i64) -> Vec<i64> {
    let toward = [0, 1, number / 2, number - number.signum()];
    let smaller = toward
        .into_iter()
        .filter(|other| other.unsigned_abs() < number.unsigned_abs());
    smaller.collect()
}
