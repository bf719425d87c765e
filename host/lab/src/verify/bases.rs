//! What the laws compare with: the answers to the rows themselves, and those of the module that every set has.

use std::collections::HashMap;

use countersign_core::exhaustive::Row;
use countersign_core::verdict::{Opinion, Ruling, fold};
use countersign_engine::Proven;

use super::asker::{Asker, Said};
use super::point::Point;
use super::rank::Rank;
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

    /// Whether a row of the same caller and verb is allowed that has this value as well: the table shows it to
    /// whoever reads it, so it is no secret way in.
    pub fn opens_in_the_table(&self, point: &Point) -> bool {
        let [change] = point.changes.as_slice() else {
            return false;
        };
        let (verb, credential) = (point.row.verb, point.row.credential);
        let mut rows = self.said.iter().filter(|(row, said)| {
            row.verb == verb && row.credential == credential && said.allows()
        });
        rows.any(|(row, _)| {
            let question = row.question();
            let mut changed = question.clone();
            change.make(&mut changed);
            changed == question
        })
    }

    /// What is said to the row itself.
    pub fn of(&self, row: &Row) -> Option<&Said> {
        self.said.get(row)
    }
}

/// Whether the ruling of a set is looser with this module than without it.
pub fn loosens(module: &Proven, said: &Said, other: &Proven, others: &Said) -> bool {
    let opinion = |module: &Proven, said: &Said| Opinion {
        module: module.id().clone(),
        verdict: said.verdict.clone(),
        notes: Vec::new(),
    };
    let rank = |ruling| match ruling {
        Ruling::Allow { .. } => Rank::Passes,
        Ruling::Gate { .. } => Rank::Waits,
        Ruling::Deny { .. } => Rank::Refused,
    };
    let others = opinion(other, others);
    let without = rank(fold(std::slice::from_ref(&others)));
    rank(fold(&[others, opinion(module, said)])) < without
}
