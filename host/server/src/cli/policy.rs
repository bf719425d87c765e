//! What can be said to work on policies alone.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// What can be done with policies alone.
#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// Build a Rust policy into a component, the same bytes from any folder
    Build(Build),
    /// Load a module as the host would, and say what it is or what is wrong with it
    Check(Check),
    /// Search for questions at which a module breaks a law that every policy must keep
    ///
    /// All of the exhaustive table, then a directed search over the rest of what a policy can be told. The
    /// module's source is not needed, and the same seed asks the same questions. What is found is printed as a
    /// case for `countersign policy test`. Nothing found is no proof.
    #[command(after_help = "\
Exit codes:
  0  nothing was found
  1  a law is broken, or the module cannot be loaded
  2  the command was not understood

Examples:
  countersign policy verify night.wasm
  countersign policy verify night.wasm --properties ours.toml --effort thorough
  countersign policy verify night.wasm --json > findings.json
")]
    Verify(Verify),
}

/// What is verified, and how hard.
#[derive(Args, Debug)]
pub struct Verify {
    /// The component; its settings are read from a .toml of the same name beside it
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// A file of cases, whose properties must hold as well; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub properties: Vec<PathBuf>,
    /// How much is asked
    #[arg(long, value_enum, default_value = "normal")]
    pub effort: Effort,
    /// What is drawn at random, is drawn by it
    #[arg(long, value_name = "NUMBER", default_value_t = countersign_lab::verify::SEED)]
    pub seed: u64,
    /// Findings as JSON, on standard output
    #[arg(long)]
    pub json: bool,
}

/// How much is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Effort {
    /// A tenth of what `normal` asks
    Quick,
    /// Some seconds for a module of ours
    Normal,
    /// Ten times as much at random
    Thorough,
}

/// What is built, and where it goes.
#[derive(Args, Debug)]
pub struct Build {
    /// The policy's crate
    #[arg(default_value = "policies/baseline", value_name = "CRATE")]
    pub source: PathBuf,
    /// Where the component goes [default: <CRATE>/<name>.wasm]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What is loaded.
#[derive(Args, Debug)]
pub struct Check {
    /// The component; its settings are read from a .toml of the same name beside it
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
}
