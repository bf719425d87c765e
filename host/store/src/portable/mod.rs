//! The ledger, in the SQL that SQLite and PostgreSQL share.
//!
//! `$n` placeholders, ids as text, instants as microseconds, JSON as text, no booleans. Each file is
//! about one noun: its private row, its statements, and what they mean. By convention `$1` is the
//! instant of the request wherever a statement asks whether something is live.

mod approvals;
mod audit;
mod bound;
mod columns;
#[cfg(test)]
mod company;
mod credentials;
mod decisions;
mod deeds;
mod deprovision;
mod endings;
mod events;
mod facts;
mod fall;
mod falling;
mod family;
mod generations;
mod grants;
#[cfg(test)]
mod guards;
mod history;
mod holdings;
mod instants;
mod keys;
mod lost;
mod names;
mod obstacles;
mod people;
mod provenance;
pub(super) mod records;
mod removal;
mod requests;
mod revocation;
mod seals;
mod secrets;
mod sessions;
mod settings;
mod settle;
mod shadow;
mod signatures;
pub(super) mod standing;
mod sweep;
mod taken_back;
mod tallies;
mod tokens;
mod turns;
mod usage;
mod versions;
mod votes;
mod workspace_tokens;
mod workspaces;

use async_trait::async_trait;
use countersign_core::action::Action;
use countersign_core::approval::{Approval, State};
use countersign_core::audit::{ChainError, Entry, EventKind, HOST, Head};
use countersign_core::caller::Caller;
use countersign_core::decision::Decision;
use countersign_core::id::{ApprovalId, DecisionId, OrgId, SessionId, TokenId, WorkspaceId};
use countersign_core::ledger::{
    ApprovalEvents, Ballot, Change, Ended, Facts, HourOfUse, OrgToken, Page, Revocation,
    SecretEntry, Settled, Submission, TokenUses, Voted, Whose, Withdrawal,
};
use countersign_core::permit::Permit;
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::secret::{SealedSecret, SecretAddress, SecretScope};
use countersign_core::session::{NewSession, ProofHash};
use countersign_core::time::Timestamp;
use countersign_core::token::TokenHash;
use countersign_core::verb::Verb;
use countersign_core::workspace::{Slice, Workspace, WorkspaceToken};

use super::{Driver, Store};
use crate::fault::Fault;

pub(super) use self::turns::Turns;

/// What a statement runs on: a connection within a transaction.
type Connection = <Driver as sqlx::Database>::Connection;

/// The most that one page holds, whatever was asked for: a page is kept in memory.
const PAGE_LIMIT: u32 = 500;

#[async_trait]
impl Ledger for Store {
    async fn organisation(
        &self,
        configured: Option<OrgId>,
        fresh: OrgId,
    ) -> Result<OrgId, LedgerError> {
        let mut turn = self.turn().await?;
        let own = settings::organisation(turn.connection(), fresh).await;
        Ok(configured.unwrap_or(turn.end(own).await?))
    }

    async fn keep_anchor(&self, anchor: WorkspaceId, now: Timestamp) -> Result<bool, LedgerError> {
        let mut turn = self.turn().await?;
        let stands = workspaces::keep_anchor(turn.connection(), anchor, now).await;
        Ok(turn.end(stands).await?)
    }

    async fn facts(
        &self,
        caller: &Caller,
        action: &Action,
        org: OrgId,
        now: Timestamp,
    ) -> Result<Facts, LedgerError> {
        if let Some(facts) = facts::without_asking(action, org) {
            return Ok(facts);
        }
        // In no transaction: what does not belong together is found out where they are read again.
        let mut connection = self.glance().await?;
        Ok(facts::read(&mut connection, caller, action, org, now).await?)
    }

    async fn settle(&self, submission: Submission<'_>) -> Result<Settled, LedgerError> {
        let mut turn = self.turn().await?;
        let settled = settle::settle(turn.connection(), submission).await;
        let is_kept = |settled: &Settled| {
            !matches!(
                settled,
                Settled::Moved | Settled::KeyReplaced | Settled::Outdated
            )
        };
        Ok(turn.end_if(settled, is_kept).await?)
    }

    async fn vote(&self, ballot: &Ballot) -> Result<Voted, LedgerError> {
        let mut turn = self.turn().await?;
        let voted = votes::count(turn.connection(), ballot).await;
        let is_kept = |voted: &Voted| matches!(voted, Voted::Counted(_) | Voted::Stale(_));
        Ok(turn.end_if(voted, is_kept).await?)
    }

    async fn withdraw(&self, withdrawal: Withdrawal<'_>) -> Result<Ended, LedgerError> {
        let mut turn = self.turn().await?;
        let ended = taken_back::withdraw(turn.connection(), &withdrawal).await;
        Ok(turn.end_if(ended, Ended::is_done).await?)
    }

    async fn approval_state(
        &self,
        id: ApprovalId,
        now: Timestamp,
    ) -> Result<Option<State>, LedgerError> {
        let mut connection = self.glance().await?;
        let approval = approvals::load(&mut connection, id).await?;
        Ok(approval.map(|approval| approval.state_at(now)))
    }

    async fn revoke(&self, revocation: Revocation<'_>) -> Result<Ended, LedgerError> {
        let mut turn = self.turn().await?;
        let ended = taken_back::revoke(turn.connection(), &revocation).await;
        Ok(turn.end_if(ended, Ended::is_done).await?)
    }

    async fn sweep(&self, now: Timestamp) -> Result<Vec<ApprovalId>, LedgerError> {
        let mut turn = self.turn().await?;
        let swept = sweep::sweep(turn.connection(), now).await;
        Ok(turn.end(swept).await?)
    }

    async fn pending_approvals(
        &self,
        permit: &Permit,
        whose: &Whose,
        page: &Page,
        now: Timestamp,
    ) -> Result<Vec<Approval>, LedgerError> {
        covers(permit, Verb::ApprovalList)?;
        let mut tx = self.begin_reading().await?;
        Ok(approvals::pending(&mut tx, whose, page, now).await?)
    }

    async fn approvals_of(
        &self,
        permit: &Permit,
        whose: &Whose,
        workspace: WorkspaceId,
        page: &Page,
    ) -> Result<Option<Vec<Approval>>, LedgerError> {
        covers(permit, Verb::ApprovalList)?;
        let mut tx = self.begin_reading().await?;
        let filed = approvals::filed(&mut tx, whose, workspace, page).await?;
        // What was filed under a workspace can be read when it is gone, to the end of the list.
        let is_anything = !filed.is_empty()
            || page.after.is_some()
            || workspaces::load(&mut tx, workspace).await?.is_some();
        Ok(is_anything.then_some(filed))
    }

    async fn approval_events(
        &self,
        permit: &Permit,
        whose: &Whose,
        after: Option<i64>,
        limit: u32,
    ) -> Result<ApprovalEvents, LedgerError> {
        covers(permit, Verb::ApprovalList)?;
        let mut tx = self.begin_reading().await?;
        Ok(events::list(&mut tx, whose, after, limit).await?)
    }

    async fn lives(&self, caller: &Caller, now: Timestamp) -> Result<bool, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(credentials::is_alive(&mut connection, caller, now).await?)
    }

    async fn approval(
        &self,
        permit: &Permit,
        whose: &Whose,
        id: ApprovalId,
    ) -> Result<Option<Approval>, LedgerError> {
        covers(permit, Verb::ApprovalList)?;
        let mut tx = self.begin_reading().await?;
        let approval = approvals::load(&mut tx, id).await?;
        Ok(approval.filter(|approval| match whose {
            Whose::All => true,
            Whose::Requester(credential) => approval.requester.credential == *credential,
        }))
    }

    async fn org_token_by_hash(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<OrgToken>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(tokens::by_hash(&mut connection, hash, now).await?)
    }

    async fn note_token_uses(&self, uses: &[TokenUses]) -> Result<(), LedgerError> {
        let mut turn = self.turn().await?;
        let done = usage::note(turn.connection(), uses).await;
        Ok(turn.end(done).await?)
    }

    async fn token_uses(
        &self,
        permit: &Permit,
        token: TokenId,
        since: Timestamp,
    ) -> Result<Option<Vec<HourOfUse>>, LedgerError> {
        let workspace = match permit.verb() {
            Verb::WorkspaceRead => Some(permit.resource_id()),
            _ => covers(permit, Verb::OrgTokenList).map(|()| None)?,
        };
        let mut tx = self.begin_reading().await?;
        if !usage::is_known(&mut tx, token, workspace).await? {
            return Ok(None);
        }
        Ok(Some(usage::by_hour(&mut tx, token, since).await?))
    }

    async fn org_tokens(
        &self,
        permit: &Permit,
        now: Timestamp,
    ) -> Result<Vec<OrgToken>, LedgerError> {
        covers(permit, Verb::OrgTokenList)?;
        let mut connection = self.glance().await?;
        Ok(tokens::list(&mut connection, now).await?)
    }

    async fn secrets(
        &self,
        permit: &Permit,
        scope: SecretScope,
    ) -> Result<Vec<SecretEntry>, LedgerError> {
        covers(permit, Verb::SecretList)?;
        // Whoever may list one workspace's secrets sees the global ones too, but not another's.
        if let Some(workspace) = scope.workspace() {
            covers_workspace(permit, workspace)?;
        }
        let mut connection = self.glance().await?;
        Ok(secrets::list(&mut connection, scope).await?)
    }

    async fn sealed_secrets(
        &self,
        permit: &Permit,
        workspace: WorkspaceId,
    ) -> Result<Vec<(SecretAddress, SealedSecret)>, LedgerError> {
        covers(permit, Verb::SecretRead)?;
        covers_workspace(permit, workspace)?;
        let mut tx = self.begin_reading().await?;
        Ok(secrets::sealed(&mut tx, SecretScope::Workspace(workspace)).await?)
    }

    async fn workspaces(&self, permit: &Permit) -> Result<Vec<Workspace>, LedgerError> {
        covers(permit, Verb::WorkspaceList)?;
        let mut connection = self.glance().await?;
        Ok(workspaces::list(&mut connection).await?)
    }

    async fn workspace(
        &self,
        permit: &Permit,
        id: WorkspaceId,
    ) -> Result<Option<Workspace>, LedgerError> {
        covers(permit, Verb::WorkspaceRead)?;
        covers_workspace(permit, id)?;
        let mut connection = self.glance().await?;
        Ok(workspaces::load(&mut connection, id).await?)
    }

    async fn workspace_tokens(
        &self,
        permit: &Permit,
        workspace: WorkspaceId,
        slice: Slice,
        now: Timestamp,
    ) -> Result<Vec<WorkspaceToken>, LedgerError> {
        covers(permit, Verb::WorkspaceRead)?;
        covers_workspace(permit, workspace)?;
        let mut tx = self.begin_reading().await?;
        Ok(workspace_tokens::list(&mut tx, workspace, slice, now).await?)
    }

    async fn workspace_token_by_hash(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<WorkspaceToken>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(workspace_tokens::by_hash(&mut connection, hash, now).await?)
    }

    async fn save_login_link(
        &self,
        link: TokenHash,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let mut turn = self.turn().await?;
        let done = sessions::save_link(turn.connection(), link, expires_at, now).await;
        Ok(turn.end(done).await?)
    }

    async fn redeem_login_link(
        &self,
        link: TokenHash,
        session: NewSession,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let mut turn = self.turn().await?;
        let redeemed = sessions::redeem_link(turn.connection(), link, session, now).await;
        Ok(turn.end(redeemed).await?)
    }

    async fn session(
        &self,
        cookie: TokenHash,
        now: Timestamp,
    ) -> Result<Option<SessionId>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(sessions::by_cookie(&mut connection, cookie, now).await?)
    }

    async fn session_proof(
        &self,
        id: SessionId,
        now: Timestamp,
    ) -> Result<Option<ProofHash>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(sessions::proof(&mut connection, id, now).await?)
    }

    async fn end_session(&self, id: SessionId, now: Timestamp) -> Result<(), LedgerError> {
        let mut turn = self.turn().await?;
        let done = sessions::end(turn.connection(), id, now).await;
        Ok(turn.end(done).await?)
    }

    async fn decisions(&self, permit: &Permit, page: &Page) -> Result<Vec<Decision>, LedgerError> {
        covers(permit, Verb::DecisionRead)?;
        let mut connection = self.glance().await?;
        Ok(decisions::list(&mut connection, page).await?)
    }

    async fn decision(
        &self,
        permit: &Permit,
        id: DecisionId,
    ) -> Result<Option<Decision>, LedgerError> {
        covers(permit, Verb::DecisionRead)?;
        let mut connection = self.glance().await?;
        Ok(decisions::load(&mut connection, id).await?)
    }

    async fn audit(&self, permit: &Permit, page: &Page) -> Result<Vec<Entry>, LedgerError> {
        covers(permit, Verb::AuditRead)?;
        let mut connection = self.glance().await?;
        Ok(audit::list(&mut connection, page).await?)
    }

    async fn audit_head(&self, since: i64) -> Result<Head, LedgerError> {
        let mut tx = self.begin_reading().await?;
        Ok(audit::head(&mut tx, since).await?)
    }

    async fn note_audit_key(&self, public_key: &str, now: Timestamp) -> Result<(), LedgerError> {
        let mut turn = self.turn().await?;
        let detail = serde_json::json!({ "public_key": public_key });
        let kind = EventKind::AuditKeyMade;
        let noted = audit::append(turn.connection(), now, kind, HOST, detail).await;
        Ok(turn.end(noted).await?)
    }

    async fn verify_audit(&self, permit: &Permit) -> Result<Result<i64, ChainError>, LedgerError> {
        covers(permit, Verb::AuditRead)?;
        let mut tx = self.begin_reading().await?;
        Ok(audit::verify(&mut tx).await?)
    }

    async fn change(&self) -> Change {
        self.hear().await
    }

    async fn mark(&self, now: Timestamp) -> Result<(), LedgerError> {
        let mut turn = self.turn().await?;
        let done = instants::mark(turn.connection(), now).await;
        Ok(turn.end(done).await?)
    }

    async fn latest_instant(&self) -> Result<Option<Timestamp>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(instants::latest(&mut connection).await?)
    }
}

fn covers(permit: &Permit, verb: Verb) -> Result<(), Fault> {
    if permit.verb() == verb {
        Ok(())
    } else {
        Err(Fault::WrongPermit(permit.verb().as_str()))
    }
}

/// A permit for one workspace is none for another.
fn covers_workspace(permit: &Permit, workspace: WorkspaceId) -> Result<(), Fault> {
    if permit.resource_id() == workspace.to_string() {
        Ok(())
    } else {
        Err(Fault::WrongPermit(permit.verb().as_str()))
    }
}
