//! Everything at every place at once, for every kind of caller: what changes nothing together is nothing to look
//! at alone.

use countersign_core::exhaustive::Row;
use countersign_core::policy::Question;

use super::super::asker::{Asker, Said};
use super::super::point::{Change, Point};
use super::super::rank;
use super::super::space::{Pack, Slot};
use super::{FAILURES, Search};

/// Of one row, so many packs that change the answer are taken apart.
const TAKEN_APART: usize = 60;

const CROWDS_TAKEN_APART: usize = 8;

/// The places of one row, and what is known of them.
struct Packing<'r> {
    row: &'r Row,
    question: Question,
    base: &'r Said,
    slots: Vec<Slot>,
    /// Those of which a text that nobody knows changes nothing, all together.
    silent: Vec<usize>,
}

impl Packing<'_> {
    fn point(&self, changes: Vec<Change>) -> Point {
        Point {
            row: self.row.clone(),
            changes,
        }
    }
}

impl<'s> Search<'s> {
    /// Asks for `packs` in a row.
    pub(super) fn packs(
        &self,
        row: &Row,
        packs: impl Iterator<Item = Pack>,
        asker: &mut Asker<'s>,
    ) {
        let Some(base) = self.bases.of(row).filter(|base| base.verdict.is_ok()) else {
            return;
        };
        let packing = self.packing(row, base, asker);
        let (mut failures, mut taken_apart) = (0, 0);
        for (number, pack) in packs.enumerate() {
            let changes = self.changes(&packing, pack, &packing.silent);
            let point = packing.point(changes);
            let said = asker.ask(&point.question());
            if said.verdict.is_err() {
                failures += usize::from(self.look(&point, asker, number));
            } else if !rank::is_the_same(&base.verdict, &said.verdict) {
                taken_apart += 1;
                self.take_apart(&point, base, asker, number);
            }
            if failures >= FAILURES
                || taken_apart >= TAKEN_APART
                || (failures > 0 && self.is_enough())
            {
                return;
            }
            // What changes the answer whatever stands there is changed alone.
            let loud = (0..packing.slots.len()).filter(|at| !packing.silent.contains(at));
            for at in loud {
                if let [change] = self.changes(&packing, pack, &[at]).as_slice() {
                    let point = packing.point(vec![change.clone()]);
                    failures += usize::from(self.look(&point, asker, number));
                }
            }
        }
    }

    /// Asks for every name that the component has, as properties that mean nothing.
    pub(super) fn crowds(&self, row: &Row, asker: &mut Asker<'s>) {
        let Some(base) = self.bases.of(row).filter(|base| base.verdict.is_ok()) else {
            return;
        };
        let question = row.question();
        let (mut failures, mut taken_apart) = (0, 0);
        for (number, crowd) in self.space.crowds().iter().enumerate() {
            let changes = self.space.crowded(crowd, &question);
            let point = Point {
                row: row.clone(),
                changes,
            };
            let said = asker.ask(&point.question());
            if said.verdict.is_err() {
                failures += usize::from(self.look(&point, asker, number));
            } else if !rank::is_the_same(&base.verdict, &said.verdict) {
                taken_apart += 1;
                self.take_apart(&point, base, asker, number);
            }
            if failures >= FAILURES || taken_apart >= CROWDS_TAKEN_APART {
                return;
            }
        }
    }

    fn packing<'r>(&self, row: &'r Row, base: &'r Said, asker: &mut Asker<'s>) -> Packing<'r> {
        let mut packing = Packing {
            row,
            question: row.question(),
            base,
            slots: self.space.slots(row),
            silent: Vec::new(),
        };
        let is_silent = |packing: &Packing<'_>, some: &[usize], asker: &mut Asker<'s>| {
            let point = packing.point(self.changes(packing, Pack::Neutral, some));
            let said = asker.ask(&point.question());
            said.verdict.is_ok() && rank::is_the_same(&packing.base.verdict, &said.verdict)
        };
        for at in 0..packing.slots.len() {
            let mut some = packing.silent.clone();
            some.push(at);
            if is_silent(&packing, &some, asker) {
                packing.silent = some;
            }
        }
        packing
    }

    fn changes(&self, packing: &Packing<'_>, pack: Pack, some: &[usize]) -> Vec<Change> {
        let change = |at: &usize| {
            self.space
                .packed(pack, (*at, &packing.slots[*at]), &packing.question)
        };
        some.iter().filter_map(change).collect()
    }

    /// Looks at what a pack consists of, and at the whole where nothing of it is it alone.
    fn take_apart(&self, point: &Point, base: &Said, asker: &mut Asker<'s>, number: usize) {
        let mut is_alone = false;
        for change in &point.changes {
            let single = Point::with(&point.row, change.clone());
            let said = asker.ask(&single.question());
            if !rank::is_the_same(&base.verdict, &said.verdict) {
                is_alone = true;
                self.look(&single, asker, number);
            }
        }
        if !is_alone {
            self.look(point, asker, number);
        }
    }
}
