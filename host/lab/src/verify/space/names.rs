//! Names of properties, and where they mean something.

use countersign_core::policy::Question;
use countersign_core::verb::Verb;

use super::super::point::Place;
use crate::vocabulary::{CALLER, CONTEXT, Name, Shape, describe};

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
pub(super) fn known_names() -> impl Iterator<Item = &'static str> {
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

pub(super) fn is_name(word: &str) -> bool {
    let within = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    (2..=40).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.chars().all(within)
}

/// The shape that a property has that means something under `verb`.
pub fn shape_of(verb: Verb, place: Place, name: &str) -> Option<Shape> {
    let facts = CONTEXT.iter().map(|fact| (Place::Context, *fact));
    named(verb)
        .chain(facts)
        .find(|(at, (known, _))| *at == place && *known == name)
        .map(|(_, (_, shape))| shape)
}

/// Whether a name means something somewhere.
pub fn is_known(name: &str) -> bool {
    known_names().any(|known| known == name)
}
