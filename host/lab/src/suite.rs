//! All cases that a module is tested by, wherever they are written, and what became of them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign_core::verdict::ModuleId;

use crate::cases::{Case, CaseError, CaseFile, Pattern};
use crate::run::{Ran, Runner};

/// Cases from one place.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's path, as it was given, or the component that carries them.
    pub name: String,
    /// Whether the component carries them: those know nothing of the settings beside it.
    pub is_bundled: bool,
    /// The cases.
    pub cases: Vec<Case>,
}

impl Source {
    /// Reads what is written in a place of that `name`.
    pub fn parse(name: &str, is_bundled: bool, text: &str) -> Result<Self, CaseError> {
        Ok(Self {
            name: name.to_owned(),
            is_bundled,
            cases: CaseFile::parse(text)?.cases,
        })
    }

    /// Those that any of `patterns` fits; all, where there is none.
    pub fn keep(&mut self, patterns: &[Pattern]) {
        self.cases.retain(|case| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.fits(&case.name))
        });
    }
}

/// What became of the cases of one place.
#[derive(Clone, Debug)]
pub struct Outcome<'s> {
    /// Where they are written.
    pub source: &'s Source,
    /// What became of each, in their order.
    pub ran: Vec<Ran<'s>>,
}

/// What became of all cases.
#[derive(Clone, Debug)]
pub struct Report<'s> {
    /// Which module was asked.
    pub module: ModuleId,
    /// By place.
    pub outcomes: Vec<Outcome<'s>>,
    /// How long it took.
    pub took: Duration,
}

impl<'s> Report<'s> {
    /// What became of each case, and where it is written.
    pub fn ran(&self) -> impl Iterator<Item = (&'s Source, &Ran<'s>)> {
        self.outcomes
            .iter()
            .flat_map(|outcome| outcome.ran.iter().map(|ran| (outcome.source, ran)))
    }

    /// How many cases did not hold.
    pub fn failed(&self) -> usize {
        self.ran().filter(|(_, ran)| !ran.passed()).count()
    }

    /// How many there are.
    pub fn cases(&self) -> usize {
        self.ran().count()
    }

    /// How many questions were asked.
    pub fn questions(&self) -> usize {
        self.ran().map(|(_, ran)| ran.questions).sum()
    }
}

/// Asks all that `sources` mean, on every core, and tells `progress` how many cases are done.
///
/// `given` runs those of files and `own` those that the module carries.
pub fn run<'s, 'e>(
    sources: &'s [Source],
    given: &mut Runner<'e>,
    own: &mut Runner<'e>,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<Outcome<'s>> {
    // Another setting is another module, which is compiled: one after the other, in processes of their own.
    let mut work = Vec::new();
    for source in sources {
        let runner = match source.is_bundled {
            true => &mut *own,
            false => &mut *given,
        };
        for case in &source.cases {
            work.push((case, runner.module(&case.settings)));
        }
    }
    let results: Vec<Mutex<Option<Ran<'s>>>> = work.iter().map(|_| Mutex::new(None)).collect();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ask = || {
        while let Some((index, (case, module))) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            work.get(index).map(|work| (index, work))
        } {
            let ran = Ran::of(case, module.as_ref());
            if let Ok(mut result) = results[index].lock() {
                *result = Some(ran);
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 1..threads.min(work.len()) {
            scope.spawn(ask);
        }
        ask();
    });
    let mut ran = results.into_iter().map(|result| {
        let ran = result.into_inner().ok().flatten();
        ran.expect("INVARIANT: every case is asked before the threads end")
    });
    sources
        .iter()
        .map(|source| Outcome {
            source,
            ran: ran.by_ref().take(source.cases.len()).collect(),
        })
        .collect()
}

/// [`run`], as a report on `module`.
pub fn report<'s, 'e>(
    sources: &'s [Source],
    module: ModuleId,
    (given, own): (&mut Runner<'e>, &mut Runner<'e>),
    progress: &(dyn Fn(usize) + Sync),
) -> Report<'s> {
    let began = Instant::now();
    let outcomes = run(sources, given, own, progress);
    Report {
        module,
        outcomes,
        took: began.elapsed(),
    }
}
