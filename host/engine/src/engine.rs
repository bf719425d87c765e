//! The sandbox that policy modules run in.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;

use wasmtime::component::{HasSelf, Linker};

use crate::bindings::Policy;
use crate::guest::Guest;
use crate::{Cache, Compiler, EngineError, Limits, cache, configuration};

/// The sandbox: one compiler, two pools of instances and one clock, shared by all modules.
///
/// Cloning it is cheap and gives the same one. It ends, with its clock, when the last clone and the
/// last module proven in it are gone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    lean: Sandbox,
    foreign: Sandbox,
    limits: Limits,
    compiler: Compiler,
    counting: Counting,
    /// Where its code is kept, and what that code depends on.
    cache: Option<(Arc<Cache>, [u8; 32])>,
    _clock: Clock,
}

/// Where a module's instances live. Code is the same for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// Small memories, which are wiped in place: no decision asks the kernel for anything.
    Lean,
    /// Larger ones, such as a module has that is linked by default, of which only what was written to is
    /// wiped: one look at the page table for each decision.
    Foreign,
}

/// Instances of one pool.
struct Sandbox {
    wasm: wasmtime::Engine,
    linker: Linker<Guest>,
}

impl Sandbox {
    fn new(limits: &Limits, counting: Counting, pool: Pool) -> wasmtime::Result<Self> {
        let wasm = wasmtime::Engine::new(&configuration::of(limits, counting, pool))?;
        let mut linker = Linker::new(&wasm);
        Policy::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)?;
        Ok(Self { wasm, linker })
    }
}

/// Whether a sandbox counts the instructions that its modules run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// It does: the numbers are the same on every machine.
    Fuel,
    /// It does not: a host has no use for them.
    Nothing,
}

impl Engine {
    /// A sandbox within `limits`, which compiles in this process: for components that mean no harm.
    pub fn new(limits: Limits) -> Result<Self, EngineError> {
        Self::with_compiler(limits, Compiler::Here)
    }

    /// A sandbox within `limits` that has its components compiled by `compiler`.
    pub fn with_compiler(limits: Limits, compiler: Compiler) -> Result<Self, EngineError> {
        Self::made(limits, compiler, (Counting::Nothing, None))
    }

    /// A sandbox that also counts the instructions that its modules run (wasmtime's fuel), so that what a
    /// decision costs can be compared between machines: for those who work on policies. It decides as any
    /// other does, and its deadlines are the same.
    pub fn counting(limits: Limits, compiler: Compiler) -> Result<Self, EngineError> {
        Self::made(limits, compiler, (Counting::Fuel, None))
    }

    /// A sandbox that keeps what is compiled in `cache`, and finds it there.
    pub fn with_cache(
        limits: Limits,
        compiler: Compiler,
        cache: Arc<Cache>,
    ) -> Result<Self, EngineError> {
        Self::made(limits, compiler, (Counting::Nothing, Some(cache)))
    }

    fn made(
        limits: Limits,
        compiler: Compiler,
        (counting, cache): (Counting, Option<Arc<Cache>>),
    ) -> Result<Self, EngineError> {
        limits.check()?;
        let sandbox = |error: wasmtime::Error| EngineError::Sandbox(format!("{error:#}"));
        let made = |pool| Sandbox::new(&limits, counting, pool).map_err(sandbox);
        let (lean, foreign) = (made(Pool::Lean)?, made(Pool::Foreign)?);
        let engines = [lean.wasm.clone(), foreign.wasm.clone()];
        let clock = Clock::start(engines, &limits).map_err(EngineError::Clock)?;
        let cache = cache.map(|cache| (cache, cache::fingerprint(&lean.wasm, limits.memory_bytes)));
        Ok(Self(Arc::new(Inner {
            lean,
            foreign,
            limits,
            compiler,
            counting,
            cache,
            _clock: clock,
        })))
    }

    /// What a module may use up in here.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The one that compiles.
    pub(crate) fn wasm(&self) -> &wasmtime::Engine {
        self.wasm_of(Pool::Lean)
    }

    pub(crate) fn wasm_of(&self, pool: Pool) -> &wasmtime::Engine {
        &self.sandbox(pool).wasm
    }

    pub(crate) fn linker_of(&self, pool: Pool) -> &Linker<Guest> {
        &self.sandbox(pool).linker
    }

    fn sandbox(&self, pool: Pool) -> &Sandbox {
        match pool {
            Pool::Lean => &self.0.lean,
            Pool::Foreign => &self.0.foreign,
        }
    }

    pub(crate) fn compiler(&self) -> &Compiler {
        &self.0.compiler
    }

    pub(crate) fn cache(&self) -> Option<&(Arc<Cache>, [u8; 32])> {
        self.0.cache.as_ref()
    }

    pub(crate) fn counting_what(&self) -> Counting {
        self.0.counting
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("limits", &self.0.limits)
            .finish()
    }
}

/// Counts ticks on a thread of its own, until it is dropped.
struct Clock {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Clock {
    fn start(engines: [wasmtime::Engine; 2], limits: &Limits) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let tick = limits.tick;
        let thread = std::thread::Builder::new()
            .name("policy-clock".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                    for engine in &engines {
                        engine.increment_epoch();
                    }
                }
            })?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to fail with, and nothing here could do about it.
            let _ = thread.join();
        }
    }
}
