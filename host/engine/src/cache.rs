//! Machine code that this host has compiled before, so that a module that comes again need not be
//! compiled again: at a start, at a rollback, under other settings.
//!
//! What is kept is run as part of the host, so a file is believed in only by its seal, which takes a key
//! that this host alone has: never by its name, its place or its owner. What does not hold is discarded
//! with a warning, and compiled anew. `docs/decisions/0020-the-cache-is-sealed.md` has what was weighed.

mod files;
mod seal;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

pub use self::files::CacheError;
use self::files::Files;
use self::seal::{Engines, Seal};

/// A folder of compiled modules.
#[derive(Debug)]
pub struct Cache {
    files: Files,
    seal: Seal,
    found: AtomicU64,
    missed: AtomicU64,
    discarded: AtomicU64,
}

/// How often a cache was of use since it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheCounts {
    /// Code that was there, and held.
    pub found: u64,
    /// Code that was not.
    pub missed: u64,
    /// Code that was there and did not hold.
    pub discarded: u64,
}

/// Why what was found is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("it cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it belongs to another user")]
    NotOurs,
    #[error("others can read or write it")]
    Open,
    #[error("it is larger than any code may be")]
    TooLarge,
    #[error("it is of another form, or not whole")]
    Form,
    #[error("its seal does not hold: it was changed, or is another host's")]
    Seal,
    #[error("it is of another component")]
    Component,
    #[error("it is of another engine")]
    Engine,
    #[error("the engine refuses it: {0}")]
    Refused(String),
}

/// A component that was compiled, or would be, by one engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compilation {
    /// The SHA-256 of the component.
    component: [u8; 32],
    /// What the code depends on beside it.
    engine: [u8; 32],
}

impl Compilation {
    pub(crate) fn new(component: &[u8], engine: [u8; 32]) -> Self {
        Self {
            component: Sha256::digest(component).into(),
            engine,
        }
    }

    /// The file's name. The engine is in it, so that a host that goes back to an earlier version finds
    /// what that one left.
    fn file(&self) -> String {
        let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("{b:02x}")).collect() };
        let (component, engine) = (hex(&self.component), hex(&self.engine[..8]));
        format!("{component}-{engine}{}", files::ENDING)
    }
}

/// What code depends on beside its component: the compiler, its settings and this machine, and the memory
/// that an instance may have, for which an image is part of the code.
pub(crate) fn fingerprint(wasm: &wasmtime::Engine, image_bytes: usize) -> [u8; 32] {
    /// wasmtime's own word says which wasmtime compiles and how; which compiler that calls is here.
    const PACKAGES: &[u8] = include_bytes!("../../../Cargo.lock");
    let mut engines = Engines(Sha256::new());
    std::hash::Hash::hash(&wasm.precompile_compatibility_hash(), &mut engines);
    let mut all = engines.0;
    all.update((image_bytes as u64).to_le_bytes());
    all.update(Sha256::digest(PACKAGES));
    all.finalize().into()
}

impl Cache {
    /// The cache in `folder`, which is made where it is missing, under a key that no other host has.
    pub fn open(folder: &Path, key: Zeroizing<[u8; 32]>) -> Result<Self, CacheError> {
        Ok(Self {
            files: Files::open(folder)?,
            seal: Seal::new(key),
            found: AtomicU64::new(0),
            missed: AtomicU64::new(0),
            discarded: AtomicU64::new(0),
        })
    }

    /// How often it was of use.
    pub fn counts(&self) -> CacheCounts {
        CacheCounts {
            found: self.found.load(Ordering::Relaxed),
            missed: self.missed.load(Ordering::Relaxed),
            discarded: self.discarded.load(Ordering::Relaxed),
        }
    }

    /// What `load` makes of the code of `wanted`, if there is some that holds. What is read is read once:
    /// the bytes that the seal is held against are those that are loaded.
    pub(crate) fn find<T>(
        &self,
        wanted: &Compilation,
        most_bytes: usize,
        load: impl FnOnce(&[u8]) -> Result<T, String>,
    ) -> Option<T> {
        let name = wanted.file();
        let held = match self.files.read(&name, most_bytes + seal::HEAD) {
            Ok(None) => {
                self.missed.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            Ok(Some(file)) => self
                .seal
                .open(wanted, &file)
                .and_then(|code| load(code).map_err(Unfit::Refused)),
            Err(unfit) => Err(unfit),
        };
        match held {
            Ok(loaded) => {
                self.files.touch(&name);
                self.found.fetch_add(1, Ordering::Relaxed);
                Some(loaded)
            }
            Err(unfit) => {
                self.discarded.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    file = name,
                    why = %unfit,
                    "a compiled policy in the cache is discarded, and compiled anew"
                );
                self.files.remove(&name);
                None
            }
        }
    }

    /// Keeps `code`. That it cannot be kept is no reason not to run it.
    pub(crate) fn keep(&self, made: &Compilation, code: &[u8]) {
        let name = made.file();
        let head = self.seal.head(made, code);
        if let Err(error) = self.files.write(&name, [&head, code]) {
            tracing::warn!(
                file = name,
                %error,
                "a compiled policy cannot be kept, and will be compiled again"
            );
        }
    }
}
