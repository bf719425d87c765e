//! A judged action on its way into the ledger, and what comes of it.

use super::{Ahead, OrgToken};
use crate::action::Intent;
use crate::approval::{Approval, Lives};
use crate::caller::Caller;
use crate::decision::Decision;
use crate::id::{ApprovalId, OrgId, TokenId, WorkspaceId};
use crate::permit::Permit;
use crate::policy::Entity;
use crate::ports::Judge;
use crate::secret::{SealedSecret, SecretAddress};
use crate::tally::Tally;
use crate::time::{Clock, Timestamp};
use crate::token::TokenHash;
use crate::workspace::{Workspace, WorkspaceToken};

/// What the ledger knows of an action's resource. Read before the policies are asked, and again in the
/// deed's transaction: where the two differ, the action is judged again.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// What the policies are told of the resource.
    pub resource: Entity,
    /// What a grant is for: the target's version. Empty where nothing can move.
    pub precondition: String,
    /// What people call the workspace that the action concerns, or the key that it revokes.
    pub title: Option<String>,
}

/// The effect of an action on the ledger.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Nothing changes: the permit itself is what is wanted.
    Read,
    /// Mint an organisation token.
    MintOrgToken {
        /// Its id.
        id: TokenId,
        /// What is kept of it.
        hash: TokenHash,
        /// Its first eight characters.
        prefix: String,
        /// At most so many may be live; 0: no limit.
        live_limit: u32,
        /// At most so many may be minted from one address in an hour; 0: no limit.
        mint_limit: u32,
    },
    /// Revoke the organisation token that the action names.
    RevokeOrgToken,
    /// Write the secret at the action's address.
    WriteSecret(SealedSecret),
    /// Delete the secret at the action's address.
    DeleteSecret,
    /// Create a workspace.
    CreateWorkspace {
        /// Its id.
        id: WorkspaceId,
    },
    /// Change the workspace that the action names.
    UpdateWorkspace,
    /// Remove the workspace that the action names and all below it.
    RemoveWorkspace,
    /// Mint a token of the workspace that the action names.
    MintWorkspaceToken {
        /// Its id.
        id: TokenId,
        /// What is kept of it.
        hash: TokenHash,
        /// Its first eight characters.
        prefix: String,
    },
    /// Revoke the workspace's token that the action names.
    RevokeWorkspaceToken,
    /// Keep the version of a policy that the action brings.
    KeepPolicy,
    /// Record the set of policies that the action brings, which makes it live everywhere.
    ChangePolicies,
    /// Revoke and remove everything but the record.
    Deprovision,
}

/// What a caller wants of an action.
#[derive(Clone, Copy)]
pub enum Want<'a> {
    /// That it is done, under the approval that it may name.
    Deed(Option<ApprovalId>),
    /// That people are asked, and nothing is done.
    Asked(&'a Ahead),
    /// That it may be read, if nobody need be asked: nobody is, and no grant is used up.
    Glance,
}

impl<'a> Want<'a> {
    /// The approval that the caller names.
    pub fn named(self) -> Option<ApprovalId> {
        match self {
            Self::Deed(named) => named,
            Self::Asked(_) | Self::Glance => None,
        }
    }

    /// What the caller asks ahead for.
    pub fn ahead(self) -> Option<&'a Ahead> {
        match self {
            Self::Asked(ahead) => Some(ahead),
            Self::Deed(_) | Self::Glance => None,
        }
    }
}

/// A judged action, to be settled in one transaction: the decision recorded, and the deed done, an
/// approval opened or found, or the request refused.
pub struct Submission<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// For what.
    pub intent: &'a Intent,
    /// What was known when it was judged.
    pub facts: &'a Facts,
    /// What was counted then.
    pub tallies: &'a [Tally],
    /// The decision, whose outcome and approval the ledger fills in.
    pub decision: Decision,
    /// What to do if it may be done.
    pub deed: Deed,
    /// What the caller wants of it.
    pub want: Want<'a>,
    /// The id of the approval that is opened, if one is.
    pub fresh: ApprovalId,
    /// The organisation.
    pub org: OrgId,
    /// How long its approvals live.
    pub lives: Lives,
    /// The time, to be read when the transaction has begun: waiting for others must not let a grant work
    /// past its end.
    pub clock: &'a dyn Clock,
    /// Which policies are live, likewise.
    pub judge: &'a dyn Judge,
}

/// What came of a submission.
#[derive(Debug)]
pub enum Settled {
    /// The deed is done.
    Done(Done),
    /// It waits for people; the request is new, or the same as before.
    Pending(Box<Approval>),
    /// People were asked ahead: the request waits, or has been approved already.
    Asked(Box<Approval>),
    /// It was refused.
    Refused(Refusal),
    /// What the policies were told has moved: judge it again.
    Moved,
    /// The secret was sealed with a key that is not in use any more: seal it again.
    KeyReplaced,
    /// The policies that judged are not the newest that are recorded: another host made others live, or
    /// this one is about to.
    Outdated,
}

/// A deed, done.
#[derive(Debug)]
pub enum Done {
    /// It may be read.
    Read(Permit),
    /// The token is minted.
    Minted(OrgToken),
    /// The token is revoked, or drains.
    Revoked(Revoked),
    /// The secret is saved.
    SecretSaved(SecretAddress),
    /// The secret is deleted.
    SecretDeleted(SecretAddress),
    /// The workspace is created, or changed.
    WorkspaceSaved(Workspace),
    /// The workspaces are removed: the one that was meant first, then those that were below it.
    WorkspacesRemoved(Vec<Workspace>),
    /// The workspace's token is minted.
    WorkspaceTokenMinted(WorkspaceToken),
    /// The workspace's token is revoked.
    WorkspaceTokenRevoked(TokenId),
    /// The version is kept; what it decides depends on when it is activated.
    PolicyKept,
    /// The set of policies is recorded under this number.
    PoliciesChanged(u64),
    /// Everything is revoked and removed but the record.
    Deprovisioned(Deprovisioned),
}

/// What fell with an organisation token, and when it ends.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// Which.
    pub token: TokenId,
    /// Until when it still works, if at all.
    pub draining_until: Option<Timestamp>,
    /// What it had minted and fell with it, oldest first.
    pub descendants: Vec<Descendant>,
    /// Requests and grants of all of them that ended.
    pub approvals: Vec<ApprovalId>,
}

/// A token that another one had minted, itself or through others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descendant {
    /// Which.
    pub token: TokenId,
    /// Its first eight characters.
    pub prefix: String,
    /// The workspace whose token it is; absent for an organisation token.
    pub workspace: Option<WorkspaceId>,
    /// Until when it still works, if at all.
    pub draining_until: Option<Timestamp>,
}

/// How much fell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deprovisioned {
    /// Workspaces; the approval anchor stands.
    pub workspaces: usize,
    /// Tokens, of the organisation and of workspaces.
    pub tokens: usize,
    /// Secrets.
    pub secrets: usize,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// A policy or the core denies it.
    Denied {
        /// The rule.
        rule: String,
        /// Why, for people.
        reason: String,
        /// `name@version`, or `core`.
        policy: String,
        /// What to do next.
        advice: Option<String>,
    },
    /// The credential died while it asked.
    CredentialGone,
    /// People would have to be asked for what was only glanced at.
    AskedFirst,
    /// No approval anchor is configured under which the request could be filed.
    NoAnchor,
    /// Too many requests of this lineage are pending.
    TooManyPending,
    /// Too many organisation tokens are live.
    TooManyTokens,
    /// Too many organisation tokens were minted from one address in an hour.
    TooManyMints {
        /// When the next one may be.
        again_at: Timestamp,
        /// When it was asked.
        at: Timestamp,
    },
    /// Too many tokens of the workspace are live.
    TooManyWorkspaceTokens,
    /// Too many workspaces stand.
    TooManyWorkspaces,
    /// What it would be done to is not there.
    TargetGone,
    /// A workspace that the request names beside its target is not there.
    UnknownWorkspace,
    /// The workspace would be below itself.
    BelowItself,
    /// The tree of workspaces would be too deep.
    TooDeep,
    /// The approval anchor would fall.
    AnchorWouldFall,
    /// Others would fall with it, and the request does not say that they may.
    ConfirmationRequired {
        /// Those directly below it.
        children: Vec<Workspace>,
    },
    /// Something else would fall with the workspace, or the token, than the request says was shown.
    OtherThanShown,
    /// The named approval is not there, is not the caller's, or was for another request.
    ApprovalMismatch,
    /// People denied it.
    ApprovalDenied {
        /// Why, in their words.
        reason: Option<String>,
        /// When it may be asked again.
        again_at: Timestamp,
    },
    /// Nobody decided in time.
    ApprovalExpired,
    /// The requester took it back, or what it was about is gone or has moved.
    ApprovalWithdrawn,
    /// A person took the grant back.
    ApprovalRevoked {
        /// Why, in their words.
        reason: Option<String>,
    },
    /// It was asked ahead, and needs nobody.
    ApprovalNotNeeded,
    /// The workspace under which it was to be filed is not there.
    FiledNowhere,
    /// The grant was not used in time.
    GrantExpired,
    /// The grant was used.
    GrantUsed,
    /// What was approved has moved.
    ApprovalStale,
    /// Other policies were recorded since those that were to follow were made ready.
    PoliciesMoved,
    /// Another component is kept under this version of the policy.
    VersionTaken,
}
