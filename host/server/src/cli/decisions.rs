//! `countersign decision …`, as it is written.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Access;

/// What can be done with recorded decisions.
#[derive(Subcommand, Debug)]
pub enum DecisionCommand {
    /// Write all decisions, newest first, one JSON object a line, with what policies were asked and said
    ///
    /// Before those of a generation of policies comes what it was. The first line says of which host and when
    /// it is, the last how many decisions there are, with a digest: `policy replay` sees by it that the file is
    /// whole. No secret's value is in it: the host never records one.
    #[command(after_help = "\
The file is there whole or not at all. While it is written it is called FILE.unfinished, which nobody else may
have made. A link or a folder of that name is left as it is.

Examples:
  countersign decision export --out decisions.jsonl
  countersign decision export --since 7d --with-modules --out week.jsonl
  countersign decision export | jq 'select(.effect == \"deny\")'
  countersign policy replay week.jsonl --module stricter.wasm
")]
    Export(DecisionExport),
}

/// What is written, and where.
#[derive(Args, Debug)]
pub struct DecisionExport {
    /// The file, which only you can read [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// No decisions before this moment: how long ago, such as 12h or 30d, or an instant
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// No decisions of this moment or later
    #[arg(long, value_name = "WHEN")]
    pub until: Option<String>,
    /// Write the bytes of the modules that decided too, so that the decisions can be asked again where no host
    /// is. Only a person may have them
    #[arg(long)]
    pub with_modules: bool,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}
