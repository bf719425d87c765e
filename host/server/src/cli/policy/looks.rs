//! `countersign policy describe`, `check` and `bench`, as they are written.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::views::Rows;

/// A module, and what it is.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  countersign policy describe two-people.wasm
  countersign policy describe builtin --json
")]
pub struct Describe {
    /// The component, or `builtin` for the baseline in this program; settings are read from a .toml of the
    /// same name beside it
    #[arg(value_name = "COMPONENT")]
    pub component: PathBuf,
    /// Settings from here instead
    #[arg(long, value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Modules that are loaded.
#[derive(Args, Debug)]
#[command(after_help = "\
Each is loaded as a host would load it, beside the built-in baseline, and asked every row of the exhaustive
table. Ends with 0 where a host would take all of them, else with 1.

Examples:
  countersign policy check two-people.wasm
  countersign policy check policies/*.wasm --json
")]
pub struct Check {
    /// The components; the settings of each are read from a .toml of the same name beside it
    #[arg(value_name = "COMPONENT", required = true)]
    pub components: Vec<PathBuf>,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

/// Modules whose cost is measured.
#[derive(Args, Debug)]
#[command(after_help = "\
Two modules take turns row by row, so that their ratio holds on a busy machine, too. Times are those for
which the thread had a processor; p50 and p99 are over the rows. Instructions are counted by a second
sandbox and are the same everywhere.

Examples:
  countersign policy bench two-people.wasm
  countersign policy bench new.wasm old.wasm --verb org_token_mint --seconds 10
")]
pub struct Bench {
    /// The component, or `builtin`
    #[arg(value_name = "COMPONENT")]
    pub component: PathBuf,
    /// Another one to measure beside it
    #[arg(value_name = "OTHER")]
    pub other: Option<PathBuf>,
    /// Which rows
    #[command(flatten)]
    pub rows: Rows,
    /// How long to measure decisions; each row is measured once at least
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub seconds: Duration,
    /// Answer in JSON
    #[arg(long)]
    pub json: bool,
}

fn seconds(text: &str) -> Result<Duration, String> {
    const MOST: u64 = 3_600;
    match text.parse() {
        Ok(seconds @ 1..=MOST) => Ok(Duration::from_secs(seconds)),
        _ => Err(format!("a whole number of seconds from 1 to {MOST}")),
    }
}
