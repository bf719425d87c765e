//! The compiler's own process.

use std::io::{self, Read, Write};
use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use wasmtime::Engine;

use super::parent::{COMMAND, Order, REFUSED, WORKED};
use crate::configuration::code;
use crate::instance::sentence;

/// Compiles, if that is what this process was started for. It must be the first thing that `main` does:
/// neither environment nor configuration is read, and nothing is opened.
pub fn child() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != COMMAND {
        return None;
    }
    let order = Order::parse(arguments.filter_map(|argument| argument.into_string().ok()));
    let done = order.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput));
    Some(match done.and_then(|order| work(&order)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

fn work(order: &Order) -> io::Result<()> {
    // Before the first byte of the component is read.
    confine(order)?;
    let mut component = Vec::new();
    io::stdin().lock().read_to_end(&mut component)?;
    let code = Engine::new(&code(order.image_bytes, order.counting))
        .and_then(|engine| engine.precompile_component(&component));
    let mut out = io::stdout().lock();
    match code {
        Ok(code) => {
            out.write_all(&code)?;
            out.write_all(&[WORKED])?;
        }
        Err(error) => {
            out.write_all(sentence(&error).as_bytes())?;
            out.write_all(&[REFUSED])?;
        }
    }
    out.flush()
}

fn confine(order: &Order) -> io::Result<()> {
    // Where memory runs out, it is this process that goes, and not the host. Where the system does not let
    // it say so, the limit above stands alone.
    #[cfg(target_os = "linux")]
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    lower(Resource::Data, order.memory_bytes, order.memory_bytes)?;
    // At the first the kernel sends SIGXCPU, which says what happened; a second later it kills.
    lower(Resource::Cpu, order.cpu_seconds, order.cpu_seconds + 1)?;
    lower(Resource::Core, 0, 0)?;
    lower(Resource::Fsize, 0, 0)?;
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    Ok(())
}

/// Lowers a limit, unless it is lower already: nobody may raise one that the system's owner set.
fn lower(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let given = getrlimit(resource);
    let least = |limit: Option<u64>, ours: u64| Some(limit.map_or(ours, |limit| limit.min(ours)));
    let limit = Rlimit {
        current: least(given.maximum, current),
        maximum: least(given.maximum, maximum),
    };
    Ok(setrlimit(resource, limit)?)
}
