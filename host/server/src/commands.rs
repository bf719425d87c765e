//! The commands for people and scripts: they talk HTTP to a host, as anybody does.
//!
//! Architecture invariant: none of them opens the ledger of a host that runs, and what a host answers is
//! parsed at this door: a name or a reason is somebody's text, and reaches a terminal only as
//! [`terminal::Plain`].

mod answers;
mod approvals;
mod audit;
mod client;
mod config_check;
mod decisions;
mod doctor;
pub mod failure;
mod login;
mod moments;
mod policies;
pub mod progress;
mod review;
mod session;
mod signed;
mod span;
pub mod table;
pub mod terminal;
mod tokens;
mod waiting;
mod whole_file;

use std::process::ExitCode;

pub use self::config_check::check as check_config;
pub use self::failure::{Exit, Failure};
pub use self::terminal::say;
use crate::cli::{AuditCommand, Cli, Command, CompletedShell, DecisionCommand, HostedCommand};
use crate::config::{Flags, Sources};

/// Runs a command that talks to a host, or looks for what is wrong.
pub fn run(command: Command, flags: Flags, sources: &Sources) -> Result<(), Failure> {
    runtime()?.block_on(async {
        match command {
            Command::Login(login) => login::login(login, flags).await,
            Command::Logout => login::logout().await,
            Command::Token(command) => tokens::run(command, flags).await,
            Command::Approval(command) => approvals::run(command, flags).await,
            Command::Audit(AuditCommand::Export(export)) => audit::export(export, flags).await,
            Command::Decision(DecisionCommand::Export(export)) => {
                decisions::export(export, flags).await
            }
            Command::Doctor => doctor::run(flags, sources).await,
            Command::Completions { shell } => complete(shell),
            Command::Audit(AuditCommand::Verify(_))
            | Command::Serve
            | Command::Policy(_)
            | Command::Config(_)
            | Command::Keys(_) => Ok(()),
        }
    })
}

/// Runs what is about the policies of a host.
pub fn run_hosted(command: HostedCommand, flags: Flags) -> Result<(), Failure> {
    runtime()?.block_on(policies::run(command, flags))
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // Another part of the program may have installed it, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("cannot start: {error}")))
}

fn complete(shell: CompletedShell) -> Result<(), Failure> {
    use clap::CommandFactory as _;
    use clap_complete::Shell;
    let shell = match shell {
        CompletedShell::Bash => Shell::Bash,
        CompletedShell::Zsh => Shell::Zsh,
        CompletedShell::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "countersign", &mut script);
    terminal::write(&script)
}

/// Says to whoever typed a command why it was not done, and ends as the kind of failure asks.
pub fn end(failure: &Failure) -> ExitCode {
    if !failure.sentence.is_empty() {
        terminal::tell(&format!("countersign: {}", failure.sentence));
    }
    ExitCode::from(failure.exit as u8)
}
