//! What can be changed in a question: a systematic sweep for a row, and draws at random.

use std::collections::BTreeSet;

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Question, Value};
use countersign_core::verb::Verb;
use countersign_engine::Proven;
use fastrand::Rng;

use super::dictionary::Dictionary;
use super::point::{Change, Place, Point, Text};
use crate::vocabulary::{CALLER, CONTEXT, Name, Shape, describe};

/// Texts of these lengths are tried, and of those that the component has among its numbers.
const LENGTHS: std::ops::RangeInclusive<usize> = 0..=160;
const LONG: [usize; 11] = [
    199, 200, 255, 256, 257, 511, 512, 1_023, 1_024, 1_025, 4_096,
];
/// The longest text that a number of the component leads to. A host has no longer ones: names, keys and groups
/// have their bounds.
const LONGEST: usize = 4_096;
/// Characters that are easily taken for others.
const UNUSUAL: [&str; 20] = [
    "\0",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{200b}",
    "\u{202e}",
    "\u{feff}",
    "é",
    "e\u{301}",
    "ß",
    "İ",
    "ı",
    "K",
    "ﬀ",
    "ǅ",
    "Ａ",
    "中",
    "🦀",
    "👩\u{200d}🚀",
    "\u{10ffff}",
];
/// Characters of two, three and four bytes, which are put so far into a text: whoever counts bytes for
/// characters cuts one of them in two.
const WIDE: [&str; 3] = ["é", "中", "🦀"];
const OFFSETS: std::ops::RangeInclusive<usize> = 0..=16;
/// Characters at which texts are taken apart, and which nest.
const SEPARATORS: [&str; 12] = ["/", ".", ",", ":", ";", "-", " ", "\n", "[", "(", "{", "%"];
/// Words that identities and permissions go by, whether or not a component names them.
const COMMON: [&str; 24] = [
    "user",
    "person",
    "human",
    "admin",
    "admins",
    "administrator",
    "root",
    "system",
    "service",
    "internal",
    "operator",
    "owner",
    "test",
    "debug",
    "session:",
    "org-token:",
    "admin-token",
    "provisioner",
    "global",
    "none",
    "null",
    "true",
    "*",
    "..",
];
/// At most so many of the component's numbers are tried as lengths, and as texts.
const MOST: usize = 64;
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
const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
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
        let settings: Vec<String> = module
            .settings()
            .iter()
            .flat_map(|(_, values)| values.iter().cloned())
            .filter(|value| !value.is_empty())
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

    /// Whether somebody has set `text`, or a part of it, or it is a part of what was set.
    pub fn is_set(&self, text: &str) -> bool {
        let shares = |value: &String| value.contains(text) || text.contains(value.as_str());
        !text.is_empty() && self.settings.iter().any(shares)
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

    /// Texts to put where a text is: `thoroughly`, with what begins and ends with the component's own, of
    /// every length, and with unusual characters.
    fn texts(&self, thoroughly: bool) -> impl Iterator<Item = String> + '_ {
        let words = self.words.iter().cloned();
        let rest = thoroughly.then(|| {
            let near = |word: &String| [format!("{word}x"), format!("x{word}")];
            let near = self.words.iter().flat_map(near);
            let lengths = self
                .numbers
                .iter()
                .filter_map(|number| usize::try_from(*number).ok())
                .filter(|length| (LENGTHS.end() + 1..=LONGEST).contains(length))
                .take(MOST);
            let lengths = LENGTHS.chain(LONG).chain(lengths);
            let lengths = lengths.map(|length| "a".repeat(length));
            let unusual = UNUSUAL.iter().flat_map(|c| [(*c).to_owned(), c.repeat(40)]);
            let wide = WIDE.iter().flat_map(|c| {
                OFFSETS.map(move |offset| format!("{}{c}{}", "a".repeat(offset), "a".repeat(40)))
            });
            let parts = SEPARATORS
                .iter()
                .flat_map(|c| [c.repeat(1_000), format!("a{c}").repeat(500)]);
            let numbers = self.numbers.iter().map(i64::to_string);
            let numbers = numbers.filter(|text| text.len() < 6).take(MOST);
            near.chain(lengths)
                .chain(unusual)
                .chain(wide)
                .chain(parts)
                .chain(numbers)
        });
        words.chain(rest.into_iter().flatten())
    }

    /// Numbers to put where a number is: `thoroughly`, every one that the component has, and its neighbours.
    fn numbers(&self, thoroughly: bool) -> impl Iterator<Item = i64> + '_ {
        let numbers = match thoroughly {
            true => self.numbers.as_slice(),
            false => &EDGES,
        };
        numbers.iter().copied()
    }

    fn lists(&self, thoroughly: bool) -> impl Iterator<Item = Value> + '_ {
        let one = self.words.iter().map(|word| vec![word.clone()]);
        let rest = thoroughly.then(|| {
            let pairs = self.words.iter().flat_map(|word| {
                [
                    vec!["a".to_owned(), word.clone()],
                    vec![word.clone(), "z".to_owned()],
                ]
            });
            let many = [0, 2, 3, 7, 8, 16, 31, 32, 33, 64, 100, 1_000];
            let many = many.into_iter().map(|count| vec!["a".to_owned(); count]);
            let unusual = UNUSUAL.iter().map(|c| vec![(*c).to_owned(), String::new()]);
            pairs.chain(many).chain(unusual).chain([self.words.clone()])
        });
        one.chain(rest.into_iter().flatten()).map(Value::Texts)
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

/// The time of the rows: the beginning of 2026, a Thursday.
const NOW: u64 = 1_767_225_600_000;

/// Around the clock, around the week, and at the edges of calendars and of the ways in which machines hold
/// instants.
fn times(numbers: &[u64]) -> Vec<u64> {
    let minutes = (0..24 * 60).map(|minute| NOW + minute * MINUTE);
    let seconds = (0..60).map(|second| NOW + 12 * HOUR + second * SECOND);
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
            within_a_day(SECOND).map(|at| NOW + at),
            within_a_day(1).map(|at| NOW + at),
        ]
    });
    let mut times: Vec<u64> = minutes
        .chain(seconds)
        .chain(week)
        .chain(days)
        .chain(edges)
        .chain(constants.flatten())
        .collect();
    times.sort_unstable();
    times.dedup();
    times
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

/// A verb in other letters, with white space, and nearly: none of them is that verb.
fn verb_forms(verb: Verb) -> impl Iterator<Item = Change> {
    let name = verb.as_str();
    let (head, tail) = name.split_at(1);
    let mut forms = vec![
        String::new(),
        " ".to_owned(),
        name.to_uppercase(),
        head.to_uppercase() + tail,
        name.split('_').map(capital).collect::<Vec<_>>().join("_"),
        name.split('_').map(capital).collect(),
        name.replace('_', "-"),
        name.replace('_', " "),
        name.replace('_', ""),
        format!("{name}{name}"),
        format!("{name}_"),
        format!("_{name}"),
        format!("{name}s"),
        format!("x{name}"),
        format!("{name}/"),
        format!("{name}\0x"),
        name.replace('e', "é"),
        name.replace('o', "о"),
        // Lower case, and yet other letters: what only lowers letters takes them for these.
        name.replace('k', "\u{212a}"),
        name.replace('s', "ſ"),
        name.replace('i', "ı"),
        name.chars().rev().collect(),
        name.get(..name.len() - 1).unwrap_or_default().to_owned(),
    ];
    for space in [
        " ", "\t", "\n", "\r\n", "\0", "\u{a0}", "\u{200b}", "\u{feff}", "\u{3000}",
    ] {
        forms.extend([
            format!("{name}{space}"),
            format!("{space}{name}"),
            name.replacen('_', &format!("_{space}"), 1),
        ]);
    }
    for at in 0..name.len() {
        let mut form = name.to_owned();
        form.replace_range(at..=at, &name[at..=at].to_uppercase());
        forms.push(form);
    }
    forms.extend((1..=160).map(|length| "v".repeat(length)));
    forms.extend([256, 1_024, LONGEST].map(|length| "v".repeat(length)));
    forms.retain(|form| Verb::parse(form).is_none());
    forms.into_iter().map(|form| Change::Text(Text::Verb, form))
}

fn verb_form(name: &str, rng: &mut Rng) -> String {
    let mut form: Vec<char> = name.chars().collect();
    for _ in 0..=rng.usize(..2) {
        let at = rng.usize(..form.len());
        match rng.u8(..3) {
            0 => form[at] = form[at].to_ascii_uppercase(),
            1 => form.insert(at, [' ', '_', 'a', '\u{a0}'][rng.usize(..4)]),
            _ => form.swap(at, 0),
        }
    }
    form.into_iter().collect()
}

fn capital(part: &str) -> String {
    let mut characters = part.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
