//! `countersign token …`, as it is written.

use clap::{Args, Subcommand};
use countersign_core::id::{ApprovalId, WorkspaceId};

use super::Access;
use super::approvals::approval_id;

/// What can be done with organisation tokens.
#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Mint a token, which is shown once
    Mint(Mint),
    /// List the live tokens
    List(Access),
    /// Revoke a token
    Revoke(Revoke),
}

/// A token that is asked for.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
On a terminal the token is shown with what there is to know about it. Elsewhere, and with --quiet, the
token alone is on standard output; all else is on standard error. An agent has to wait for a person:
with --wait the command does, and mints when the person has approved.

Examples:
  countersign token mint --name ci --role editor --expires 90d
  TOKEN=$(countersign token mint --name ci --wait)
  countersign token mint --name ci --approval 01a2…      use what was approved meanwhile
")]
pub struct Mint {
    /// Who will use it, for people
    #[arg(long)]
    pub name: Option<String>,
    /// What it may reach [default: as much as you]
    #[arg(long, value_parser = ["admin", "editor", "reader"])]
    pub role: Option<String>,
    /// Confine it to a workspace
    #[arg(long, value_name = "ID", value_parser = workspace_id)]
    pub workspace: Option<WorkspaceId>,
    /// How long it lives (30d, 12h, 90m), or the instant at which it ends (RFC 3339) [default: for ever,
    /// or as long as you]
    #[arg(long, value_name = "TIME")]
    pub expires: Option<String>,
    /// Wait for a person, and mint when they have approved
    #[arg(long)]
    pub wait: bool,
    /// Use this approval, of the very same request
    #[arg(long, value_name = "ID", value_parser = approval_id)]
    pub approval: Option<ApprovalId>,
    /// Print the token and nothing else
    #[arg(long, short, help_heading = "How it answers", conflicts_with = "json")]
    pub quiet: bool,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// A token that is to end.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  countersign token revoke cso_Zk3p
  countersign token revoke 01a2… --drain 60s             it works for one more minute
  countersign token revoke 01a2… --descendants           and all that was minted with it
")]
pub struct Revoke {
    /// Its id, or the prefix that `token list` shows
    #[arg(value_name = "ID|PREFIX")]
    pub token: String,
    /// Let it work for so long still (60s, 5m; an hour at most)
    #[arg(long, value_name = "TIME")]
    pub drain: Option<String>,
    /// Revoke the tokens that were minted with it, too, and theirs
    #[arg(long)]
    pub descendants: bool,
    /// Wait for a person, and revoke when they have approved
    #[arg(long)]
    pub wait: bool,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

fn workspace_id(text: &str) -> Result<WorkspaceId, &'static str> {
    WorkspaceId::parse(text).ok_or("not a UUID")
}
