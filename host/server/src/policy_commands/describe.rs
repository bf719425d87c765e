//! `countersign policy describe`.

use countersign_core::tally::TallyScope;
use countersign_lab::description::Description;
use countersign_lab::selection::Selection;
use countersign_lab::words::{counted, span};

use super::check::runs;
use super::shown::json;
use super::{engine, opened};
use crate::cli::Describe;
use crate::commands::table::listed;
use crate::commands::terminal::{self, Plain};
use crate::say;

/// Says what a module is.
pub fn run(asked: &Describe) -> anyhow::Result<()> {
    let engine = engine()?;
    let module = opened::module(&engine, &asked.component, asked.settings.as_deref())?;
    let answers = opened::answers(&module, &Selection::default());
    let description = Description::of(&module, &answers);
    if asked.json {
        return Ok(terminal::write(json(&description)?.as_bytes())?);
    }
    let width = terminal::width();
    let chapters = [
        ("", itself(&description)),
        ("Settings", settings(&description)),
        ("Counts that it asks for", tallies(&description)),
        ("Rules over the exhaustive table", rules(&description)),
        ("Callers are taken for", classes(&description)),
    ];
    let chapters = chapters.iter().filter(|(_, pairs)| !pairs.is_empty());
    let text: Vec<String> = chapters
        .map(|(title, pairs)| {
            let pairs: Vec<(&str, String)> = pairs
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone()))
                .collect();
            let pairs = listed(&pairs, width);
            match title.is_empty() {
                true => pairs,
                false => format!("\n{title}\n{pairs}"),
            }
        })
        .collect();
    say(&text.join("\n"));
    Ok(())
}

/// Somebody's text, fit for a terminal.
fn fit(text: &str) -> String {
    Plain::new(text).to_string()
}

fn listed_or(items: &[String], none: &str) -> String {
    match items {
        [] => none.to_owned(),
        items => fit(&items.join(", ")),
    }
}

/// Names, and what they stand for.
type Pairs = Vec<(String, String)>;

fn itself(described: &Description) -> Pairs {
    let manifest = &described.manifest;
    let clock = match manifest.clock_seconds {
        0 => "none".to_owned(),
        seconds => format!("to {}", span(seconds)),
    };
    let classifier = match described.classifies {
        true => "itself says what kind of caller asks",
        false => "is told what kind of caller asks",
    };
    let mut pairs = vec![
        ("name", manifest.name.clone()),
        ("version", manifest.version.clone()),
        ("description", fit(&manifest.description)),
        ("digest", described.digest.clone()),
        (
            "contract",
            format!("{}, which this host has", described.contract),
        ),
        ("size", size(described)),
        ("cases", cases(described)),
        ("runs", runs(described.mode).to_owned()),
        ("imports", listed_or(&described.imports, "nothing")),
        ("callers", classifier.to_owned()),
        (
            "reads",
            listed_or(&manifest.context, "nothing of the context"),
        ),
        ("clock", clock),
    ];
    let annotations: Vec<(String, String)> = manifest
        .annotations
        .iter()
        .map(|one| {
            let value = serde_json::to_string(&one.value).unwrap_or_default();
            (fit(&one.name), fit(&value))
        })
        .collect();
    let pairs = pairs
        .drain(..)
        .map(|(name, value)| (name.to_owned(), value));
    pairs.chain(annotations).collect()
}

fn size(described: &Description) -> String {
    let bytes = grouped(described.bytes);
    match described.cases_bytes {
        0 => format!("{bytes} bytes"),
        cases => format!("{bytes} bytes, of which {} are its cases", grouped(cases)),
    }
}

/// `50,070`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups: Vec<_> = groups.map(String::from_utf8_lossy).collect();
    groups.join(",")
}

fn cases(described: &Description) -> String {
    match (&described.cases_problem, described.cases) {
        (Some(why), _) => fit(why),
        (None, 0) => "carries none".to_owned(),
        (None, some) => format!("carries {some}, which a host runs when it loads it"),
    }
}

fn tallies(described: &Description) -> Pairs {
    let tallies = described.manifest.tallies.iter().map(|tally| {
        let whose = match tally.kind.scope {
            TallyScope::Actor => "the caller's credential",
            TallyScope::User => "the person or the whole lineage of the token",
            TallyScope::Workspace => "the caller's workspace",
            TallyScope::Organisation => "everybody",
        };
        let verbs: Vec<&str> = tally.kind.verbs.iter().map(|verb| verb.as_str()).collect();
        let verbs = match verbs.is_empty() {
            true => "every verb".to_owned(),
            false => verbs.join(", "),
        };
        let window = span(tally.kind.window_seconds);
        let text = format!("deeds done and approvals pending of {whose} within {window}: {verbs}");
        (fit(&tally.name), text)
    });
    tallies.collect()
}

fn settings(described: &Description) -> Pairs {
    let shown = |values: &[String]| listed_or(values, "none");
    let settings = described.manifest.settings.iter();
    let setting = settings.map(|spec| {
        let value = described.values.get(&spec.name).unwrap_or_default();
        let default = match value == spec.default {
            true => String::new(),
            false => format!("\ndefault: {}", shown(&spec.default)),
        };
        let meaning = fit(&spec.description);
        let text = format!("{}{default}\n{meaning}", shown(value));
        (spec.name.clone(), text)
    });
    setting.collect()
}

fn rules(described: &Description) -> Pairs {
    let rules = described.rules.iter().map(|named| {
        let rule = match named.rule.is_empty() {
            true => named.verdict.to_owned(),
            false => fit(&named.rule),
        };
        (
            rule,
            format!("{} in {}", named.verdict, counted(named.rows, "row")),
        )
    });
    rules.collect()
}

fn classes(described: &Description) -> Pairs {
    let classes = described.classes.iter().map(|one| {
        let class = one
            .class
            .map_or("nothing: it fails", |class| class.as_str());
        (class.to_owned(), format!("in {}", counted(one.rows, "row")))
    });
    classes.collect()
}
