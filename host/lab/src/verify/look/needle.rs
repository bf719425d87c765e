//! One value in very many that opens.

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Value, Verdict};

use super::super::asker::Said;
use super::super::point::{Change, Place, Point, Text};
use super::super::rank;
use super::super::space::{Space, shape_of};
use super::Look;
use crate::vocabulary::{Shape, describe, is_privileged};

/// A value that opens is rare if fewer than so many of so many draws of its kind do: a minute of the day is
/// one in 1,440, a quarter of an hour in each day is somebody's hours.
const OPENING: usize = 5;
const DRAWS: usize = 1_000;
/// So many weeks are looked at, within so many milliseconds of the same moment; one in so many is enough.
const WEEKS: u64 = 100;
const WEEK: u64 = 7 * 86_400_000;
const WINDOW: u64 = 15 * 60_000;
const HOURS_OPEN: u64 = 5;

impl Look<'_, '_> {
    /// Whether what lets more through than `base` is one value in very many, that nobody has set.
    pub(super) fn is_needle(&mut self, point: &Point, base: &Said, said: &Said) -> Option<String> {
        let space = self.bases.space;
        if point.changes.iter().any(|change| is_set(space, change)) {
            return None;
        }
        if self.bases.opens_in_the_table(point, said) {
            return None;
        }
        if said.allows()
            && let [change] = point.changes.as_slice()
            && is_outlandish(change, &point.row)
            && !self.bases.allows_anything(&point.row)
        {
            return Some("what the vocabulary does not know opens what is privileged".to_owned());
        }
        // What one of several does alone is seen, and judged, alone.
        if point.changes.len() > 1 {
            for change in &point.changes {
                let alone = Point::with(&point.row, change.clone()).question();
                if is_privileged(&alone)
                    && rank::is_looser(&base.verdict, &self.asker.ask(&alone).verdict)
                {
                    return None;
                }
            }
        }
        let stops = matches!(said.verdict, Ok(Verdict::Gate(_)));
        let row = point.row.question();
        let mut opening = 0;
        for _ in 0..DRAWS {
            let mut other = point.clone();
            let mut drawn = false;
            for change in &mut other.changes {
                if let Some(alike) = space.alike(change, &row, stops, &mut self.rng) {
                    *change = alike;
                    drawn = true;
                }
            }
            if !drawn {
                break;
            }
            let other = self.asker.ask(&other.question()).verdict;
            let opens = rank::is_as_loose(&other, &said.verdict)
                || (stops && rank::is_looser(&base.verdict, &other));
            opening += usize::from(opens);
            if opening >= OPENING {
                return None;
            }
        }
        // What is rare by itself may still be a rule: last, because most of what opens is not rare.
        if self.is_of_the_week(point, said) || self.is_a_relation(point, said) {
            return None;
        }
        let what = match point.changes.as_slice() {
            [Change::Absent(..)] => "what is not there",
            [Change::Extra(..)] => "a number of properties",
            [Change::Time(_)] => "a moment",
            [_] => "a value that is one in very many",
            _ => return Some("together, these let more of what is privileged through".to_owned()),
        };
        Some(match stops {
            true => format!("{what} asks less for what is privileged"),
            false => format!("{what} opens what is privileged"),
        })
    }

    /// Whether a moment is one of somebody's hours, which come again each week: a window of some minutes, and
    /// not one minute.
    fn is_of_the_week(&mut self, point: &Point, said: &Said) -> bool {
        let [Change::Time(moment)] = point.changes.as_slice() else {
            return false;
        };
        let (mut again, mut at_all) = (0, 0);
        for _ in 0..WEEKS {
            let weeks = self.rng.u64(1..=WEEKS) * WEEK;
            let near = self.rng.u64(..2 * WINDOW);
            let same = moment.saturating_add(weeks + near).saturating_sub(WINDOW);
            let any = moment.saturating_add(weeks + self.rng.u64(..WEEK));
            for (moment, opening) in [(same, &mut again), (any, &mut at_all)] {
                let other = Point::with(&point.row, Change::Time(moment)).question();
                let verdict = self.asker.ask(&other).verdict;
                *opening += u64::from(rank::is_as_loose(&verdict, &said.verdict));
            }
        }
        // What opens from some moment on opens at every hour.
        again * HOURS_OPEN >= WEEKS && at_all * 2 < WEEKS
    }

    /// Whether it opens by being the same as another fact, whatever both are: whose something is, is told so.
    /// What the caller words freely is no such fact.
    fn is_a_relation(&mut self, point: &Point, said: &Said) -> bool {
        let [change] = point.changes.as_slice() else {
            return false;
        };
        let text = match change {
            Change::Text(_, text) => text,
            Change::Set(Place::Caller | Place::Resource, _, Value::Text(text)) => text,
            _ => return false,
        };
        let row = point.row.question();
        let new = "zz-the-same".to_owned();
        let texts = Text::VALUES
            .into_iter()
            .filter(|which| which.read(&row) == text)
            .map(|which| Change::Text(which, new.clone()));
        let properties = [Place::Caller, Place::Resource]
            .into_iter()
            .flat_map(|place| {
                let same = place.read(&row).iter();
                let same =
                    same.filter(|known| matches!(&known.value, Value::Text(of) if of == text));
                same.map(move |known| (place, known.name.clone()))
            });
        let properties =
            properties.map(|(place, name)| Change::Set(place, name, Value::Text(new.clone())));
        let others: Vec<Change> = texts.chain(properties).collect();
        let own = match change {
            Change::Text(which, _) => Change::Text(*which, new.clone()),
            Change::Set(place, name, _) => {
                Change::Set(*place, name.clone(), Value::Text(new.clone()))
            }
            _ => return false,
        };
        others.into_iter().any(|other| {
            let both = Point {
                row: point.row.clone(),
                changes: vec![own.clone(), other],
            };
            let verdict = self.asker.ask(&both.question()).verdict;
            rank::is_as_loose(&verdict, &said.verdict)
        })
    }
}

/// Whether it is a word that no host says there: it need not be rare, since there is no honest one.
fn is_outlandish(change: &Change, row: &Row) -> bool {
    match change {
        Change::Text(Text::ResourceKind, kind) => {
            let mut kinds = describe(row.verb).resources.iter();
            !kinds.any(|(known, _)| known == kind)
        }
        Change::Set(place, name, value @ Value::Text(_)) => {
            let shape = shape_of(row.verb, *place, name);
            matches!(shape, Some(shape @ Shape::OneOf(_)) if !shape.fits(value))
        }
        _ => false,
    }
}

/// Whether it is by what the module's owner has set.
fn is_set(space: &Space, change: &Change) -> bool {
    match change {
        Change::Set(_, _, Value::Text(text)) | Change::Text(_, text) => space.is_set(text),
        Change::Set(_, _, Value::Texts(texts)) => texts.iter().any(|text| space.is_set(text)),
        Change::Set(_, _, Value::Integer(number)) => space.is_number_set(*number),
        Change::Tally(_, count) => space.is_number_set((*count).into()),
        Change::Time(_) => space.is_time_set(),
        _ => false,
    }
}
