//! Decisions in a file that `countersign decision export` wrote.

mod lines;
mod wrong;

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use countersign_core::verdict::ModuleId;
use countersign_engine::{BASELINE, Engine, Settings};
use countersign_lab::replay::{Kept, KeptModule};

pub use self::lines::Lines;
use self::wrong::Wrong;
use crate::export::{Between, Component, Generation, digest};

/// An export, and the components that are brought for it.
pub struct Export {
    path: PathBuf,
    file: File,
    /// Bytes by their digest.
    brought: HashMap<String, Vec<u8>>,
    places: Mutex<Places>,
    /// How much of it was read, in bytes.
    position: AtomicU64,
}

/// Where in the file something is that may be needed later, which costs no memory in the meantime.
#[derive(Default)]
struct Places {
    generations: HashMap<u64, Place>,
    components: HashMap<String, Place>,
}

/// A line: where it begins, and its length.
#[derive(Clone, Copy)]
struct Place {
    begins: u64,
    length: usize,
}

impl Export {
    /// Opens it, and sees whether it looks whole: what is cut is said before anything is asked.
    pub fn open(path: &Path, kept: &[PathBuf], engine: &Engine) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let is_file = file.metadata().is_ok_and(|there| there.is_file());
        anyhow::ensure!(
            is_file,
            "`{}` is no ordinary file: an export is read from one, because what decided is looked up in it again",
            path.display()
        );
        lines::look(&file).map_err(|wrong| wrong.in_file(path))?;
        let mut brought = HashMap::from([(digest(BASELINE), BASELINE.to_vec())]);
        for component in kept {
            let bytes = super::read(component)?;
            let id = engine.describe(&bytes);
            let id = id.with_context(|| format!("cannot use `{}`", component.display()))?;
            brought.insert(id.digest, bytes);
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            brought,
            places: Mutex::default(),
            position: AtomicU64::new(0),
        })
    }

    /// Every decision of the file, checked as it is read: whatever is wrong with the file comes at the end at
    /// the latest.
    pub fn lines(&self) -> Lines<'_, BufReader<&File>> {
        Lines::new(self, BufReader::with_capacity(1 << 20, &self.file))
    }

    /// How much of the file was read, in percent.
    pub fn percent(&self) -> u64 {
        let length = self.file.metadata().map_or(0, |there| there.len());
        let position = self.position.load(Ordering::Relaxed);
        (position * 100).checked_div(length).unwrap_or(100).min(100)
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers where the policies are that `line` tells of.
    fn note(&self, line: Between, place: Place) -> Result<(), Wrong> {
        match line {
            Between::Generation(generation) => {
                self.places().generations.insert(generation.number, place);
            }
            Between::Component(component) => {
                if component.bytes().is_none() {
                    return Err(Wrong::Bytes(component.digest));
                }
                self.places().components.insert(component.digest, place);
            }
            Between::End(_) => {}
        }
        Ok(())
    }

    fn at<T>(&self, place: Place, of: fn(Between) -> Option<T>) -> Result<T, String> {
        let mut line = vec![0; place.length];
        let read = self.file.read_exact_at(&mut line, place.begins);
        let parsed = read.ok().and_then(|()| serde_json::from_slice(&line).ok());
        parsed.and_then(of).ok_or_else(|| {
            format!(
                "the export changed while it was read: `{}`",
                self.path.display()
            )
        })
    }
}

impl Kept for Export {
    fn generation(&self, number: u64) -> Result<Vec<KeptModule>, String> {
        let place = self.places().generations.get(&number).copied();
        let place =
            place.ok_or_else(|| format!("the export does not say what generation {number} was"))?;
        let generation = self.at(place, generation)?;
        let modules = generation.modules.into_iter().map(|module| KeptModule {
            settings: settings(module.settings),
            id: module.id,
        });
        Ok(modules.collect())
    }

    fn bytes(&self, id: &ModuleId) -> Result<Vec<u8>, String> {
        if let Some(bytes) = self.brought.get(&id.digest) {
            return Ok(bytes.clone());
        }
        let place = self.places().components.get(&id.digest).copied();
        let place = place.ok_or_else(|| {
            format!(
                "the component of `{id}` is not here: export with --with-modules, or bring it by --kept (SHA-256 {})",
                id.digest
            )
        })?;
        let component = self.at(place, component)?;
        let bytes = component.bytes().filter(|_| component.digest == id.digest);
        bytes.ok_or_else(|| format!("the bytes of `{id}` are not those of its digest"))
    }
}

fn generation(line: Between) -> Option<Generation> {
    match line {
        Between::Generation(generation) => Some(generation),
        _ => None,
    }
}

fn component(line: Between) -> Option<Component> {
    match line {
        Between::Component(component) => Some(component),
        _ => None,
    }
}

fn settings(named: BTreeMap<String, Vec<String>>) -> Settings {
    named
        .into_iter()
        .fold(Settings::new(), |all, (name, values)| {
            all.with(&name, values)
        })
}
