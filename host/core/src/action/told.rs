//! An action, told: to policies, to the person who decides, and to the digest.

use serde_json::{Map, json};

use super::Action;
use crate::policy::{Properties, Value};
use crate::secret::{PlainSecret, SecretAddress, SecretScope};

impl Action {
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
            Self::OrgTokenRevoke {
                drain_seconds,
                descendants,
                ..
            } => {
                let arguments = none.with("descendants", Value::Boolean(*descendants));
                match drain_seconds {
                    0 => arguments,
                    seconds => arguments.with("drain-seconds", Value::Integer((*seconds).into())),
                }
            }
            Self::SecretWrite { address, .. } | Self::SecretDelete { address } => {
                none.with_text("key", Some(address.key.as_str()))
            }
            Self::SecretList { .. } => none.with("values", Value::Boolean(false)),
            Self::SecretRead { .. } => none.with("values", Value::Boolean(true)),
            Self::WorkspaceCreate { name, parent } => none
                .with_text("name", Some(name))
                .with_text("parent", parent.map(|w| w.to_string()).as_deref()),
            Self::WorkspaceUpdate { name, parent, .. } => {
                let fields = [
                    name.as_ref().map(|_| "name"),
                    parent.as_ref().map(|_| "parent_id"),
                ];
                let fields = fields.into_iter().flatten().map(str::to_owned).collect();
                none.with("fields", Value::Texts(fields))
                    .with_text("parent", parent.flatten().map(|w| w.to_string()).as_deref())
            }
            Self::DeleteWorkspace { confirm, .. } => none.with("confirm", Value::Boolean(*confirm)),
            Self::WorkspaceTokenRevoke { token, .. } => {
                none.with_text("token", Some(&token.to_string()))
            }
            Self::OrgTokenList
            | Self::WorkspaceRead { .. }
            | Self::WorkspaceList
            | Self::WorkspaceTokenMint { .. }
            | Self::Deprovision
            | Self::ApprovalList
            | Self::PolicyRead
            | Self::PolicyFetch { .. }
            | Self::PolicyPush { .. }
            | Self::PolicyActivate { .. }
            | Self::PolicyRollback { .. }
            | Self::AuditRead
            | Self::DecisionRead => none,
        }
    }

    /// One line for the person who will decide: what is asked. `title` is what people call the workspace
    /// that it concerns, or the key that it revokes, where that is known.
    pub fn summary(&self, title: Option<&str>) -> String {
        let workspace = || {
            let id = self.workspace().map_or_else(String::new, |w| w.to_string());
            match title {
                Some(title) => format!("workspace {} ({id})", quoted(title)),
                None => format!("workspace {id}"),
            }
        };
        let secret = |address: &SecretAddress| match address.scope {
            SecretScope::Global => format!("secret `{address}`"),
            SecretScope::Workspace(_) => format!("secret `{}` of {}", address.key, workspace()),
        };
        match self {
            Self::OrgTokenMint {
                name,
                role,
                workspace,
                expires_at,
            } => {
                let what = match name {
                    Some(name) => format!("organisation token {}", quoted(name)),
                    None => "an unnamed organisation token".to_owned(),
                };
                let reach = workspace.map_or_else(String::new, |w| format!(", workspace {w} only"));
                let end = expires_at
                    .map_or_else(|| "never expires".to_owned(), |at| format!("expires {at}"));
                format!("mint {what} ({role}{reach}, {end})")
            }
            Self::OrgTokenRevoke {
                token,
                drain_seconds,
                descendants,
                ..
            } => {
                let along = match descendants {
                    true => " and all that it minted",
                    false => "",
                };
                let end = match drain_seconds {
                    0 => String::new(),
                    seconds => format!(" in {seconds} seconds"),
                };
                let what = match title {
                    Some(title) => format!("{} ({token})", quoted(title)),
                    None => token.to_string(),
                };
                format!("revoke organisation token {what}{along}{end}")
            }
            Self::Deprovision => {
                "revoke every token, and remove every workspace and every secret".to_owned()
            }
            Self::SecretWrite { address, .. } => format!("write {}", secret(address)),
            Self::SecretDelete { address } => format!("delete {}", secret(address)),
            Self::WorkspaceCreate { name, parent } => {
                let place = parent.map_or_else(String::new, |w| format!(" below workspace {w}"));
                format!("create workspace {}{place}", quoted(name))
            }
            Self::WorkspaceUpdate { name, parent, .. } => {
                let renamed = name
                    .as_deref()
                    .map(|name| format!("rename it to {}", quoted(name)));
                let moved = parent.map(|parent| match parent {
                    Some(parent) => format!("move it below workspace {parent}"),
                    None => "make it a root".to_owned(),
                });
                let changes: Vec<String> = [moved, renamed].into_iter().flatten().collect();
                format!("change {}: {}", workspace(), changes.join(" and "))
            }
            Self::DeleteWorkspace { .. } => format!("remove {} and all below it", workspace()),
            Self::WorkspaceTokenMint { expires_at, .. } => {
                let end = expires_at
                    .map_or_else(|| "never expires".to_owned(), |at| format!("expires {at}"));
                format!("mint a token for {} ({end})", workspace())
            }
            Self::WorkspaceTokenRevoke { token, .. } => {
                format!("revoke token {token} of {}", workspace())
            }
            Self::PolicyActivate {
                change: Some(reviewed),
            } => format!("make other policies live: {}", reviewed.change.summary),
            Self::OrgTokenList => "list the organisation tokens".to_owned(),
            Self::SecretList { scope } => match scope {
                SecretScope::Global => "list the secrets of all workspaces".to_owned(),
                SecretScope::Workspace(_) => format!("list the secrets of {}", workspace()),
            },
            Self::SecretRead { .. } => format!("read the secret values of {}", workspace()),
            Self::WorkspaceRead { .. } => format!("look at {}", workspace()),
            Self::WorkspaceList => "list the workspaces".to_owned(),
            Self::AuditRead => "read the audit".to_owned(),
            Self::DecisionRead => "read the decisions".to_owned(),
            other => other.verb().as_str().replace('_', " "),
        }
    }

    /// Every effective field, secrets replaced by commitments.
    pub(super) fn arguments_json(
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
            Self::SecretRead { .. } => json!({ "values": true }),
            Self::WorkspaceCreate { name, parent } => json!({ "name": name, "parent_id": parent }),
            // What is not sent does not change, and is not the same as what is sent as null.
            Self::WorkspaceUpdate { name, parent, .. } => {
                let mut changes = Map::new();
                if let Some(name) = name {
                    changes.insert("name".to_owned(), json!(name));
                }
                if let Some(parent) = parent {
                    changes.insert("parent_id".to_owned(), json!(parent));
                }
                changes.into()
            }
            Self::DeleteWorkspace { confirm, .. } => json!({ "confirm": confirm }),
            Self::WorkspaceTokenMint { expires_at, .. } => json!({ "expires_at": expires_at }),
            Self::WorkspaceTokenRevoke { token, .. } => json!({ "token": token }),
            Self::PolicyPush { name, component } => json!({
                "name": name,
                "version": component.as_ref().map(|component| &component.id.version),
                "digest": component.as_ref().map(|component| &component.id.digest),
            }),
            Self::PolicyFetch { name, digest } => json!({ "name": name, "digest": digest }),
            // What is accepted is this list, of this set, in the place of that generation.
            Self::PolicyActivate { change } => json!(change.as_ref().map(|reviewed| json!({
                "follows": reviewed.change.follows,
                "summary": reviewed.change.summary,
                "modules": reviewed.change.modules,
                "shadow": reviewed.change.shadow,
                "review": reviewed.review,
            }))),
            Self::PolicyRollback { generation, change } => json!({
                "generation": generation,
                "modules": change.as_ref().map(|change| &change.modules),
                "shadow": change.as_ref().map(|change| &change.shadow),
            }),
            Self::OrgTokenRevoke {
                drain_seconds,
                descendants,
                ..
            } => json!({ "drain_seconds": drain_seconds, "descendants": descendants }),
            Self::OrgTokenList
            | Self::WorkspaceRead { .. }
            | Self::WorkspaceList
            | Self::Deprovision
            | Self::ApprovalList
            | Self::PolicyRead
            | Self::AuditRead
            | Self::DecisionRead => json!({}),
        }
    }
}

/// A name in a sentence. It is the caller's, and must not be able to end the quotation.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "'"))
}
