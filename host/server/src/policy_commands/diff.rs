//! `countersign policy diff`.

mod csv;
mod html;
mod json;
mod markdown;
mod terminal;

use std::path::Path;

use countersign_core::strictness::Change;
use countersign_lab::answers::{Answers, Outcome};
use countersign_lab::changes::{Changed, Changes, Classes, Said};
use countersign_lab::module::Module;
use countersign_lab::selection::Selection;
use countersign_lab::words::{self, counted};

use super::ink::Ink;
use super::lives::HostLives;
use super::shown::{show, width};
use super::{engine, opened};
use crate::cli::{Diff, Format};
use crate::commands::failure::{Exit, Failure};
use crate::config::Flags;

/// The ways in which answers change, in the order in which they are shown.
const KINDS: [(Change, &str); 4] = [
    (Change::Looser, "Looser"),
    (Change::Mixed, "Looser in one respect, tighter in another"),
    (Change::Tighter, "Tighter"),
    (Change::Same, "Said otherwise"),
];

/// Shows what differs between two modules, and ends as scripts can tell.
pub fn run(asked: &Diff, flags: &Flags) -> anyhow::Result<()> {
    let view = compared(asked, flags).map_err(usage)?;
    let text = match asked.shown.format {
        Format::Terminal => terminal::render(&view, Ink::new(&asked.shown), width(&asked.shown)),
        Format::Markdown => markdown::render(&view),
        Format::Html => html::render(&view)?,
        Format::Csv => csv::render(&view),
        Format::Json => json::render(&view)?,
    };
    show(&asked.shown, &text).map_err(usage)?;
    match (view.changes.loosen(), view.changes.is_empty()) {
        (true, _) => Err(Failure::said(Exit::Pending).into()),
        (false, false) => Err(Failure::said(Exit::Failed).into()),
        (false, true) => Ok(()),
    }
}

/// That nothing could be compared is told apart from differences.
fn usage(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Failure>() {
        Ok(failure) => failure.into(),
        Err(error) => Failure::usage(format!("{error:#}")).into(),
    }
}

fn compared(asked: &Diff, flags: &Flags) -> anyhow::Result<View> {
    let lives = HostLives::of(flags)?;
    let rows = opened::rows(&asked.rows)?;
    let engine = engine()?;
    let named = asked.after.as_deref().unwrap_or(&asked.before);
    let open = |named: &Path, settings: Option<&Path>| opened::module(&engine, named, settings);
    let before = open(&asked.before, asked.settings_a.as_deref())?;
    let after = open(named, asked.settings_b.as_deref())?;
    let [one, other] = [&before, &after].map(|module| lives.apply(opened::answers(module, &rows)));
    let changes = Changes::between((&before, &one), (&after, &other));
    let is_left = |answers: &Answers| {
        let mut rows = answers.iter();
        rows.any(|(_, answered)| Outcome::of(&answered.verdict).leaves_a_life())
    };
    let lives = lives.note(is_left(&one) || is_left(&other));
    Ok(View {
        is_whole: rows == Selection::default(),
        lives,
        before,
        after,
        changes,
    })
}

/// What there is to show.
pub struct View {
    before: Module,
    after: Module,
    changes: Changes,
    /// Whether every row was compared.
    is_whole: bool,
    lives: Option<String>,
}

impl View {
    /// `baseline@0.1.0 → two-people@1.0.0`.
    fn title(&self) -> String {
        let [before, after] = [&self.before, &self.after].map(|module| module.proven().id());
        format!("{before} → {after}")
    }

    /// What was compared, and what was not.
    fn compared(&self) -> Vec<String> {
        let which = match self.is_whole {
            true => "every row of the exhaustive table",
            false => "the chosen rows of the exhaustive table, and no others",
        };
        let (rows, lives) = (counted(self.changes.rows, "row"), self.lives.clone());
        let what = format!(
            "Compared: what both declare and are set to, and their answers to {which} ({rows})."
        );
        let rest = "Not compared: times, counts, lengths, names and values that no row has. \
                    `countersign policy verify` searches there, and `countersign policy replay` asks what was decided."
            .to_owned();
        [what, rest].into_iter().chain(lives).collect()
    }

    /// The digests of both.
    fn digests(&self) -> [&str; 2] {
        [&self.before, &self.after].map(|module| module.proven().id().digest.as_str())
    }

    /// In one line, how much differs.
    fn summary(&self) -> String {
        if self.changes.is_empty() {
            return format!("No difference over {}.", counted(self.changes.rows, "row"));
        }
        let count = |change| self.changes.count(change);
        let counts = [
            (count(Change::Looser), "looser"),
            (count(Change::Mixed), "looser and tighter"),
            (count(Change::Tighter), "tighter"),
            (count(Change::Same), "said otherwise"),
        ];
        let counts = counts.iter().filter(|(rows, _)| *rows > 0);
        let mut parts: Vec<String> = counts
            .map(|(rows, what)| format!("{rows} {what}"))
            .collect();
        if parts.is_empty() {
            parts.push("none answered otherwise".to_owned());
        }
        let rows = counted(self.changes.rows, "row");
        let declared = match self.changes.declared.len() {
            0 => String::new(),
            some => format!("; {} declared otherwise", counted(some, "thing")),
        };
        format!("Of {rows}: {}{declared}.", parts.join(", "))
    }

    /// The changes of a kind, kind by kind.
    fn sections(&self) -> impl Iterator<Item = (Change, &'static str, Vec<&Changed>)> {
        KINDS.into_iter().filter_map(|(change, title)| {
            let answered = self.changes.answered.iter();
            let some: Vec<_> = answered.filter(|one| one.change == change).collect();
            (!some.is_empty()).then_some((change, title, some))
        })
    }
}

/// What was answered in one phrase: `gate agents-need-a-person (1 person)`.
fn said(said: &Said) -> String {
    let outcome = &said.outcome;
    let mut phrase = outcome.word().to_owned();
    if !outcome.rule().is_empty() {
        phrase += &format!(" {}", outcome.rule());
    }
    if let Some(takes) = outcome.takes() {
        phrase += &format!(" ({})", words::takes(takes));
    }
    phrase
}

/// The words for people that differ: what they are, before and after.
fn worded(changed: &Changed) -> Vec<(String, String, String)> {
    let (Some(before), Some(after)) = (&changed.before.words, &changed.after.words) else {
        return Vec::new();
    };
    let mut names = vec!["reason".to_owned()];
    for (name, _) in before.details.iter().chain(&after.details) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    let value = |words: &countersign_lab::changes::Words, name: &str| match name {
        "reason" => words.reason.clone(),
        name => {
            let found = words.details.iter().find(|(known, _)| known == name);
            found.map_or_else(|| "nothing".to_owned(), |(_, value)| value.clone())
        }
    };
    names
        .into_iter()
        .map(|name| {
            let (before, after) = (value(before, &name), value(after, &name));
            (name, before, after)
        })
        .filter(|(_, before, after)| before != after)
        .collect()
}

/// What the callers are taken for: `agent`, or `agent → human`.
fn classes(classes: Classes) -> String {
    let word = |class: Option<countersign_core::policy::CallerClass>| {
        class.map_or("-", |class| class.as_str())
    };
    match classes.before == classes.after {
        true => word(classes.after).to_owned(),
        false => format!("{} → {}", word(classes.before), word(classes.after)),
    }
}
