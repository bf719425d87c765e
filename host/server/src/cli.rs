//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::config::Flags;

/// Puts a person between an agent and a privileged action.
///
/// Without a command, `countersign` serves: HTTP on 127.0.0.1:8080, SQLite and keys in
/// ./countersign-data, the built-in policy `baseline`. It says where to sign in.
#[derive(Parser, Debug)]
#[command(name = "countersign", version, max_term_width = 100)]
pub struct Cli {
    /// Where things are
    #[command(flatten)]
    pub flags: Flags,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run the host (the default)
    Serve,
    /// Work on policy modules alone: no server, no database
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Look at the configuration without starting anything
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Replace the key that stored secrets are sealed with
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Check an exported audit
    #[command(subcommand)]
    Audit(AuditCommand),
}

/// What can be done with the keys.
#[derive(Subcommand, Debug)]
pub enum KeysCommand {
    /// Replace the key in the data folder, or take the new one from SECRETS_ENCRYPTION_KEY and the former
    /// from SECRETS_ENCRYPTION_KEY_OLD, and seal every secret again. The host of this data folder must be
    /// stopped. Interrupted at any moment, it goes on when it is run again
    Rotate,
}

/// What can be done with an audit, without the host.
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// Check an export: that no entry was changed or is missing, and that it holds what hosts have signed.
    /// Ends with 0 if it is whole, 3 if it is not, and 1 if it cannot be read
    Verify {
        /// The export: one entry a line, as JSON, oldest first
        #[arg(value_name = "FILE")]
        export: PathBuf,
        /// Heads that a host signed: its `audit-heads.jsonl`. Without any, a cut tail does not show
        #[arg(long, value_name = "FILE")]
        heads: Vec<PathBuf>,
        /// Public keys, in hex, whose signatures count: a host's is in its `audit.pub` [default: any]
        #[arg(long, value_name = "KEY")]
        public_key: Vec<String>,
    },
}

/// What can be done with policies alone.
#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// Build a Rust policy into a component, the same bytes from any folder
    Build {
        /// The policy's crate
        #[arg(default_value = "policies/baseline", value_name = "CRATE")]
        source: PathBuf,
        /// Where the component goes [default: <CRATE>/<name>.wasm]
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Load a module as the host would, and say what it is or what is wrong with it
    Check {
        /// The component; its settings are read from a .toml of the same name beside it
        #[arg(value_name = "FILE")]
        component: PathBuf,
    },
}

/// What can be done with the configuration.
#[derive(Subcommand, Debug)]
pub enum ConfigCommand {
    /// Explain every mistake, or say what would be used
    Check,
}
