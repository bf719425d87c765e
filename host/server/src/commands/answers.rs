//! What a host answers, parsed at the door.

use countersign_core::action::ActionDigest;
use countersign_core::approval::State;
use countersign_core::id::{ApprovalId, TokenId, WorkspaceId};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::terminal::Plain;
use crate::config::Hidden;
use crate::reviews::{AcceptedBy, ReviewView};

/// A request that waits for people.
#[derive(Deserialize)]
pub struct Pending {
    pub approval_id: ApprovalId,
    pub reason: Plain,
    pub expires_at: Timestamp,
    pub approve_url: Plain,
    /// Where it is about the policies.
    #[serde(default)]
    pub accepted_by: Option<AcceptedBy>,
}

/// A refusal.
#[derive(Deserialize)]
pub struct Refused {
    pub error: Plain,
    #[serde(default)]
    pub code: Plain,
}

/// A session that begins.
#[derive(Deserialize)]
pub struct SignedIn {
    pub proof: Hidden,
    pub expires_at: Timestamp,
}

/// A minted token.
#[derive(Deserialize)]
pub struct Minted {
    pub id: TokenId,
    pub prefix: Plain,
    pub name: Option<Plain>,
    pub auth_token: Hidden,
    pub role: Option<Plain>,
    pub workspace_id: Option<WorkspaceId>,
    pub expires_at: Option<Timestamp>,
}

/// The live tokens.
#[derive(Deserialize)]
pub struct Tokens {
    pub tokens: Vec<Token>,
}

/// A live token.
#[derive(Deserialize)]
pub struct Token {
    pub id: TokenId,
    pub prefix: Plain,
    pub name: Option<Plain>,
    pub created_by: Plain,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub role: Plain,
    pub workspace_id: Option<WorkspaceId>,
}

/// An approval.
#[derive(Deserialize)]
pub struct Approval {
    pub id: ApprovalId,
    pub workspace_id: WorkspaceId,
    #[serde(default)]
    pub workspace_name: Plain,
    pub action: Plain,
    pub reason: Plain,
    pub status: State,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub grant_expires_at: Option<Timestamp>,
    pub requester: Plain,
    pub resource: Resource,
    pub payload: Value,
    #[serde(deserialize_with = "digest")]
    pub digest: ActionDigest,
    pub rule: Plain,
    pub policy: Plain,
    pub people_needed: u32,
    #[serde(default)]
    pub quorums: Vec<Quorum>,
    #[serde(default)]
    pub votes: Vec<Vote>,
}

impl Approval {
    /// What it would be done with.
    pub fn argument(&self, name: &str) -> Option<&Value> {
        self.payload.get("arguments")?.get(name)
    }

    /// What would change, where it is about the policies.
    pub fn review(&self) -> Option<ReviewView> {
        match self.action.as_str() == Verb::PolicyActivate.as_str() {
            true => ReviewView::of(self.argument("review")?),
            false => None,
        }
    }
}

/// What it is about.
#[derive(Deserialize)]
pub struct Resource {
    pub kind: Plain,
    pub id: Plain,
}

/// Who must decide.
#[derive(Deserialize)]
pub struct Quorum {
    pub people: u32,
    #[serde(default)]
    pub groups: Vec<Plain>,
}

/// What one person said.
#[derive(Deserialize)]
pub struct Vote {
    pub by: Plain,
    pub user: Plain,
    pub decision: Plain,
    pub reason: Option<Plain>,
    pub at: Timestamp,
}

/// A decision that was counted, or the end of an approval.
#[derive(Deserialize)]
pub struct Decided {
    pub status: State,
}

/// A page of the audit log.
#[derive(Deserialize)]
pub struct AuditPage {
    pub entries: Vec<Value>,
    pub next_cursor: Option<String>,
}

/// A digest is sent back as it came, so nothing but one is taken for it.
fn digest<'de, D: Deserializer<'de>>(d: D) -> Result<ActionDigest, D::Error> {
    let text = String::deserialize(d)?;
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(ActionDigest::from_text(text));
    }
    Err(serde::de::Error::custom("not a digest"))
}
