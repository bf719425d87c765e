//! A module that has been proven: it describes itself, it took its settings, it can decide.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::policy::{CallerClass, Question, Verdict};
use countersign_core::verdict::ModuleId;
use sha2::{Digest, Sha256};

use crate::contract::Wire;
use crate::failure::{Failure, FailureKind};
use crate::guest::Notebook;
use crate::instance::{Compiled, Running};
use crate::snapshot;
use crate::{Engine, Limits, LoadError, Manifest, Pool, Settings};

/// How each decision of a module gets its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It starts from the state that `configure` left.
    Snapshot,
    /// It calls `configure` first, because this component cannot be written anew.
    Reconfigured,
}

/// What a module said to one question.
pub(crate) struct Said<T> {
    pub(crate) answer: Result<T, Failure>,
    pub(crate) notes: Vec<String>,
    /// How long it ran beyond what is free.
    pub(crate) used: Duration,
}

impl<T> Said<T> {
    fn of(answer: Result<T, Failure>, running: Running<'_>) -> Self {
        Self {
            answer,
            used: running.used(),
            notes: running.into_notes(),
        }
    }

    fn nothing(failure: Failure) -> Self {
        Self {
            answer: Err(failure),
            notes: Vec::new(),
            used: Duration::ZERO,
        }
    }
}

/// A module that has been proven, with its settings.
pub struct Proven {
    id: ModuleId,
    manifest: Manifest,
    settings: Settings,
    bytes: Arc<[u8]>,
    engine: Engine,
    compiled: Compiled,
    mode: Mode,
}

impl Engine {
    /// Proves the component of `bytes` with `settings`: compiles it, asks what it is, configures it.
    ///
    /// It takes as long as compiling does, from milliseconds to many seconds, and `configure_time` at
    /// most beyond that: never call it on a thread that serves requests.
    pub fn prove(&self, bytes: &[u8], settings: &Settings) -> Result<Proven, LoadError> {
        self.prove_as(bytes, settings, Mode::Snapshot)
    }

    /// [`Engine::prove`], with [`Mode::Reconfigured`] even where a snapshot could be had.
    pub(crate) fn prove_as(
        &self,
        bytes: &[u8],
        settings: &Settings,
        mode: Mode,
    ) -> Result<Proven, LoadError> {
        let limits = self.limits();
        let (original, manifest) = self.described(bytes)?;
        let digest = hex(&Sha256::digest(bytes));
        let settings = manifest.apply(settings, limits)?;

        let snapshot = match mode {
            Mode::Snapshot => snapshot::configured(self, bytes, &settings)?,
            Mode::Reconfigured => None,
        };
        let (compiled, mode) = match snapshot {
            Some(snapshot) => (snapshot, Mode::Snapshot),
            None => {
                let mut running = original
                    .start(limits.configure_time, Notebook::Forbidden)
                    .map_err(|failure| LoadError::Configure(failure.into()))?;
                snapshot::configure(&mut running, &settings)?;
                drop(running);
                (original, Mode::Reconfigured)
            }
        };
        Ok(Proven {
            id: ModuleId {
                name: manifest.name.clone(),
                version: manifest.version.clone(),
                digest,
            },
            manifest,
            settings,
            bytes: bytes.into(),
            engine: self.clone(),
            compiled,
            mode,
        })
    }
}

impl Engine {
    /// Which module the component of `bytes` is, by its own word: it compiles and describes itself. Whether
    /// it takes its settings is for [`Engine::prove`], and like that it is nothing for a thread that
    /// serves requests.
    pub fn describe(&self, bytes: &[u8]) -> Result<ModuleId, LoadError> {
        let (_, manifest) = self.described(bytes)?;
        Ok(ModuleId {
            name: manifest.name,
            version: manifest.version,
            digest: hex(&Sha256::digest(bytes)),
        })
    }

    fn described(&self, bytes: &[u8]) -> Result<(Compiled, Manifest), LoadError> {
        let limits = self.limits();
        if bytes.len() > limits.component_bytes {
            let limit = limits.component_bytes;
            return Err(LoadError::TooLarge { limit });
        }
        let original = Compiled::new(self, bytes)?;
        let said = original
            .start(limits.configure_time, Notebook::Dropped)
            .and_then(|mut running| running.describe())
            .map_err(|failure| LoadError::Describe(failure.into()))?;
        Ok((original, Manifest::lift(said, limits)?))
    }
}

impl Proven {
    /// Which module, exactly.
    pub fn id(&self) -> &ModuleId {
        &self.id
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its settings, defaults included.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The component, as it was handed in.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The interfaces that its component imports.
    pub fn imports(&self) -> &[String] {
        self.compiled.imports()
    }

    /// Whether its component has this SHA-256.
    pub(crate) fn has_digest(&self, digest: &[u8]) -> bool {
        self.id.digest == hex(digest)
    }

    /// How its decisions get their settings.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Where its instances live.
    pub fn pool(&self) -> Pool {
        self.compiled.pool()
    }

    /// The same with its instances in `pool`: for whoever measures.
    pub fn moved_to(self, pool: Pool) -> Result<Self, LoadError> {
        let compiled = self.compiled.moved_to(pool)?;
        Ok(Self { compiled, ..self })
    }

    /// Asks within `time` what kind of caller it is, and holds the answer against what the caller proved. The notes
    /// are there whether or not it succeeds.
    pub(crate) fn classify(
        &self,
        question: &Question,
        wire: &Wire<'_>,
        time: Duration,
    ) -> Said<CallerClass> {
        let mut running = match self.ready(Notebook::kept(self.engine.limits()), time) {
            Ok(running) => running,
            Err(failure) => return Said::nothing(failure),
        };
        let credential = question.subject.credential;
        let class = running.classify(wire.caller()).and_then(|class| {
            if class.is_possible_for(credential) {
                return Ok(class);
            }
            Err(Failure::new(format!(
                "it took a caller for {class} whose credential is `{credential}`"
            )))
        });
        Said::of(class, running)
    }

    /// Asks for a verdict within `time`; the notes are there whether or not it succeeds.
    pub(crate) fn decide(
        &self,
        question: &Question,
        wire: &Wire<'_>,
        class: CallerClass,
        time: Duration,
    ) -> Said<Verdict> {
        let mut running = match self.ready(Notebook::kept(self.engine.limits()), time) {
            Ok(running) => running,
            Err(failure) => return Said::nothing(failure),
        };
        let told = wire.told(&self.manifest);
        let now = rounded(question.time, self.manifest.clock_seconds);
        let verdict = running.decide(wire.request(class, now, &told));
        Said::of(verdict, running)
    }

    /// What it may use up.
    pub(crate) fn limits(&self) -> &Limits {
        self.engine.limits()
    }

    /// A fresh instance with its settings in, which has `time`, and no more than any decision has.
    pub(crate) fn ready(&self, notebook: Notebook, time: Duration) -> Result<Running<'_>, Failure> {
        if time.is_zero() {
            return Err(Failure::of(
                FailureKind::Unasked,
                "the policies before it left it nothing of the time that they have together",
            ));
        }
        let time = time.min(self.engine.limits().decide_time);
        if self.mode == Mode::Snapshot {
            return self.compiled.start(time, notebook);
        }
        let mut running = self.compiled.start(time, Notebook::Forbidden)?;
        running.configure(&self.settings)?.map_err(|refusal| {
            let sentence = format!("it refuses its settings: {refusal}");
            Failure::of(FailureKind::Settings, sentence)
        })?;
        running.set_notebook(notebook);
        Ok(running)
    }
}

impl std::fmt::Debug for Proven {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proven")
            .field("id", &self.id)
            .field("settings", &self.settings)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// `time` in milliseconds, rounded down to whole `seconds`; 0 for a module that needs no clock.
pub(crate) fn rounded(time: u64, seconds: u32) -> u64 {
    match u64::from(seconds) * 1_000 {
        0 => 0,
        step => time - time % step,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn a_module_sees_no_finer_clock_than_it_asked_for() {
        assert_eq!(rounded(1_234_567, 0), 0);
        assert_eq!(rounded(1_234_567, 1), 1_234_000);
        assert_eq!(rounded(1_234_567, 60), 1_200_000);
    }
}
