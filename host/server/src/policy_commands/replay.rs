//! `countersign policy replay`.

mod database;
mod export;
mod told;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use countersign_engine::{BASELINE, CLASSIFIER, Compiler, Engine, Limits, Proven, Settings};
use countersign_lab::module::Module;
use countersign_lab::replay::{Replay, Report, Under};
use serde::Serialize;

use self::database::Database;
use self::export::Export;
use crate::cli;
use crate::commands::failure::{Exit, Failure};
use crate::commands::progress::Progress;
use crate::config::Flags;
use crate::say;

/// Nobody waits for an answer, and a machine that works on many is slow: ten times what a host allows.
const PATIENCE: u32 = 10;

/// The report in JSON, with what its exit code says.
#[derive(Serialize)]
struct Shown<'r> {
    #[serde(flatten)]
    report: &'r Report,
    changed: u64,
    unasked: u64,
    loosens: bool,
}

/// Asks again, tells what came of it, and ends as scripts can tell.
pub fn run(asked: &cli::Replay, flags: Flags) -> anyhow::Result<()> {
    let report = replayed(asked, flags).map_err(|error| Failure::usage(format!("{error:#}")))?;
    let (changed, unasked) = (report.changed(), report.unasked());
    match asked.json {
        true => say(&serde_json::to_string_pretty(&Shown {
            changed,
            unasked,
            loosens: report.loosens(),
            report: &report,
        })?),
        false => say(&told::told(&report, asked.modules.is_empty())),
    }
    match (changed, unasked) {
        (0, 0) => Ok(()),
        (_, 0) => Err(Failure::said(Exit::Failed).into()),
        // What was not asked may change as well, so this is said first.
        (_, _) => Err(Failure::said(Exit::Pending).into()),
    }
}

fn replayed(asked: &cli::Replay, flags: Flags) -> anyhow::Result<Report> {
    let engine = engine()?;
    let under = under(asked, &engine)?;
    let progress = Progress::new();
    match &asked.export {
        Some(path) => {
            let export = Export::open(path, &asked.kept, &engine)?;
            let tell = |done| {
                progress.tell(|| format!("{done} decisions, {} % of the file", export.percent()));
            };
            Replay::new(&engine, &export, under).run(export.lines(), &tell)
        }
        None => {
            anyhow::ensure!(
                asked.kept.is_empty(),
                "--kept is for an export: the database keeps what decided"
            );
            let database = Database::open(flags)?;
            let tell = |done| progress.tell(|| format!("{done} decisions"));
            Replay::new(&engine, &database, under).run(database.decisions(), &tell)
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

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
