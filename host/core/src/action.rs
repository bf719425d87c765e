//! What is asked: typed, canonical, digested.

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::caller::Caller;
use crate::id::{OrgId, TokenId, WorkspaceId};
use crate::keys::{Keys, hex};
use crate::policy::{Properties, Role, Value};
use crate::secret::{PlainSecret, SecretAddress, SecretScope};
use crate::time::Timestamp;
use crate::verb::Verb;

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
    /// Read approvals.
    ApprovalList,
    /// Read the loaded policies.
    PolicyRead,
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
            Self::ApprovalList => Verb::ApprovalList,
            Self::PolicyRead => Verb::PolicyRead,
            Self::AuditRead => Verb::AuditRead,
            Self::DecisionRead => Verb::DecisionRead,
        }
    }

    /// The resource's kind and id, as `docs/vocabulary.md` names them.
    pub fn resource(&self, org: OrgId) -> (&'static str, String) {
        match self {
            Self::OrgTokenRevoke { token } => ("org-token", token.to_string()),
            Self::SecretWrite { address, .. } | Self::SecretDelete { address } => {
                ("secret", address.to_string())
            }
            Self::SecretList {
                scope: SecretScope::Workspace(workspace),
            } => ("workspace", workspace.to_string()),
            _ => ("organisation", org.to_string()),
        }
    }

    /// The one workspace that it concerns, if there is one.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        match self {
            Self::SecretWrite { address, .. } | Self::SecretDelete { address } => {
                address.scope.workspace()
            }
            Self::SecretList { scope } => scope.workspace(),
            _ => None,
        }
    }

    /// What a policy is told of the arguments.
    pub fn arguments(&self) -> Properties {
        let none = Properties::new();
        match self {
            Self::OrgTokenMint {
                name,
                role,
                workspace,
                expires_at,
            } => {
                let arguments = none
                    .with_text("name", name.as_deref())
                    .with_text("role", Some(role.as_str()))
                    .with_text("workspace", workspace.map(|w| w.to_string()).as_deref());
                match expires_at {
                    Some(at) => arguments.with("expires-at", Value::Integer(at.as_millis())),
                    None => arguments,
                }
            }
            Self::OrgTokenRevoke { .. } => none.with("descendants", Value::Boolean(false)),
            Self::SecretWrite { address, .. } | Self::SecretDelete { address } => {
                none.with_text("key", Some(address.key.as_str()))
            }
            Self::SecretList { .. } => none.with("values", Value::Boolean(false)),
            _ => none,
        }
    }

    /// One line for the person who will decide: what is asked.
    pub fn summary(&self) -> String {
        match self {
            Self::OrgTokenMint {
                name,
                role,
                workspace,
                expires_at,
            } => {
                let what = match name {
                    // The name is the caller's; it must not be able to end the quotation.
                    Some(name) => format!("organisation token `{}`", name.replace('`', "'")),
                    None => "an unnamed organisation token".to_owned(),
                };
                let reach = workspace.map_or_else(String::new, |w| format!(", workspace {w} only"));
                let end = expires_at
                    .map_or_else(|| "never expires".to_owned(), |at| format!("expires {at}"));
                format!("mint {what} ({role}{reach}, {end})")
            }
            Self::OrgTokenRevoke { token } => format!("revoke organisation token {token}"),
            Self::SecretWrite { address, .. } => format!("write secret `{address}`"),
            Self::SecretDelete { address } => format!("delete secret `{address}`"),
            other => other.verb().as_str().replace('_', " "),
        }
    }

    /// Every effective field, secrets replaced by commitments.
    fn arguments_json(
        &self,
        commit: impl Fn(&SecretAddress, &PlainSecret) -> String,
    ) -> serde_json::Value {
        match self {
            Self::OrgTokenMint {
                name,
                role,
                workspace,
                expires_at,
            } => json!({
                "name": name,
                "role": role,
                "workspace": workspace,
                "expires_at": expires_at,
            }),
            Self::SecretWrite { address, value } => json!({
                "key": address.key.as_str(),
                "value": { "commitment": commit(address, value) },
            }),
            Self::SecretDelete { address } => json!({ "key": address.key.as_str() }),
            Self::SecretList { .. } => json!({ "values": false }),
            _ => json!({}),
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
