//! What can be said to work on policies alone.

mod looks;
mod views;

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub use self::looks::{Bench, Check, Describe};
pub use self::views::{Diff, Format, Matrix, Rows, Shown};

/// What can be done with policies alone.
#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// Build a Rust policy into a component, the same bytes from any folder
    Build(Build),
    /// Load modules as the host would, and say of each what is wrong with it and what to do
    Check(Check),
    /// Say what a module is, what it asks for, and which rules it names
    Describe(Describe),
    /// See what a module answers to every kind of request, folded to a page or two
    Matrix(Matrix),
    /// See what differs between two modules, what loosens first
    Diff(Diff),
    /// Measure what a module costs, alone or beside another
    Bench(Bench),
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
