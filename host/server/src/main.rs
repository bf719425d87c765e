//! The Countersign host.
//!
//! This crate composes the others: it reads the configuration, verifies credentials, serves HTTP and
//! the console, and gives `core`'s gate its ledger (`store`) and its judge (`engine`). It decides
//! nothing itself.

mod app;
mod audit_commands;
mod cli;
mod clock;
mod config;
mod connections;
mod console;
mod cors;
mod credentials;
mod data_dir;
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
mod rotation;
mod routes;
mod serve;
mod streams;
mod tenant;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command, ConfigCommand};
use crate::config::Config;

fn main() -> ExitCode {
    // A host compiles policies in a process of its own, which is this program and does nothing else.
    if let Some(code) = countersign_engine::compiler::child() {
        return code;
    }
    let cli = Cli::parse();
    let done = match cli.command {
        None | Some(Command::Serve) => Config::load(cli.flags)
            .map_err(anyhow::Error::from)
            .and_then(serve::serve)
            .map(|()| ExitCode::SUCCESS),
        Some(Command::Policy(command)) => policy_commands::run(command).map(|()| ExitCode::SUCCESS),
        Some(Command::Config(ConfigCommand::Check)) => Config::load(cli.flags)
            .map(|config| {
                say(&config.explained());
                ExitCode::SUCCESS
            })
            .map_err(anyhow::Error::from),
        Some(Command::Keys(command)) => Config::load(cli.flags)
            .map_err(anyhow::Error::from)
            .and_then(|config| key_commands::run(command, &config))
            .map(|()| ExitCode::SUCCESS),
        Some(Command::Audit(command)) => audit_commands::run(&command),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            // Not through the log: whoever typed the command must see it, in words.
            #[expect(clippy::print_stderr, reason = "this is the command's answer")]
            {
                eprintln!("countersign: {}", report(error.as_ref()));
            }
            ExitCode::FAILURE
        }
    }
}

/// Says something to whoever runs the command.
#[expect(clippy::print_stdout, reason = "this is the one place that prints")]
fn say(text: &str) {
    println!("{text}");
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
