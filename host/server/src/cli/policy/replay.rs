//! `countersign policy replay`, as it is written.

use std::path::PathBuf;

use clap::Args;

/// Which decisions are asked again, and under which modules.
#[derive(Args, Debug)]
#[command(after_help = "\
Without modules, what decided then is asked again, and must say the same, bit for bit. With modules, the report
says what would have changed, what loosens first.
Reads an export, or else the database of --data-dir or --database-url: SQLite while no host runs on it, PostgreSQL
at any time. It changes nothing there.

An export that was cut, changed or put together of several is refused.

Exit codes:
  0  every decision is answered as it was
  1  something is answered otherwise
  2  the command, the export or a module was not understood, or the export is not whole
  3  something could not be asked, whatever else changed: a component is missing, a line is not understood, or
     this machine had no time

Examples:
  countersign policy replay --data-dir /var/lib/countersign
  countersign policy replay decisions.jsonl --module stricter.wasm
  countersign policy replay decisions.jsonl --only --module baseline.wasm --module freeze.wasm --json | jq .loosens
")]
pub struct Replay {
    /// What `countersign decision export` wrote [default: the database]
    #[arg(value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// A component that takes the place of the module of its name, or stands beside the others; its settings
    /// are read from a .toml of the same name beside it
    #[arg(long = "module", value_name = "COMPONENT")]
    pub modules: Vec<PathBuf>,
    /// Ask the given modules and no others; the built-in baseline is among them unless one has its name
    #[arg(long, requires = "modules")]
    pub only: bool,
    /// A component that decided then, for an export without modules; found by its digest
    #[arg(long, value_name = "COMPONENT")]
    pub kept: Vec<PathBuf>,
    /// Write the report as JSON
    #[arg(long)]
    pub json: bool,
}
