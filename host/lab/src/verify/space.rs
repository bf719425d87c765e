//! What can be changed in a question: a systematic sweep for a row, and draws at random.

mod draws;
mod names;
mod numbers;
mod packs;
mod sweep;
mod texts;
mod times;
mod verb_forms;

use std::collections::BTreeSet;

use countersign_engine::Proven;

use self::names::{is_name, known_names};
use self::numbers::numbers;
use self::texts::COMMON;
use self::times::times;
use super::dictionary::Dictionary;

pub use self::names::{is_known, means_something, shape_of};
pub use self::packs::{Pack, Slot};
pub use self::sweep::Breadth;

/// What is set is taken for what a text may begin or end with from this length on.
const BEGINNING: usize = 3;

/// What can be changed.
pub struct Space {
    /// Texts that the component may compare with.
    pub words: Vec<String>,
    /// Numbers, those that the component has among its constants and their neighbours.
    numbers: Vec<i64>,
    /// The component's own, as they stand.
    constants: Vec<i64>,
    times: Vec<u64>,
    /// Names that a property may have: those of the component that the vocabulary does not know, and those
    /// that it knows, for where they mean nothing.
    names: Vec<String>,
    /// Those of the component alone.
    strange: Vec<String>,
    /// The facts of the context that the module asks for.
    context: Vec<String>,
    tallies: Vec<String>,
    /// What its owner has set: what opens by it is meant.
    settings: Vec<String>,
}

impl Space {
    /// Of one module.
    pub fn of(module: &Proven) -> Self {
        Self::of_all(&[module])
    }

    /// Of several modules together.
    pub fn of_all(modules: &[&Proven]) -> Self {
        let dictionary = modules
            .iter()
            .map(|module| Dictionary::of(module.bytes()))
            .fold(Dictionary::default(), Dictionary::with);
        let manifests = || modules.iter().map(|module| module.manifest());
        let clocks = manifests().map(|manifest| manifest.clock_seconds);
        // What is set by default is described to its owner as well.
        let settings = modules.iter().flat_map(|module| module.settings().iter());
        let values = settings.flat_map(|(_, values)| values);
        // `actor=ci-bot until=…` sets two things.
        let parts = values.flat_map(|value| value.split([' ', ',', ';']));
        let settings: Vec<String> = parts
            .map(|part| part.split_once('=').map_or(part, |(_, value)| value))
            .map(|part| part.trim_matches('*'))
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        let mut words = dictionary.texts;
        words.extend(settings.iter().cloned());
        words.extend(COMMON.map(str::to_owned));
        words.sort();
        words.dedup();
        let known: BTreeSet<&str> = known_names().collect();
        let names = words.iter().map(String::as_str);
        let names: BTreeSet<&str> = names.filter(|word| is_name(word)).collect();
        let strange = names.iter().filter(|name| !known.contains(*name));
        let strange = strange.map(|name| (*name).to_owned()).collect();
        let names = names.union(&known).map(|name| (*name).to_owned()).collect();
        Self {
            names,
            strange,
            constants: dictionary
                .numbers
                .iter()
                .map(|number| number.cast_signed())
                .collect(),
            times: match clocks.filter(|seconds| *seconds > 0).min() {
                None => Vec::new(),
                Some(seconds) => times(&dictionary.numbers, seconds),
            },
            context: distinct(manifests().flat_map(|manifest| manifest.context.clone())),
            tallies: distinct(manifests().flat_map(|manifest| {
                let names = manifest.tallies.iter();
                names.map(|tally| tally.name.clone())
            })),
            words,
            numbers: numbers(&dictionary.numbers),
            settings,
        }
    }

    /// Whether somebody has set `text`, or what it begins or ends with.
    pub fn is_set(&self, text: &str) -> bool {
        let is_it = |value: &String| {
            value == text
                || (value.len() >= BEGINNING
                    && (text.starts_with(value.as_str()) || text.ends_with(value.as_str())))
        };
        self.settings.iter().any(is_it)
    }
    /// Whether somebody has set `number`, or one beside it.
    pub fn is_number_set(&self, number: i64) -> bool {
        let mut set = self.settings.iter().filter_map(|value| value.parse().ok());
        set.any(|set: i64| set.abs_diff(number) <= 1)
    }

    /// Whether somebody has set a day or a time of day, so that moments are meant.
    pub fn is_time_set(&self) -> bool {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // `2026-01-31`, `08:00`, `22:00-06:00`, and what a number of seconds since 1970 looks like.
        let is_time = |value: &String| {
            let is_date = value.split('-').take(2).map(str::len).eq([4, 2])
                && value.split('-').take(2).all(digits);
            let hour = value.split(':').next().filter(|hour| hour.len() <= 2);
            let is_of_day = value.contains(':') && hour.is_some_and(digits);
            is_date || is_of_day || (value.len() >= 10 && digits(value))
        };
        self.settings.iter().any(is_time)
    }
}

/// In their order, each once.
fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    texts.filter(|text| seen.insert(text.clone())).collect()
}
