//! What can be said to work on policies alone.

mod hosted;
mod looks;
mod replay;
mod signing;
mod test;
mod verify;
mod views;

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub use self::hosted::{Differences, History, HostedCommand, Pin, Push, Rollback, SetMode, Unpin};
pub use self::looks::{Bench, Check, Describe};
pub use self::replay::Replay;
pub use self::signing::{Keygen, Sign, VerifySignature};
pub use self::test::{Color, Test};
pub use self::verify::{Effort, Verify};
pub use self::views::{Diff, Format, Matrix, Rows, Shown};

/// What can be done with policies: alone, and at a host.
#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// Build a Rust policy into a component, the same bytes from any folder
    Build(Build),
    /// Load modules as the host would, and say of each what is wrong with it and what to do
    Check(Check),
    /// Run the cases that say what a module must answer
    Test(Test),
    /// Say what a module is, what it asks for, and which rules it names
    Describe(Describe),
    /// See what a module answers to every kind of request, folded to a page or two
    Matrix(Matrix),
    /// See what differs between two modules, what loosens first
    Diff(Diff),
    /// Measure what a module costs, alone or beside another
    Bench(Bench),
    /// Search for questions at which a module breaks a law that every policy must keep
    ///
    /// All of the exhaustive table, then a directed search over the rest of what a policy can be told. The
    /// module's source is not needed, and the same seed asks the same questions. What is found is printed as a
    /// case for `countersign policy test`. Nothing found is no proof.
    #[command(after_help = "\
Exit codes:
  0  nothing was found
  1  a law is broken
  2  the command, the module or a file was not understood

Examples:
  countersign policy verify night.wasm
  countersign policy verify night.wasm --properties ours.toml --effort thorough
  countersign policy verify night.wasm --json > findings.json
")]
    Verify(Verify),
    /// Ask recorded decisions again: bit for bit, or under other modules, to see what would have changed
    Replay(Replay),
    /// Make a pair of keys to sign policies with
    Keygen(Keygen),
    /// Sign a policy
    Sign(Sign),
    /// Say who signed a policy, and whether that counts
    VerifySignature(VerifySignature),
    /// What is about the policies of a host.
    #[command(flatten)]
    Hosted(HostedCommand),
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
