//! What the organisation holds, as a person looks at it before they take something away: what falls with a
//! workspace, which key minted which, and where the operator is signed in.

use async_trait::async_trait;

use crate::approval::Approval;
use crate::id::{SessionId, TokenId, WorkspaceId};
use crate::ledger::{HourOfUse, OrgToken};
use crate::permit::Permit;
use crate::ports::LedgerError;
use crate::secret::SecretKey;
use crate::time::Timestamp;
use crate::workspace::{FallDigest, Workspace, WorkspaceToken};

/// How many relatives of one key are read, of each kind.
pub const MAX_KIN: i64 = 200;

/// How many of what falls with workspaces are named, of each kind: nobody reads more before they decide, and a
/// page is held in memory.
pub const MAX_NAMED: usize = 200;

/// All that falls with a workspace.
#[derive(Clone, Debug)]
pub struct Falling {
    /// The workspace itself, then those below it, oldest first.
    pub workspaces: Vec<Workspace>,
    /// Live tokens of these workspaces.
    pub tokens: u64,
    /// Live organisation tokens that are bound to one of them.
    pub bound_tokens: u64,
    /// Their secrets.
    pub secrets: u64,
    /// The first of these, by name.
    pub named: Named,
    /// Names exactly this.
    pub digest: FallDigest,
}

/// What falls with workspaces and is none, by name: those of each workspace together, in the order of the
/// workspaces, and [`MAX_NAMED`] of each kind at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Live tokens of these workspaces, the oldest of each first.
    pub tokens: Vec<NamedToken>,
    /// Live organisation tokens that are bound to one of them, the oldest of each first.
    pub bound_tokens: Vec<NamedToken>,
    /// Their secrets, those of each by key.
    pub secrets: Vec<NamedSecret>,
}

/// A token that falls with a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedToken {
    /// Its id.
    pub id: TokenId,
    /// Its first eight characters.
    pub prefix: String,
    /// What it is called; a workspace's token has no name.
    pub name: Option<String>,
    /// The workspace with which it falls.
    pub workspace: WorkspaceId,
}

/// A secret that falls with its workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedSecret {
    /// Its key.
    pub key: SecretKey,
    /// The workspace with which it falls.
    pub workspace: WorkspaceId,
}

/// The permits by which what falls with a workspace is named: without one, it is counted alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lists<'a> {
    /// To list the organisation's tokens. Those of workspaces are named by it, too.
    pub tokens: Option<&'a Permit>,
    /// To list the secrets of a workspace, for each whose secrets are named.
    pub secrets: &'a [Permit],
}

/// An organisation token, and whether it lives.
#[derive(Clone, Debug)]
pub struct Kin {
    /// The token.
    pub token: OrgToken,
    /// Whether it works.
    pub is_live: bool,
}

/// An organisation token, with those that stand above and below it.
#[derive(Clone, Debug)]
pub struct Family {
    /// The token itself.
    pub token: Kin,
    /// The approval under which it was minted, where people had to approve that.
    pub approval: Option<Approval>,
    /// The organisation tokens by which it came about: the one that minted it first, then that one's minter.
    pub minters: Vec<Kin>,
    /// The organisation tokens that it minted, itself or through others, oldest first: [`MAX_KIN`] at most.
    pub minted: Vec<Kin>,
    /// Live tokens of workspaces that any of these minted, oldest first: [`MAX_KIN`] at most.
    pub of_workspaces: Vec<WorkspaceToken>,
    /// Names exactly what of `minted` and `of_workspaces` lives, beyond what is read of them too.
    pub descent: FallDigest,
}

/// How much there is.
#[derive(Clone, Copy, Debug)]
pub struct Holdings {
    /// Workspaces that stand.
    pub workspaces: u64,
    /// Live tokens, of the organisation and of workspaces.
    pub tokens: u64,
    /// Secrets.
    pub secrets: u64,
}

/// What would fall by a request.
#[derive(Clone, Debug)]
pub enum Fall {
    /// A workspace with all below it.
    Workspace(Falling),
    /// An organisation token.
    Token {
        /// With what it minted.
        family: Box<Family>,
        /// Whether that falls with it.
        descendants: bool,
    },
    /// Everything.
    Everything(Holdings),
    /// Something else than the request is bound to: nobody can agree to it any more.
    Moved,
}

/// A session of the host's own login that lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveSession {
    /// Which.
    pub id: SessionId,
    /// When its link was used.
    pub started_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// The part of the record that people look at whole.
#[async_trait]
pub trait HoldingsLedger: Send + Sync {
    /// All that would fall with `workspace` at `now`, named as far as `lists` permits. `None`: it does not stand.
    /// The permit is to read it.
    async fn falling(
        &self,
        permit: &Permit,
        lists: Lists<'_>,
        workspace: WorkspaceId,
        now: Timestamp,
    ) -> Result<Option<Falling>, LedgerError>;

    /// An organisation token, live or not, with its relatives. The permit is to list tokens.
    async fn family(
        &self,
        permit: &Permit,
        token: TokenId,
        now: Timestamp,
    ) -> Result<Option<Family>, LedgerError>;

    /// What would fall at `now` by `approval`, named as far as `lists` permits. `None`: nothing does by what it asks. The permit is to list
    /// approvals, and it is for people, who have to read this before they agree to it.
    async fn fall(
        &self,
        permit: &Permit,
        lists: Lists<'_>,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<Option<Fall>, LedgerError>;

    /// How often each live organisation token was presented in each hour since `since` in which it was, by
    /// token, then oldest first. The permit is to list tokens.
    async fn uses_by_hour(
        &self,
        permit: &Permit,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Vec<(TokenId, HourOfUse)>, LedgerError>;

    /// The sessions of the host's own login that live at `now`, newest first, 100 at most, for whoever has
    /// one of them: nothing where `reader` is none.
    async fn live_sessions(
        &self,
        reader: SessionId,
        now: Timestamp,
    ) -> Result<Vec<LiveSession>, LedgerError>;

    /// Ends a live session for whoever has a live one, which may be the same; false where either is none.
    async fn end_session_by(
        &self,
        ended: SessionId,
        by: SessionId,
        now: Timestamp,
    ) -> Result<bool, LedgerError>;
}
