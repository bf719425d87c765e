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

    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8]) -> Result<Component, LoadError> {
        let refused = |error: wasmtime::Error| LoadError::Compile(sentence(&error));
        match self {
            Self::Here => Component::from_binary(engine.wasm(), bytes).map_err(refused),
            Self::Apart { program } => {
                let code = parent::compile(program, bytes, engine)?;
                load(engine, &code).map_err(refused)
            }
        }
    }
}

/// Machine code that this host's own compiler made a moment ago.
#[expect(
    unsafe_code,
    reason = "wasmtime runs what it is given here: `code` came through a pipe from a process that this one started from its own program, so it is as trustworthy as what the same compiler would have made in here"
)]
fn load(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `code` is what `precompile_component` made in a child of this process, whose program is this
    // one, and nobody else can write to that pipe. That it is of the same version and settings is checked.
    unsafe { Component::deserialize(engine.wasm(), code) }
}
