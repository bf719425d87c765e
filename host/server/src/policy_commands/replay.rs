//! `countersign policy replay`.

mod database;
mod export;
mod told;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use countersign_engine::{BASELINE, CLASSIFIER, Compiler, Engine, Limits, Proven, Settings};
use countersign_lab::module::Module;
use countersign_lab::replay::{Record, Replay, Report, Under};

use self::database::Database;
use self::export::Export;
use crate::cli;
use crate::commands::failure::{Exit, Failure};
use crate::config::Flags;
use crate::say;

/// Nobody waits for an answer, and a machine that works on many is slow: ten times what a host allows.
const PATIENCE: u32 = 10;
/// How often somebody who waits hears how far it is.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// Asks again, tells what came of it, and ends as scripts can tell.
pub fn run(asked: &cli::Replay, flags: Flags) -> anyhow::Result<()> {
    let report = replayed(asked, flags).map_err(|error| Failure::usage(format!("{error:#}")))?;
    let is_recorded = asked.modules.is_empty();
    match asked.json {
        true => say(&serde_json::to_string_pretty(&report)?),
        false => say(&told::told(&report, is_recorded)),
    }
    match (report.changed() + report.unasked(), report.loosens()) {
        (0, _) => Ok(()),
        (_, true) if !is_recorded => Err(Failure::said(Exit::Pending).into()),
        _ => Err(Failure::said(Exit::Failed).into()),
    }
}

fn replayed(asked: &cli::Replay, flags: Flags) -> anyhow::Result<Report> {
    let engine = engine()?;
    let under = under(asked, &engine)?;
    match &asked.export {
        Some(path) => {
            let export = Export::open(path, &asked.kept, &engine)?;
            let mut kept = export.kept();
            ended(Replay::new(&engine, &mut kept, under), export.records())
        }
        None => {
            anyhow::ensure!(
                asked.kept.is_empty(),
                "--kept is for an export: the database keeps what decided"
            );
            let database = Database::open(flags)?;
            let mut kept = database.kept();
            ended(Replay::new(&engine, &mut kept, under), database.records())
        }
    }
}

fn engine() -> anyhow::Result<Engine> {
    let limits = Limits::default();
    let limits = Limits {
        decide_time: limits.decide_time * PATIENCE,
        judge_time: limits.judge_time * PATIENCE,
        ..limits
    };
    let compiler = Compiler::apart().context("cannot tell which program this is")?;
    Ok(Engine::with_compiler(limits, compiler)?)
}

fn under(asked: &cli::Replay, engine: &Engine) -> anyhow::Result<Under> {
    let open = |path: &std::path::PathBuf| -> anyhow::Result<Arc<Proven>> {
        Ok(Arc::clone(Module::open(engine, path)?.proven()))
    };
    let mut given: Vec<Arc<Proven>> = asked.modules.iter().map(open).collect::<Result<_, _>>()?;
    given.sort_by(|a, b| a.id().cmp(b.id()));
    if let Some(twice) = given
        .windows(2)
        .find(|two| two[0].id().name == two[1].id().name)
    {
        anyhow::bail!("two of the modules are called `{}`", twice[0].id().name);
    }
    Ok(match (given.is_empty(), asked.only) {
        (true, _) => Under::Recorded,
        (false, false) => Under::With(given),
        (false, true) => {
            if !given.iter().any(|module| module.id().name == CLASSIFIER) {
                given.push(Arc::new(engine.prove(BASELINE, &Settings::new())?));
                given.sort_by(|a, b| a.id().cmp(b.id()));
            }
            Under::Only(given)
        }
    })
}

/// Takes every record, and tells how far it is.
fn ended(
    mut replay: Replay<'_>,
    records: impl Iterator<Item = anyhow::Result<Record>>,
) -> anyhow::Result<Report> {
    let is_seen = std::io::stderr().is_terminal();
    let mut told_at = Instant::now();
    for record in records {
        replay.take(record?);
        if is_seen && told_at.elapsed() >= TELL_EVERY {
            told_at = Instant::now();
            let _ = write!(std::io::stderr(), "\r{} decisions", replay.taken());
        }
    }
    if is_seen {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
    Ok(replay.end())
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
