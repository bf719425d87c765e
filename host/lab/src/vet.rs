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
use crate::cases::{Bounds, CaseError, CaseFile};
use crate::module::Module;
use crate::run::{Ran, Runner};

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
        let ran = runner.run(case);
        if let Some(why) = why(&ran) {
            return Err(VetError::Case {
                name: shown(&case.name),
                line: case.line,
                why,
            });
        }
        if began.elapsed() > TIME {
            return Err(VetError::Slow);
        }
    }
    Ok(())
}

/// Why it does not hold, in a sentence.
fn why(ran: &Ran<'_>) -> Option<String> {
    let failures = match &ran.failures {
        Ok(failures) => failures,
        Err(error) => return Some(shown(error)),
    };
    let failed = failures.first()?;
    let differences: Vec<String> = failed
        .mismatches
        .iter()
        .map(|mismatch| {
            let (expected, found) = (shown(&mismatch.expected), shown(&mismatch.found));
            format!("{} `{found}` instead of `{expected}`", mismatch.part)
        })
        .collect();
    let others = match failures.len() {
        1 => String::new(),
        several => format!(
            ", and {} more of its {} questions",
            several - 1,
            ran.questions
        ),
    };
    let row = failed.variant.row.key();
    Some(format!("{row}: {}{others}", differences.join(", ")))
}

fn shown(text: &str) -> String {
    let escaped = escaped(text);
    match escaped.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &escaped[..end]),
        None => escaped,
    }
}
