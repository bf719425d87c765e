//! Recorded decisions, asked again: bit for bit under the modules that decided, or under others, to see what
//! would have changed.
//!
//! [`Replay`] takes [`Taken`] records one after the other, whatever they come from, and keeps a [`Report`] of
//! bounded size. What a record holds is all that policies were told, so nothing of the host is needed; what
//! modules decided then comes from whoever has kept them ([`Kept`]), and only those that were asked last are
//! held ready.
//!
//! A failure that the host's own limits made (it had no time, or too much to do at that moment) is no answer of
//! a module, and is told apart.

mod asked;
mod recent;
mod record;
mod report;
mod shelf;

use std::num::NonZero;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_core::approval::{Lives, Ttl};
use countersign_core::verdict::{Judgement, Ruling};
use countersign_engine::{Engine, Proven};

use self::asked::{Asked, is_answer, judged, would_be};
pub use self::record::{Record, Taken};
use self::report::Found;
pub use self::report::{Group, Report, Sample, Unread};
use self::shelf::Shelf;
pub use self::shelf::{Kept, KeptModule};

/// How many records are asked about while the next ones are read: enough to keep all processors busy, and
/// little memory.
const BATCH: usize = 1_024;
/// And how long they may be together, in bytes: a line of an export can be long.
const BATCH_BYTES: usize = 8 << 20;
/// How many a thread takes at once.
const PIECE: usize = 64;
/// More threads than this wait for each other.
const MOST_THREADS: usize = 8;
/// How often whoever waits can hear how far it is.
const TICK: Duration = Duration::from_millis(500);

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

/// A replay under way.
pub struct Replay<'a> {
    shelf: Shelf<'a>,
    under: Under,
    report: Report,
    threads: usize,
}

impl<'a> Replay<'a> {
    /// One that has taken nothing yet.
    pub fn new(engine: &'a Engine, kept: &'a dyn Kept, under: Under) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            shelf: Shelf::new(engine, kept),
            under,
            report: Report::default(),
            threads: threads.min(MOST_THREADS),
        }
    }

    /// Asks about every record that `taken` has, on all processors, and notes what comes of it in their order.
    /// `tell` hears now and then how many are done. What `taken` fails with ends it.
    pub fn run<T: Taken, E>(
        mut self,
        mut taken: impl Iterator<Item = Result<T, E>>,
        tell: &dyn Fn(u64),
    ) -> Result<Report, E> {
        let mut batch = next_batch(&mut taken)?;
        while !batch.is_empty() {
            let (found, next) = self.ask(batch, &mut taken, tell);
            for (record, found) in found {
                match record {
                    Ok(record) => self.report.note(&record, found),
                    Err(unread) => self.report.note_unread(unread),
                }
            }
            batch = next?;
        }
        Ok(self.report)
    }

    /// Asks about one batch, and meanwhile reads the next.
    fn ask<T: Taken, E>(
        &self,
        batch: Vec<T>,
        taken: &mut impl Iterator<Item = Result<T, E>>,
        tell: &dyn Fn(u64),
    ) -> (Vec<Noted>, Result<Vec<T>, E>) {
        let pieces = Mutex::new(pieces(batch));
        let (done, results) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..self.threads {
                let (done, pieces) = (done.clone(), &pieces);
                scope.spawn(move || {
                    loop {
                        // Not within `while let`, which would hold the lock while it asks.
                        let next = pieces.lock().unwrap_or_else(PoisonError::into_inner).next();
                        let Some((place, piece)) = next else { break };
                        let noted: Vec<Noted> =
                            piece.into_iter().map(|one| self.again(one)).collect();
                        if done.send((place, noted)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(done);
            let next = next_batch(taken);
            let mut all = Vec::new();
            loop {
                match results.recv_timeout(TICK) {
                    Ok(piece) => all.push(piece),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
                tell(self.report.decisions + (all.len() * PIECE) as u64);
            }
            all.sort_by_key(|(place, _)| *place);
            (all.into_iter().flat_map(|(_, piece)| piece).collect(), next)
        })
    }

    /// What comes of one.
    fn again(&self, taken: impl Taken) -> Noted {
        match taken.record() {
            Ok(record) => {
                let generation = self.needs(&record).then(|| {
                    let number = record.judgement.generation;
                    self.shelf.generation(number)
                });
                let found = again(&record, &self.under, generation.as_deref());
                (Ok(record), found)
            }
            Err(why) => (Err(why), Found::OfTheCore),
        }
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
}

/// A record with what came of it, or why there is none.
type Noted = (Result<Record, String>, Found);

fn next_batch<T: Taken, E>(taken: &mut impl Iterator<Item = Result<T, E>>) -> Result<Vec<T>, E> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    while batch.len() < BATCH && bytes < BATCH_BYTES {
        let Some(one) = taken.next().transpose()? else {
            break;
        };
        bytes += one.length();
        batch.push(one);
    }
    Ok(batch)
}

fn pieces<T>(batch: Vec<T>) -> impl Iterator<Item = (usize, Vec<T>)> {
    let mut rest = batch.into_iter();
    std::iter::from_fn(move || {
        let piece: Vec<T> = rest.by_ref().take(PIECE).collect();
        (!piece.is_empty()).then_some(piece)
    })
    .enumerate()
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
