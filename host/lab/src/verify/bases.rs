//! What the laws compare with: the answers to the rows themselves, and those of the module that every set has.

use std::collections::HashMap;

use countersign_core::exhaustive::Row;
use countersign_core::policy::Verdict;
use countersign_core::strictness;
use countersign_core::verdict::{Opinion, Took, fold};
use countersign_engine::Proven;

use super::asker::{Asker, Said};
use super::point::{Change, Place, Point, Text};
use super::rank::{self, Answer};
use super::space::Space;

/// What the laws compare with.
pub struct Bases<'s> {
    pub(super) space: &'s Space,
    /// Whether it is the module that every set has, so that what it allows is allowed.
    pub(super) stands_alone: bool,
    said: HashMap<Row, Said>,
}

impl<'s> Bases<'s> {
    /// Asks for every row.
    pub fn new(space: &'s Space, rows: &[Row], asker: &mut Asker<'_>) -> Self {
        let said = rows
            .iter()
            .map(|row| (row.clone(), asker.ask(&row.question())));
        let said = said.collect();
        Self {
            space,
            stands_alone: asker.is_classifier(),
            said,
        }
    }

    /// Whether the table shows to whoever reads it that as much is got, so that it is no secret way in: by a
    /// row of the same caller and verb that has this value as well, or, where the value says whose the target
    /// is, by any.
    pub fn opens_in_the_table(&self, point: &Point, said: &Said) -> bool {
        let [change] = point.changes.as_slice() else {
            return false;
        };
        let is_as_loose = |of_row: &Said| rank::is_as_loose(&of_row.verdict, &said.verdict);
        let mut rows = self
            .like(&point.row)
            .filter(|(_, of_row)| is_as_loose(of_row));
        let is_gate = matches!(said.verdict, Ok(Verdict::Gate(_)));
        if is_gate && says_whose(change) {
            return rows.next().is_some();
        }
        rows.any(|(row, _)| {
            let question = row.question();
            let mut changed = question.clone();
            change.make(&mut changed);
            changed == question
        })
    }

    /// Whether any row of the same caller and verb is allowed.
    pub fn allows_anything(&self, row: &Row) -> bool {
        self.like(row).any(|(_, said)| said.allows())
    }

    fn like(&self, row: &Row) -> impl Iterator<Item = (&Row, &Said)> {
        let (verb, credential) = (row.verb, row.credential);
        let rows = self.said.iter();
        rows.filter(move |(row, _)| row.verb == verb && row.credential == credential)
    }

    /// What is said to the row itself.
    pub fn of(&self, row: &Row) -> Option<&Said> {
        self.said.get(row)
    }
}

/// Whether it is one of those by which a target is taken for the caller's own.
fn says_whose(change: &Change) -> bool {
    match change {
        Change::Text(which, _) => {
            matches!(
                which,
                Text::Workspace | Text::ResourceKind | Text::ResourceId
            )
        }
        Change::Set(Place::Resource, name, _) | Change::Absent(Place::Resource, name) => {
            ["workspace", "scope"].contains(&name.as_str())
        }
        _ => false,
    }
}

/// Whether the ruling of a set is looser with this module than without it.
pub fn loosens((module, said): (&Proven, &Said), others: &Others<'_>) -> bool {
    let opinion = |module: &Proven, verdict: &Answer| Opinion {
        module: module.id().clone(),
        verdict: verdict.clone(),
        notes: Vec::new(),
        took: Took::UNKNOWN,
    };
    let others = opinion(others.module, &others.verdict);
    let without = fold(std::slice::from_ref(&others));
    let with = fold(&[others, opinion(module, &said.verdict)]);
    strictness::Change::between_rulings(&without, &with).loosens()
}

/// What the classifier's module says, which every set has.
pub struct Others<'m> {
    /// It.
    pub module: &'m Proven,
    /// Its answer.
    pub verdict: Answer,
}
