//! What the audit is told of a deed.

use countersign_core::audit::EventKind;
use countersign_core::id::{ApprovalId, DecisionId, TokenId, WorkspaceId};
use countersign_core::ledger::OrgToken;
use countersign_core::secret::SecretAddress;
use countersign_core::workspace::{Workspace, WorkspaceToken};
use serde_json::{Value, json};

/// What a mint is done under.
#[derive(Clone, Copy)]
pub(in super::super) struct Under {
    pub(in super::super) approval: Option<ApprovalId>,
    /// The token, revoked by now, whose place the minted one takes.
    pub(in super::super) replaces: Option<TokenId>,
}

impl Under {
    /// The one entry of a mint, with what it was done under: of one that replaces another, it says both.
    pub(super) fn entry(self, minted: EventKind, mut detail: Value) -> (EventKind, Value) {
        if let Some(approval) = self.approval {
            detail["approval"] = json!(approval);
        }
        let Some(replaces) = self.replaces else {
            return (minted, detail);
        };
        detail["replaces"] = json!(replaces);
        let replaced = match minted {
            EventKind::WorkspaceTokenMinted => EventKind::WorkspaceTokenReplaced,
            _ => EventKind::OrgTokenReplaced,
        };
        (replaced, detail)
    }
}

pub(super) fn about_minted(token: &OrgToken, decision: DecisionId) -> Value {
    json!({
        "token": token.id,
        "prefix": token.prefix,
        "name": token.name,
        "role": token.role,
        "workspace": token.workspace,
        "expires_at": token.expires_at,
        "created_by_user": token.created_by_user,
        "decision": decision,
    })
}

pub(super) fn about_secret(address: &SecretAddress, decision: DecisionId) -> Value {
    json!({ "secret": address.to_string(), "decision": decision })
}

pub(super) fn about_workspace(workspace: &Workspace, decision: DecisionId) -> Value {
    json!({
        "workspace": workspace.id,
        "name": workspace.name,
        "parent": workspace.parent,
        "decision": decision,
    })
}

pub(super) fn about_token(token: &WorkspaceToken, decision: DecisionId) -> Value {
    json!({
        "workspace": token.workspace,
        "token": token.id,
        "prefix": token.prefix,
        "expires_at": token.expires_at,
        "decision": decision,
    })
}

pub(super) fn about_revoked(
    workspace: WorkspaceId,
    token: TokenId,
    decision: DecisionId,
    cause: Option<&str>,
) -> Value {
    let mut detail = json!({ "workspace": workspace, "token": token, "decision": decision });
    if let Some(cause) = cause {
        detail["cause"] = json!(cause);
    }
    detail
}
