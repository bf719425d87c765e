//! Which host a command talks to, as whom, and how it answers.

use std::path::PathBuf;

use clap::Args;

/// What the commands that talk to a host have in common.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Which host, and as whom")]
pub struct Access {
    /// The host's origin [default: where `login` signed in, else what the host's settings say]
    #[arg(long, env = "COUNTERSIGN_URL", value_name = "URL")]
    pub url: Option<String>,
    /// Act as the program whose token is in FILE (or in the variable COUNTERSIGN_TOKEN), and not as the
    /// person who signed in. A token is never an argument: others see those in the list of processes
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Print the host's JSON
    #[arg(long, help_heading = "How it answers")]
    pub json: bool,
}
