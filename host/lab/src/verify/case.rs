//! A counterexample, as a case that `test` runs.

use countersign_core::policy::Value;

use super::laws::{Breach, Law};
use super::point::{Change, Point, extra};

/// So much of a value is in a case's name.
const NAMED: usize = 48;

/// The text of a file with one case: what is asked, and what would be right.
pub fn written(breach: &Breach, name: &str) -> String {
    let Breach {
        law,
        point,
        expected,
        sentence,
    } = breach;
    let calls = match law {
        Law::Stateless => Some(reused(sentence)),
        Law::Deterministic => Some(("in fresh instances", "calls = 100\n".to_owned())),
        _ => None,
    };
    let mut name = named(name, point);
    if let Some((how, _)) = &calls {
        name.push_str(&format!(", {how}"));
    }
    let mut text = format!("[[case]]\nname = {}\n", quoted(&name));
    text.push_str(&given(point));
    match calls {
        // What is right is what a fresh instance answers.
        Some((_, calls)) => text.push_str(&format!("{calls}expect = {{ alike = true }}\n")),
        None => text.push_str(&format!("expect = {{ {expected} }}\n")),
    }
    text
}

/// One instance that is asked the question as often as it took, or else after each question of the table: what
/// it was asked before is not known.
fn reused(sentence: &str) -> (&'static str, String) {
    let number = sentence.strip_prefix("call ");
    let number = number.and_then(|rest| rest.split(' ').next()?.parse::<usize>().ok());
    let (how, calls) = match number {
        Some(number) => ("again", format!("calls = {number}\n")),
        None => (
            "after others",
            "after = [{ credential = \"*\", role = \"*\", verb = \"*\", flags = \"*\" }]\n"
                .to_owned(),
        ),
    };
    (how, format!("{calls}instance = \"reused\"\n"))
}

/// `name`, and where: in one file there may be several counterexamples to one law.
fn named(name: &str, point: &Point) -> String {
    let key = point.row.key();
    let mut named = format!("{name}: {}", key.trim_end_matches(" -"));
    for change in &point.changes {
        let (path, value) = match change {
            Change::Text(which, text) => (which.path().to_owned(), text.clone()),
            Change::Set(place, name, Value::Text(text)) => {
                (format!("{}.{name}", place.path()), text.clone())
            }
            Change::Set(place, name, value) => (format!("{}.{name}", place.path()), valued(value)),
            Change::Absent(place, name) => {
                (format!("{}.{name}", place.path()), "absent".to_owned())
            }
            Change::Extra(place, count) => (place.path().to_owned(), format!("{count} more")),
            Change::Time(time) => ("time".to_owned(), time.to_string()),
            Change::Tally(name, count) => (format!("tallies.{name}"), count.to_string()),
        };
        let whole = value.chars().count();
        let value: String = match whole > NAMED {
            true => value
                .chars()
                .take(NAMED)
                .chain("… of ".chars())
                .chain(whole.to_string().chars())
                .collect(),
            false => value,
        };
        named.push_str(&format!(", {path} = {value}"));
    }
    named
}

/// The lines that say what is given.
pub fn given(point: &Point) -> String {
    let row = &point.row;
    let flags: Vec<String> = row.flags.iter().map(|flag| quoted(flag)).collect();
    let mut text = format!(
        "given.credential = \"{}\"\ngiven.role = \"{}\"\ngiven.verb = \"{}\"\n",
        row.credential, row.role, row.verb
    );
    if !flags.is_empty() {
        text.push_str(&format!("given.flags = [{}]\n", flags.join(", ")));
    }
    for change in &point.changes {
        for line in lines(change) {
            text.push_str(&format!("given.{line}\n"));
        }
    }
    text
}

fn lines(change: &Change) -> Vec<String> {
    match change {
        Change::Text(which, text) => vec![format!("{} = {}", which.path(), quoted(text))],
        Change::Set(place, name, value) => {
            vec![format!(
                "{}.{} = {}",
                place.path(),
                quoted(name),
                valued(value)
            )]
        }
        Change::Absent(place, name) => {
            vec![format!(
                "{}.{} = {{ absent = true }}",
                place.path(),
                quoted(name)
            )]
        }
        Change::Extra(place, count) => extra(*count)
            .map(|property| format!("{}.{} = true", place.path(), quoted(&property.name)))
            .collect(),
        Change::Time(time) => vec![format!("time = {time}")],
        Change::Tally(name, count) => vec![format!("tallies.{} = {count}", quoted(name))],
    }
}

fn valued(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text),
        Value::Integer(number) => number.to_string(),
        // TOML wants a point or an exponent in it.
        Value::Decimal(number) => format!("{number:?}"),
        Value::Boolean(flag) => flag.to_string(),
        Value::Texts(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            format!("[{}]", texts.join(", "))
        }
        Value::Json(text) => format!("{{ json = {} }}", quoted(text)),
    }
}

/// A basic string of TOML, in which nothing is left that a terminal or an eye takes for something else.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            ' '..='~' => quoted.push(c),
            c if c.is_alphanumeric() => quoted.push(c),
            c if u32::from(c) <= 0xFFFF => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08X}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use countersign_core::exhaustive::rows;

    use super::super::point::{Place, Text};
    use super::*;
    use crate::cases::CaseFile;

    #[test]
    fn what_only_another_call_shows_is_written_as_a_case_of_many() {
        let row = rows().next().expect("there are rows");
        let breach = |law, sentence: &str| Breach {
            law,
            point: Point::of(row.clone()),
            expected: "not = \"fails\"".to_owned(),
            sentence: sentence.to_owned(),
        };
        let breaches = [
            (
                Law::Stateless,
                "call 7 in one instance has another answer than the first",
                (7, true, 1),
            ),
            (
                Law::Stateless,
                "an earlier call in the same instance changes the answer",
                (1, true, rows().count()),
            ),
            (
                Law::Deterministic,
                "two fresh instances answer differently",
                (100, false, 1),
            ),
        ];
        let text: String = breaches
            .iter()
            .map(|(law, sentence, _)| written(&breach(*law, sentence), "a law"))
            .collect();
        // All of them in one file, as somebody pastes them.
        let file = CaseFile::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        for (case, (.., expected)) in file.cases.iter().zip(&breaches) {
            let turns = case.calls.earlier().expect("it was read").turns().count();
            assert_eq!(
                (case.calls.times(), case.calls.is_reused(), turns),
                *expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_written_asks_the_same_question() {
        let changes = [
            vec![],
            vec![Change::Text(
                Text::Verb,
                " org_token_mint\t\u{202e}é🦀\"\\\u{7f}".to_owned(),
            )],
            vec![
                Change::Text(Text::Actor, String::new()),
                Change::Set(
                    Place::Caller,
                    "groups".to_owned(),
                    Value::Texts(vec!["a".to_owned()]),
                ),
                Change::Set(Place::Action, "a.b \"c\"".to_owned(), Value::Decimal(-0.0)),
                Change::Set(
                    Place::Resource,
                    "x".to_owned(),
                    Value::Json("{}".to_owned()),
                ),
                Change::Set(
                    Place::Context,
                    "claim.x".to_owned(),
                    Value::Integer(i64::MIN),
                ),
                Change::Set(Place::Subject, "y".to_owned(), Value::Boolean(false)),
                Change::Time(213_000),
                Change::Tally("mints".to_owned(), u32::MAX),
            ],
            vec![
                Change::Absent(Place::Action, "name".to_owned()),
                Change::Extra(Place::Caller, 3),
            ],
        ];
        for row in rows().step_by(7) {
            for changes in &changes {
                let breach = Breach {
                    law: Law::Total,
                    point: Point {
                        row: row.clone(),
                        changes: changes.clone(),
                    },
                    expected: "not = \"fails\"".to_owned(),
                    sentence: String::new(),
                };
                let text = written(&breach, "a name with \"quotes\"");
                let file = CaseFile::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
                let variants = file.cases[0].given.variants().expect("it was read");
                let questions: Vec<_> = variants
                    .into_iter()
                    .map(|variant| variant.question)
                    .collect();
                assert_eq!(questions, [breach.point.question()], "{text}");
            }
        }
    }
}
