//! The merging, on sets of numbered alternatives.

use std::collections::{BTreeMap, BTreeSet};

use countersign_core::exhaustive::{Choice, Row, choices};
use countersign_core::policy::{Credential, Role};
use countersign_core::verb::Verb;

use super::{Block, Condition};

/// The order in which people want to read of credentials: themselves, their agents, then the rest.
const CREDENTIALS: [Credential; 8] = [
    Credential::VerifiedSession,
    Credential::OrgToken,
    Credential::AdminToken,
    Credential::WorkspaceToken,
    Credential::Provisioner,
    Credential::Vouched,
    Credential::Anonymous,
    Credential::Other,
];

/// Of each dimension a set of alternatives, one bit each.
pub(super) type Cuboid = Vec<u8>;

/// The dimensions of a verb's rows: credential, role, and each choice.
pub(super) struct Dimensions(&'static [Choice]);

impl Dimensions {
    pub(super) fn of(verb: Verb) -> Self {
        Self(choices(verb))
    }

    fn count(&self) -> usize {
        2 + self.0.len()
    }

    pub(super) fn point(&self, row: &Row) -> Cuboid {
        let bit = |at: Option<usize>| 1 << at.unwrap_or(0);
        let of_choice = |choice: &Choice| {
            let is_taken = |flag: &Option<&str>| flag.is_some_and(|flag| row.flags.contains(&flag));
            let taken = choice.iter().position(is_taken);
            bit(taken.or_else(|| choice.iter().position(Option::is_none)))
        };
        let credential = CREDENTIALS.iter().position(|one| *one == row.credential);
        let role = Role::ALL.iter().position(|one| *one == row.role);
        [bit(credential), bit(role)]
            .into_iter()
            .chain(self.0.iter().map(of_choice))
            .collect()
    }

    /// Where a box stands among others.
    pub(super) fn place(&self, cuboid: &Cuboid) -> Vec<u32> {
        let lowest = cuboid.iter().map(|set| set.trailing_zeros());
        lowest.collect()
    }

    pub(super) fn block(&self, cuboid: &Cuboid) -> Block {
        let conditions = self.0.iter().zip(&cuboid[2..]).filter_map(|(choice, set)| {
            let is_free = set.count_ones() as usize == choice.len();
            (!is_free).then(|| Condition {
                choice,
                taken: members(*set, choice),
            })
        });
        Block {
            credentials: members(cuboid[0], &CREDENTIALS),
            roles: members(cuboid[1], Role::ALL),
            conditions: conditions.collect(),
        }
    }

    /// How much there is to read in a box: nothing where every alternative is in it.
    fn words(&self, cuboid: &Cuboid) -> usize {
        let all = |at: usize| match at {
            0 => CREDENTIALS.len(),
            1 => Role::ALL.len(),
            _ => self.0[at - 2].len(),
        };
        let words = |(at, set): (usize, &u8)| match set.count_ones() as usize {
            some if some == all(at) => 0,
            some => some,
        };
        cuboid.iter().enumerate().map(words).sum()
    }
}

fn members<T: Copy + Ord>(set: u8, all: &[T]) -> BTreeSet<T> {
    let is_in = |at: usize| set & (1 << at) != 0;
    let members = all.iter().enumerate().filter(|(at, _)| is_in(*at));
    members.map(|(_, one)| *one).collect()
}

/// As few boxes as merging gives. In which order the dimensions are taken makes a difference, and there are
/// few of them, so every order is tried.
pub(super) fn merged(
    dimensions: &Dimensions,
    points: Vec<(Cuboid, usize)>,
) -> Vec<(Cuboid, usize)> {
    let orders = orders(dimensions.count());
    let tried = orders.into_iter().map(|order| fixpoint(&points, &order));
    let cost = |boxes: &Vec<(Cuboid, usize)>| {
        let words = boxes.iter().map(|(cuboid, _)| dimensions.words(cuboid));
        (boxes.len(), words.sum::<usize>())
    };
    tried.min_by_key(cost).unwrap_or_default()
}

fn fixpoint(points: &[(Cuboid, usize)], order: &[usize]) -> Vec<(Cuboid, usize)> {
    let mut boxes = points.to_vec();
    loop {
        let before = boxes.len();
        for &dimension in order {
            boxes = along(dimension, boxes);
        }
        if boxes.len() == before {
            return boxes;
        }
    }
}

/// Boxes that are equal but for `dimension` become one.
fn along(dimension: usize, boxes: Vec<(Cuboid, usize)>) -> Vec<(Cuboid, usize)> {
    let mut merged: BTreeMap<(Cuboid, usize), u8> = BTreeMap::new();
    for (mut cuboid, answer) in boxes {
        let set = std::mem::take(&mut cuboid[dimension]);
        *merged.entry((cuboid, answer)).or_default() |= set;
    }
    let whole = |((mut cuboid, answer), set): ((Cuboid, usize), u8)| {
        cuboid[dimension] = set;
        (cuboid, answer)
    };
    merged.into_iter().map(whole).collect()
}

fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![vec![]];
    for next in 0..count {
        let insert = |order: &Vec<usize>| {
            let places = 0..=order.len();
            let with = |at: usize| {
                let mut order = order.clone();
                order.insert(at, next);
                order
            };
            places.map(with).collect::<Vec<_>>()
        };
        orders = orders.iter().flat_map(insert).collect();
    }
    orders
}
