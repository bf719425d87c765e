//! The search: which questions are asked, by whom, and what is kept of what they show.

mod found;
mod own;
mod packs;
mod parts;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_core::exhaustive::Row;
use countersign_core::policy::Question;
use countersign_engine::Warm;
use fastrand::Rng;

use self::found::Found;
pub use self::parts::Part;
use super::Effort;
use super::asker::Asker;
use super::bases::Bases;
use super::laws::Law;
use super::look::Look;
use super::point::Point;
use super::rank;
use super::space::{Breadth, Space};
use crate::module::Module;

/// So many questions of a row that fail end its sweep, and one that takes so long: whoever runs into the time
/// limit costs that limit, again and again.
const FAILURES: usize = 6;
const SLOW: Duration = Duration::from_millis(40);
/// After so many failures in all, or so many slow ones, the rest of each part is left out where it fails.
const MOST_FAILURES: usize = 3_000;
const MOST_SLOW: usize = 8;
/// One question in so many is asked in fresh instances as well, and twice.
const TWICE: usize = 64;

/// A search under way, for any number of threads.
pub struct Search<'s> {
    module: &'s Module,
    space: &'s Space,
    rows: &'s [Row],
    bases: &'s Bases<'s>,
    effort: &'s Effort,
    failed: AtomicUsize,
    slow: AtomicUsize,
    found: Mutex<Found>,
}

impl<'s> Search<'s> {
    /// Nothing is found so far.
    pub fn new(
        module: &'s Module,
        (space, rows, bases): (&'s Space, &'s [Row], &'s Bases<'s>),
        effort: &'s Effort,
    ) -> Self {
        Self {
            module,
            space,
            rows,
            bases,
            effort,
            failed: AtomicUsize::new(0),
            slow: AtomicUsize::new(0),
            found: Mutex::default(),
        }
    }

    /// The finite part of the input, whole.
    pub fn table(&self, asker: &mut Asker<'s>) {
        for row in self.rows {
            let point = Point::of(row.clone());
            if self.look(&point, asker, 0) && self.is_enough() {
                break;
            }
        }
    }

    /// Does one part.
    pub fn part(&self, part: &Part<'_>, asker: &mut Asker<'s>) {
        match part {
            Part::Sweep(row, breadth) => self.sweep(row, *breadth, asker),
            Part::Words(row, beginning) => {
                self.packs(row, self.space.words_packs(*beginning), asker);
            }
            Part::Near(row) => self.packs(row, self.space.near_packs(), asker),
            Part::Others(row) => self.packs(row, self.space.other_packs(), asker),
            Part::Crowds(row) => self.crowds(row, asker),
            Part::Repeat(row, times) => self.repeat(row, *times),
            Part::Draws(from, to) => self.draws(*from..*to, asker),
            Part::Own(property, questions) => self.own(property, *questions, asker),
        }
    }

    fn sweep(&self, row: &Row, breadth: Breadth, asker: &mut Asker<'s>) {
        let mut failures = 0;
        let is_done = |failures| failures >= FAILURES || (failures > 0 && self.is_enough());
        let before = row.question();
        let mut question = before.clone();
        let mut point = Point::of(row.clone());
        for (number, change) in self.space.sweep(row, breadth).into_iter().enumerate() {
            change.make(&mut question);
            point.changes.clear();
            point.changes.push(change);
            failures += usize::from(self.look_at(&point, &question, asker, number));
            point.changes[0].take_back(&before, &mut question);
            if is_done(failures) {
                return;
            }
        }
        let points = Space::twins(row).chain(Space::neighbours(row));
        for (number, point) in points.enumerate() {
            failures += usize::from(self.look(&point, asker, number));
            if is_done(failures) {
                return;
            }
        }
    }

    fn draws(&self, numbers: std::ops::Range<usize>, asker: &mut Asker<'s>) {
        for number in numbers {
            let mut rng = self.rng(number);
            let row = &self.rows[rng.usize(..self.rows.len())];
            let mut point = Point::of(row.clone());
            for _ in 0..rng.usize(2..=3) {
                point.changes.push(self.space.draw(row, &mut rng));
            }
            if self.look(&point, asker, number) && self.is_enough() {
                break;
            }
        }
    }

    /// Looks at one question; true where it fails.
    fn look(&self, point: &Point, asker: &mut Asker<'s>, number: usize) -> bool {
        self.look_at(point, &point.question(), asker, number)
    }

    /// [`Search::look`], where the question of the point is there already.
    fn look_at(
        &self,
        point: &Point,
        question: &Question,
        asker: &mut Asker<'s>,
        number: usize,
    ) -> bool {
        let mut said = asker.ask(question);
        let base = self.bases.of(&point.row);
        let is_special = point.changes.is_empty()
            || said.verdict.is_err()
            || base.is_none_or(|base| !rank::is_the_same(&base.verdict, &said.verdict));
        if is_special || number.is_multiple_of(TWICE) {
            let began = Instant::now();
            let afresh = match said.verdict.is_err() && self.is_enough() {
                true => said.clone(),
                false => asker.ask_afresh(question),
            };
            if afresh.verdict.is_err() && began.elapsed() > SLOW {
                self.slow.fetch_add(1, Ordering::Relaxed);
            }
            let again = match afresh.verdict {
                Ok(_) => asker.ask_afresh(question),
                // It was asked until that was sure.
                Err(_) => afresh.clone(),
            };
            if again.verdict.is_ok() && afresh != again {
                self.note(
                    Law::Deterministic,
                    point,
                    "two fresh instances answer differently",
                );
            } else if said.verdict.is_ok() && afresh != said {
                self.note(
                    Law::Stateless,
                    point,
                    "an earlier call in the same instance changes the answer",
                );
            }
            said = afresh;
        }
        let mut look = Look::new(self.bases, asker, self.rng(number));
        let fails = said.verdict.is_err();
        self.failed.fetch_add(usize::from(fails), Ordering::Relaxed);
        for breach in look.breaches(point, question, &said) {
            self.found(breach);
        }
        fails
    }

    /// Whether there is nothing more to learn from failures.
    fn is_enough(&self) -> bool {
        self.failed.load(Ordering::Relaxed) >= MOST_FAILURES
            || self.slow.load(Ordering::Relaxed) >= MOST_SLOW
    }

    fn repeat(&self, row: &Row, times: u32) {
        let question = row.question();
        let answered = self.module.answer(&question, None);
        let (Ok(class), Ok(verdict)) = (answered.class, answered.verdict) else {
            return;
        };
        let Ok(mut warm) = Warm::new(self.module.proven()) else {
            return;
        };
        for call in 1..=times {
            match warm.decide(&question, class) {
                Ok(again) if again == verdict => {}
                Ok(_) => {
                    let point = Point::of(row.clone());
                    let sentence =
                        format!("call {call} in one instance has another answer than the first");
                    return self.note(Law::Stateless, &point, &sentence);
                }
                // It is used up, which no instance of the host's ever is.
                Err(_) => return,
            }
        }
    }

    fn rng(&self, number: usize) -> Rng {
        Rng::with_seed(self.effort.seed ^ (number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Found> {
        self.found
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
