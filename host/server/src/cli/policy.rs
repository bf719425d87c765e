//! What can be said to work on policies alone.

mod replay;

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub use self::replay::Replay;

/// What can be done with policies alone.
#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// Build a Rust policy into a component, the same bytes from any folder
    Build(Build),
    /// Load a module as the host would, and say what it is or what is wrong with it
    Check(Check),
    /// Ask recorded decisions again: bit for bit, or under other modules, to see what would have changed
    Replay(Replay),
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
    /// Features of the crate, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "FEATURES")]
    pub features: Vec<String>,
}

/// What is loaded.
#[derive(Args, Debug)]
pub struct Check {
    /// The component; its settings are read from a .toml of the same name beside it
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
}
