//! What goes into the ledger and what comes out of it.

mod approvals;
mod submission;

pub use self::approvals::{Ahead, ApprovalEvent, ApprovalEvents, Ended, Revocation, Withdrawal};
pub use self::submission::{
    Deed, Deprovisioned, Descendant, Done, Facts, Refusal, Revoked, Settled, Submission, Want,
};
use crate::action::ActionDigest;
use crate::approval::{Approval, Choice, Ttl};
use crate::caller::Person;
use crate::id::{ApprovalId, SessionId, TokenId, WorkspaceId};
use crate::operators::Standing;
use crate::policy::Role;
use crate::secret::{SecretKey, SecretScope};
use crate::time::Timestamp;

/// A person's vote, before it is counted.
#[derive(Clone, Debug)]
pub struct Ballot {
    /// On what.
    pub approval: ApprovalId,
    /// Under which workspace, where the route names one.
    pub workspace: Option<WorkspaceId>,
    /// Whose.
    pub person: Person,
    /// Their groups.
    pub groups: Vec<String>,
    /// The host's own session behind it, which must still live.
    pub session: Option<SessionId>,
    /// What.
    pub choice: Choice,
    /// Why.
    pub reason: Option<String>,
    /// The digest that the person was shown, where the client says it.
    pub digest: Option<ActionDigest>,
    /// When.
    pub at: Timestamp,
    /// How long the grant lives, if this makes one.
    pub grant: Ttl,
    /// What the person is among the operators, where it is about the policies.
    pub standing: Standing,
}

/// What came of a vote.
#[derive(Debug)]
pub enum Voted {
    /// It decided the approval, or more people must vote: see its state.
    Counted(Box<Approval>),
    /// There is no such approval, or it is not pending: then as it stands.
    NotPending(Option<Box<Approval>>),
    /// The person asked for it themselves.
    IsRequester,
    /// More than one must decide, and the person minted a token in the requester's lineage.
    IsMinter,
    /// It is about the policies, and the person is no operator.
    IsNoOperator,
    /// What was shown is not what is pending, which is this.
    OtherDigest(Box<Approval>),
    /// Something else would fall by now than it was asked for, and so it has ended, as this.
    Stale(Box<Approval>),
    /// The session died.
    CredentialGone,
}

/// An organisation token, as it is listed.
#[derive(Clone, Debug)]
pub struct OrgToken {
    /// Its id.
    pub id: TokenId,
    /// Its first eight characters.
    pub prefix: String,
    /// For people.
    pub name: Option<String>,
    /// What it may reach.
    pub role: Role,
    /// The workspace to which it is bound.
    pub workspace: Option<WorkspaceId>,
    /// The minter's audit label.
    pub created_by: String,
    /// The minter, if it was a person: the verified user.
    pub created_by_user: Option<String>,
    /// The credential at the root of its lineage.
    pub lineage: String,
    /// When it was minted.
    pub created_at: Timestamp,
    /// When it was last presented, within the writing's delay.
    pub last_used_at: Option<Timestamp>,
    /// How often it was presented within a day, by whole hours; where it is listed.
    pub uses_24h: u64,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Until when it still works, where it is revoked already.
    pub draining_until: Option<Timestamp>,
}

/// Uses of one token within one hour, to be added to those that are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenUses {
    /// Which token, of the organisation or of a workspace.
    pub token: TokenId,
    /// When the hour began.
    pub hour: Timestamp,
    /// How many.
    pub uses: u64,
    /// When the last of them was.
    pub last_at: Timestamp,
}

/// How often a token was presented within an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct HourOfUse {
    /// When the hour began.
    pub hour: Timestamp,
    /// How many times.
    pub uses: u64,
}

/// What has changed somewhere, as far as it concerns other hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// What somebody may wait for.
    Awaited,
    /// Tokens have ended, or begun to drain; or nobody knows what was missed.
    Tokens,
}

/// A secret, as it is listed: never its value.
#[derive(Clone, Debug)]
pub struct SecretEntry {
    /// Its scope.
    pub scope: SecretScope,
    /// Its key.
    pub key: SecretKey,
    /// When it was first written.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// Which part of a long list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The last item of the part before: its id, or for the audit its number.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// Whose approvals.
#[derive(Clone, Debug)]
pub enum Whose {
    /// Everybody's: for people.
    All,
    /// One credential's own.
    Requester(String),
}
