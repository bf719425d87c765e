//! The Countersign host.
//!
//! This crate composes the others: it reads the configuration, verifies credentials, serves HTTP and
//! the console, and gives `core`'s gate its ledger (`store`) and its judge (`engine`). It decides
//! nothing itself.

mod app;
mod audit_commands;
mod cli;
mod clock;
mod commands;
mod config;
mod connections;
mod console;
mod control_socket;
mod cors;
mod credentials;
mod data_dir;
mod export;
mod heads;
mod key_commands;
mod logging;
mod metrics;
mod origins;
mod policies;
mod policy_commands;
mod problem;
mod proxy;
mod rates;
mod readiness;
mod reviews;
mod rotation;
mod routes;
mod sealing;
mod serve;
mod signals;
mod streams;
mod tenant;

use std::process::ExitCode;

use clap::FromArgMatches as _;

use crate::cli::{AuditCommand, Cli, Command, ConfigCommand};
use crate::commands::Failure;
pub use crate::commands::say;
use crate::config::{Config, Sources};

fn main() -> ExitCode {
    // A host compiles policies in a process of its own, which is this program and does nothing else.
    if let Some(code) = countersign_engine::compiler::child() {
        return code;
    }
    let matches = cli::grammar().get_matches();
    let sources = Sources::of(&matches, cli::settings());
    let mut cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let done = match cli.command.take() {
        None | Some(Command::Serve) => Config::load(cli.flags)
            .map_err(anyhow::Error::from)
            .and_then(serve::serve)
            .map_err(failed),
        Some(Command::Keys(command)) => Config::load(cli.flags)
            .map_err(anyhow::Error::from)
            .and_then(|config| key_commands::run(command, &config))
            .map_err(failed),
        // It has an exit code of its own: an audit that does not hold was read, and is not whole.
        Some(Command::Audit(AuditCommand::Verify(verify))) => {
            return audit_commands::run(&verify)
                .unwrap_or_else(|error| commands::end(&failed(error)));
        }
        Some(Command::Policy(command)) => policy_commands::run(command, cli.flags).map_err(failed),
        Some(Command::Config(ConfigCommand::Check)) => commands::check_config(cli.flags, &sources),
        Some(command) => commands::run(command, cli.flags, &sources),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // Not through the log: whoever typed the command must see it, in words.
        Err(failure) => commands::end(&failure),
    }
}

fn failed(error: anyhow::Error) -> Failure {
    // What says itself how it ends is left as it is.
    match error.downcast::<Failure>() {
        Ok(failure) => failure,
        Err(error) => Failure::failed(report(error.as_ref())),
    }
}

/// An error and its causes, in one line.
fn report(error: &(dyn std::error::Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        // Some errors repeat their cause; once is enough.
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    line
}
