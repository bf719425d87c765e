//! What a host makes of the cases that a module carries: they hold, or the module is not loaded.
//!
//! They are run with the module's defaults and what they give themselves, never with the settings beside
//! the module: an operator who opens a verb to agents has broken nothing. So whether they hold hangs on the
//! component alone, and once is enough for each digest.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::text::escaped;
use countersign_engine::{Engine, LoadError, Proven, Settings};

use crate::bundled::{self, BundledError};
use crate::cases::{Bounds, Case, CaseError, CaseFile};
use crate::module::Module;
use crate::run::{Asked, Failed, OutOfTime, Runner};

/// How long all cases of one module may take. A set of policies has as long for the exhaustive table.
const TIME: Duration = Duration::from_secs(60);

/// Under how many settings the cases of one module run. Each is compiled anew.
const SETTINGS: usize = 8;

/// The longest name or answer that is told, in characters.
const SHOWN: usize = 160;

/// Why a module is not loaded on account of its own cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VetError {
    /// They cannot be had.
    #[error("the cases that it carries cannot be read: {0}")]
    Bundled(#[from] BundledError),
    /// They are not understood.
    #[error("the cases that it carries are not understood: {0}")]
    Written(String),
    /// They are set too many ways.
    #[error("the cases that it carries have more than {SETTINGS} different settings")]
    Settings,
    /// They take too long.
    #[error("the cases that it carries take more than {} s", TIME.as_secs())]
    Slow,
    /// One of them does not hold.
    #[error("its own case `{name}` (line {line}) does not hold: {why}")]
    Case {
        /// What it is called.
        name: String,
        /// Where it begins.
        line: usize,
        /// The question and what differs.
        why: String,
    },
}

impl From<VetError> for LoadError {
    fn from(error: VetError) -> Self {
        Self::Cases(error.to_string())
    }
}

/// The cases that `component` carries, within the bounds of a host.
pub fn bundled(component: &[u8]) -> Result<CaseFile, VetError> {
    let text = bundled::cases(component)?.unwrap_or_default();
    CaseFile::parse_within(text, Bounds::BUNDLED)
        .map_err(|error: CaseError| VetError::Written(shown(&error.to_string())))
}

/// Runs the cases that `component` carries, if it carries any. `proven` is that component under whatever
/// settings, where it was proven already; `classifier` says what kind of caller asks, where the module
/// does not.
pub fn vet(
    engine: &Engine,
    component: &[u8],
    proven: Option<&Arc<Proven>>,
    classifier: &Arc<Proven>,
) -> Result<(), VetError> {
    let began = Instant::now();
    let file = bundled(component)?;
    let settings: BTreeSet<&Settings> = file.cases.iter().map(|case| &case.settings).collect();
    if settings.len() > SETTINGS {
        return Err(VetError::Settings);
    }
    let mut runner = match proven {
        Some(proven) => {
            let module = Module::beside(Arc::clone(proven), classifier);
            Runner::at_defaults(engine, &module)
        }
        None => Runner::of_component(engine, component, classifier),
    };
    for case in &file.cases {
        let does_not_hold = |why| VetError::Case {
            name: shown(&case.name),
            line: case.line,
            why,
        };
        let refused = |why: String| does_not_hold(shown(&why));
        // To prove it under other settings takes as long as it takes, but once only.
        is_in_time(began)?;
        let module = runner.module(&case.settings).map_err(refused)?;
        let asked = Asked::of(case, &module).map_err(refused)?;
        let asked = asked.until(began + TIME);
        for variant in case.given.variants().map_err(refused)? {
            is_in_time(began)?;
            if let Some(failed) = asked.failed(variant).map_err(|OutOfTime| VetError::Slow)? {
                return Err(does_not_hold(why(case, &failed)));
            }
        }
    }
    Ok(())
}

fn is_in_time(began: Instant) -> Result<(), VetError> {
    match began.elapsed() > TIME {
        true => Err(VetError::Slow),
        false => Ok(()),
    }
}

/// The question, and what differs: the first of a case is enough.
fn why(case: &Case, failed: &Failed) -> String {
    let differences: Vec<String> = failed
        .mismatches
        .iter()
        .map(|mismatch| {
            let (expected, found) = (shown(&mismatch.expected), shown(&mismatch.found));
            format!("{} `{found}` instead of `{expected}`", mismatch.part)
        })
        .collect();
    let row = failed.variant.row.key();
    let call = match case.calls.is_one() {
        true => String::new(),
        false => format!(" ({})", failed.call.sentence()),
    };
    format!("{row}{call}: {}", differences.join(", "))
}

fn shown(text: &str) -> String {
    let escaped = escaped(text);
    match escaped.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}
