//! A search for questions that two sets answer otherwise, beyond the exhaustive table: directed by the texts
//! and numbers of the modules that differ.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Credential, Role};
use fastrand::Rng;

use super::pair::{Found, Pair, Sides};
use crate::verify::point::{Change, Point};
use crate::verify::space::{Breadth, Pack, Slot, Space};
use crate::verify::{Progress, SEED};
use crate::vocabulary::{Privileged, describe};

/// Questions with several changes, drawn at random; so many in one part.
const DRAWS: usize = 20_000;
const DRAWN_AT_ONCE: usize = 1_000;
/// Of one row, so many packs that change the difference are taken apart.
const TAKEN_APART: usize = 60;
/// So many differences of one part are kept: they are grouped, and few are shown.
const KEPT: usize = 500;

/// A search for differences.
pub struct Search<'s> {
    sides: &'s Sides<'s>,
    space: &'s Space,
    rows: &'s [Row],
    progress: &'s Progress,
}

/// A part of it, for one thread.
enum Part<'s> {
    /// One change after the other, each alone.
    Sweep(&'s Row),
    /// Everything that the modules have in them, at every place at once.
    Words(&'s Row, usize),
    /// Several changes at random.
    Draws(usize),
}

type Points = Vec<(Point, Found)>;

impl<'s> Search<'s> {
    /// Between two sides, for changes of these rows.
    pub fn new(
        sides: &'s Sides<'s>,
        (space, rows): (&'s Space, &'s [Row]),
        progress: &'s Progress,
    ) -> Self {
        Self {
            sides,
            space,
            rows,
            progress,
        }
    }

    /// How much was asked, and the questions that are answered otherwise than the rows that they are laid over.
    pub fn run(&self) -> (u64, Points) {
        let parts = self.parts();
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let work = || {
            let mut pair = Pair::new(self.sides);
            let mut points = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(part) = parts.get(at).filter(|_| !self.progress.is_cut_short()) else {
                    break;
                };
                let found = self.part(part, &mut pair);
                points.extend(found.into_iter().map(|point| (at, point)));
            }
            (pair.asked, points)
        };
        let mut asked = 0;
        let mut points = Vec::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for thread in threads {
                let (count, found) = thread
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                asked += count;
                points.extend(found);
            }
        });
        points.sort_by_key(|(at, _)| *at);
        let points = points.into_iter().map(|(_, point)| point).collect();
        (asked, points)
    }

    fn parts(&self) -> Vec<Part<'s>> {
        let mut parts = Vec::new();
        let mut plain = BTreeSet::new();
        for (number, row) in self.rows.iter().enumerate() {
            if row.role != Role::Admin {
                continue;
            }
            let is_plain = plain.insert((row.verb, row.credential));
            let is_privileged = !matches!(describe(row.verb).privileged, Privileged::No);
            let is_token = row.credential == Credential::OrgToken;
            let is_agent = is_token || row.credential == Credential::AdminToken;
            if is_plain && is_token && is_privileged {
                parts.push(Part::Sweep(row));
            }
            if is_plain || (is_privileged && is_agent) {
                parts.push(Part::Words(row, number));
            }
        }
        parts.extend((0..DRAWS).step_by(DRAWN_AT_ONCE).map(Part::Draws));
        parts
    }

    fn part(&self, part: &Part<'_>, pair: &mut Pair<'s>) -> Points {
        let mut look = Look {
            pair,
            points: Vec::new(),
        };
        match part {
            Part::Sweep(row) => self.sweep(row, &mut look),
            Part::Words(row, beginning) => self.words(row, *beginning, &mut look),
            Part::Draws(from) => self.draws(*from, &mut look),
        }
        look.points
    }

    fn sweep(&self, row: &Row, look: &mut Look<'_, 's>) {
        let base = look.pair.compare(&row.question());
        for change in self.space.sweep(row, Breadth::Whole) {
            look.at(Point::with(row, change), &base);
            if look.points.len() >= KEPT {
                return;
            }
        }
    }

    fn draws(&self, from: usize, look: &mut Look<'_, 's>) {
        for number in from..from + DRAWN_AT_ONCE {
            let mut rng =
                Rng::with_seed(SEED ^ (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let row = &self.rows[rng.usize(..self.rows.len())];
            let base = look.pair.compare(&row.question());
            let mut point = Point::of(row.clone());
            for _ in 0..rng.usize(2..=3) {
                point.changes.push(self.space.draw(row, &mut rng));
            }
            look.at(point, &base);
        }
    }

    /// What changes nothing together is nothing to look at alone.
    fn words(&self, row: &Row, beginning: usize, look: &mut Look<'_, 's>) {
        let question = row.question();
        let base = look.pair.compare(&question);
        let slots = self.space.slots(row);
        let changes = |pack: Pack, some: &[usize]| -> Vec<Change> {
            let change = |at: &usize| self.space.packed(pack, (*at, &slots[*at]), &question);
            some.iter().filter_map(change).collect()
        };
        let point = |changes| Point {
            row: row.clone(),
            changes,
        };
        let silent = self.silent(&slots, |some| {
            look.pair
                .compare(&point(changes(Pack::Neutral, some)).question())
                == base
        });
        let loud: Vec<usize> = (0..slots.len()).filter(|at| !silent.contains(at)).collect();
        let mut taken_apart = 0;
        for pack in self.space.words_packs(beginning) {
            let packed = point(changes(pack, &silent));
            if look.pair.compare(&packed.question()) != base {
                taken_apart += 1;
                let before = look.points.len();
                for change in &packed.changes {
                    look.at(Point::with(row, change.clone()), &base);
                }
                if look.points.len() == before {
                    look.at(packed, &base);
                }
            }
            // What changes the answer whatever stands there is changed alone.
            for at in &loud {
                for change in changes(pack, &[*at]) {
                    look.at(Point::with(row, change), &base);
                }
            }
            if taken_apart >= TAKEN_APART || look.points.len() >= KEPT {
                return;
            }
        }
    }

    /// The slots of which a text that nobody knows changes nothing, all together.
    fn silent(&self, slots: &[Slot], mut is_silent: impl FnMut(&[usize]) -> bool) -> Vec<usize> {
        let mut silent = Vec::new();
        for at in 0..slots.len() {
            silent.push(at);
            if !is_silent(&silent) {
                silent.pop();
            }
        }
        silent
    }
}

/// What one part has found.
struct Look<'p, 's> {
    pair: &'p mut Pair<'s>,
    points: Points,
}

impl Look<'_, '_> {
    /// Keeps the point where something differs there, and not as it does at its row.
    fn at(&mut self, point: Point, base: &Found) {
        let question = point.question();
        let found = self.pair.compare(&question);
        if found.is_nothing() || found == *base {
            return;
        }
        // An instance that was asked before, or a machine that is busy, is nobody's change.
        let afresh = self.pair.compare_afresh(&question);
        if !afresh.is_nothing() && afresh != *base {
            self.points.push((point, afresh));
        }
    }
}
