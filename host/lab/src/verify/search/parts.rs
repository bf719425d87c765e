//! Which questions there are, in parts for several threads.

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Credential, Role};
use countersign_core::verb::Verb;

use super::super::asker::Said;
use super::super::rank;
use super::super::space::Breadth;
use super::Search;
use crate::cases::Property;
use crate::vocabulary::{Privileged, describe};

/// A part of the work, for one thread.
pub enum Part<'p> {
    /// Changes in a row, one by one.
    Sweep(Row, Breadth),
    /// Everything that the component has in it, at every place at once; beginning with another number each
    /// time.
    Words(Row, usize),
    /// What begins or ends as that does, at every place at once.
    Near(Row),
    /// What is easily got wrong, at every place at once.
    Others(Row),
    /// Every name that the component has, as properties that mean nothing.
    Crowds(Row),
    /// One question again and again in one instance, so many times.
    Repeat(Row, u32),
    /// Several changes at random, beginning with this number.
    Draws(usize, usize),
    /// A property of one's own, with changes at random.
    Own(&'p Property, usize),
}

/// Those who ask for what is privileged and are no people.
const CALLERS: [Credential; 5] = [
    Credential::Anonymous,
    Credential::OrgToken,
    Credential::AdminToken,
    Credential::WorkspaceToken,
    Credential::Vouched,
];
/// What is asked with all names at once: each costs as much as twenty other questions.
const CROWDED: [Verb; 3] = [Verb::OrgTokenMint, Verb::SecretWrite, Verb::DeleteWorkspace];

/// Draws of one part.
const DRAWN_AT_ONCE: usize = 4_000;
/// A question is repeated so often in one instance, and so often for those callers for whom less may do: what
/// counts, counts all.
const MANY_REPEATS: u32 = 20_000;
const REPEATS: u32 = 1_100;
const FEW_REPEATS: u32 = 40;

impl Part<'_> {
    /// Whether it is done however little is asked: what costs little, and what most is found by.
    fn is_needed(&self) -> bool {
        let is_plain = |row: &Row| {
            row.role == Role::Admin
                && row.flags.iter().all(|flag| *flag == "asks-none")
                && !matches!(describe(row.verb).privileged, Privileged::No)
        };
        match self {
            Part::Sweep(_, Breadth::Form) => true,
            Part::Sweep(row, Breadth::Whole) => {
                is_plain(row) && row.credential == Credential::OrgToken
            }
            Part::Words(row, _) => is_plain(row) && CALLERS.contains(&row.credential),
            _ => false,
        }
    }
}

impl Search<'_> {
    /// All that is to be done beyond the table.
    pub fn parts<'p>(&self, properties: &'p [Property]) -> Vec<Part<'p>> {
        let mut parts = self.of_rows();
        let (mut number, stride) = (0, self.effort.stride.max(1));
        parts.retain(|part| {
            number += usize::from(!part.is_needed());
            part.is_needed() || number % stride == 0
        });
        // The largest first, so that no thread is left alone with one at the end.
        parts.sort_by_key(|part| match part {
            Part::Sweep(_, breadth) => std::cmp::Reverse(Some(*breadth)),
            _ => std::cmp::Reverse(None),
        });
        let draws = (0..self.effort.draws).step_by(DRAWN_AT_ONCE);
        parts.extend(
            draws.map(|from| Part::Draws(from, (from + DRAWN_AT_ONCE).min(self.effort.draws))),
        );
        for property in properties {
            parts.push(Part::Own(property, self.effort.for_each_property));
        }
        parts
    }

    fn of_rows<'p>(&self) -> Vec<Part<'p>> {
        let mut parts = Vec::new();
        let mut plain = BTreeSet::new();
        let mut answers: BTreeMap<Verb, Vec<&Said>> = BTreeMap::new();
        for (number, row) in self.rows.iter().enumerate() {
            let is_plain = plain.insert((row.verb, row.credential, row.role));
            let is_privileged = !matches!(describe(row.verb).privileged, Privileged::No);
            let is_admin = row.role == Role::Admin;
            let is_token = row.credential == Credential::OrgToken;
            let is_caller = CALLERS.contains(&row.credential);
            // Every caller without flags, and what is privileged with each set of them.
            if is_plain || (is_admin && is_privileged && is_caller) {
                parts.push(Part::Words(row.clone(), number));
            }
            if !is_admin {
                continue;
            }
            if is_plain {
                if is_token {
                    parts.push(Part::Near(row.clone()));
                }
                if is_token || is_privileged {
                    parts.push(Part::Others(row.clone()));
                }
                if is_token && CROWDED.contains(&row.verb) {
                    parts.push(Part::Crowds(row.clone()));
                }
                let times = match is_token {
                    true if CROWDED.contains(&row.verb) => MANY_REPEATS,
                    true => REPEATS,
                    false => FEW_REPEATS,
                };
                parts.push(Part::Repeat(row.clone(), times));
            }
            // A program's rows whole, but of those that are answered alike one.
            let said = self.bases.of(row).filter(|_| is_token);
            let is_new =
                said.is_some_and(|said| is_new(answers.entry(row.verb).or_default(), said));
            let breadth = match (is_new, is_plain, is_privileged && is_caller) {
                (true, ..) => Breadth::Whole,
                (false, true, true) => Breadth::Words,
                (false, true, false) => Breadth::Form,
                (false, false, _) => continue,
            };
            parts.push(Part::Sweep(row.clone(), breadth));
        }
        parts
    }
}

/// Whether an answer is unlike all of `answers`, to which it is added.
fn is_new<'s>(answers: &mut Vec<&'s Said>, said: &'s Said) -> bool {
    let rule = |said: &Said| {
        let verdict = said.verdict.as_ref().ok();
        let ground = verdict.and_then(|verdict| verdict.ground());
        ground.map(|ground| ground.rule.clone())
    };
    let is_alike = |other: &&Said| {
        rank::is_the_same(&other.verdict, &said.verdict) && rule(other) == rule(said)
    };
    let is_new = !answers.iter().any(is_alike);
    answers.push(said);
    is_new
}
