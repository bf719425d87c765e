//! `countersign decision …`, as it is written.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Access;

/// What can be done with recorded decisions.
#[derive(Subcommand, Debug)]
pub enum DecisionCommand {
    /// Write all decisions, newest first, one JSON object a line, with what policies were asked and said
    ///
    /// Before them come the generations of policies that decided. No secret's value is in it: the host never
    /// records one.
    #[command(after_help = "\
Interrupted, it goes on where it ended when it is run again with the same --out.

Examples:
  countersign decision export --out decisions.jsonl
  countersign decision export | jq 'select(.effect == \"deny\")'
  countersign policy replay decisions.jsonl --module stricter.wasm
")]
    Export(DecisionExport),
}

/// What is written, and where.
#[derive(Args, Debug)]
pub struct DecisionExport {
    /// The file, which only you can read; it is there whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}
