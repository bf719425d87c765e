//! `countersign policy …`: work on modules alone.

mod bench;
mod build;
mod check;
mod describe;
mod diff;
mod escaped;
mod ink;
mod lives;
mod matrix;
mod opened;
mod replay;
mod shown;
mod signing;
mod test;
mod verify;

use anyhow::Context as _;
use countersign_engine::{Compiler, Engine, Limits};

use crate::cli::PolicyCommand;
use crate::commands;
use crate::config::Flags;

/// Runs one of them.
pub fn run(command: PolicyCommand, flags: Flags) -> anyhow::Result<()> {
    match command {
        PolicyCommand::Build(asked) => build::run(&asked),
        PolicyCommand::Check(asked) => check::run(&asked, &flags),
        PolicyCommand::Keygen(asked) => signing::keygen(&asked),
        PolicyCommand::Sign(asked) => signing::sign(&asked),
        PolicyCommand::VerifySignature(asked) => signing::verify(&asked, &flags),
        PolicyCommand::Test(asked) => test::run(&asked),
        PolicyCommand::Describe(asked) => describe::run(&asked),
        PolicyCommand::Matrix(asked) => matrix::run(&asked, &flags),
        PolicyCommand::Diff(asked) => diff::run(&asked, &flags),
        PolicyCommand::Bench(asked) => bench::run(&asked),
        PolicyCommand::Verify(asked) => verify::run(&asked),
        PolicyCommand::Replay(asked) => replay::run(&asked, flags),
        PolicyCommand::Hosted(command) => Ok(commands::run_hosted(command, flags)?),
    }
}

/// The sandbox that modules are worked on in: the host's, with the host's limits.
fn engine() -> anyhow::Result<Engine> {
    Ok(Engine::with_compiler(Limits::default(), compiler()?)?)
}

/// The same, which counts instructions.
fn counting() -> anyhow::Result<Engine> {
    Ok(Engine::counting(Limits::default(), compiler()?)?)
}

fn compiler() -> anyhow::Result<Compiler> {
    Compiler::apart().context("cannot tell which program this is")
}
