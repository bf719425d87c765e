//! Compiling, which is where a hostile component has most to work on: the compiler takes time and memory
//! that no limit of a running module bounds, and cannot be stopped from outside its process.
//!
//! So the host has it done in a process of its own, which is the same program again: it takes a component
//! in and hands machine code out, with limits of memory and time that the kernel holds, and with nothing of
//! the host in it: no key, no environment, no file. Whatever breaks there breaks there.
//!
//! `docs/decisions/0005-compile-in-a-process-of-its-own.md` has what was weighed.

mod child;
mod parent;

use std::path::PathBuf;

use wasmtime::component::Component;

pub use child::child;

use crate::cache::Compilation;
use crate::instance::sentence;
use crate::{Engine, LoadError};

/// Where components are compiled.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// In this process, without limits of time and memory.
    Here,
    /// In a process of its own, which is `program` and begins with [`child`].
    Apart {
        /// Its path.
        program: PathBuf,
    },
}

impl Compiler {
    /// This very program, in a process of its own. Whoever uses it begins `main` with [`child`].
    pub fn apart() -> std::io::Result<Self> {
        // By its path it would be another program once this one has been upgraded in place.
        let program = match cfg!(target_os = "linux") {
            true => PathBuf::from("/proc/self/exe"),
            false => std::env::current_exe()?,
        };
        Ok(Self::Apart { program })
    }

    /// Compiles, unless `engine` has a cache in which the code is.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, LoadError> {
        let Some((cache, fingerprint)) = engine.cache() else {
            let (component, _) = self.compiled(engine, bytes)?;
            return Ok(component);
        };
        let wanted = Compilation::new(bytes, *fingerprint);
        let load = |code: &[u8]| load(engine.wasm(), code).map_err(|error| sentence(&error));
        if let Some(component) = cache.find(&wanted, engine.limits().code_bytes, load) {
            return Ok(component);
        }
        let (component, code) = self.compiled(engine, bytes)?;
        match code.map_or_else(|| component.serialize(), Ok) {
            Ok(code) => cache.keep(&wanted, &code),
            Err(error) => tracing::debug!(%error, "a component cannot be kept"),
        }
        Ok(component)
    }

    /// The component, and its code where that came from elsewhere.
    fn compiled(
        &self,
        engine: &Engine,
        bytes: &[u8],
    ) -> Result<(Component, Option<Vec<u8>>), LoadError> {
        let refused = |error: wasmtime::Error| LoadError::Compile(sentence(&error));
        match self {
            Self::Here => {
                let component = Component::from_binary(engine.wasm(), bytes).map_err(refused)?;
                Ok((component, None))
            }
            Self::Apart { program } => {
                let code = parent::compile(program, bytes, engine)?;
                Ok((load(engine.wasm(), &code).map_err(refused)?, Some(code)))
            }
        }
    }
}

/// The same component for another engine of the same settings.
pub(crate) fn again(component: &Component, wasm: &wasmtime::Engine) -> wasmtime::Result<Component> {
    load(wasm, &component.serialize()?)
}

/// Machine code that this host's own compiler made, a moment ago or when it sealed it.
#[expect(
    unsafe_code,
    reason = "wasmtime runs what it is given here: `code` came through a pipe from a process that this one started from its own program, or bears a seal that only this host can make and that it made over such code, so it is as trustworthy as what the same compiler would have made in here"
)]
fn load(wasm: &wasmtime::Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is what `precompile_component` made in a child of this process, whose program is this
    // one, and nobody else can write to that pipe; or what a component of such code was written back to; or bytes of which `Seal::open` has found, in memory
    // that nobody else writes to, that they are such code, of this component, version and settings. That it
    // is of the same settings is checked once more. It is copied: no file is mapped that could change.
    unsafe { Component::deserialize(wasm, code) }
}
