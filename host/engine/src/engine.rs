//! The sandbox that policy modules run in.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::bindings::Policy;
use crate::guest::Guest;
use crate::limits::PAGE;
use crate::{Compiler, EngineError, Limits};

/// What an instance's memory costs to reset without asking the kernel: below it memory is wiped in
/// place, above it pages are given back, which takes system calls and page faults. It is above what
/// our own modules use (128 KiB) and below the 1 MiB stack of a module that is linked by default, whose
/// wiping costs more than giving it back.
const RESIDENT_BYTES: usize = 256 * 1024;

/// As [`RESIDENT_BYTES`], for tables: 2,048 elements.
const RESIDENT_TABLE_BYTES: usize = 16 * 1024;

/// A page for the snapshot to leave its answer in, and one for it to do so again.
pub(crate) const SNAPSHOT_BYTES: usize = 2 * PAGE;

/// The sandbox: one compiler, one pool of instances and one clock, shared by all modules.
///
/// Cloning it is cheap and gives the same one. It ends, with its clock, when the last clone and the
/// last module proven in it are gone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    wasm: wasmtime::Engine,
    linker: Linker<Guest>,
    limits: Limits,
    compiler: Compiler,
    counting: Counting,
    _clock: Clock,
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
        Self::made(limits, compiler, Counting::Nothing)
    }

    /// A sandbox that also counts the instructions that its modules run (wasmtime's fuel), so that what a
    /// decision costs can be compared between machines: for those who work on policies. It decides as any
    /// other does, and its deadlines are the same.
    pub fn counting(limits: Limits, compiler: Compiler) -> Result<Self, EngineError> {
        Self::made(limits, compiler, Counting::Fuel)
    }

    fn made(limits: Limits, compiler: Compiler, counting: Counting) -> Result<Self, EngineError> {
        limits.check()?;
        let sandbox = |error: wasmtime::Error| EngineError::Sandbox(format!("{error:#}"));
        let wasm = wasmtime::Engine::new(&config(&limits, counting)).map_err(sandbox)?;
        let mut linker = Linker::new(&wasm);
        Policy::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest).map_err(sandbox)?;
        let clock = Clock::start(wasm.clone(), &limits).map_err(EngineError::Clock)?;
        Ok(Self(Arc::new(Inner {
            wasm,
            linker,
            limits,
            compiler,
            counting,
            _clock: clock,
        })))
    }

    /// What a module may use up in here.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn wasm(&self) -> &wasmtime::Engine {
        &self.0.wasm
    }

    pub(crate) fn compiler(&self) -> &Compiler {
        &self.0.compiler
    }

    pub(crate) fn counting_what(&self) -> Counting {
        self.0.counting
    }

    pub(crate) fn linker(&self) -> &Linker<Guest> {
        &self.0.linker
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("limits", &self.0.limits)
            .finish()
    }
}

fn config(limits: &Limits, counting: Counting) -> Config {
    let mut config = code_config(limits.memory_bytes, counting);
    config
        .max_wasm_stack(limits.stack_bytes)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    config
}

/// What compiled code depends on, and so what a compiler in another process must agree on: `image_bytes`
/// is the memory that an instance may have.
pub(crate) fn code_config(image_bytes: usize, counting: Counting) -> Config {
    let mut config = Config::new();
    config
        // The same question has the same answer, on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // What a guest of this contract has no use for is not there to be attacked.
        .wasm_memory64(false)
        .wasm_multi_memory(true)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .shared_memory(false)
        .gc_support(false)
        // Guests are synchronous; the bookkeeping for others doubles the cost of a call.
        .concurrency_support(false)
        .epoch_interruption(true)
        .consume_fuel(counting == Counting::Fuel)
        // Nobody is shown a guest's backtrace.
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        // A memory image is made even of a sparse heap: it is small, and each decision starts from it.
        .memory_guaranteed_dense_image_size(image_bytes as u64);
    config
}

fn pool(limits: &Limits) -> PoolingAllocationConfig {
    /// What one component may have of instances, memories and tables of its own: Python has 38 core
    /// instances, a module of ours one.
    const PARTS: u32 = 64;
    let mut pool = PoolingAllocationConfig::new();
    pool.max_memory_size(limits.memory_bytes + SNAPSHOT_BYTES)
        .linear_memory_keep_resident(RESIDENT_BYTES.min(limits.memory_bytes))
        .table_elements(limits.table_elements)
        .table_keep_resident(RESIDENT_TABLE_BYTES)
        // A slot stays with its module, so that its memory need not be mapped anew.
        .max_unused_warm_slots(limits.instances)
        .total_component_instances(limits.instances)
        .total_core_instances(limits.instances * 4)
        .total_memories(limits.instances * 2)
        .total_tables(limits.instances * 4)
        .max_core_instances_per_component(PARTS)
        .max_memories_per_component(PARTS / 8)
        .max_tables_per_component(PARTS)
        .max_memories_per_module(2)
        .max_tables_per_module(8);
    pool
}

/// Counts ticks on a thread of its own, until it is dropped.
struct Clock {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Clock {
    fn start(wasm: wasmtime::Engine, limits: &Limits) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let tick = limits.tick;
        let thread = std::thread::Builder::new()
            .name("policy-clock".to_owned())
            .spawn(move || {
                while stopped.recv_timeout(tick) == Err(RecvTimeoutError::Timeout) {
                    wasm.increment_epoch();
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
