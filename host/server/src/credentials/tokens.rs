//! Bearers that are tokens: found by their hash, and remembered for a moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::caller::Identity;
use countersign_core::id::TokenId;
use countersign_core::ledger::{OrgToken, TokenUses};
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::time::Timestamp;
use countersign_core::token::{self, TokenHash, TokenKind};
use countersign_core::workspace::WorkspaceToken;

use super::remembered::Remembered;
use super::uses::{Counter, Uses, hour_of};

/// A token is taken to live for so long after the ledger said so, where nobody says that one has ended:
/// this host says so at once, and others as soon as they are heard.
///
/// No deed hangs on it, and no read: each is settled in a transaction that looks at the token again, so that
/// a revoked one does nothing from that moment on, on every host. What is left is what such a token is told
/// of its mistakes before it comes that far.
const REMEMBERED_FOR: Duration = Duration::from_secs(1);
/// At most so many are remembered, a few hundred bytes each.
const REMEMBERED: usize = 10_000;

/// A token that lives.
struct Known {
    identity: Identity,
    uses: Arc<Counter>,
}

/// A token, as the ledger has it.
struct Found {
    id: TokenId,
    identity: Identity,
    was_used: bool,
}

/// The tokens that live.
pub(super) struct Tokens {
    ledger: Arc<dyn Ledger>,
    remembered: Remembered<Known>,
    uses: Uses,
}

impl Tokens {
    pub(super) fn new(ledger: Arc<dyn Ledger>) -> Self {
        Self {
            ledger,
            remembered: Remembered::new(REMEMBERED, REMEMBERED_FOR),
            uses: Uses::default(),
        }
    }

    /// Whose token `bearer` is, if it is one and lives at `now`.
    pub(super) async fn find(
        &self,
        bearer: &str,
        now: Timestamp,
    ) -> Result<Option<Identity>, LedgerError> {
        let hash = TokenHash::of(bearer);
        if let Some(known) = self.remembered.get(&hash, Instant::now())
            && has_not_ended(&known.identity, now)
        {
            known.uses.count(now);
            return Ok(Some(known.identity.clone()));
        }
        // What has the shape of one kind of token is looked for where that kind is, and nowhere else.
        let kinds = [TokenKind::Organisation, TokenKind::Workspace];
        let is_of = |kind: &TokenKind| token::is_well_formed(bearer, *kind);
        match kinds.into_iter().find(is_of) {
            Some(kind) => self.look_up(kind, hash, now).await,
            None => Ok(None),
        }
    }

    /// Tokens may have ended: what this host remembers of them counts for nothing.
    pub(super) fn forget(&self) {
        self.remembered.forget();
    }

    /// Writes down what was counted. What cannot be written stays counted.
    pub(super) async fn write_uses(&self) -> Result<(), LedgerError> {
        let uses = self.uses.take();
        if uses.is_empty() {
            return Ok(());
        }
        let written = self.ledger.note_token_uses(&uses).await;
        if written.is_err() {
            self.uses.give_back(uses);
        }
        written
    }

    async fn look_up(
        &self,
        kind: TokenKind,
        hash: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Identity>, LedgerError> {
        let seen = self.remembered.seen();
        let found = match kind {
            TokenKind::Organisation => {
                let token = self.ledger.org_token_by_hash(hash, now).await?;
                token.map(Found::from)
            }
            TokenKind::Workspace => {
                let token = self.ledger.workspace_token_by_hash(hash, now).await?;
                token.map(Found::from)
            }
        };
        // Only what was found is remembered: a token that is minted a moment later works at once.
        let Some(found) = found else { return Ok(None) };
        let uses = self.uses.counter(found.id);
        match found.was_used {
            true => uses.count(now),
            false => self.note_first(found.id, now).await?,
        }
        let known = Arc::new(Known {
            identity: found.identity.clone(),
            uses,
        });
        self.remembered.insert(hash, known, Instant::now(), seen);
        Ok(Some(found.identity))
    }

    /// The first use is written down before the request is answered, or it is not answered: a token that is
    /// not known to have been presented can be replaced, as one that nobody ever got.
    async fn note_first(&self, token: TokenId, now: Timestamp) -> Result<(), LedgerError> {
        let first = TokenUses {
            token,
            hour: hour_of(now),
            uses: 1,
            last_at: now,
        };
        self.ledger.note_token_uses(&[first]).await
    }
}

fn has_not_ended(identity: &Identity, now: Timestamp) -> bool {
    identity.ends_at().is_none_or(|end| end > now)
}

impl From<OrgToken> for Found {
    fn from(token: OrgToken) -> Self {
        Self {
            id: token.id,
            was_used: token.last_used_at.is_some(),
            identity: Identity::OrgToken {
                id: token.id,
                prefix: token.prefix,
                role: token.role,
                workspace: token.workspace,
                expires_at: token.expires_at,
                draining_until: token.draining_until,
                minted_by: token.created_by,
                lineage: token.lineage,
            },
        }
    }
}

impl From<WorkspaceToken> for Found {
    fn from(token: WorkspaceToken) -> Self {
        Self {
            id: token.id,
            was_used: token.last_used_at.is_some(),
            identity: Identity::WorkspaceToken {
                id: token.id,
                prefix: token.prefix,
                workspace: token.workspace,
                expires_at: token.expires_at,
                draining_until: token.draining_until,
                minted_by: token.created_by,
                lineage: token.lineage,
            },
        }
    }
}
