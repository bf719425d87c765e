//! The modules that decided, made ready as they are needed.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_core::verdict::ModuleId;
use countersign_engine::{Engine, Proven, Settings};

use super::recent::Recent;

/// Generations whose modules are known at once. Decisions come in the order in which they were made, so few
/// generations take turns.
const GENERATIONS: usize = 1_024;
/// Sets of modules that are ready at once, however many generations they are.
const SETS: usize = 16;
/// Modules that are ready at once. One of a large language takes some tens of megabytes.
const MODULES: usize = 32;

/// A module of a recorded generation, as it decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptModule {
    /// Which.
    pub id: ModuleId,
    /// Its settings, defaults included.
    pub settings: Settings,
}

/// Where what decided then is kept.
pub trait Kept: Sync {
    /// The modules of the generation of that number, or in one sentence why they are not to be had.
    fn generation(&self, number: u64) -> Result<Vec<KeptModule>, String>;

    /// The bytes of a module, or why there are none.
    fn bytes(&self, id: &ModuleId) -> Result<Vec<u8>, String>;
}

/// The modules of a generation, ready to be asked, or why they are not.
pub(super) type Generation = Arc<Result<Vec<Arc<Proven>>, String>>;

/// A generation's modules: generations that have the same share one.
type Set = Arc<Result<Vec<KeptModule>, String>>;

/// What is ready.
pub(super) struct Shelf<'a> {
    engine: &'a Engine,
    kept: &'a dyn Kept,
    ready: Mutex<Ready>,
}

struct Ready {
    generations: Recent<u64, Set>,
    sets: Recent<Set, Generation>,
    modules: Recent<(String, Settings), Result<Arc<Proven>, String>>,
}

impl<'a> Shelf<'a> {
    pub fn new(engine: &'a Engine, kept: &'a dyn Kept) -> Self {
        Self {
            engine,
            kept,
            ready: Mutex::new(Ready {
                generations: Recent::new(GENERATIONS),
                sets: Recent::new(SETS),
                modules: Recent::new(MODULES),
            }),
        }
    }

    /// The one of that number. Whoever needs another meanwhile waits: most often it is the same.
    pub fn generation(&self, number: u64) -> Generation {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let set = ready.generations.get(&number).unwrap_or_else(|| {
            let set = Arc::new(self.kept.generation(number));
            ready.generations.put(number, Arc::clone(&set));
            set
        });
        if let Some(known) = ready.sets.get(&set) {
            return known;
        }
        let proven = match &*set {
            Ok(modules) => modules
                .iter()
                .map(|one| self.proven(one, &mut ready))
                .collect(),
            Err(why) => Err(why.clone()),
        };
        let proven = Arc::new(proven);
        ready.sets.put(set, Arc::clone(&proven));
        proven
    }

    /// Each module under its settings is proven once, in however many sets it is.
    fn proven(&self, kept: &KeptModule, ready: &mut Ready) -> Result<Arc<Proven>, String> {
        let key = (kept.id.digest.clone(), kept.settings.clone());
        if let Some(known) = ready.modules.get(&key) {
            return known;
        }
        let proven = self.prove(kept);
        ready.modules.put(key, proven.clone());
        proven
    }

    fn prove(&self, kept: &KeptModule) -> Result<Arc<Proven>, String> {
        let bytes = self.kept.bytes(&kept.id)?;
        let proven = self
            .engine
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
    }
}
