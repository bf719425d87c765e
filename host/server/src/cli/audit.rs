//! `countersign audit …`, as it is written.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Access;

/// What can be done with the audit log.
#[derive(Subcommand, Debug)]
pub enum AuditCommand {
    /// Write all entries, oldest first, one JSON object a line
    #[command(after_help = "\
Each entry has the hash of the one before, so the file can be verified without the host.

Examples:
  countersign audit export --out audit.jsonl
  countersign audit export | jq 'select(.kind == \"org_token_minted\")'
  countersign audit export --after 1200                  what came after entry 1200
")]
    Export(Export),
    /// Check an export: that no entry was changed or is missing, and that it holds what hosts have signed
    ///
    /// It talks to no host. Ends with 0 if the audit is whole, 3 if it is not, and 1 if it cannot be read.
    #[command(after_help = "\
Examples:
  countersign audit verify audit.jsonl --heads countersign-data/audit-heads.jsonl
")]
    Verify(Verify),
}

/// What is written, and where.
#[derive(Args, Debug)]
pub struct Export {
    /// The file, which only you can read; it is there whole or not at all [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Only what came after this entry
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub after: u64,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// What is checked, and against what.
#[derive(Args, Debug)]
pub struct Verify {
    /// The export: one entry a line, as JSON, oldest first
    #[arg(value_name = "FILE")]
    pub export: PathBuf,
    /// Heads that a host signed: its `audit-heads.jsonl`. Without any, a cut tail does not show
    #[arg(long, value_name = "FILE")]
    pub heads: Vec<PathBuf>,
    /// Public keys, in hex, whose signatures count: a host's is in its `audit.pub` [default: any]
    #[arg(long, value_name = "KEY")]
    pub public_key: Vec<String>,
}
