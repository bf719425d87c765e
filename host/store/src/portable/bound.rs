//! What an approval is bound to: it is for its target as that was when it was asked for, and for no other.

use countersign_core::approval::Approval;
use countersign_core::id::{TokenId, WorkspaceId};
use countersign_core::secret::{SecretAddress, SecretKey, SecretScope};
use countersign_core::verb::Verb;
use serde_json::Value;

use super::columns::parsed;
use crate::fault::Fault;

/// The target of a request, as far as it can move while that waits.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// A workspace, with all that falls with it.
    Removal(WorkspaceId),
    /// An organisation token, and where that is asked all that it minted.
    Token(TokenId, bool),
    /// All there is.
    Everything,
    Secret(SecretAddress),
    /// Where a workspace is to be.
    Place(Option<WorkspaceId>),
    /// A workspace, and the one below which it is to be.
    Change(WorkspaceId, Option<WorkspaceId>),
    Workspace(WorkspaceId),
    /// A token of a workspace.
    TokenOf(WorkspaceId, TokenId),
}

impl Bound {
    /// Of `approval`, if it is bound to anything.
    pub(super) fn of(approval: &Approval) -> Result<Option<Self>, Fault> {
        let argument = |name: &str| approval.payload["arguments"].get(name);
        let id = || {
            parsed(
                "approvals.resource_id",
                &approval.resource_id,
                WorkspaceId::parse,
            )
        };
        let parent = || match argument("parent_id").and_then(Value::as_str) {
            Some(parent) => parsed("approvals.payload", parent, WorkspaceId::parse).map(Some),
            None => Ok(None),
        };
        let token = |text: &str| parsed("approvals.payload", text, TokenId::parse);
        Ok(Some(match approval.verb {
            Verb::DeleteWorkspace => Self::Removal(id()?),
            Verb::OrgTokenRevoke => Self::Token(
                token(&approval.resource_id)?,
                argument("descendants").and_then(Value::as_bool) == Some(true),
            ),
            Verb::Deprovision => Self::Everything,
            Verb::SecretWrite | Verb::SecretDelete => {
                let address = &approval.resource_id;
                Self::Secret(parsed("approvals.resource_id", address, address_of)?)
            }
            Verb::WorkspaceCreate => Self::Place(parent()?),
            Verb::WorkspaceUpdate => Self::Change(id()?, parent()?),
            Verb::WorkspaceTokenMint | Verb::WorkspaceRead => Self::Workspace(id()?),
            Verb::WorkspaceTokenRevoke => {
                let token_id = argument("token").and_then(Value::as_str);
                Self::TokenOf(id()?, token(token_id.unwrap_or_default())?)
            }
            _ => return Ok(None),
        }))
    }
}

fn address_of(text: &str) -> Option<SecretAddress> {
    let (scope, key) = text.split_once('/')?;
    let scope = match scope {
        "global" => SecretScope::Global,
        workspace => SecretScope::Workspace(WorkspaceId::parse(workspace)?),
    };
    let key = SecretKey::parse(key)?;
    Some(SecretAddress { scope, key })
}
