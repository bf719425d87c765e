//! What the core needs from outside.

use std::sync::Arc;

use async_trait::async_trait;

use crate::action::Action;
use crate::approval::{Approval, State};
use crate::audit::{ChainError, Entry, Head};
use crate::caller::Caller;
use crate::decision::Decision;
use crate::generation::GenerationLedger;
use crate::history::HistoryLedger;
use crate::holdings::HoldingsLedger;
use crate::id::{ApprovalId, DecisionId, OrgId, SessionId, TokenId, WorkspaceId};
use crate::keys::KeyLedger;
use crate::ledger::{
    ApprovalEvents, Ballot, Change, Ended, Facts, HourOfUse, OrgToken, Page, Revocation,
    SecretEntry, Settled, Submission, TokenUses, Voted, Whose, Withdrawal,
};
use crate::people::PeopleLedger;
use crate::permit::Permit;
use crate::policy::Question;
use crate::provenance::ProvenanceLedger;
use crate::secret::{SealedSecret, SecretAddress, SecretScope};
use crate::session::{NewSession, ProofHash};
use crate::shadow::ShadowLedger;
use crate::signature::SignatureLedger;
use crate::tally::{TallyKind, TallyLedger};
use crate::time::Timestamp;
use crate::token::TokenHash;
use crate::verdict::Judgement;
use crate::workspace::{Slice, Workspace, WorkspaceToken};

/// The policies. Pure and synchronous: the same question under the same generation has one answer.
pub trait Judge: Send + Sync {
    /// Judges `question` under one generation of policies from beginning to end. Whatever goes wrong
    /// in a policy is a denial within the judgement.
    fn judge(&self, question: &Question) -> Judgement;

    /// The number of the generation that judges now.
    fn generation(&self) -> u64;

    /// What it asks to be counted, and its number.
    fn wants(&self) -> (u64, Arc<[TallyKind]>);
}

/// The ledger could not do what was asked; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database cannot be reached, is full, is broken, or took too long.
    #[error("the datastore is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What the database holds makes no sense.
    #[error("the datastore holds a row that cannot be read: {0}")]
    Corrupt(String),
    /// A permit for another verb was presented.
    #[error("INVARIANT: a permit for `{0}` does not cover this")]
    WrongPermit(&'static str),
}

/// The record of everything. Each method is one transaction, which carries its audit entry; what it
/// changes is guarded in the statement that changes it.
#[async_trait]
pub trait Ledger:
    KeyLedger
    + GenerationLedger
    + HistoryLedger
    + HoldingsLedger
    + PeopleLedger
    + ProvenanceLedger
    + ShadowLedger
    + SignatureLedger
    + TallyLedger
{
    /// The organisation's id: `configured`, or the one that was made when the ledger was, and kept.
    async fn organisation(
        &self,
        configured: Option<OrgId>,
        fresh: OrgId,
    ) -> Result<OrgId, LedgerError>;

    /// Makes the approval anchor a workspace like any other, if it is none yet; false where it was removed
    /// when it was no anchor, and so cannot be one.
    async fn keep_anchor(&self, anchor: WorkspaceId, now: Timestamp) -> Result<bool, LedgerError>;

    /// What is known of the action's resource at `now`, for the policies.
    async fn facts(
        &self,
        caller: &Caller,
        action: &Action,
        org: OrgId,
        now: Timestamp,
    ) -> Result<Facts, LedgerError>;

    /// Settles a judged action, in one transaction, as of the moment at which nobody else can write any
    /// more:
    ///
    /// 1. the caller's credential still lives, with the role that it had, else `CredentialGone`;
    /// 2. the facts are those that were judged, and the policies those that judged, else `Moved` and
    ///    nothing is recorded;
    /// 3. by the ruling: *allow* does the deed; *deny* refuses; *gate* uses the caller's grant for this
    ///    digest whose precondition and quorums hold, or finds or opens the pending approval;
    /// 4. the decision is recorded with what came of it, the deed takes the [`Permit`] made of that
    ///    record, and what was done has its audit entry. Where a later generation of policies is recorded
    ///    than the one that judged, it is `Outdated`, and nothing is done or recorded.
    async fn settle(&self, submission: Submission<'_>) -> Result<Settled, LedgerError>;

    /// Counts a vote.
    async fn vote(&self, ballot: &Ballot) -> Result<Voted, LedgerError>;

    /// Ends a pending request for its requester.
    async fn withdraw(&self, withdrawal: Withdrawal<'_>) -> Result<Ended, LedgerError>;

    /// The state of an approval as of `now`, for the host itself.
    async fn approval_state(
        &self,
        id: ApprovalId,
        now: Timestamp,
    ) -> Result<Option<State>, LedgerError>;

    /// Ends an unused grant for a person.
    async fn revoke(&self, revocation: Revocation<'_>) -> Result<Ended, LedgerError>;

    /// Records what time has done: pending approvals expire, unused grants lapse, and those of a token that
    /// has ended end with it. Says which. What is counted of tokens' uses is forgotten in time.
    async fn sweep(&self, now: Timestamp) -> Result<Vec<ApprovalId>, LedgerError>;

    /// The approvals that are pending at `now`, oldest first, paged by id.
    async fn pending_approvals(
        &self,
        permit: &Permit,
        whose: &Whose,
        page: &Page,
        now: Timestamp,
    ) -> Result<Vec<Approval>, LedgerError>;

    /// The approvals that are filed under `workspace`, of every state, newest first, paged by id. `None`:
    /// there is no such workspace, or it was removed and had none.
    async fn approvals_of(
        &self,
        permit: &Permit,
        whose: &Whose,
        workspace: WorkspaceId,
        page: &Page,
    ) -> Result<Option<Vec<Approval>>, LedgerError>;

    /// What happened to approvals after the audit entry `after`, `limit` at most; from now on, and so
    /// nothing, where it is none.
    async fn approval_events(
        &self,
        permit: &Permit,
        whose: &Whose,
        after: Option<i64>,
        limit: u32,
    ) -> Result<ApprovalEvents, LedgerError>;

    /// Whether the caller's credential lives at `now` as it was verified, as far as the ledger knows: what
    /// others keep, they answer for.
    async fn lives(&self, caller: &Caller, now: Timestamp) -> Result<bool, LedgerError>;

    /// One approval.
    async fn approval(
        &self,
        permit: &Permit,
        whose: &Whose,
        id: ApprovalId,
    ) -> Result<Option<Approval>, LedgerError>;

    /// The live organisation token with this hash: not revoked, not expired at `now`.
    async fn org_token_by_hash(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<OrgToken>, LedgerError>;

    /// Adds uses of tokens, of the organisation and of workspaces, to those that are kept. One instant of
    /// last use never replaces a later one.
    async fn note_token_uses(&self, uses: &[TokenUses]) -> Result<(), LedgerError>;

    /// How often a token, live or not, was presented in each hour since `since` in which it was, oldest
    /// first. The permit is to list the organisation's tokens, or to read the workspace whose it is.
    async fn token_uses(
        &self,
        permit: &Permit,
        token: TokenId,
        since: Timestamp,
    ) -> Result<Option<Vec<HourOfUse>>, LedgerError>;

    /// The organisation's live tokens, newest first, 500 at most.
    async fn org_tokens(
        &self,
        permit: &Permit,
        now: Timestamp,
    ) -> Result<Vec<OrgToken>, LedgerError>;

    /// The secrets that reach `scope`, by key.
    async fn secrets(
        &self,
        permit: &Permit,
        scope: SecretScope,
    ) -> Result<Vec<SecretEntry>, LedgerError>;

    /// The secrets that reach the workspace that the permit is for, sealed, by key.
    async fn sealed_secrets(
        &self,
        permit: &Permit,
        workspace: WorkspaceId,
    ) -> Result<Vec<(SecretAddress, SealedSecret)>, LedgerError>;

    /// The workspaces that stand, oldest first.
    async fn workspaces(&self, permit: &Permit) -> Result<Vec<Workspace>, LedgerError>;

    /// The workspace that the permit is for, while it stands.
    async fn workspace(
        &self,
        permit: &Permit,
        id: WorkspaceId,
    ) -> Result<Option<Workspace>, LedgerError>;

    /// The live tokens of the workspace that the permit is for, newest first.
    async fn workspace_tokens(
        &self,
        permit: &Permit,
        workspace: WorkspaceId,
        slice: Slice,
        now: Timestamp,
    ) -> Result<Vec<WorkspaceToken>, LedgerError>;

    /// The live workspace token with this hash: not revoked, not expired at `now`.
    async fn workspace_token_by_hash(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<WorkspaceToken>, LedgerError>;

    /// Keeps a login link by its hash. Only the newest link counts.
    async fn save_login_link(
        &self,
        link: TokenHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), LedgerError>;

    /// Uses a login link up and starts `session`; false where the link is unknown, used or too old.
    async fn redeem_login_link(
        &self,
        link: TokenHash,
        session: NewSession,
        now: Timestamp,
    ) -> Result<bool, LedgerError>;

    /// The live session with this cookie.
    async fn session(
        &self,
        cookie: TokenHash,
        now: Timestamp,
    ) -> Result<Option<SessionId>, LedgerError>;

    /// The hash of a session's proof, while the session lives.
    async fn session_proof(
        &self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<ProofHash>, LedgerError>;

    /// Ends a session.
    async fn end_session(&self, id: SessionId, now: Timestamp) -> Result<(), LedgerError>;

    /// Recorded decisions, newest first.
    async fn decisions(&self, permit: &Permit, page: &Page) -> Result<Vec<Decision>, LedgerError>;

    /// One decision.
    async fn decision(
        &self,
        permit: &Permit,
        id: DecisionId,
    ) -> Result<Option<Decision>, LedgerError>;

    /// Audit entries, oldest first, after the number in the page.
    async fn audit(&self, permit: &Permit, page: &Page) -> Result<Vec<Entry>, LedgerError>;

    /// Walks the whole chain: how many entries there are, or where it does not hold.
    async fn verify_audit(&self, permit: &Permit) -> Result<Result<i64, ChainError>, LedgerError>;

    /// Where the audit's chain ends, and the hash of its entry at `since`.
    async fn audit_head(&self, since: i64) -> Result<Head, LedgerError>;

    /// Records that a host has made its key for signing heads of the audit.
    async fn note_audit_key(&self, public_key: &str, now: Timestamp) -> Result<(), LedgerError>;

    /// Waits until what somebody may wait for has changed, or may have, at whichever host that shares the
    /// ledger: an approval, the policies, or a token's life. It tells early and not surely, so whoever needs
    /// to know looks from time to time as well. Where no other host can share the ledger, it never ends.
    async fn change(&self) -> Change;

    /// Records that it is `now`, at least. It shows that the database can be written, and a host that
    /// starts learns by it how late it was.
    async fn mark(&self, now: Timestamp) -> Result<(), LedgerError>;

    /// The latest instant that was recorded: by a mark, an audit entry or a decision.
    async fn latest_instant(&self) -> Result<Option<Timestamp>, LedgerError>;
}
