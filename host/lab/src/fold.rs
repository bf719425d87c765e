//! Rows of the exhaustive table that agree, said in one line.
//!
//! Of each verb, rows whose answers agree along one dimension (the credential, the role, a choice of flags)
//! while all else is equal become one [`Block`], until nothing more can be merged. Verbs that come out
//! alike stand together. The blocks of a verb are apart from each other and are exactly its rows, so that
//! [`Folded::rows`] gives back what was folded.

mod dimensions;

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::exhaustive::{Choice, Row, choices};
use countersign_core::policy::{Credential, Role};
use countersign_core::verb::Verb;

use dimensions::{Cuboid, Dimensions, merged};

/// Folded rows: verbs that are answered alike, in the order of their first verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded<A>(Vec<Group<A>>);

/// Verbs that are answered alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group<A> {
    /// In their order.
    pub verbs: Vec<Verb>,
    /// Who asks for them, and the answer.
    pub lines: Vec<Line<A>>,
}

/// Rows that agree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<A> {
    /// Which.
    pub block: Block,
    /// What all of them are answered.
    pub answer: A,
}

/// Rows of a verb: all of these credentials with all of these roles under all of these conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The credentials.
    pub credentials: BTreeSet<Credential>,
    /// The roles.
    pub roles: BTreeSet<Role>,
    /// What is chosen, where the choice makes a difference.
    pub conditions: Vec<Condition>,
}

/// What is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Of what.
    pub choice: Choice,
    /// Any of these.
    pub taken: BTreeSet<Option<&'static str>>,
}

impl<A: Clone + Eq> Folded<A> {
    /// Folds `rows`, which may be a part of the exhaustive table.
    pub fn of<'r>(rows: impl IntoIterator<Item = (&'r Row, A)>) -> Self {
        let mut by_verb: BTreeMap<Verb, Vec<(&Row, usize)>> = BTreeMap::new();
        let mut answers: Vec<A> = Vec::new();
        for (row, answer) in rows {
            let known = answers.iter().position(|known| *known == answer);
            let at = known.unwrap_or_else(|| {
                answers.push(answer);
                answers.len() - 1
            });
            by_verb.entry(row.verb).or_default().push((row, at));
        }
        let mut groups: Vec<Group<A>> = Vec::new();
        for (verb, rows) in by_verb {
            let lines = lines(verb, &rows, &answers);
            match groups.iter_mut().find(|group| group.lines == lines) {
                Some(alike) => alike.verbs.push(verb),
                None => groups.push(Group {
                    verbs: vec![verb],
                    lines,
                }),
            }
        }
        Self(groups)
    }

    /// Every row, with its answer.
    pub fn rows(&self) -> impl Iterator<Item = (Row, &A)> {
        fn each<A>(group: &Group<A>) -> Vec<(Verb, &Line<A>)> {
            let verbs = group.verbs.iter().copied();
            let pairs = verbs.flat_map(|verb| group.lines.iter().map(move |line| (verb, line)));
            pairs.collect()
        }
        self.0.iter().flat_map(each).flat_map(|(verb, line)| {
            let rows = line.block.rows(verb).into_iter();
            rows.map(|row| (row, &line.answer))
        })
    }
}

impl<A> Folded<A> {
    /// Verbs that are answered alike, together.
    pub fn groups(&self) -> &[Group<A>] {
        &self.0
    }

    /// Whether there are no rows at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many lines there are to read.
    pub fn len(&self) -> usize {
        self.0.iter().map(|group| group.lines.len()).sum()
    }

    /// Every line's answer.
    pub fn answers(&self) -> impl Iterator<Item = &A> {
        self.0
            .iter()
            .flat_map(|group| group.lines.iter().map(|line| &line.answer))
    }
}

impl Block {
    /// How many rows it has, for each verb.
    pub fn rows_of(&self, verb: Verb) -> usize {
        self.rows(verb).len()
    }

    fn rows(&self, verb: Verb) -> Vec<Row> {
        let taken = |choice: &Choice| {
            let condition = self.conditions.iter().find(|one| one.choice == *choice);
            match condition {
                Some(condition) => condition.taken.iter().copied().collect(),
                None => choice.to_vec(),
            }
        };
        let sets = choices(verb).iter().fold(vec![vec![]], |sets, choice| {
            let flags: Vec<Option<&'static str>> = taken(choice);
            let with = |set: &Vec<&'static str>| {
                let sets = flags.iter().map(|flag| {
                    let set: Vec<_> = set.iter().copied().chain(*flag).collect();
                    set
                });
                sets.collect::<Vec<_>>()
            };
            sets.iter().flat_map(with).collect()
        });
        let mut rows = Vec::new();
        for &credential in &self.credentials {
            for &role in &self.roles {
                rows.extend(sets.iter().map(|flags| Row {
                    credential,
                    role,
                    verb,
                    flags: flags.clone(),
                }));
            }
        }
        rows
    }
}

fn lines<A: Clone>(verb: Verb, rows: &[(&Row, usize)], answers: &[A]) -> Vec<Line<A>> {
    let dimensions = Dimensions::of(verb);
    let points = rows
        .iter()
        .map(|(row, answer)| (dimensions.point(row), *answer));
    let mut boxes: Vec<(Cuboid, usize)> = merged(&dimensions, points.collect());
    boxes.sort_by_cached_key(|(cuboid, _)| dimensions.place(cuboid));
    let line = |(cuboid, answer): (Cuboid, usize)| Line {
        block: dimensions.block(&cuboid),
        answer: answers[answer].clone(),
    };
    boxes.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests;
