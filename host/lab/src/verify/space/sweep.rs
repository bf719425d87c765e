//! One change after the other.

use countersign_core::exhaustive::Row;
use countersign_core::policy::Value;

use super::super::point::{Change, Place, Point, Text};
use super::Space;
use super::names::{means_something, named};
use super::numbers::EDGES;
use super::packs::UNKNOWN;
use super::times::is_common;
use super::verb_forms::verb_forms;
use crate::vocabulary::{Name, Shape};

/// So many meaningless properties are added: each number up to the first, and then these.
pub(super) const EXTRA: u32 = 40;
const MANY_EXTRA: [u32; 5] = [63, 64, 65, 128, 257];

/// Names that are easily got wrong.
const ODD_NAMES: [&str; 6] = ["", " ", "é", "中-文", "\0", "__proto__"];

/// How much of a row is changed, each thing alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breadth {
    /// Its verb, and values of other types: the rest is changed together.
    Form,
    /// What the component has in it as well, at every place.
    Words,
    /// Everything.
    Whole,
}

impl Space {
    /// One change after the other in a question of `row`, each alone.
    pub fn sweep(&self, row: &Row, breadth: Breadth) -> Vec<Change> {
        let thoroughly = breadth == Breadth::Whole;
        let mut changes: Vec<Change> = verb_forms(row.verb).collect();
        for (place, (name, shape)) in named(row.verb) {
            let set = |value| Change::Set(place, name.to_owned(), value);
            changes.push(Change::Absent(place, name.to_owned()));
            changes.extend(wrong(shape).into_iter().map(set));
            if let Shape::OneOf(words) = shape {
                let words = words.iter().map(|word| Value::Text((*word).to_owned()));
                changes.extend(words.map(set));
            }
            if shape == Shape::Boolean {
                changes.extend([true, false].map(|flag| set(Value::Boolean(flag))));
            }
        }
        if breadth == Breadth::Form {
            return changes;
        }
        for which in Text::VALUES {
            let texts = self.texts(thoroughly).map(|text| Change::Text(which, text));
            changes.extend(texts);
        }
        for (place, (name, shape)) in named(row.verb) {
            let set = |value| Change::Set(place, name.to_owned(), value);
            match shape {
                Shape::Text | Shape::OneOf(_) => {
                    changes.extend(self.texts(thoroughly).map(Value::Text).map(set));
                }
                Shape::Integer | Shape::UnixMs => {
                    let numbers = match thoroughly {
                        true => self.numbers.as_slice(),
                        false => &EDGES,
                    };
                    changes.extend(numbers.iter().map(|number| set(Value::Integer(*number))));
                }
                Shape::Boolean => {}
                Shape::Texts => changes.extend(self.lists(thoroughly).map(set)),
            }
        }
        if thoroughly {
            changes.extend(self.sums(row));
            changes.extend(copies(row));
        }
        changes.extend(self.unknown(row, thoroughly));
        changes.extend(self.surroundings(thoroughly));
        changes
    }

    /// Numbers that make one of the component's own together with another number of the row.
    fn sums(&self, row: &Row) -> Vec<Change> {
        let question = row.question();
        let integers: Vec<(Place, Name, i64)> = named(row.verb)
            .filter_map(|(place, name)| match place.read(&question).get(name.0) {
                Some(Value::Integer(own)) => Some((place, name, *own)),
                _ => None,
            })
            .collect();
        let mut changes = Vec::new();
        for (place, (name, _), _) in &integers {
            let others = integers
                .iter()
                .filter(|(at, (other, _), _)| (at, other) != (place, name));
            for (_, _, other) in others {
                let numbers = self
                    .constants
                    .iter()
                    .flat_map(|number| [number.wrapping_sub(*other), number.wrapping_add(*other)]);
                let set = |number| Change::Set(*place, (*name).to_owned(), Value::Integer(number));
                changes.extend(numbers.map(set));
            }
        }
        changes
    }

    /// Properties that mean nothing: so many of them, and those that a component may look for.
    fn unknown(&self, row: &Row, thoroughly: bool) -> Vec<Change> {
        let question = row.question();
        let mut changes = Vec::new();
        for place in UNKNOWN {
            let counts = (1..=EXTRA).chain(MANY_EXTRA);
            changes.extend(counts.map(|count| Change::Extra(place, count)));
            let odd = ODD_NAMES.iter().map(|name| (*name).to_owned());
            let odd: Vec<String> = odd.chain(["n".repeat(300)]).collect();
            for name in self.names.iter().chain(&odd) {
                if means_something(&question, place, name) {
                    continue;
                }
                let set = |value| Change::Set(place, name.clone(), value);
                changes.push(set(Value::Boolean(true)));
                if thoroughly {
                    let text = Value::Text("true".to_owned());
                    let texts = Value::Texts(self.words.clone());
                    changes.extend([Value::Integer(1), text, texts].map(set));
                }
            }
        }
        changes
    }

    /// What is not of the request: facts that the module asks for, counts, and the time.
    fn surroundings(&self, thoroughly: bool) -> Vec<Change> {
        let mut changes = Vec::new();
        for name in &self.context {
            let set = |value| Change::Set(Place::Context, name.clone(), value);
            changes.extend(self.texts(thoroughly).map(Value::Text).map(set));
            // A fact has no shape of its own.
            changes.extend(values().into_iter().map(set));
            changes.extend(self.lists(false).map(set));
            let numbers = EDGES
                .iter()
                .chain(self.numbers.iter().filter(|_| thoroughly));
            changes.extend(numbers.map(|number| set(Value::Integer(*number))));
        }
        for name in &self.tallies {
            let numbers = self.numbers.iter();
            let counts = numbers.filter_map(|number| u32::try_from(*number).ok());
            changes.extend(counts.map(|count| Change::Tally(name.clone(), count)));
        }
        let times = self.times.iter();
        let times = times.filter(|time| thoroughly || is_common(**time));
        changes.extend(times.map(|time| Change::Time(*time)));
        changes
    }

    /// Two texts that become the same: what compares them takes nothing and nothing for equal, or what
    /// everybody can name.
    pub fn twins(row: &Row) -> impl Iterator<Item = Point> + '_ {
        let pairs = Text::VALUES.iter().enumerate().flat_map(|(at, one)| {
            Text::VALUES[at + 1..]
                .iter()
                .map(move |other| [*one, *other])
        });
        pairs.flat_map(move |pair| {
            ["", "a", "global"].map(|text| Point {
                row: row.clone(),
                changes: pair
                    .map(|which| Change::Text(which, text.to_owned()))
                    .into(),
            })
        })
    }

    /// A caller's workspace that is nearly the target's, and the other way round.
    pub fn neighbours(row: &Row) -> Vec<Point> {
        let question = row.question();
        let of_caller = question.subject.workspace.as_str();
        let of_resource = match question.resource.properties.text("workspace") {
            Some(workspace) => workspace,
            None => question.resource.id.as_str(),
        };
        let near = |text: &str| {
            let head = text.get(..8).unwrap_or(text);
            [
                head.to_owned(),
                format!("{text}x"),
                format!("{text}/x"),
                format!(" {text}"),
                text.to_uppercase(),
            ]
        };
        let caller = near(of_resource).map(|text| Change::Text(Text::Workspace, text));
        let by_id = near(of_caller).map(|text| Change::Text(Text::ResourceId, text));
        let by_property = near(of_caller)
            .map(|text| Change::Set(Place::Resource, "workspace".to_owned(), Value::Text(text)));
        let changes = caller.into_iter().chain(by_id).chain(by_property);
        changes.map(|change| Point::with(row, change)).collect()
    }
}

/// What the caller words freely says what somebody is called.
fn copies(row: &Row) -> Vec<Change> {
    let question = row.question();
    let free = named(row.verb)
        .filter(|(place, (name, _))| *place == Place::Action && FREELY_WORDED.contains(name));
    let texts = Text::VALUES.map(|which| which.read(&question).clone());
    let set = |name: &str, text: &String| {
        Change::Set(Place::Action, name.to_owned(), Value::Text(text.clone()))
    };
    free.flat_map(|(_, (name, _))| texts.each_ref().map(|text| set(name, text)))
        .collect()
}

/// What an action's caller makes up.
const FREELY_WORDED: [&str; 2] = ["name", "key"];

/// Values of every type.
fn values() -> Vec<Value> {
    vec![
        Value::Text(String::new()),
        Value::Text("true".to_owned()),
        Value::Integer(1),
        Value::Integer(0),
        Value::Decimal(0.5),
        Value::Decimal(f64::MAX),
        Value::Decimal(-0.0),
        Value::Boolean(true),
        Value::Boolean(false),
        Value::Texts(Vec::new()),
        Value::Texts(vec!["a".to_owned()]),
        Value::Json("{}".to_owned()),
        Value::Json("null".to_owned()),
        // Deeper than what reads it by recursion may have room for.
        Value::Json("[".repeat(DEEP) + &"]".repeat(DEEP)),
        Value::Json("{\"a\":".repeat(DEEP) + "1" + &"}".repeat(DEEP)),
    ]
}

/// A text of JSON has so many levels.
const DEEP: usize = 1_000;

/// Values of another shape.
fn wrong(shape: Shape) -> Vec<Value> {
    let values = values().into_iter();
    values.filter(|value| !shape.fits(value)).collect()
}
