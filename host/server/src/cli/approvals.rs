//! `countersign approval …`, as it is written.

use clap::{Args, Subcommand};
use countersign_core::id::ApprovalId;

use super::Access;

/// What can be done with approvals.
#[derive(Subcommand, Debug)]
pub enum ApprovalCommand {
    /// List what waits for people
    List(Access),
    /// Show one, with what exactly is asked
    Show(Named),
    /// Show one, and approve exactly what was shown
    #[command(after_help = "\
Only a person decides, and never the one who asked. What is approved is what was shown: its digest goes
along, and the host refuses where something else is pending by then.

Examples:
  countersign approval approve 01a2…
  countersign approval approve 01a2… --yes --digest 5f0c… --reason 'release 1.4'
")]
    Approve {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// Approve only if this is the digest of what is asked
        #[arg(long, value_name = "SHA256")]
        digest: Option<String>,
        /// Which, and why
        #[command(flatten)]
        decision: Decision,
    },
    /// Deny one
    #[command(after_help = "\
Examples:
  countersign approval deny 01a2… --reason 'use the reader role'
")]
    Deny(Decision),
    /// Wait until one is decided; the exit code says how
    #[command(after_help = "\
Ends with 0 when it is approved (or used already), 3 when it still waits after --for, 4 when it was
denied, 7 when it has ended otherwise.

Examples:
  countersign approval wait 01a2… && ./repeat-the-request
  countersign approval wait 01a2… --for 10m
")]
    Wait {
        /// Give up after this time (90s, 10m, 1h) [default: when it has ended]
        #[arg(long = "for", value_name = "TIME")]
        patience: Option<String>,
        /// Which
        #[command(flatten)]
        named: Named,
    },
    /// Take back a request of your own that is pending
    Withdraw(Named),
    /// Cancel an approval that has not been used yet
    Revoke(Named),
}

/// One approval.
#[derive(Args, Clone, Debug)]
pub struct Named {
    /// The approval's id
    #[arg(value_name = "ID", value_parser = approval_id)]
    pub id: ApprovalId,
    /// Which host
    #[command(flatten)]
    pub access: Access,
}

/// What is decided of one.
#[derive(Args, Clone, Debug)]
pub struct Decision {
    /// Why, for the requester and the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Which
    #[command(flatten)]
    pub named: Named,
}

pub(super) fn approval_id(text: &str) -> Result<ApprovalId, &'static str> {
    ApprovalId::parse(text).ok_or("not a UUID: `countersign approval list` shows them whole")
}
