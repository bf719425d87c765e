//! `countersign policy matrix`.

mod csv;
mod html;
mod json;
mod markdown;
mod terminal;

pub use self::json::BlockKey;
use countersign_lab::answers::{Answers, Outcome, Seen, Takes};
use countersign_lab::fold::Folded;
use countersign_lab::module::Module;
use countersign_lab::words::{self, counted};

use super::lives::HostLives;
use super::opened;
use super::shown::{show, width};
use super::{engine, ink::Ink};
use crate::cli::{Format, Matrix};
use crate::config::Flags;

/// Shows what a module answers to the exhaustive table.
pub fn run(asked: &Matrix, flags: &Flags) -> anyhow::Result<()> {
    let lives = HostLives::of(flags)?;
    let rows = opened::rows(&asked.rows)?;
    let engine = engine()?;
    let module = opened::module(&engine, &asked.component, asked.settings.as_deref())?;
    let answers = lives.apply(opened::answers(&module, &rows));
    let view = View::new(&module, answers, &lives);
    let text = match asked.shown.format {
        Format::Terminal => terminal::render(&view, Ink::new(&asked.shown), width(&asked.shown)),
        Format::Markdown => markdown::render(&view),
        Format::Html => html::render(&view)?,
        Format::Csv => csv::render(&view, asked.folded),
        Format::Json => json::render(&view, asked.folded)?,
    };
    show(&asked.shown, &text)
}

/// What there is to show.
pub struct View<'m> {
    module: &'m Module,
    answers: Answers,
    folded: Folded<Seen>,
    /// What every gate takes, where all take the same.
    all_take: Option<Takes>,
    lives: Option<String>,
}

impl<'m> View<'m> {
    fn new(module: &'m Module, answers: Answers, lives: &HostLives) -> Self {
        let folded = answers.folded();
        let takes: Vec<_> = folded
            .answers()
            .filter_map(|seen| seen.outcome.takes())
            .collect();
        let first = takes.first().copied();
        let gates = first.is_some();
        let all_take = first.filter(|first| takes.iter().all(|other| other == first));
        let all_take = all_take.cloned();
        let is_left = folded.answers().any(|seen| seen.outcome.leaves_a_life());
        Self {
            lives: lives.note(is_left).filter(|_| gates),
            module,
            answers,
            folded,
            all_take,
        }
    }

    /// What this gate takes, where that is not said of all.
    fn takes<'s>(&self, outcome: &'s Outcome) -> Option<&'s Takes> {
        outcome.takes().filter(|_| self.all_take.is_none())
    }

    /// `1856 rows in 43 lines`.
    fn size(&self) -> String {
        let (rows, lines) = (self.answers.len(), self.folded.len());
        format!("{} in {}", counted(rows, "row"), counted(lines, "line"))
    }

    /// What holds for all lines.
    fn notes(&self) -> Vec<String> {
        let takes = self.all_take.as_ref().map(words::takes);
        let takes = takes.map(|takes| format!("Every gate takes {takes}."));
        let is_other = !self.module.is_classifier();
        let classifier = is_other.then(|| self.module.classifier().id());
        let classifier = classifier.map(|other| format!("{other} says what kind of caller asks."));
        let lives = self.lives.clone();
        takes.into_iter().chain(lives).chain(classifier).collect()
    }
}
