//! Changes at random.

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Question, Value};
use countersign_core::verb::Verb;
use fastrand::Rng;

use super::super::point::{Change, Place, Text};
use super::Space;
use super::names::{named, shape_of};
use super::sweep::EXTRA;
use super::texts::{LENGTHS, UNUSUAL};
use super::times::{DAY, NOW};
use super::verb_forms::verb_form;
use crate::vocabulary::{Name, Shape};

impl Space {
    /// A change at random.
    pub fn draw(&self, row: &Row, rng: &mut Rng) -> Change {
        let properties: Vec<(Place, Name)> = named(row.verb).collect();
        match rng.u8(..20) {
            0 => Change::Text(Text::Verb, verb_form(row.verb.as_str(), rng)),
            1..=5 => Change::Text(
                Text::VALUES[rng.usize(..Text::VALUES.len())],
                self.text(rng),
            ),
            6 if !self.times.is_empty() => Change::Time(self.time(rng)),
            7 => Change::Extra(Place::ALL[rng.usize(..4)], rng.u32(1..=EXTRA)),
            8 if !self.names.is_empty() => {
                let name = self.names[rng.usize(..self.names.len())].clone();
                Change::Set(Place::ALL[rng.usize(..4)], name, Value::Boolean(true))
            }
            9 if !self.context.is_empty() => {
                let name = self.context[rng.usize(..self.context.len())].clone();
                Change::Set(Place::Context, name, self.fact(rng))
            }
            10 if !self.tallies.is_empty() => {
                let name = self.tallies[rng.usize(..self.tallies.len())].clone();
                Change::Tally(name, self.number(rng).cast_unsigned() as u32)
            }
            _ => {
                let (place, (name, shape)) = properties[rng.usize(..properties.len())];
                match rng.u8(..8) {
                    0 => Change::Absent(place, name.to_owned()),
                    _ => Change::Set(place, name.to_owned(), self.value(shape, rng)),
                }
            }
        }
    }

    /// Another value of the same kind, drawn without the component's own texts and numbers: to see whether
    /// what a value did is rare. `kindly`, a word is drawn among those that there are, as facts of the host always are. `None`: there is no
    /// such thing. `row` is what is changed.
    pub fn alike(
        &self,
        change: &Change,
        row: &Question,
        kindly: bool,
        rng: &mut Rng,
    ) -> Option<Change> {
        const TEN_YEARS: u64 = 3_652 * DAY;
        Some(match change {
            Change::Text(which, _) => Change::Text(*which, any_text(rng)),
            Change::Time(_) => Change::Time(NOW - TEN_YEARS + rng.u64(..2 * TEN_YEARS)),
            Change::Tally(name, _) => Change::Tally(name.clone(), any_number(0, rng) as u32),
            Change::Set(place, name, value) => {
                let shape = Verb::parse(&row.verb).and_then(|verb| shape_of(verb, *place, name));
                let value = match (value, shape) {
                    (Value::Text(_), Some(Shape::OneOf(words)))
                        if kindly || *place == Place::Context =>
                    {
                        Value::Text(words[rng.usize(..words.len())].to_owned())
                    }
                    (Value::Text(_), _) => Value::Text(any_text(rng)),
                    (Value::Integer(_), _) => {
                        let own = match place.read(row).get(name) {
                            Some(Value::Integer(own)) => *own,
                            _ => 0,
                        };
                        Value::Integer(any_number(own, rng))
                    }
                    (Value::Texts(texts), _) => {
                        let count = texts.len().clamp(1, MOST_ALIKE);
                        Value::Texts((0..count).map(|_| any_text(rng)).collect())
                    }
                    (Value::Boolean(_), Some(Shape::Boolean)) => Value::Boolean(rng.bool()),
                    (Value::Boolean(_) | Value::Decimal(_) | Value::Json(_), _) => return None,
                };
                Change::Set(*place, name.clone(), value)
            }
            Change::Absent(..) | Change::Extra(..) => return None,
        })
    }

    fn text(&self, rng: &mut Rng) -> String {
        match rng.u8(..8) {
            0..=4 if !self.words.is_empty() => self.words[rng.usize(..self.words.len())].clone(),
            5 => "a".repeat(rng.usize(LENGTHS)),
            6 => UNUSUAL[rng.usize(..UNUSUAL.len())].repeat(rng.usize(1..4)),
            _ => (0..rng.usize(..24)).map(|_| rng.alphanumeric()).collect(),
        }
    }

    fn fact(&self, rng: &mut Rng) -> Value {
        match rng.u8(..4) {
            0 => Value::Boolean(rng.bool()),
            1 => Value::Integer(self.number(rng)),
            _ => Value::Text(self.text(rng)),
        }
    }

    fn number(&self, rng: &mut Rng) -> i64 {
        match rng.u8(..4) {
            0 => rng.i64(0..10_000),
            // What is a multiple of something is met more often than by chance.
            1 => rng.i64(0..40_000) * [256, 1_000, 65_536, 86_400_000][rng.usize(..4)],
            _ => self.numbers[rng.usize(..self.numbers.len())],
        }
    }

    fn time(&self, rng: &mut Rng) -> u64 {
        match rng.bool() {
            true => self.times[rng.usize(..self.times.len())],
            false => rng.u64(..4 * NOW),
        }
    }

    fn value(&self, shape: Shape, rng: &mut Rng) -> Value {
        match shape {
            Shape::OneOf(words) if rng.bool() => {
                Value::Text(words[rng.usize(..words.len())].to_owned())
            }
            Shape::Text | Shape::OneOf(_) => Value::Text(self.text(rng)),
            Shape::Integer | Shape::UnixMs => Value::Integer(self.number(rng)),
            Shape::Boolean => Value::Boolean(rng.bool()),
            Shape::Texts => {
                let count = rng.usize(..4);
                Value::Texts((0..count).map(|_| self.text(rng)).collect())
            }
        }
    }
}

/// A list is drawn with up to so many members.
const MOST_ALIKE: usize = 16;

fn any_text(rng: &mut Rng) -> String {
    // Shorter ones are rare themselves: one in six single characters is a number.
    let length = rng.usize(4..24);
    (0..length).map(|_| rng.alphanumeric()).collect()
}

/// As often a small one as one near what the row itself has: a rule that asks for fewer than so many is none
/// that asks for one number.
fn any_number(own: i64, rng: &mut Rng) -> i64 {
    match rng.bool() {
        true => rng.i64(0..10_000),
        false => {
            let reach = own.unsigned_abs().min(1 << 62).cast_signed() / 2;
            let from = (own - reach).min(0.max(own - NEAR));
            rng.i64(from..=own.saturating_add(reach).saturating_add(NEAR))
        }
    }
}

/// So far from a number is near it, however small it is.
const NEAR: i64 = 8;
