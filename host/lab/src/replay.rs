//! Recorded decisions, asked again: bit for bit under the modules that decided, or under others, to see what
//! would have changed.
//!
//! [`Replay`] takes [`Record`]s one after the other, whatever they come from, and keeps a [`Report`] of bounded
//! size. What a record holds is all that policies were told, so nothing of the host is needed; what modules
//! decided then comes from whoever has kept them ([`Kept`]).
//!
//! A failure that the host's own limits made (it had no time, or too much to do at that moment) is no answer of
//! a module, and is told apart.

mod asked;
mod record;
mod report;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::approval::{Lives, Ttl};
use countersign_core::verdict::{Judgement, ModuleId, Ruling};
use countersign_engine::{Engine, Proven, Settings};

use self::asked::{Asked, is_answer, judged, would_be};
pub use self::record::Record;
use self::report::Found;
pub use self::report::{Group, Report, Sample};

/// How many records are taken at once: enough to keep both cores busy, and little memory.
const CHUNK: usize = 512;

/// A module of a recorded generation, as it decided.
#[derive(Clone, Debug)]
pub struct KeptModule {
    /// Which.
    pub id: ModuleId,
    /// Its settings, defaults included.
    pub settings: Settings,
    /// Its bytes, or why there are none.
    pub bytes: Result<Vec<u8>, String>,
}

/// Where what decided then is kept.
pub trait Kept {
    /// The modules of the generation of that number, or in one sentence why they are not to be had. Asked once
    /// for each.
    fn generation(&mut self, number: u64) -> Result<Vec<KeptModule>, String>;
}

/// Under which modules decisions are asked again.
#[derive(Clone, Debug)]
pub enum Under {
    /// Those that decided.
    Recorded,
    /// Those that decided, with these in the place of those of the same name, or beside them.
    With(Vec<Arc<Proven>>),
    /// These and no others. One of them says what kind of caller asks.
    Only(Vec<Arc<Proven>>),
}

/// The modules of a generation, ready to be asked, or why they are not.
type Generation = Arc<Result<Vec<Arc<Proven>>, String>>;

/// A replay under way.
pub struct Replay<'a> {
    engine: &'a Engine,
    kept: &'a mut dyn Kept,
    under: Under,
    generations: HashMap<u64, Generation>,
    proven: HashMap<(String, Settings), Result<Arc<Proven>, String>>,
    waiting: Vec<(Record, Option<Generation>)>,
    report: Report,
}

impl<'a> Replay<'a> {
    /// One that has taken nothing yet.
    pub fn new(engine: &'a Engine, kept: &'a mut dyn Kept, under: Under) -> Self {
        Self {
            engine,
            kept,
            under,
            generations: HashMap::new(),
            proven: HashMap::new(),
            waiting: Vec::new(),
            report: Report::default(),
        }
    }

    /// Takes one more record. Now and then it asks about all that it took.
    pub fn take(&mut self, record: Record) {
        let needs = self.needs(&record);
        let generation = needs.then(|| self.generation(record.judgement.generation));
        self.waiting.push((record, generation));
        if self.waiting.len() >= CHUNK {
            self.ask();
        }
    }

    /// How many it took so far.
    pub fn taken(&self) -> u64 {
        self.report.decisions + self.waiting.len() as u64
    }

    /// What became of all of them.
    pub fn end(mut self) -> Report {
        self.ask();
        self.report
    }

    /// Whether the modules that decided have to be asked, and not only those that were given.
    fn needs(&self, record: &Record) -> bool {
        if record.is_of_the_core() {
            return false;
        }
        match &self.under {
            Under::Recorded | Under::With(_) => true,
            Under::Only(_) => false,
        }
    }

    fn generation(&mut self, number: u64) -> Generation {
        if let Some(known) = self.generations.get(&number) {
            return Arc::clone(known);
        }
        let kept = self.kept.generation(number);
        let ready =
            kept.and_then(|modules| modules.into_iter().map(|one| self.prove(one)).collect());
        let ready = Arc::new(ready);
        self.generations.insert(number, Arc::clone(&ready));
        ready
    }

    /// Each module under its settings is proven once, in however many generations it is.
    fn prove(&mut self, kept: KeptModule) -> Result<Arc<Proven>, String> {
        let key = (kept.id.digest.clone(), kept.settings.clone());
        let engine = self.engine;
        let prove = || {
            let bytes = kept.bytes?;
            let proven = engine
                .prove(&bytes, &kept.settings)
                .map_err(|error| format!("`{}` cannot be loaded any more: {error}", kept.id))?;
            match *proven.id() == kept.id {
                true => Ok(Arc::new(proven)),
                false => Err(format!(
                    "what is kept as `{}` is `{}`",
                    kept.id,
                    proven.id()
                )),
            }
        };
        self.proven.entry(key).or_insert_with(prove).clone()
    }

    /// Asks about what was taken, on two threads, and notes what comes of it in the order in which it was taken.
    fn ask(&mut self) {
        let records = std::mem::take(&mut self.waiting);
        let (one, other) = records.split_at(records.len() / 2);
        let under = &self.under;
        let answer = |records: &[(Record, Option<Generation>)]| -> Vec<Found> {
            records
                .iter()
                .map(|(record, generation)| again(record, under, generation.as_deref()))
                .collect()
        };
        let found = std::thread::scope(|scope| {
            let second = scope.spawn(|| answer(other));
            let mut found = answer(one);
            match second.join() {
                Ok(others) => found.extend(others),
                Err(panic) => std::panic::resume_unwind(panic),
            }
            found
        });
        for ((record, _), found) in records.iter().zip(found) {
            self.report.note(record, found);
        }
    }
}

/// What comes of one record.
fn again(
    record: &Record,
    under: &Under,
    generation: Option<&Result<Vec<Arc<Proven>>, String>>,
) -> Found {
    let Some(question) = record
        .question
        .as_ref()
        .filter(|_| !record.is_of_the_core())
    else {
        return Found::OfTheCore;
    };
    let recorded = &record.judgement;
    let asked = match (under, generation) {
        (Under::Recorded, Some(Ok(modules))) => judged(modules, question),
        (Under::Recorded, Some(Err(why))) => Asked::Missing(why.clone()),
        (Under::Recorded, None) => Asked::Missing("nothing says what decided".to_owned()),
        (Under::With(given), generation) => would_be(given, generation, question, recorded),
        (Under::Only(given), _) => judged(given, question),
    };
    let asked = match asked {
        Asked::Judged(now) => Asked::Judged(now.within(&lives(recorded))),
        missing => missing,
    };
    match asked {
        Asked::Judged(now) if is_same(recorded, &now) => Found::Same,
        Asked::Judged(now) if !is_answer(&now) => Found::HasNoTime,
        Asked::Judged(_) if !is_answer(recorded) => Found::HadNoTime,
        Asked::Judged(now) => Found::Other(Box::new(now)),
        Asked::Missing(why) => Found::Missing(why),
    }
}

/// The lives that the host had, as far as what was recorded shows: those that are built in, or where these give
/// something else, what stood, which one gate then left to the host.
fn lives(recorded: &Judgement) -> Lives {
    let built_in = Lives::default();
    let Ruling::Gate { terms, .. } = &recorded.ruling else {
        return built_in;
    };
    if recorded.clone().within(&built_in).ruling == recorded.ruling {
        return built_in;
    }
    let stood = |ttl: Ttl, seconds: Option<u32>| Ttl {
        default: seconds.map_or(ttl.default, |seconds| Duration::from_secs(seconds.into())),
        ..ttl
    };
    Lives {
        pending: stood(built_in.pending, terms.pending_ttl),
        grant: stood(built_in.grant, terms.grant_ttl),
        ..built_in
    }
}

/// Bit for bit, but for the notes.
fn is_same(recorded: &Judgement, now: &Judgement) -> bool {
    are_same(recorded, now)
        // A record was written and read, which rounds the last digit of a number; so this is as well.
        || serde_json::to_string(now)
            .ok()
            .and_then(|text| serde_json::from_str(&text).ok())
            .is_some_and(|now| are_same(recorded, &now))
}

fn are_same(recorded: &Judgement, now: &Judgement) -> bool {
    let pairs = recorded.opinions.iter().zip(&now.opinions);
    let mut alike = pairs
        .map(|(recorded, now)| recorded.module == now.module && recorded.verdict == now.verdict);
    recorded.class == now.class
        && recorded.ruling == now.ruling
        && recorded.opinions.len() == now.opinions.len()
        && alike.all(|is_alike| is_alike)
}

#[cfg(test)]
mod tests;
