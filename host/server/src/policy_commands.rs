//! `countersign policy …`: work on modules alone.

mod build;
mod check;
mod replay;

use anyhow::Context as _;
use countersign_engine::{Compiler, Engine, Limits};

use crate::cli::PolicyCommand;
use crate::config::Flags;

/// Runs one of them.
pub fn run(command: PolicyCommand, flags: Flags) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Build(asked) => build::run(&asked),
        PolicyCommand::Check(asked) => check::run(&asked),
        PolicyCommand::Replay(asked) => replay::run(&asked, flags),
    }
}

/// The sandbox that modules are worked on in: the host's, with the host's limits.
fn engine() -> anyhow::Result<Engine> {
    let compiler = Compiler::apart().context("cannot tell which program this is")?;
    Ok(Engine::with_compiler(Limits::default(), compiler)?)
}
