//! What a module costs: to load, and for each decision.
//!
//! Modules that are measured together take turns, row by row, so that what slows the machine for a while
//! slows them all, and the ratios hold on any machine. Instructions are counted in a second sandbox, whose
//! code is made to count; they are the same wherever and whenever they are counted.

mod time;

use std::hint::black_box;
use std::time::{Duration, Instant};

use countersign_core::exhaustive::Row;
use countersign_core::policy::{CallerClass, Question};
use countersign_core::verdict::ModuleId;
use countersign_engine::{Engine, LoadError, Mode, Proven, Spent, Warm};
use serde::Serialize;

use crate::answers::Answers;
use crate::module::Module;

/// How often a module is loaded: the least counts, for whatever disturbs only adds.
const LOADS: usize = 3;
/// What a batch of calls should take at least, so that reading the clock does not show.
const BATCH: Duration = Duration::from_micros(200);
/// Calls of one warm instance: its memory is an arena that does not shrink, and its time runs out.
const CALLS: u32 = 50;

/// The sandboxes to measure in, and how long it may take.
#[derive(Clone, Debug)]
pub struct Bench<'e> {
    /// As the host has it.
    pub engine: &'e Engine,
    /// One that counts.
    pub counting: &'e Engine,
    /// How long decisions are measured.
    pub time: Duration,
}

/// What a module costs.
#[derive(Clone, Debug, Serialize)]
pub struct Cost {
    /// Which.
    pub module: ModuleId,
    /// How its decisions get their settings.
    pub mode: Mode,
    /// The size of its component.
    pub bytes: usize,
    /// Until it is compiled and has described itself, in nanoseconds.
    pub compile_ns: f64,
    /// From there until it is configured, and its snapshot compiled, in nanoseconds.
    pub snapshot_ns: f64,
    /// A decision in a fresh instance, in nanoseconds.
    pub fresh_ns: Spread,
    /// A decision in an instance that goes on, in nanoseconds.
    pub warm_ns: Spread,
    /// A decision in a fresh instance, in instructions.
    pub instructions: Spread,
    /// The row that takes the most instructions.
    pub dearest: Option<String>,
    /// The most memory that an instance had, in bytes.
    pub memory_bytes: usize,
    /// How many rows were measured.
    pub rows: usize,
    /// How many rows it fails on, which are not measured.
    pub failures: usize,
}

/// How something spreads over the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Half of the rows take no more.
    pub p50: f64,
    /// All but one in a hundred rows take no more.
    pub p99: f64,
    /// No row takes more.
    pub most: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (values.len() as f64 * share).ceil() as usize;
            values.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
        };
        Self {
            p50: at(0.5),
            p99: at(0.99),
            most: at(1.0),
        }
    }
}

/// A module, and the questions that it answers.
struct Subject<'m> {
    module: &'m Module,
    asked: Vec<Asked>,
    failures: usize,
}

struct Asked {
    row: Row,
    question: Question,
    class: CallerClass,
    fresh: Vec<f64>,
    warm: Vec<f64>,
}

impl Bench<'_> {
    /// Measures `modules`, each over the rows of its answers. `told` hears what is going on.
    pub fn run(
        &self,
        modules: &[(&Module, Answers)],
        told: &impl Fn(&str),
    ) -> Result<Vec<Cost>, LoadError> {
        told("loading");
        let loads = self.loads(modules)?;
        let mut subjects: Vec<Subject<'_>> = modules
            .iter()
            .map(|(module, answers)| Subject::new(module, answers))
            .collect();
        self.decide(&mut subjects, told);
        told("counting instructions");
        subjects
            .iter()
            .zip(loads)
            .map(|(subject, load)| self.cost(subject, load))
            .collect()
    }

    /// What compiling takes, and what is left until it can decide.
    fn loads(&self, modules: &[(&Module, Answers)]) -> Result<Vec<[f64; 2]>, LoadError> {
        let mut least = vec![[f64::INFINITY; 2]; modules.len()];
        let began = Instant::now();
        for round in 0..LOADS {
            // What takes seconds to compile is not compiled for longer than it is asked.
            if round > 0 && began.elapsed() > self.time {
                break;
            }
            for ((module, _), least) in modules.iter().zip(&mut least) {
                let proven = module.proven();
                let began = Instant::now();
                self.engine.describe(proven.bytes())?;
                let compiled = began.elapsed();
                let began = Instant::now();
                self.engine.prove(proven.bytes(), proven.settings())?;
                let rest = began.elapsed().saturating_sub(compiled);
                for (least, found) in least.iter_mut().zip([compiled, rest]) {
                    *least = least.min(found.as_nanos() as f64);
                }
            }
        }
        Ok(least)
    }

    /// Decides row after row, again and again, until the time is over: each at least once.
    fn decide(&self, subjects: &mut [Subject<'_>], told: &impl Fn(&str)) {
        let began = Instant::now();
        let rows = subjects.iter().map(|subject| subject.asked.len()).max();
        let rows = rows.unwrap_or(0);
        for pass in 1.. {
            for row in 0..rows {
                if pass > 1 && began.elapsed() > self.time {
                    return;
                }
                for subject in subjects.iter_mut() {
                    subject.decide(row);
                }
                told(&format!("deciding: pass {pass}, row {} of {rows}", row + 1));
            }
            if began.elapsed() > self.time {
                return;
            }
        }
    }

    fn cost(&self, subject: &Subject<'_>, load: [f64; 2]) -> Result<Cost, LoadError> {
        let proven = subject.module.proven();
        let counting = self.counting.prove(proven.bytes(), proven.settings())?;
        let spent: Vec<(&Row, Spent)> = subject
            .asked
            .iter()
            .filter_map(|asked| {
                let spent = counting.spent_on(&asked.question, asked.class).ok()?;
                Some((&asked.row, spent))
            })
            .collect();
        let fuel = |spent: &Spent| spent.fuel.unwrap_or(0);
        let dearest = spent.iter().max_by_key(|(_, spent)| fuel(spent));
        let memory = spent.iter().map(|(_, spent)| spent.memory_bytes).max();
        let of = |times: &dyn Fn(&Asked) -> &Vec<f64>| {
            let medians = subject
                .asked
                .iter()
                .filter_map(|asked| median(times(asked)));
            Spread::of(medians.collect())
        };
        Ok(Cost {
            module: proven.id().clone(),
            mode: proven.mode(),
            bytes: proven.bytes().len(),
            compile_ns: load[0],
            snapshot_ns: load[1],
            fresh_ns: of(&|asked| &asked.fresh),
            warm_ns: of(&|asked| &asked.warm),
            instructions: Spread::of(spent.iter().map(|(_, spent)| fuel(spent) as f64).collect()),
            dearest: dearest.map(|(row, _)| row.key()),
            memory_bytes: memory.unwrap_or(0),
            rows: subject.asked.len(),
            failures: subject.failures,
        })
    }
}

impl<'m> Subject<'m> {
    fn new(module: &'m Module, answers: &Answers) -> Self {
        let asked: Vec<Asked> = answers
            .iter()
            .filter(|(_, answered)| answered.verdict.is_ok())
            .filter_map(|(row, answered)| {
                Some(Asked {
                    row: row.clone(),
                    question: row.question(),
                    class: answered.class.clone().ok()?,
                    fresh: Vec::new(),
                    warm: Vec::new(),
                })
            })
            .collect();
        Self {
            module,
            failures: answers.len() - asked.len(),
            asked,
        }
    }

    fn decide(&mut self, row: usize) {
        let Some(asked) = self.asked.get_mut(row) else {
            return;
        };
        asked.decide(self.module.proven());
    }
}

impl Asked {
    fn decide(&mut self, proven: &Proven) {
        let (question, class) = (&self.question, self.class);
        let fresh = || {
            let _ = black_box(proven.verdict_on(black_box(question), class));
        };
        self.fresh.push(time::each(calls(&fresh), fresh));
        let Ok(mut warm) = Warm::new(proven) else {
            return;
        };
        let mut failed = warm.decide(question, class).is_err();
        let time = time::each(CALLS, || failed |= warm.decide(question, class).is_err());
        // One that runs out of its time or memory is not measured in what it did until then.
        if !failed {
            self.warm.push(time);
        }
    }
}

/// How many calls make a batch.
fn calls(call: &impl Fn()) -> u32 {
    let began = Instant::now();
    call();
    let one = began.elapsed().as_nanos().max(1);
    u32::try_from(BATCH.as_nanos() / one)
        .unwrap_or(CALLS)
        .clamp(1, CALLS)
}

fn median(times: &[f64]) -> Option<f64> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_names_values_that_were_there() {
        let spread = Spread::of((1..=200).map(f64::from).rev().collect());
        assert_eq!((spread.p50, spread.p99, spread.most), (100.0, 198.0, 200.0));
        assert_eq!(Spread::of(Vec::new()), Spread::default());
        assert_eq!(Spread::of(vec![7.0]).p99, 7.0);
    }
}
