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

use super::opened;
use super::shown::{show, width};
use super::{engine, ink::Ink};
use crate::cli::{Format, Matrix};

/// Shows what a module answers to the exhaustive table.
pub fn run(asked: &Matrix) -> anyhow::Result<()> {
    let rows = opened::rows(&asked.rows)?;
    let engine = engine()?;
    let module = opened::module(&engine, &asked.component, asked.settings.as_deref())?;
    let answers = opened::answers(&module, &rows);
    let view = View::new(&module, answers);
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
}

impl<'m> View<'m> {
    fn new(module: &'m Module, answers: Answers) -> Self {
        let folded = answers.folded();
        let takes: Vec<_> = folded
            .answers()
            .filter_map(|seen| seen.outcome.takes())
            .collect();
        let first = takes.first().copied();
        let all_take = first.filter(|first| takes.iter().all(|other| other == first));
        let all_take = all_take.cloned();
        Self {
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
        takes.into_iter().chain(classifier).collect()
    }
}
