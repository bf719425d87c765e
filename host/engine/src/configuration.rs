//! How wasmtime is configured: one line for each setting, with its value and the reason. What is not here
//! is wasmtime's default. `docs/sandbox.md` shows the lines, and a test compares.

use std::fmt::Debug;

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig};

use crate::Limits;
use crate::engine::{Counting, Pool};
use crate::limits::PAGE;

/// A page for the snapshot to leave its answer in, and one for it to do so again.
pub(crate) const SNAPSHOT_BYTES: usize = 2 * PAGE;

/// How much of an instance's memory is wiped rather than given back, which takes system calls and page
/// faults. In the lean pool it is the largest memory, all of which is wiped in place.
const RESIDENT_BYTES: usize = 256 * 1024;

/// As [`RESIDENT_BYTES`], for tables: 2,048 elements.
const RESIDENT_TABLE_BYTES: usize = 16 * 1024;

/// What one component may have of instances, memories and tables of its own: Python has 38 core
/// instances, a module of ours one.
const PARTS: u32 = 64;

/// A setting of wasmtime's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is a setting of.
    pub of: &'static str,
    /// Its name: a method of wasmtime's `Config` or `PoolingAllocationConfig`.
    pub setting: &'static str,
    /// Its value.
    pub value: String,
    /// Why.
    pub reason: &'static str,
}

impl Line {
    fn new(setting: &'static str, value: &dyn Debug, reason: &'static str) -> Self {
        let value = format!("{value:?}");
        Self {
            of: "all code",
            setting,
            value,
            reason,
        }
    }

    fn of(self, of: &'static str) -> Self {
        Self { of, ..self }
    }
}

/// Sets each, and writes down that it did and why: what is shown is what is so.
macro_rules! set {
    ($config:ident, $lines:ident; $($setting:ident($value:expr): $reason:literal;)*) => {$(
        let value = $value;
        $lines.push(Line::new(stringify!($setting), &value, $reason));
        $config.$setting(value);
    )*};
}

/// The lines of a host within `limits`.
pub fn lines(limits: &Limits) -> Vec<Line> {
    let (_, mut lines) = code_lines(limits.memory_bytes, Counting::Nothing);
    lines.extend(call_lines(&mut Config::new(), limits));
    let (lean, foreign) = (pool(limits, Pool::Lean).1, pool(limits, Pool::Foreign).1);
    for (lean, foreign) in lean.into_iter().zip(foreign) {
        let is_same = lean == foreign;
        lines.push(lean.of(if is_same {
            "both pools"
        } else {
            "the lean pool"
        }));
        if !is_same {
            lines.push(foreign.of("the foreign pool"));
        }
    }
    lines
}

/// Where modules live whose largest memory begins with so many pages.
pub(crate) fn pool_of(pages: Option<u64>) -> Pool {
    match pages.unwrap_or_default() <= (RESIDENT_BYTES / PAGE) as u64 {
        true => Pool::Lean,
        false => Pool::Foreign,
    }
}

/// All of it.
pub(crate) fn of(limits: &Limits, counting: Counting, which: Pool) -> Config {
    let mut config = code(limits.memory_bytes, counting);
    call_lines(&mut config, limits);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits, which).0));
    config
}

/// What compiled code depends on, and so what a compiler in another process must agree on: `image_bytes`
/// is the memory that an instance may have.
pub(crate) fn code(image_bytes: usize, counting: Counting) -> Config {
    code_lines(image_bytes, counting).0
}

fn code_lines(image_bytes: usize, counting: Counting) -> (Config, Vec<Line>) {
    let (mut config, mut lines) = (Config::new(), Vec::new());
    set! { config, lines;
        cranelift_opt_level(OptLevel::Speed): "compiled once and kept, run at every decision";
        cranelift_nan_canonicalization(true): "the same question has the same answer on every machine";
        relaxed_simd_deterministic(true): "the same question has the same answer on every machine";
        wasm_memory64(false): "no policy needs it, and what is not there is not attacked";
        wasm_multi_memory(true): "the snapshot's instrumenting may add one";
        wasm_wide_arithmetic(false): "no policy needs it, and what is not there is not attacked";
        wasm_custom_page_sizes(false): "no policy needs it, and what is not there is not attacked";
        shared_memory(false): "no threads: a decision is a function of its question";
        gc_support(false): "no policy needs it, and what is not there is not attacked";
        concurrency_support(false): "policies are synchronous, and the bookkeeping for others doubles the cost of a call";
        epoch_interruption(true): "a loop ends, in whichever function it is";
        consume_fuel(counting == Counting::Fuel): "only who compares policies counts instructions";
        wasm_backtrace_max_frames(None): "nobody is shown a module's backtrace";
        generate_address_map(false): "it is for backtraces";
        memory_guaranteed_dense_image_size(image_bytes as u64): "even a sparse heap becomes an image, from which each decision starts";
    }
    (config, lines)
}

fn call_lines(config: &mut Config, limits: &Limits) -> Vec<Line> {
    let mut lines = Vec::new();
    set! { config, lines;
        max_wasm_stack(limits.stack_bytes): "`stack_bytes`: it is part of the stack of a thread that serves requests";
    }
    lines.into_iter().map(|line| line.of("each call")).collect()
}

fn pool(limits: &Limits, which: Pool) -> (PoolingAllocationConfig, Vec<Line>) {
    let (mut pool, mut lines) = (PoolingAllocationConfig::new(), Vec::new());
    set! { pool, lines;
        max_memory_size(limits.memory_bytes + SNAPSHOT_BYTES): "`memory_bytes`, and the two pages in which a snapshot answers";
        linear_memory_keep_resident(RESIDENT_BYTES.min(limits.memory_bytes)): "so much is wiped rather than given back: a whole memory of the lean pool, of which our modules have 128 KiB";
        table_elements(limits.table_elements): "`table_elements`";
        table_keep_resident(RESIDENT_TABLE_BYTES): "2,048 elements, more than our modules have, wiped in place";
        max_unused_warm_slots(limits.instances): "a slot stays with its module, so that its memory need not be mapped anew";
        total_component_instances(limits.instances): "`instances`";
        total_core_instances(limits.instances * 4): "a module of ours has one; an interpreter's module leaves room for fewer";
        total_memories(limits.instances * 2): "a module of ours has one";
        total_tables(limits.instances * 4): "a module of ours has one";
        max_core_instances_per_component(PARTS): "Python has 38, and no policy a reason for more";
        max_memories_per_component(PARTS / 8): "no policy has a reason for more";
        max_tables_per_component(PARTS): "an interpreter's libraries have one each";
        max_memories_per_module(2): "its own, and one that the snapshot may add";
        max_tables_per_module(8): "no policy has a reason for more";
    }
    match which {
        Pool::Lean => {
            set! { pool, lines;
            pagemap_scan(Enabled::No): "small memories are wiped whole, which takes no system call";
            }
        }
        Pool::Foreign => {
            set! { pool, lines;
            pagemap_scan(Enabled::Auto): "a module that is linked by default has a stack of 1 MiB and writes to little of it: the kernel says to what, where it can (Linux 6.7), and only that is wiped";
            }
        }
    }
    (pool, lines)
}
