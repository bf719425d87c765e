//! What people look at whole.

use std::collections::HashSet;

use async_trait::async_trait;
use countersign_core::approval::Approval;
use countersign_core::holdings::{Fall, Falling, Family, HoldingsLedger, Lists, LiveSession};
use countersign_core::id::{SessionId, TokenId, WorkspaceId};
use countersign_core::ledger::HourOfUse;
use countersign_core::permit::Permit;
use countersign_core::ports::LedgerError;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::{Store, covers, covers_workspace, fall, falling, family, sessions, usage};
use crate::fault::Fault;

#[async_trait]
impl HoldingsLedger for Store {
    async fn falling(
        &self,
        permit: &Permit,
        lists: Lists<'_>,
        workspace: WorkspaceId,
        now: Timestamp,
    ) -> Result<Option<Falling>, LedgerError> {
        covers(permit, Verb::WorkspaceRead)?;
        covers_workspace(permit, workspace)?;
        permit_lists(lists)?;
        let mut tx = self.begin_reading().await?;
        let falling = falling::read(&mut tx, workspace, now).await?;
        Ok(falling.map(|falling| named_by(lists, falling)))
    }

    async fn family(
        &self,
        permit: &Permit,
        token: TokenId,
        now: Timestamp,
    ) -> Result<Option<Family>, LedgerError> {
        covers(permit, Verb::OrgTokenList)?;
        let mut tx = self.begin_reading().await?;
        Ok(family::read(&mut tx, token, now).await?)
    }

    async fn fall(
        &self,
        permit: &Permit,
        lists: Lists<'_>,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<Option<Fall>, LedgerError> {
        covers(permit, Verb::ApprovalList)?;
        permit_lists(lists)?;
        let mut tx = self.begin_reading().await?;
        let fall = fall::read(&mut tx, approval, now).await?;
        Ok(fall.map(|fall| match fall {
            Fall::Workspace(falling) => Fall::Workspace(named_by(lists, falling)),
            fall => fall,
        }))
    }

    async fn uses_by_hour(
        &self,
        permit: &Permit,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<(TokenId, HourOfUse)>, LedgerError> {
        covers(permit, Verb::OrgTokenList)?;
        let mut connection = self.glance().await?;
        Ok(usage::of_all(&mut connection, since, now).await?)
    }

    async fn live_sessions(
        &self,
        reader: SessionId,
        now: Timestamp,
    ) -> Result<Vec<LiveSession>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(sessions::list(&mut connection, reader, now).await?)
    }

    async fn end_session_by(
        &self,
        ended: SessionId,
        by: SessionId,
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let mut turn = self.turn().await?;
        let done = sessions::end_by(turn.connection(), ended, by, now).await;
        Ok(turn.end(done).await?)
    }
}

fn permit_lists(lists: Lists<'_>) -> Result<(), Fault> {
    if let Some(permit) = lists.tokens {
        covers(permit, Verb::OrgTokenList)?;
    }
    let mut secrets = lists.secrets.iter();
    secrets.try_for_each(|permit| covers(permit, Verb::SecretList))
}

/// Without the names for which there is no permit.
fn named_by(lists: Lists<'_>, mut falling: Falling) -> Falling {
    if lists.tokens.is_none() {
        falling.named.tokens.clear();
        falling.named.bound_tokens.clear();
    }
    let permitted: HashSet<&str> = lists.secrets.iter().map(Permit::resource_id).collect();
    let secrets = &mut falling.named.secrets;
    secrets.retain(|secret| permitted.contains(&*secret.workspace.to_string()));
    falling
}
