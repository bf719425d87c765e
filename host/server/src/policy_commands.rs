//! `countersign policy …`: work on modules alone.

mod build;
mod check;
mod test;

use anyhow::Context as _;
use countersign_engine::{Compiler, Engine, Limits};

use crate::cli::PolicyCommand;

/// Runs one of them.
pub fn run(command: PolicyCommand) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Build(asked) => build::run(&asked),
        PolicyCommand::Check(asked) => check::run(&asked),
        PolicyCommand::Test(asked) => test::run(&asked),
    }
}

/// The sandbox that modules are worked on in: the host's, with the host's limits.
fn engine() -> anyhow::Result<Engine> {
    let compiler = Compiler::apart().context("cannot tell which program this is")?;
    Ok(Engine::with_compiler(Limits::default(), compiler)?)
}
