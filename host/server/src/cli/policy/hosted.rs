//! `countersign policy …`, where it is about the policies of a host.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::Access;

/// What can be done with the policies of a host.
#[derive(Subcommand, Debug)]
pub enum HostedCommand {
    /// List the policies that are live at a host, and what is wrong with others
    List(Access),
    /// List the sets of policies that were live at a host, the newest first
    History(History),
    /// List the decisions that the policies in shadow would have made otherwise, the newest first
    Differences(Differences),
    /// Bring a version of a policy to a host, where it decides nothing yet
    Push(Push),
    /// Have a policy decide at a host, or only be asked
    Mode(SetMode),
    /// Have a policy stay as it is at a host, whatever its folder holds
    Pin(Pin),
    /// Let go of a policy that stays as it is at a host
    Unpin(Unpin),
    /// Make an earlier set of policies live again at a host
    Rollback(Rollback),
}

/// Which of them.
#[derive(Args, Clone, Debug)]
pub struct History {
    /// At most so many
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// Of which generation.
#[derive(Args, Clone, Debug)]
pub struct Differences {
    /// The generation [default: the live one]
    #[arg(value_name = "GENERATION")]
    pub generation: Option<u64>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// A version that is brought.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Only an operator changes the policies of a host (COUNTERSIGN_OPERATORS).

Examples:
  countersign policy push freeze.wasm                    keep it; it decides nothing yet
  countersign policy push freeze.wasm --mode shadow      and ask it about what is decided
  countersign policy push freeze.wasm --mode enforce     and have it decide, in the place of the one of its name
")]
pub struct Push {
    /// The component
    #[arg(value_name = "FILE")]
    pub component: PathBuf,
    /// And give it this mode
    #[arg(long, value_parser = ["enforce", "shadow"])]
    pub mode: Option<String>,
    /// Its settings then, as in a file beside it [default: those that it has]
    #[arg(long, value_name = "FILE", requires = "mode")]
    pub settings: Option<PathBuf>,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// Another mode.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
What is in shadow is asked about each decision afterwards, and changes none: `policy list` counts what it
would have changed. Without a version, the one is meant that has the other mode now.

Examples:
  countersign policy mode freeze shadow --version 1.0.0
  countersign policy mode freeze enforce
")]
pub struct SetMode {
    /// The policy
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its mode
    #[arg(value_parser = ["enforce", "shadow"])]
    pub mode: String,
    /// Which of the versions that the host keeps
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Or which, by its digest
    #[arg(long, value_name = "SHA-256", conflicts_with = "version")]
    pub digest: Option<String>,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// What stays.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
What is pinned stays whatever the folder of a host holds or loses, and whatever set is made live that does
not say otherwise. Going back to an earlier generation brings back what was pinned in it, and nothing else.

Examples:
  countersign policy pin freeze                      as it decides now
  countersign policy pin freeze --version 1.0.0      have this version decide, and stay
  countersign policy unpin freeze
")]
pub struct Pin {
    /// The policy
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Which of the versions that the host keeps [default: the one that decides]
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// Or which, by its digest
    #[arg(long, value_name = "SHA-256", conflicts_with = "version")]
    pub digest: Option<String>,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// What need not stay.
#[derive(Args, Clone, Debug)]
pub struct Unpin {
    /// The policy
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// An earlier set.
#[derive(Args, Clone, Debug)]
pub struct Rollback {
    /// Its number, of `policy history`
    #[arg(value_name = "GENERATION")]
    pub generation: u64,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}
