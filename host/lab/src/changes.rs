//! What differs between two modules, or two settings of one: what loosens first.

mod manifests;

use countersign_core::exhaustive::Row;
use countersign_core::policy::{CallerClass, Ground, Verdict};
use countersign_core::strictness::Change;
use serde::Serialize;

pub use self::manifests::{Declared, declared};
use crate::answers::{Answers, Outcome};
use crate::fold::Folded;
use crate::module::{Answered, Module};

/// What differs between two modules.
#[derive(Clone, Debug)]
pub struct Changes {
    /// What they say of themselves and are set to.
    pub declared: Vec<Declared>,
    /// What they answer: what loosens first, then what tightens, then what is only said otherwise.
    pub answered: Vec<Changed>,
    /// How many rows were compared.
    pub rows: usize,
}

/// Rows of which the same became the same.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Whether more or less happens.
    pub change: Change,
    /// What was answered.
    pub before: Said,
    /// What is answered.
    pub after: Said,
    /// How many rows.
    pub rows: usize,
    /// Which, and what their callers were taken for.
    pub folded: Folded<Classes>,
}

/// An answer, with the words for people where they are what differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Without the words.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The reason and the details, where the outcome is the same.
    #[serde(flatten)]
    pub words: Option<Words>,
}

/// What people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Words {
    /// Why.
    pub reason: String,
    /// The next step, and whatever else was said: names and values.
    pub details: Vec<(String, String)>,
}

/// What a caller was taken for, before and after; none where the classifier failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Classes {
    /// By the former.
    pub before: Option<CallerClass>,
    /// By the latter.
    pub after: Option<CallerClass>,
}

/// The answers to one row that differ.
struct Pair {
    change: Change,
    before: Said,
    after: Said,
    classes: Classes,
}

impl Changes {
    /// What becomes of what `before` says and answers where `after` takes its place.
    pub fn between(before: (&Module, &Answers), after: (&Module, &Answers)) -> Self {
        Self {
            declared: declared(before.0.proven(), after.0.proven()),
            answered: changed(before.1, after.1),
            rows: before.1.len(),
        }
    }

    /// Whether there is no difference.
    pub fn is_empty(&self) -> bool {
        self.declared.is_empty() && self.answered.is_empty()
    }

    /// Whether more can happen in any respect.
    pub fn loosen(&self) -> bool {
        self.answered.iter().any(|one| one.change.loosens())
    }

    /// How many rows change so.
    pub fn count(&self, change: Change) -> usize {
        let so = self.answered.iter().filter(|one| one.change == change);
        so.map(|one| one.rows).sum()
    }
}

/// What is answered otherwise, over the rows that both have.
fn changed(before: &Answers, after: &Answers) -> Vec<Changed> {
    let mut groups: Vec<(Pair, Vec<(&Row, Classes)>)> = Vec::new();
    for (row, one) in before.iter() {
        let Some(pair) = after.get(row).and_then(|other| pair(one, other)) else {
            continue;
        };
        let classes = pair.classes;
        let alike = groups.iter_mut().find(|(known, _)| {
            (known.change, &known.before, &known.after) == (pair.change, &pair.before, &pair.after)
        });
        match alike {
            Some((_, rows)) => rows.push((row, classes)),
            None => groups.push((pair, vec![(row, classes)])),
        }
    }
    let changed = |(pair, rows): (Pair, Vec<(&Row, Classes)>)| Changed {
        change: pair.change,
        before: pair.before,
        after: pair.after,
        rows: rows.len(),
        folded: Folded::of(rows),
    };
    let mut changed: Vec<Changed> = groups.into_iter().map(changed).collect();
    // The most rows first; what has as many stays in the order of the table.
    changed.sort_by_key(|one| (one.change, std::cmp::Reverse(one.rows)));
    changed
}

/// What differs, if anything does.
fn pair(before: &Answered, after: &Answered) -> Option<Pair> {
    if before.class == after.class && before.verdict == after.verdict {
        return None;
    }
    let of_classes = match (&before.class, &after.class) {
        (Ok(before), Ok(after)) => Change::between_classes(*before, *after),
        // Without a class nothing is decided, which the verdicts show.
        _ => Change::Same,
    };
    let change = of_classes.and(Change::between_answers(&before.verdict, &after.verdict));
    let outcomes = [&before.verdict, &after.verdict].map(Outcome::of);
    let is_words = outcomes[0] == outcomes[1] && change == Change::Same;
    let said = |outcome: &Outcome, verdict: &Result<Verdict, String>| Said {
        outcome: outcome.clone(),
        words: verdict
            .as_ref()
            .ok()
            .and_then(Verdict::ground)
            .filter(|_| is_words)
            .map(Words::of),
    };
    let class = |answered: &Answered| answered.class.as_ref().ok().copied();
    Some(Pair {
        change,
        before: said(&outcomes[0], &before.verdict),
        after: said(&outcomes[1], &after.verdict),
        classes: Classes {
            before: class(before),
            after: class(after),
        },
    })
}

impl Words {
    fn of(ground: &Ground) -> Self {
        let details = ground.details.iter();
        let details = details.map(|detail| (detail.name.clone(), manifests::shown(&detail.value)));
        Self {
            reason: ground.reason.clone(),
            details: details.collect(),
        }
    }
}

#[cfg(test)]
mod tests;
