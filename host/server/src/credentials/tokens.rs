//! Bearers that are tokens: found by their hash, and remembered for a moment.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::caller::Identity;
use countersign_core::ledger::OrgToken;
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::time::Timestamp;
use countersign_core::token::{self, TokenHash, TokenKind};
use countersign_core::workspace::WorkspaceToken;
use moka::future::Cache;

/// A token is taken to live for so long after the ledger said so.
///
/// No deed hangs on it, and no read: each is settled in a transaction that looks at the token again, so that
/// a revoked one does nothing from that moment on, on every host. What is left is what such a token is told
/// of its mistakes before it comes that far.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);
/// At most so many are remembered, a few hundred bytes each.
const REMEMBERED: u64 = 10_000;
/// How long a token's `last_used_at` may lag.
const USE_NOTED_EVERY: Duration = Duration::from_secs(60);

/// The tokens that live.
pub(super) struct Tokens {
    ledger: Arc<dyn Ledger>,
    remembered: Cache<TokenHash, Identity>,
}

impl Tokens {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        let remembered = Cache::builder()
            .max_capacity(REMEMBERED)
            .time_to_live(REMEMBERED_FOR)
            .build();
        Self { ledger, remembered }
    }

    /// Whose token `bearer` is, if it is one and lives at `now`.
    pub(super) async fn find(
        &self,
        bearer: &str,
        now: Timestamp,
    ) -> Result<Option<Identity>, LedgerError> {
        // What has the shape of one kind of token is looked for where that kind is, and nowhere else.
        let kinds = [TokenKind::Organisation, TokenKind::Workspace];
        let is_of = |kind: &TokenKind| token::is_well_formed(bearer, *kind);
        let Some(kind) = kinds.into_iter().find(is_of) else {
            return Ok(None);
        };
        let hash = TokenHash::of(bearer);
        let remembered = self.remembered.get(&hash).await;
        if let Some(identity) = remembered.filter(|identity| has_not_ended(identity, now)) {
            return Ok(Some(identity));
        }
        let found = match kind {
            TokenKind::Organisation => self.organisation(hash, now).await?,
            TokenKind::Workspace => self.workspace(hash, now).await?,
        };
        // Only what was found: a token that is minted a moment later works at once.
        if let Some(identity) = &found {
            self.remembered.insert(hash, identity.clone()).await;
        }
        Ok(found)
    }

    async fn organisation(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Identity>, LedgerError> {
        let Some(token) = self.ledger.org_token_by_hash(hash, now).await? else {
            return Ok(None);
        };
        if is_to_be_noted(token.last_used_at, now) {
            noted(self.ledger.note_org_token_use(token.id, now).await);
        }
        Ok(Some(org_token(token)))
    }

    async fn workspace(
        &self,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Identity>, LedgerError> {
        let Some(token) = self.ledger.workspace_token_by_hash(hash, now).await? else {
            return Ok(None);
        };
        if is_to_be_noted(token.last_used_at, now) {
            noted(self.ledger.note_workspace_token_use(token.id, now).await);
        }
        Ok(Some(workspace_token(token)))
    }
}

fn has_not_ended(identity: &Identity, now: Timestamp) -> bool {
    match identity {
        Identity::OrgToken { expires_at, .. } | Identity::WorkspaceToken { expires_at, .. } => {
            expires_at.is_none_or(|at| at > now)
        }
        Identity::Session { .. } | Identity::AdminToken { .. } | Identity::Provisioner { .. } => {
            false
        }
    }
}

/// The first use is noted at once, later ones now and then.
fn is_to_be_noted(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| last.plus(USE_NOTED_EVERY) <= now)
}

/// `last_used_at` is for people to find unused tokens by; losing one is no reason to refuse the request.
fn noted(noted: Result<(), LedgerError>) {
    if let Err(error) = noted {
        tracing::warn!(error = %crate::report(&error), "cannot note that a token was used");
    }
}

fn org_token(token: OrgToken) -> Identity {
    Identity::OrgToken {
        id: token.id,
        prefix: token.prefix,
        role: token.role,
        workspace: token.workspace,
        expires_at: token.expires_at,
        minted_by: token.created_by,
        lineage: token.lineage,
    }
}

fn workspace_token(token: WorkspaceToken) -> Identity {
    Identity::WorkspaceToken {
        id: token.id,
        prefix: token.prefix,
        workspace: token.workspace,
        expires_at: token.expires_at,
        minted_by: token.created_by,
        lineage: token.lineage,
    }
}
