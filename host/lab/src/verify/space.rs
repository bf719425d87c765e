//! What can be changed in a question: a systematic sweep for a row, and draws at random.

mod texts;
mod times;
mod verb_forms;

use std::collections::BTreeSet;

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Question, Value};
use countersign_core::verb::Verb;
use countersign_engine::Proven;
use fastrand::Rng;

use self::texts::{COMMON, LENGTHS, UNUSUAL};
use self::times::{DAY, NOW, times};
use self::verb_forms::{verb_form, verb_forms};
use super::dictionary::Dictionary;
use super::point::{Change, Place, Point, Text};
use crate::vocabulary::{CALLER, CONTEXT, Name, Shape, describe};

/// Numbers at the edges of the ways in which machines hold them.
const EDGES: [i64; 33] = [
    i64::MIN,
    -4_294_967_296,
    -2_147_483_649,
    -2_147_483_648,
    -65_536,
    -32_769,
    -256,
    -255,
    -129,
    -128,
    -2,
    -1,
    0,
    1,
    2,
    9,
    10,
    11,
    99,
    100,
    127,
    128,
    255,
    256,
    257,
    32_768,
    65_535,
    65_536,
    2_147_483_647,
    2_147_483_648,
    4_294_967_295,
    4_294_967_296,
    i64::MAX,
];
/// What is set is taken for what a text may begin with from this length on.
const BEGINNING: usize = 3;
/// So many meaningless properties are added: each number up to the first, and then these.
const EXTRA: u32 = 40;
const MANY_EXTRA: [u32; 5] = [63, 64, 65, 128, 257];

/// What can be changed.
pub struct Space {
    /// Texts that the component may compare with.
    pub words: Vec<String>,
    /// Numbers, those that the component has among its constants and their neighbours.
    numbers: Vec<i64>,
    times: Vec<u64>,
    /// Names that a property may have: those of the component that the vocabulary does not know, and those
    /// that it knows, for where they mean nothing.
    names: Vec<String>,
    /// The facts of the context that the module asks for.
    context: Vec<String>,
    tallies: Vec<String>,
    /// What its owner has set: what opens by it is meant.
    settings: Vec<String>,
}

impl Space {
    /// Of one module.
    pub fn of(module: &Proven) -> Self {
        let dictionary = Dictionary::of(module.bytes());
        let manifest = module.manifest();
        // What is set by default was set by the module itself.
        let is_default = |name: &str, values: &[String]| {
            let mut specs = manifest.settings.iter();
            specs.any(|spec| spec.name == name && spec.default == values)
        };
        let given = module.settings().iter();
        let given = given.filter(|(name, values)| !is_default(name, values));
        let values = given.flat_map(|(_, values)| values);
        // `actor=ci-bot until=…` sets two things.
        let parts = values.flat_map(|value| value.split([' ', ',', ';']));
        let settings: Vec<String> = parts
            .map(|part| part.split_once('=').map_or(part, |(_, value)| value))
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        let mut words = dictionary.texts;
        words.extend(settings.iter().cloned());
        words.extend(COMMON.map(str::to_owned));
        words.sort();
        words.dedup();
        let neighbours = |number: &u64| {
            let number = number.cast_signed();
            [number.saturating_sub(1), number, number.saturating_add(1)]
        };
        let mut numbers: Vec<i64> = dictionary.numbers.iter().flat_map(neighbours).collect();
        numbers.extend(EDGES);
        numbers.sort_unstable();
        numbers.dedup();
        let known: Vec<&str> = known_names().collect();
        let names = words.iter().map(String::as_str);
        let names = names.filter(|word| is_name(word)).chain(known);
        let names: BTreeSet<String> = names.map(str::to_owned).collect();
        Self {
            names: names.into_iter().collect(),
            times: match manifest.clock_seconds {
                0 => Vec::new(),
                _ => times(&dictionary.numbers),
            },
            context: manifest.context.clone(),
            tallies: manifest
                .tallies
                .iter()
                .map(|tally| tally.name.clone())
                .collect(),
            words,
            numbers,
            settings,
        }
    }

    /// Whether somebody has set `text`, or what it begins with.
    pub fn is_set(&self, text: &str) -> bool {
        let is_it = |value: &String| {
            value == text || (value.len() >= BEGINNING && text.starts_with(value.as_str()))
        };
        self.settings.iter().any(is_it)
    }

    /// One change after the other in a question of `row`, each alone.
    pub fn sweep(&self, row: &Row, thoroughly: bool) -> Vec<Change> {
        let question = row.question();
        let mut changes: Vec<Change> = verb_forms(row.verb).collect();
        for which in Text::VALUES {
            let texts = self.texts(thoroughly).map(|text| Change::Text(which, text));
            changes.extend(texts);
        }
        for (place, (name, shape)) in named(row.verb) {
            let set = |value| Change::Set(place, name.to_owned(), value);
            changes.push(Change::Absent(place, name.to_owned()));
            changes.extend(wrong(shape).into_iter().map(set));
            match shape {
                Shape::Text | Shape::OneOf(_) => {
                    changes.extend(self.texts(thoroughly).map(Value::Text).map(set));
                    if let Shape::OneOf(words) = shape {
                        changes.extend(
                            words
                                .iter()
                                .map(|word| set(Value::Text((*word).to_owned()))),
                        );
                    }
                }
                Shape::Integer | Shape::UnixMs => {
                    let numbers = self.numbers(thoroughly).map(Value::Integer);
                    changes.extend(numbers.map(set));
                }
                Shape::Boolean => {
                    changes.extend([true, false].map(|flag| set(Value::Boolean(flag))))
                }
                Shape::Texts => changes.extend(self.lists(thoroughly).map(set)),
            }
        }
        for place in [
            Place::Caller,
            Place::Subject,
            Place::Action,
            Place::Resource,
        ] {
            let counts = (1..=EXTRA).chain(MANY_EXTRA);
            changes.extend(counts.map(|count| Change::Extra(place, count)));
            for name in &self.names {
                if means_something(&question, place, name) {
                    continue;
                }
                let set = |value| Change::Set(place, name.clone(), value);
                changes.extend([Value::Boolean(true), Value::Integer(1)].map(set));
                if thoroughly {
                    let text = Value::Text("true".to_owned());
                    changes.extend([text, Value::Texts(self.words.clone())].map(set));
                }
            }
        }
        for name in &self.context {
            let set = |value| Change::Set(Place::Context, name.clone(), value);
            changes.extend(self.texts(thoroughly).map(Value::Text).map(set));
            changes.push(set(Value::Boolean(true)));
        }
        for name in &self.tallies {
            let counts = self
                .numbers
                .iter()
                .filter_map(|number| u32::try_from(*number).ok());
            changes.extend(counts.map(|count| Change::Tally(name.clone(), count)));
        }
        let week = NOW..NOW + 7 * DAY;
        let times = self
            .times
            .iter()
            .filter(|time| thoroughly || week.contains(time));
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
                Change::Set(Place::Context, name, Value::Text(self.text(rng)))
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
    /// what a value did is rare. `None`: there is no such thing.
    pub fn alike(&self, change: &Change, rng: &mut Rng) -> Option<Change> {
        const TEN_YEARS: u64 = 3_652 * DAY;
        let text = |rng: &mut Rng| {
            let length = rng.usize(..24);
            (0..length).map(|_| rng.alphanumeric()).collect::<String>()
        };
        Some(match change {
            Change::Text(which, _) => Change::Text(*which, text(rng)),
            Change::Time(_) => Change::Time(NOW - TEN_YEARS + rng.u64(..2 * TEN_YEARS)),
            Change::Tally(name, _) => Change::Tally(name.clone(), rng.u32(..10_000)),
            Change::Set(place, name, value) => Change::Set(
                *place,
                name.clone(),
                match value {
                    Value::Text(_) => Value::Text(text(rng)),
                    Value::Integer(_) => Value::Integer(rng.i64(0..10_000)),
                    Value::Texts(_) => Value::Texts(vec![text(rng)]),
                    Value::Decimal(_) | Value::Boolean(_) | Value::Json(_) => return None,
                },
            ),
            Change::Absent(..) | Change::Extra(..) => return None,
        })
    }

    /// Numbers to put where a number is: `thoroughly`, every one that the component has, and its neighbours.
    fn numbers(&self, thoroughly: bool) -> impl Iterator<Item = i64> + '_ {
        let numbers = match thoroughly {
            true => self.numbers.as_slice(),
            false => &EDGES,
        };
        numbers.iter().copied()
    }

    fn text(&self, rng: &mut Rng) -> String {
        match rng.u8(..8) {
            0..=4 if !self.words.is_empty() => self.words[rng.usize(..self.words.len())].clone(),
            5 => "a".repeat(rng.usize(LENGTHS)),
            6 => UNUSUAL[rng.usize(..UNUSUAL.len())].repeat(rng.usize(1..4)),
            _ => (0..rng.usize(..24)).map(|_| rng.alphanumeric()).collect(),
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

/// The properties that a question under `verb` can have.
pub fn named(verb: Verb) -> impl Iterator<Item = (Place, Name)> {
    let described = describe(verb);
    let at = |place| move |name: &Name| (place, *name);
    let of_the_verb = described.action.iter().map(at(Place::Action));
    of_the_verb
        .chain(described.resource.iter().map(at(Place::Resource)))
        .chain(CALLER.iter().map(at(Place::Caller)))
}

/// Every name that means something somewhere.
fn known_names() -> impl Iterator<Item = &'static str> {
    let of_verbs = Verb::ALL.iter().flat_map(|verb| named(*verb));
    of_verbs
        .map(|(_, (name, _))| name)
        .chain(CONTEXT.iter().map(|(name, _)| *name))
}

/// Whether `place` has a name that means something under `verb`.
pub fn means_something(question: &Question, place: Place, name: &str) -> bool {
    let verb = Verb::parse(&question.verb);
    match place {
        Place::Context => true,
        Place::Subject => false,
        Place::Caller => CALLER.iter().any(|(known, _)| *known == name),
        Place::Action | Place::Resource => {
            verb.is_none_or(|verb| named(verb).any(|(at, (known, _))| at == place && known == name))
        }
    }
}

fn is_name(word: &str) -> bool {
    let within = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    (2..=40).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(within)
}

/// Values of another shape.
fn wrong(shape: Shape) -> Vec<Value> {
    let values = vec![
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
    ];
    values
        .into_iter()
        .filter(|value| !shape.fits(value))
        .collect()
}
