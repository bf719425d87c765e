//! The cases that modules carry, held before a module stands for the first time.
//!
//! They are held when a module comes: in the folder, or pushed. What is kept was held when it came, so a set
//! of kept versions, a rollback, and what another host recorded do not hold them again: going back must
//! not hang on anything else.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use countersign_engine::folder::Vet;
use countersign_engine::{Engine, LoadError, Proven};
use countersign_lab::vet::vet;

/// How many components are remembered to have held.
const REMEMBERED: usize = 1_024;

/// Holds components to the cases that they carry.
#[derive(Debug)]
pub struct Vetting {
    engine: Engine,
    /// Who says what kind of caller asks, where a module does not.
    baseline: Arc<Proven>,
    /// The digests of those that hold. Whether they do hangs on nothing else.
    held: Mutex<BTreeSet<String>>,
}

impl Vetting {
    /// In this sandbox, beside the built-in baseline.
    pub fn new(engine: Engine, baseline: Arc<Proven>) -> Self {
        // What is built in is held by this project's own tests.
        let held = BTreeSet::from([baseline.id().digest.clone()]);
        Self {
            engine,
            baseline,
            held: Mutex::new(held),
        }
    }

    /// Whether a component holds that says it is so and so; `proven` is it, where it was proven already.
    ///
    /// It can take a minute: it is nothing for a thread that serves requests.
    pub fn hold(
        &self,
        digest: &str,
        component: &[u8],
        proven: Option<&Arc<Proven>>,
    ) -> Result<(), LoadError> {
        if self.known().contains(digest) {
            return Ok(());
        }
        vet(&self.engine, component, proven, &self.baseline)?;
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(digest.to_owned());
        Ok(())
    }

    /// The same, of what is new in the folder.
    pub fn of_folder(self: &Arc<Self>) -> Vet {
        let vetting = Arc::clone(self);
        Vet::new(move |proven| vetting.hold(&proven.id().digest, proven.bytes(), Some(proven)))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
