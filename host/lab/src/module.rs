//! A module under test, alone: no database, no server, and its source is not needed.

mod reused;

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use countersign_core::policy::{CallerClass, Question, Verdict};
use countersign_engine::{BASELINE, CLASSIFIER, Engine, LoadError, Proven, Settings};

pub use self::reused::Reused;

/// Why a module cannot be worked on.
#[derive(Debug, thiserror::Error)]
pub enum ModuleError {
    /// A file cannot be read.
    #[error("cannot read `{path}`")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The host would refuse to load it.
    #[error("`{path}` cannot be loaded")]
    Load {
        /// Which.
        path: String,
        /// Why.
        source: LoadError,
    },
    /// The built-in baseline, which says what kind of caller asks, could not be loaded.
    #[error("the built-in baseline cannot be loaded")]
    Baseline(#[source] LoadError),
}

/// What the file at `path` holds, or a byte more than `most` of it: a device has no end, and whoever has something
/// from somebody else may be led to one.
pub fn read_at_most(path: &Path, most: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let most = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a module said to one question.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// What the classifier takes the caller for, or why it could not say.
    pub class: Result<CallerClass, String>,
    /// The verdict, or why there is none.
    pub verdict: Result<Verdict, String>,
    /// What was written for whoever debugs the module.
    pub notes: Vec<String>,
}

/// A module under test, and what tells it who asks.
#[derive(Clone, Debug)]
pub struct Module {
    proven: Arc<Proven>,
    classifier: Arc<Proven>,
}

impl Module {
    /// Loads the component at `path` as the host would, with the settings of the file of the same name
    /// with the ending `.toml`, if there is one.
    pub fn open(engine: &Engine, path: &Path) -> Result<Self, ModuleError> {
        let named = path.display().to_string();
        let read = |source| ModuleError::Read {
            path: named.clone(),
            source,
        };
        let load = |source| ModuleError::Load {
            path: named.clone(),
            source,
        };
        let settings = match std::fs::read_to_string(path.with_extension("toml")) {
            Ok(text) => Settings::parse_toml(&text).map_err(load)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Settings::new(),
            Err(source) => return Err(read(source)),
        };
        Self::open_with(engine, path, &settings)
    }

    /// Loads the component at `path` with `settings`, whatever lies beside it.
    pub fn open_with(
        engine: &Engine,
        path: &Path,
        settings: &Settings,
    ) -> Result<Self, ModuleError> {
        let named = path.display().to_string();
        let most = engine.limits().component_bytes;
        let bytes = read_at_most(path, most).map_err(|source| ModuleError::Read {
            path: named.clone(),
            source,
        })?;
        let proven = engine
            .prove(&bytes, settings)
            .map_err(|source| ModuleError::Load {
                path: named,
                source,
            })?;
        Self::new(engine, proven)
    }

    /// The module that is `proven`. One of the classifier's name is its own; of others the built-in
    /// baseline says what kind of caller asks, as it does in a host.
    pub fn new(engine: &Engine, proven: Proven) -> Result<Self, ModuleError> {
        let proven = Arc::new(proven);
        if proven.id().name == CLASSIFIER {
            return Ok(Self::beside(Arc::clone(&proven), &proven));
        }
        let baseline = engine.prove(BASELINE, &Settings::new());
        let baseline = Arc::new(baseline.map_err(ModuleError::Baseline)?);
        Ok(Self::beside(proven, &baseline))
    }

    /// The module that is `proven`, beside `classifier`, which is asked what kind of caller asks unless the
    /// module has the classifier's name.
    pub fn beside(proven: impl Into<Arc<Proven>>, classifier: &Arc<Proven>) -> Self {
        let proven = proven.into();
        let classifier = match proven.id().name == CLASSIFIER {
            true => Arc::clone(&proven),
            false => Arc::clone(classifier),
        };
        Self { proven, classifier }
    }

    /// The same module with other settings, beside the same classifier.
    pub fn with_settings(&self, engine: &Engine, settings: &Settings) -> Result<Self, LoadError> {
        let proven = Arc::new(engine.prove(self.proven.bytes(), settings)?);
        let classifier = match self.is_classifier() {
            true => Arc::clone(&proven),
            false => Arc::clone(&self.classifier),
        };
        Ok(Self { proven, classifier })
    }

    /// The module.
    pub fn proven(&self) -> &Arc<Proven> {
        &self.proven
    }

    /// Who says what kind of caller asks.
    pub fn classifier(&self) -> &Arc<Proven> {
        &self.classifier
    }

    /// Whether it says that itself.
    pub fn is_classifier(&self) -> bool {
        Arc::ptr_eq(&self.proven, &self.classifier)
    }

    /// [`Module::answer`], asked again where it fails: a module is deterministic, so what does not fail again
    /// was a machine that had no time for it.
    pub fn answer_again(&self, question: &Question) -> Answered {
        const ATTEMPTS: usize = 3;
        let mut answered = self.answer(question, None);
        for _ in 1..ATTEMPTS {
            if answered.verdict.is_ok() {
                break;
            }
            answered = self.answer(question, None);
        }
        answered
    }

    /// What it makes of `question`, in fresh instances, as in a host. A `class` that is given is not asked
    /// for.
    pub fn answer(&self, question: &Question, class: Option<CallerClass>) -> Answered {
        let mut notes = Vec::new();
        let class = match class {
            Some(class) => Ok(class),
            None => {
                let said = self.classifier.class_of(question);
                notes.extend(said.notes);
                said.answer
            }
        };
        let verdict = match &class {
            Ok(class) => {
                let said = self.proven.verdict_on(question, *class);
                notes.extend(said.notes);
                said.answer
            }
            // Without a class nothing is decided, which denies.
            Err(failure) => Err(failure.clone()),
        };
        Answered {
            class,
            verdict,
            notes,
        }
    }
}
