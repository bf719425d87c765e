//! What is asked: typed, canonical, digested.

mod told;

use std::sync::Arc;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::caller::Caller;
use crate::generation::{Component, GenerationChange};
use crate::id::{OrgId, TokenId, WorkspaceId};
use crate::keys::{Keys, hex};
use crate::policy::Role;
use crate::review::Reviewed;
use crate::secret::{PlainSecret, SecretAddress, SecretScope};
use crate::time::Timestamp;
use crate::verb::Verb;
use crate::workspace::FallDigest;

/// An action with every effective field, defaults applied.
#[derive(Clone, Debug)]
pub enum Action {
    /// Mint an organisation token.
    OrgTokenMint {
        /// For people, to tell it from others.
        name: Option<String>,
        /// What it may reach.
        role: Role,
        /// The workspace to which it is bound.
        workspace: Option<WorkspaceId>,
        /// When it ends.
        expires_at: Option<Timestamp>,
    },
    /// Revoke an organisation token.
    OrgTokenRevoke {
        /// Which.
        token: TokenId,
        /// It works for so much longer; 0: it stops at once.
        drain_seconds: u32,
        /// Whether all that it minted falls with it.
        descendants: bool,
        /// What the caller was shown of what it minted and still works, where it says so: nothing else may fall
        /// with it. A condition, as of a removal.
        shown: Option<FallDigest>,
    },
    /// List the organisation's tokens.
    OrgTokenList,
    /// Write a secret.
    SecretWrite {
        /// Where.
        address: SecretAddress,
        /// What.
        value: PlainSecret,
    },
    /// Delete a secret.
    SecretDelete {
        /// Where.
        address: SecretAddress,
    },
    /// List the secrets that reach a scope.
    SecretList {
        /// Which.
        scope: SecretScope,
    },
    /// Read the values of the secrets that reach a workspace.
    SecretRead {
        /// Which.
        workspace: WorkspaceId,
    },
    /// Create a workspace.
    WorkspaceCreate {
        /// What people call it.
        name: String,
        /// The workspace that it is to be below.
        parent: Option<WorkspaceId>,
    },
    /// Change a workspace.
    WorkspaceUpdate {
        /// Which.
        workspace: WorkspaceId,
        /// Its new name, where it gets one.
        name: Option<String>,
        /// Its new parent, where it moves; none makes it a root.
        parent: Option<Option<WorkspaceId>>,
    },
    /// Read a workspace, and which tokens it has.
    WorkspaceRead {
        /// Which.
        workspace: WorkspaceId,
    },
    /// List the workspaces.
    WorkspaceList,
    /// Remove a workspace and all below it.
    DeleteWorkspace {
        /// Which.
        workspace: WorkspaceId,
        /// Whether those below it may fall with it.
        confirm: bool,
        /// What the caller was shown of what falls, where it says so: nothing else may. A condition, and no
        /// part of what is asked: an approval is bound to what falls by its precondition.
        shown: Option<FallDigest>,
    },
    /// Mint a workspace's token. A workspace token that mints one for its own workspace is replaced by it.
    WorkspaceTokenMint {
        /// For which.
        workspace: WorkspaceId,
        /// When it ends: never later than the minter.
        expires_at: Option<Timestamp>,
    },
    /// Revoke a workspace's token.
    WorkspaceTokenRevoke {
        /// Whose.
        workspace: WorkspaceId,
        /// Which.
        token: TokenId,
    },
    /// Revoke every token, remove every workspace and secret, and keep the record.
    Deprovision,
    /// Read approvals.
    ApprovalList,
    /// Read the loaded policies.
    PolicyRead,
    /// Take a version's bytes along.
    PolicyFetch {
        /// The policy's name.
        name: String,
        /// The digest of the bytes.
        digest: String,
    },
    /// Keep a version of a policy.
    PolicyPush {
        /// The policy's name, as the caller says it.
        name: String,
        /// The version; none where the caller may not push one, and so nothing was made of what it sent.
        component: Option<Component>,
    },
    /// Make a set of policies live.
    PolicyActivate {
        /// The set, with what it changes of what is decided; none where the caller may not change policies, and
        /// so nothing was made ready.
        change: Option<Arc<Reviewed>>,
    },
    /// Make an earlier set of policies live again.
    PolicyRollback {
        /// The number under which it was recorded.
        generation: u64,
        /// The set that was live then; none as for [`Action::PolicyActivate`].
        change: Option<Arc<GenerationChange>>,
    },
    /// Read the audit log.
    AuditRead,
    /// Read decisions.
    DecisionRead,
}

impl Action {
    /// The verb.
    pub fn verb(&self) -> Verb {
        match self {
            Self::OrgTokenMint { .. } => Verb::OrgTokenMint,
            Self::OrgTokenRevoke { .. } => Verb::OrgTokenRevoke,
            Self::OrgTokenList => Verb::OrgTokenList,
            Self::SecretWrite { .. } => Verb::SecretWrite,
            Self::SecretDelete { .. } => Verb::SecretDelete,
            Self::SecretList { .. } => Verb::SecretList,
            Self::SecretRead { .. } => Verb::SecretRead,
            Self::WorkspaceCreate { .. } => Verb::WorkspaceCreate,
            Self::WorkspaceUpdate { .. } => Verb::WorkspaceUpdate,
            Self::WorkspaceRead { .. } => Verb::WorkspaceRead,
            Self::WorkspaceList => Verb::WorkspaceList,
            Self::DeleteWorkspace { .. } => Verb::DeleteWorkspace,
            Self::WorkspaceTokenMint { .. } => Verb::WorkspaceTokenMint,
            Self::WorkspaceTokenRevoke { .. } => Verb::WorkspaceTokenRevoke,
            Self::Deprovision => Verb::Deprovision,
            Self::ApprovalList => Verb::ApprovalList,
            Self::PolicyRead | Self::PolicyFetch { .. } => Verb::PolicyRead,
            Self::PolicyPush { .. } => Verb::PolicyPush,
            Self::PolicyActivate { .. } => Verb::PolicyActivate,
            Self::PolicyRollback { .. } => Verb::PolicyRollback,
            Self::AuditRead => Verb::AuditRead,
            Self::DecisionRead => Verb::DecisionRead,
        }
    }

    /// The resource's kind and id, as `docs/vocabulary.md` names them.
    pub fn resource(&self, org: OrgId) -> (&'static str, String) {
        match self {
            Self::OrgTokenRevoke { token, .. } => ("org-token", token.to_string()),
            Self::SecretWrite { address, .. } | Self::SecretDelete { address } => {
                ("secret", address.to_string())
            }
            Self::SecretList {
                scope: SecretScope::Workspace(workspace),
            }
            | Self::SecretRead { workspace }
            | Self::WorkspaceUpdate { workspace, .. }
            | Self::WorkspaceRead { workspace }
            | Self::DeleteWorkspace { workspace, .. }
            | Self::WorkspaceTokenMint { workspace, .. }
            | Self::WorkspaceTokenRevoke { workspace, .. } => ("workspace", workspace.to_string()),
            Self::OrgTokenMint { .. }
            | Self::OrgTokenList
            | Self::SecretList {
                scope: SecretScope::Global,
            }
            | Self::WorkspaceCreate { .. }
            | Self::WorkspaceList
            | Self::Deprovision
            | Self::ApprovalList
            | Self::PolicyRead
            | Self::PolicyFetch { .. }
            | Self::PolicyPush { .. }
            | Self::PolicyActivate { .. }
            | Self::PolicyRollback { .. }
            | Self::AuditRead
            | Self::DecisionRead => ("organisation", org.to_string()),
        }
    }

    /// The one workspace that it concerns, if there is one.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        match self {
            Self::SecretWrite { address, .. } | Self::SecretDelete { address } => {
                address.scope.workspace()
            }
            Self::SecretList { scope } => scope.workspace(),
            Self::SecretRead { workspace }
            | Self::WorkspaceUpdate { workspace, .. }
            | Self::WorkspaceRead { workspace }
            | Self::DeleteWorkspace { workspace, .. }
            | Self::WorkspaceTokenMint { workspace, .. }
            | Self::WorkspaceTokenRevoke { workspace, .. } => Some(*workspace),
            Self::OrgTokenMint { .. }
            | Self::OrgTokenRevoke { .. }
            | Self::OrgTokenList
            | Self::WorkspaceCreate { .. }
            | Self::WorkspaceList
            | Self::Deprovision
            | Self::ApprovalList
            | Self::PolicyRead
            | Self::PolicyFetch { .. }
            | Self::PolicyPush { .. }
            | Self::PolicyActivate { .. }
            | Self::PolicyRollback { .. }
            | Self::AuditRead
            | Self::DecisionRead => None,
        }
    }

    /// A workspace that it names beside the one that it concerns, and that must stand for it: the one to
    /// which a token is bound, or the parent.
    pub fn named_workspace(&self) -> Option<WorkspaceId> {
        match self {
            Self::OrgTokenMint { workspace, .. } => *workspace,
            Self::WorkspaceCreate { parent, .. } => *parent,
            Self::WorkspaceUpdate { parent, .. } => parent.flatten(),
            _ => None,
        }
    }
}

/// SHA-256 over the RFC 8785 form of an action, in hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ActionDigest(String);

impl ActionDigest {
    /// The hex text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A digest that was stored or sent; it equals a computed one or it does not.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl std::fmt::Display for ActionDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An action as one caller means it: with what identifies it for approvals, grants and permits.
#[derive(Clone, Debug)]
pub struct Intent {
    /// The action.
    pub action: Action,
    /// The resource's kind.
    pub resource_kind: &'static str,
    /// The resource's id.
    pub resource_id: String,
    /// The canonical form: verb, resource and arguments, secrets as commitments.
    pub payload: serde_json::Value,
    /// Over `payload`.
    pub digest: ActionDigest,
}

impl Intent {
    /// `action` as `caller` means it. A secret's commitment is bound to requester, verb and resource, so
    /// that equal values of two callers do not show.
    pub fn new(action: Action, caller: &Caller, org: OrgId, keys: &Keys) -> Self {
        let (resource_kind, resource_id) = action.resource(org);
        let arguments = action.arguments_json(|address, value| {
            let context = [
                caller.credential_key(),
                action.verb().as_str().to_owned(),
                address.to_string(),
            ];
            keys.commit(
                &context.each_ref().map(String::as_str),
                value.reveal().as_bytes(),
            )
        });
        let payload = json!({
            "verb": action.verb(),
            "resource": { "kind": resource_kind, "id": resource_id },
            "arguments": arguments,
        });
        Self {
            digest: digest(&payload),
            action,
            resource_kind,
            resource_id,
            payload,
        }
    }

    /// The verb.
    pub fn verb(&self) -> Verb {
        self.action.verb()
    }
}

fn digest(payload: &serde_json::Value) -> ActionDigest {
    let canonical = serde_json_canonicalizer::to_vec(payload)
        .expect("INVARIANT: a JSON value has a canonical form");
    ActionDigest(hex(&Sha256::digest(canonical)))
}

/// The workspaces that the action behind `payload` ([`Intent::payload`]) is about: its resource's, and
/// those that its arguments name.
pub fn workspaces_of(payload: &serde_json::Value) -> impl Iterator<Item = WorkspaceId> {
    let text = |path| payload.pointer(path).and_then(serde_json::Value::as_str);
    let resource = match text("/resource/kind") {
        Some("workspace") => text("/resource/id"),
        Some("secret") => text("/resource/id").and_then(|id| Some(id.split_once('/')?.0)),
        _ => None,
    };
    let named = ["/arguments/workspace", "/arguments/parent_id"].map(text);
    [resource]
        .into_iter()
        .chain(named)
        .flatten()
        .filter_map(WorkspaceId::parse)
}

/// `payload` as people may see it: each commitment replaced by a fingerprint salted with `salt` (the
/// approval's id), so that equal values in two approvals do not show.
pub fn masked(payload: &serde_json::Value, salt: &str) -> serde_json::Value {
    match payload {
        serde_json::Value::Object(members) => match members.get("commitment") {
            Some(serde_json::Value::String(commitment)) => {
                let fingerprint = hex(&Sha256::digest(format!("{salt}\0{commitment}")));
                json!({ "secret": true, "fingerprint": &fingerprint[..12] })
            }
            _ => members
                .iter()
                .map(|(name, member)| (name.clone(), masked(member, salt)))
                .collect(),
        },
        other => other.clone(),
    }
}
