//! Modules and rows, as they are named on the command line.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context as _;
use countersign_core::exhaustive::{self, Row};
use countersign_engine::{BASELINE, Engine, Settings};
use countersign_lab::answers::Answers;
use countersign_lab::loads::Problem;
use countersign_lab::module::{Module, ModuleError};
use countersign_lab::selection::Selection;

use crate::cli::Rows;
use crate::commands::failure::Failure;
use crate::commands::terminal;

/// The name of the baseline that is in this program.
pub const BUILT_IN: &str = "builtin";

/// The module that `named` is, with the settings of that file or else of the one beside it.
pub fn module(engine: &Engine, named: &Path, settings: Option<&Path>) -> anyhow::Result<Module> {
    let given = settings.map(read).transpose()?;
    if named == Path::new(BUILT_IN) {
        let proven = engine
            .prove(BASELINE, &given.unwrap_or_default())
            .with_context(|| format!("`{BUILT_IN}` cannot be loaded"))?;
        return Ok(Module::new(engine, proven)?);
    }
    let opened = match given {
        Some(given) => Module::open_with(engine, named, &given),
        None => Module::open(engine, named),
    };
    opened.map_err(|error| {
        let is_read = !matches!(error, ModuleError::Read { .. });
        let problem = Problem::of(engine, (named, settings), error);
        not_loaded(is_read.then_some(named), &problem).into()
    })
}

/// That a component is nothing to work on, and what to do about it.
pub fn not_loaded(named: Option<&Path>, problem: &Problem) -> Failure {
    let named = named.map_or_else(String::new, |named| {
        format!("`{}` cannot be loaded: ", named.display())
    });
    Failure::usage(format!(
        "{named}{}\nnext: {}",
        problem.sentence, problem.next
    ))
}

fn read(path: &Path) -> anyhow::Result<Settings> {
    let named = path.display();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the settings in `{named}`"))?;
    Settings::parse_toml(&text).with_context(|| format!("in `{named}`"))
}

/// Which rows are meant. What fits nothing is a mistake of whoever wrote it.
pub fn rows(rows: &Rows) -> Result<Selection, Failure> {
    Selection::of(&rows.verbs, &rows.credentials).map_err(Failure::usage)
}

/// What `module` answers to those rows. Whoever waits for long is told how far it is.
pub fn answers(module: &Module, rows: &Selection) -> Answers {
    let wanted = |row: &Row| rows.has(row);
    let total = exhaustive::rows().filter(wanted).count();
    let name = &module.proven().id().name;
    let progress = Progress::new();
    Answers::of(module, wanted, &|done| {
        progress.tell(|| format!("{name}: {done} of {total} rows"));
    })
}

/// Says now and then how far something is, once it takes more than a second.
pub struct Progress {
    began: Instant,
    told: AtomicU64,
}

impl Progress {
    /// From now on.
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
            told: AtomicU64::new(0),
        }
    }

    /// Says it, where it is time to.
    pub fn tell(&self, what: impl Fn() -> String) {
        let seconds = self.began.elapsed().as_secs();
        if self.told.fetch_max(seconds, Ordering::Relaxed) < seconds {
            terminal::tell(&what());
        }
    }
}
