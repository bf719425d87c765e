//! What a person reads beside a request: who minted whoever asks, what that did lately, how many others wait,
//! and what was asked before.

use async_trait::async_trait;

use crate::approval::{Approval, State};
use crate::decision::Decision;
use crate::id::WorkspaceId;
use crate::ledger::{Page, Whose};
use crate::permit::Permit;
use crate::policy::Role;
use crate::ports::LedgerError;
use crate::time::Timestamp;
use crate::verb::Verb;

/// So many links of a chain of minters are told. A longer one is told to go on.
pub const MOST_LINKS: usize = 12;

/// So many different things that a credential did lately are told.
pub const MOST_DEEDS: u32 = 10;

/// So many requests that wait are counted one by one. An answer that is larger says that there are more.
pub const MOST_COUNTED: u32 = 10_000;

/// Which approvals are sought, of all that there ever were. What is not said, does not matter.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// Their state at the time of asking.
    pub state: Option<State>,
    /// What they are for.
    pub verb: Option<Verb>,
    /// Who asked: [`crate::caller::Caller::actor`], letter by letter.
    pub actor: Option<String>,
    /// What the person is called who is the actor instead: for readers who may know people by name.
    pub called: Option<String>,
    /// Asked then, or later.
    pub since: Option<Timestamp>,
}

/// A token, of the organisation or of a workspace, in a chain of minters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its audit label.
    pub actor: String,
    /// What its minter called it.
    pub name: Option<String>,
    /// What it may reach; absent for a workspace's token.
    pub role: Option<Role>,
    /// The workspace to which it is bound.
    pub workspace: Option<WorkspaceId>,
    /// When it was minted.
    pub created_at: Timestamp,
    /// Its minter's audit label.
    pub created_by: String,
    /// The minter, if it was a person: the verified user.
    pub created_by_user: Option<String>,
    /// Whether it still works.
    pub lives: bool,
}

/// Something that a credential did, or was refused.
#[derive(Clone, Debug)]
pub struct Lately {
    /// The newest decision about it.
    pub decision: Decision,
    /// How often, of late.
    pub times: u64,
}

/// What is known of whoever asked for something.
#[derive(Clone, Debug, Default)]
pub struct Provenance {
    /// The token that asked, then the one that minted it, and so on; [`MOST_LINKS`] at most.
    pub links: Vec<Link>,
    /// Whether the chain is longer than that.
    pub goes_on: bool,
    /// What else the same credential did, asked for or was refused, the newest first; [`MOST_DEEDS`] at most.
    /// Reading is not among it.
    pub lately: Vec<Lately>,
}

/// The record, as people read it before they decide.
#[async_trait]
pub trait ProvenanceLedger: Send + Sync {
    /// What is known of whoever asked for `approval`, as of `now`; nothing of what is not `whose`.
    async fn provenance(
        &self,
        permit: &Permit,
        whose: &Whose,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<Provenance, LedgerError>;

    /// How many requests are pending at `now`: exactly, up to [`MOST_COUNTED`].
    async fn count_pending(
        &self,
        permit: &Permit,
        whose: &Whose,
        now: Timestamp,
    ) -> Result<u64, LedgerError>;

    /// The approvals that are sought, as of `now`, newest first, and of them one page by id.
    async fn approvals_sought(
        &self,
        permit: &Permit,
        whose: &Whose,
        sought: (&Sought, &Page),
        now: Timestamp,
    ) -> Result<Vec<Approval>, LedgerError>;
}
