//! The search: which questions are asked, by whom, and what is kept of what they show.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_core::exhaustive::Row;
use countersign_core::policy::{Credential, Role};
use countersign_engine::Warm;
use fastrand::Rng;

use super::asker::{Asker, Said};
use super::bases::{self, Bases};
use super::laws::{Breach, Law};
use super::look::Look;
use super::point::{Change, Point};
use super::space::Space;
use super::{Effort, Finding, case, shrink};
use crate::cases::Property;
use crate::module::{Answered, Module};

/// So many questions of a row that fail end its sweep, and one that takes so long: whoever runs into the time
/// limit costs that limit, again and again.
const FAILURES: usize = 6;
const SLOW: Duration = Duration::from_millis(40);
/// After so many failures in all, or so many slow ones, the rest of each part is left out where it fails.
const MOST_FAILURES: usize = 3_000;
const MOST_SLOW: usize = 8;
/// So many breaches of one law are made small and shown.
const SHOWN: usize = 3;
/// One question in so many is asked in fresh instances as well, and twice.
const TWICE: usize = 64;
/// A question is repeated so often in one instance.
const REPEATS: u32 = 1_100;

/// A part of the work, for one thread.
pub enum Part<'p> {
    /// Changes in a row, one by one; all of them, or those that identities hang on.
    Sweep(Row, bool),
    /// One question again and again in one instance.
    Repeat(Row),
    /// Several changes at random, beginning with this number.
    Draws(usize, usize),
    /// A property of one's own, with changes at random.
    Own(&'p Property, usize),
}

/// Draws of one part.
const DRAWN_AT_ONCE: usize = 4_000;

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

#[derive(Default)]
struct Found {
    /// By law; of each as many as may be shown, and a few more, since many shrink to the same.
    breaches: BTreeMap<Law, Vec<Breach>>,
    counted: BTreeMap<&'static str, usize>,
    /// Of properties of one's own, and of what no case can say.
    findings: BTreeMap<String, Finding>,
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
            self.beside_another(&point, asker);
        }
    }

    /// The classifier is the module that every set has, unless this one is that itself.
    fn beside_another(&self, point: &Point, asker: &mut Asker<'s>) {
        if self.module.is_classifier() {
            return;
        }
        let (module, other) = (self.module.proven(), self.module.classifier());
        let question = point.question();
        let said = asker.ask(&question);
        let Ok(class) = &said.class else { return };
        let others = Said {
            class: Ok(*class),
            verdict: other.verdict_on(&question, *class).answer,
        };
        if bases::loosens(module, &said, other, &others) {
            self.note(Law::Set, point, "beside the baseline it loosens");
        }
    }

    /// All else that is to be done.
    pub fn parts<'p>(&self, properties: &'p [Property]) -> Vec<Part<'p>> {
        let mut parts = Vec::new();
        let stride = self.effort.stride.max(1);
        let mut verbs = BTreeSet::new();
        for row in self.rows.iter().filter(|row| row.role == Role::Admin) {
            // Without flags for every kind of caller, and with each set of flags for one of them.
            let is_plain = verbs.insert((row.verb, row.credential));
            let is_token = row.credential == Credential::OrgToken;
            if is_plain || is_token {
                parts.push(Part::Sweep(row.clone(), is_token));
            }
            if is_plain {
                parts.push(Part::Repeat(row.clone()));
            }
        }
        let mut parts: Vec<Part<'p>> = parts.into_iter().step_by(stride).collect();
        let draws = (0..self.effort.draws).step_by(DRAWN_AT_ONCE);
        parts.extend(
            draws.map(|from| Part::Draws(from, (from + DRAWN_AT_ONCE).min(self.effort.draws))),
        );
        for property in properties {
            parts.push(Part::Own(property, self.effort.for_each_property));
        }
        parts
    }

    /// Does one part.
    pub fn part(&self, part: &Part<'_>, asker: &mut Asker<'s>) {
        match part {
            Part::Sweep(row, thoroughly) => self.sweep(row, *thoroughly, asker),
            Part::Repeat(row) => self.repeat(row),
            Part::Draws(from, to) => {
                for number in *from..*to {
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
            Part::Own(property, questions) => self.own(property, *questions, asker),
        }
    }

    fn sweep(&self, row: &Row, thoroughly: bool, asker: &mut Asker<'s>) {
        let mut failures = 0;
        let points = self.space.sweep(row, thoroughly).into_iter();
        let points = points.map(|change| Point::with(row, change));
        let points = points
            .chain(Space::twins(row))
            .chain(Space::neighbours(row));
        for (number, point) in points.enumerate() {
            failures += usize::from(self.look(&point, asker, number));
            if failures >= FAILURES || (failures > 0 && self.is_enough()) {
                break;
            }
        }
    }

    /// Looks at one question; true where it fails.
    fn look(&self, point: &Point, asker: &mut Asker<'s>, number: usize) -> bool {
        let question = point.question();
        let mut said = asker.ask(&question);
        let base = self.bases.of(&point.row);
        let is_special = point.changes.is_empty()
            || said.verdict.is_err()
            || base.is_none_or(|base| base.rank() != said.rank());
        if is_special || number.is_multiple_of(TWICE) {
            let began = Instant::now();
            let afresh = match said.verdict.is_err() && self.is_enough() {
                true => said.clone(),
                false => asker.ask_afresh(&question),
            };
            if afresh.verdict.is_err() && began.elapsed() > SLOW {
                self.slow.fetch_add(1, Ordering::Relaxed);
            }
            let again = match afresh.verdict {
                Ok(_) => asker.ask_afresh(&question),
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
        let mut look = Look {
            bases: self.bases,
            asker,
            rng: self.rng(number),
        };
        let fails = said.verdict.is_err();
        self.failed.fetch_add(usize::from(fails), Ordering::Relaxed);
        for breach in look.breaches(point, &question, &said) {
            self.found(breach);
        }
        fails
    }

    /// Whether there is nothing more to learn from failures.
    fn is_enough(&self) -> bool {
        self.failed.load(Ordering::Relaxed) >= MOST_FAILURES
            || self.slow.load(Ordering::Relaxed) >= MOST_SLOW
    }

    fn repeat(&self, row: &Row) {
        let question = row.question();
        let answered = self.module.answer(&question, None);
        let (Ok(class), Ok(verdict)) = (answered.class, answered.verdict) else {
            return;
        };
        let Ok(mut warm) = Warm::new(self.module.proven()) else {
            return;
        };
        for call in 1..=REPEATS {
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

    fn own(&self, property: &Property, questions: usize, asker: &mut Asker<'s>) {
        let Ok(variants) = property.0.given.variants() else {
            return;
        };
        let each = questions.div_ceil(variants.len()).max(1);
        for (at, variant) in variants.iter().enumerate() {
            for number in 0..each {
                let mut rng = self.rng(at * each + number);
                let changes: Vec<Change> = (0..number.min(3))
                    .map(|_| self.space.draw(&variant.row, &mut rng))
                    .collect();
                let fails = |changes: &[Change], asker: &mut Asker<'s>| {
                    let mut question = variant.row.question();
                    changes.iter().for_each(|change| change.make(&mut question));
                    let is_formed = property.0.given.change(&mut question).is_ok();
                    let answered = match variant.class {
                        Some(_) => self.module.answer(&question, variant.class),
                        None => answered(asker.ask_afresh(&question)),
                    };
                    is_formed && !property.0.expected.mismatches(&answered).is_empty()
                };
                if fails(&changes, asker) {
                    let mut fewest = changes;
                    let mut at = 0;
                    while at < fewest.len() {
                        let mut fewer = fewest.clone();
                        fewer.remove(at);
                        match fails(&fewer, asker) {
                            true => fewest = fewer,
                            false => at += 1,
                        }
                    }
                    return self.found_own(property, &variant.row, fewest);
                }
            }
        }
    }

    fn found_own(&self, property: &Property, row: &Row, changes: Vec<Change>) {
        let name = &property.0.name;
        let point = Point {
            row: row.clone(),
            changes,
        };
        let case = format!(
            "# It breaks the property on line {}, whose `given` is laid over this.\n[[case]]\nname = {}\n{}expect = {{ {} }}\n",
            property.0.line,
            case::quoted(&format!("counterexample to: {name}")),
            case::given(&point),
            property.0.expected.written(),
        );
        let finding = Finding {
            law: name.clone(),
            sentence: "a property of your own does not hold".to_owned(),
            case,
        };
        let mut found = self.lock();
        *found.counted.entry("own").or_default() += 1;
        found.findings.insert(name.clone(), finding);
    }

    /// Something that no case says whole: what is right is what a fresh instance answers.
    fn note(&self, law: Law, point: &Point, sentence: &str) {
        self.found(Breach {
            law,
            point: point.clone(),
            expected: "not = \"fails\"".to_owned(),
            sentence: sentence.to_owned(),
        });
    }

    fn found(&self, breach: Breach) {
        let mut found = self.lock();
        *found.counted.entry(breach.law.id()).or_default() += 1;
        let breaches = found.breaches.entry(breach.law).or_default();
        // Smaller ones come first, so that what is shown does not depend on which thread was first.
        breaches.push(breach);
        breaches.sort_by_cached_key(size);
        breaches.truncate(4 * SHOWN);
    }

    /// What was found, each as small as it gets, and how often each law was broken.
    pub fn report(&self, asker: &mut Asker<'s>) -> (Vec<Finding>, BTreeMap<&'static str, usize>) {
        let Found {
            breaches,
            mut counted,
            findings,
        } = std::mem::take(&mut *self.lock());
        let mut shown = Vec::new();
        for (law, breaches) in breaches {
            let mut cases = BTreeSet::new();
            for breach in breaches {
                if cases.len() >= SHOWN {
                    break;
                }
                let mut look = Look {
                    bases: self.bases,
                    asker,
                    rng: self.rng(0),
                };
                if !is_seen_again(&breach, &mut look) {
                    continue;
                }
                let breach = shrink::shrunk(breach, &mut look);
                let case = case::written(&breach, law.sentence());
                if cases.insert(case.clone()) {
                    shown.push(Finding {
                        law: law.id().to_owned(),
                        sentence: breach.sentence,
                        case,
                    });
                }
            }
        }
        counted.retain(|law, _| *law == "own" || shown.iter().any(|found| found.law == *law));
        shown.extend(findings.into_values());
        (shown, counted)
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

fn size(breach: &Breach) -> (usize, usize, String) {
    let changes = format!("{:?}", breach.point.changes);
    (
        breach.point.changes.len(),
        changes.len(),
        format!("{}{changes}", breach.point.row.key()),
    )
}

/// A machine that was busy for a moment is nobody's fault. What a second call shows has no single question that
/// shows it again.
fn is_seen_again(breach: &Breach, look: &mut Look<'_, '_>) -> bool {
    if matches!(breach.law, Law::Stateless | Law::Deterministic | Law::Set) {
        return true;
    }
    let question = breach.point.question();
    let said = look.asker.ask_afresh(&question);
    let mut again = look.breaches(&breach.point, &question, &said).into_iter();
    again.any(|again| again.law == breach.law)
}

fn answered(said: Said) -> Answered {
    Answered {
        class: said.class,
        verdict: said.verdict,
        notes: Vec::new(),
    }
}
