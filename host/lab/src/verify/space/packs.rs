//! Many changes at once, each in a place of its own: where they change nothing together, each changes nothing
//! alone, and one question has asked for all of them.

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Question, Value};

use super::super::point::{Change, Place, Text};
use super::Space;
use super::names::{means_something, named};
use super::texts::{UNUSUAL, WIDE};
use crate::vocabulary::Shape;

/// Texts of each length up to this are tried, and then of these. All of a pack together stay below what a small
/// module has room for: it may well keep a page for the request.
const LENGTHS: usize = 300;
const LONG: [usize; 3] = [511, 512, 513];
/// Each number of meaningless properties up to this is tried, and of members of a list.
const COUNTS: u32 = 70;
/// Neighbouring places have words that are so far from each other, so that two of them never share one.
const APART: usize = 37;

/// Where properties may be that mean nothing.
pub(super) const UNKNOWN: [Place; 4] = [
    Place::Caller,
    Place::Subject,
    Place::Action,
    Place::Resource,
];

/// A place that can be changed together with all others.
#[derive(Clone, Debug)]
pub enum Slot {
    /// A text that is no property.
    Text(Text),
    /// A property.
    Property(Place, &'static str, Shape),
    /// A property that means nothing there.
    Unknown(Place),
    /// A fact that the module asks for.
    Fact(String),
    /// A count that it asks for.
    Tally(String),
}

/// What is put into all of them.
#[derive(Clone, Copy, Debug)]
pub enum Pack {
    /// What nobody has ever heard of.
    Neutral,
    /// What the component has in it, beginning with this one.
    Words(usize),
    /// The same, with something before it or behind it.
    Near(usize),
    /// Texts and lists of this length.
    Length(usize),
    /// Characters that are easily taken for others.
    Unusual(usize),
    /// So many properties that mean nothing.
    Count(u32),
}

/// Every name of the component's own as a property, each with the same value.
#[derive(Clone, Debug)]
pub struct Crowd {
    place: Place,
    value: Value,
}

impl Space {
    /// The places of a row's question.
    pub fn slots(&self, row: &Row) -> Vec<Slot> {
        let properties = named(row.verb).filter(|(_, (_, shape))| *shape != Shape::Boolean);
        Text::VALUES
            .into_iter()
            .map(Slot::Text)
            .chain(properties.map(|(place, (name, shape))| Slot::Property(place, name, shape)))
            .chain(UNKNOWN.map(Slot::Unknown))
            .chain(self.context.iter().cloned().map(Slot::Fact))
            .chain(self.tallies.iter().cloned().map(Slot::Tally))
            .collect()
    }

    /// Packs with everything that the component has in it; those with another beginning have other numbers
    /// beside the same texts.
    pub fn words_packs(&self, beginning: usize) -> impl Iterator<Item = Pack> + use<> {
        let from = beginning * self.words.len();
        (from..from + self.words.len()).map(Pack::Words)
    }

    /// Packs with what begins or ends as the component's own do.
    pub fn near_packs(&self) -> impl Iterator<Item = Pack> + use<> {
        (0..2 * self.words.len()).map(Pack::Near)
    }

    /// Packs with what is easily got wrong.
    pub fn other_packs(&self) -> impl Iterator<Item = Pack> + use<> {
        let lengths = (0..=LENGTHS).chain(LONG).map(Pack::Length);
        let unusual = (0..UNUSUAL.len() * 2 + WIDE.len() * 16).map(Pack::Unusual);
        let counts = (0..=COUNTS).map(Pack::Count);
        lengths.chain(unusual).chain(counts)
    }

    /// All names of the component together with each of its texts, at each place.
    pub fn crowds(&self) -> Vec<Crowd> {
        let neutral = Value::Text("zz-nobody".to_owned());
        let words = self.words.iter().flat_map(|word| {
            let near = [format!("{word}x"), format!("x{word}"), word.clone()];
            let list = Value::Texts(vec![word.clone()]);
            near.map(Value::Text).into_iter().chain([list])
        });
        let values = [
            neutral,
            Value::Boolean(false),
            Value::Integer(0),
            Value::Integer(2),
        ];
        let values: Vec<Value> = values.into_iter().chain(words).collect();
        let at = |place| values.iter().map(move |value| (place, value.clone()));
        UNKNOWN
            .into_iter()
            .flat_map(at)
            .map(|(place, value)| Crowd { place, value })
            .collect()
    }

    /// The changes of a crowd.
    pub fn crowded(&self, crowd: &Crowd, row: &Question) -> Vec<Change> {
        let names = self.strange.iter();
        let names = names.filter(|name| !means_something(row, crowd.place, name));
        names
            .map(|name| Change::Set(crowd.place, name.clone(), crowd.value.clone()))
            .collect()
    }

    /// What `pack` puts into the slot of this number.
    pub fn packed(&self, pack: Pack, (at, slot): (usize, &Slot), row: &Question) -> Option<Change> {
        let own = char::from(b'a' + (at % 26) as u8).to_string();
        let text = match pack {
            Pack::Neutral => format!("zz-{own}-nobody"),
            Pack::Words(number) => self.word(number + at * APART)?.to_owned(),
            Pack::Near(number) => {
                let word = self.word(number / 2 + at * APART)?;
                match number % 2 {
                    0 => format!("{word}x"),
                    _ => format!("x{word}"),
                }
            }
            Pack::Length(length) => own.repeat(length),
            Pack::Unusual(number) => unusual(number, &own),
            Pack::Count(count) => return counted(slot, count),
        };
        let number = |number: usize| {
            self.numbers
                .get(number % self.numbers.len().max(1))
                .copied()
        };
        let number = match pack {
            Pack::Words(of) | Pack::Near(of) => number(of + at * APART),
            Pack::Neutral => Some(7),
            _ => None,
        };
        Some(match slot {
            Slot::Text(which) => Change::Text(*which, text),
            Slot::Property(place, name, shape) => {
                let value = match shape {
                    Shape::Text | Shape::OneOf(_) => Value::Text(text),
                    Shape::Integer | Shape::UnixMs => Value::Integer(number?),
                    Shape::Texts => Value::Texts(texts(pack, text)),
                    Shape::Boolean => return None,
                };
                Change::Set(*place, (*name).to_owned(), value)
            }
            Slot::Fact(name) => Change::Set(Place::Context, name.clone(), Value::Text(text)),
            Slot::Tally(name) => Change::Tally(name.clone(), u32::try_from(number?).ok()?),
            Slot::Unknown(place) => {
                let (name, value) = match pack {
                    Pack::Neutral => (text, Value::Boolean(true)),
                    Pack::Words(number) => (self.name(number + at)?, Value::Boolean(true)),
                    Pack::Near(number) if number % 2 == 0 => {
                        (self.name(number / 2 + at)?, Value::Integer(1))
                    }
                    Pack::Near(number) => {
                        (self.name(number / 2 + at)?, Value::Text("true".to_owned()))
                    }
                    _ => return None,
                };
                let is_known = means_something(row, *place, &name);
                return (!is_known).then_some(Change::Set(*place, name, value));
            }
        })
    }

    fn word(&self, number: usize) -> Option<&str> {
        let at = number.checked_rem(self.words.len())?;
        Some(&self.words[at])
    }

    fn name(&self, number: usize) -> Option<String> {
        let at = number.checked_rem(self.names.len())?;
        Some(self.names[at].clone())
    }
}

fn texts(pack: Pack, text: String) -> Vec<String> {
    match pack {
        Pack::Length(length) => vec!["g".to_owned(); length],
        _ => vec![text],
    }
}

fn unusual(number: usize, own: &str) -> String {
    let plain = UNUSUAL.len();
    match number.checked_sub(2 * plain) {
        Some(wide) => {
            let (character, offset) = (WIDE[wide % WIDE.len()], wide / WIDE.len());
            own.repeat(offset) + character + &own.repeat(40)
        }
        None if number < plain => own.to_owned() + UNUSUAL[number],
        None => UNUSUAL[number - plain].repeat(40) + own,
    }
}

fn counted(slot: &Slot, count: u32) -> Option<Change> {
    match slot {
        Slot::Unknown(place) => Some(Change::Extra(*place, count)),
        _ => None,
    }
}
