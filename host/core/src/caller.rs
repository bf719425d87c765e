//! Who asks: what the host verified of a caller, and nothing else.

use sha2::{Digest as _, Sha256};

use crate::id::{SessionId, TokenId, WorkspaceId};
use crate::keys::hex;
use crate::policy::{Credential, Entity, Properties, Role, Subject, Value, words};
use crate::time::Timestamp;

words! {
    /// Who vouches for a person.
    Issuer {
        /// The control plane's session.
        ControlPlane = "control-plane",
        /// An edge's signed assertion.
        IdentityAssertion = "identity-assertion",
        /// The host's own login link.
        Operator = "operator",
    }
}

/// A person: an issuer and the user that it names. Never a session, of which one person has many.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Person {
    /// Who vouches.
    pub issuer: Issuer,
    /// The issuer's name for the person; not empty.
    pub user: String,
}

impl Person {
    /// `issuer:user`.
    pub fn key(&self) -> String {
        format!("{}:{}", self.issuer, self.user)
    }

    /// The audit label, which says nothing of the person to whoever does not know them.
    pub fn label(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.issuer.as_str());
        hash.update([0]);
        hash.update(&self.user);
        format!("session:{}", &hex(&hash.finalize())[..16])
    }
}

/// A verified credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A person's verified session.
    Session {
        /// Who it is.
        person: Person,
        /// Their groups, as the issuer says.
        groups: Vec<String>,
        /// The host's own session, where it keeps one.
        session: Option<SessionId>,
        /// When the proof ends, where the issuer's says so.
        expires_at: Option<Timestamp>,
    },
    /// An organisation token.
    OrgToken {
        /// Its id.
        id: TokenId,
        /// Its first eight characters.
        prefix: String,
        /// What it may reach.
        role: Role,
        /// The workspace to which it is bound.
        workspace: Option<WorkspaceId>,
        /// When it ends.
        expires_at: Option<Timestamp>,
        /// Until when it still works, where it is revoked already.
        draining_until: Option<Timestamp>,
        /// Who minted it: the minter's [`Caller::actor`].
        minted_by: String,
        /// The credential at the root of its lineage.
        lineage: String,
    },
    /// A workspace's own token.
    WorkspaceToken {
        /// Its id.
        id: TokenId,
        /// Its first eight characters.
        prefix: String,
        /// The workspace that it is for.
        workspace: WorkspaceId,
        /// When it ends.
        expires_at: Option<Timestamp>,
        /// Until when it still works, where it is revoked already.
        draining_until: Option<Timestamp>,
        /// Who minted it: the minter's [`Caller::actor`].
        minted_by: String,
        /// The credential at the root of its lineage.
        lineage: String,
    },
    /// The bootstrap and break-glass bearer.
    AdminToken {
        /// A keyed fingerprint, so that another ADMIN_TOKEN is another credential.
        fingerprint: String,
    },
    /// The install path's own secret.
    Provisioner {
        /// A keyed fingerprint, so that another PROVISION_TOKEN is another credential.
        fingerprint: String,
    },
    /// The host's own policy folder, which asks for what it holds to be made live. No request can be it.
    PolicyFolder,
}

impl Identity {
    /// When the credential ends, where that is known: when it expires, or before, when it has drained.
    pub fn ends_at(&self) -> Option<Timestamp> {
        match self {
            Self::OrgToken {
                expires_at,
                draining_until,
                ..
            }
            | Self::WorkspaceToken {
                expires_at,
                draining_until,
                ..
            } => earlier(*expires_at, *draining_until),
            Self::Session { expires_at, .. } => *expires_at,
            Self::AdminToken { .. } | Self::Provisioner { .. } | Self::PolicyFolder => None,
        }
    }

    /// Whether it is a token that was revoked, and works only until it has drained.
    pub fn is_draining(&self) -> bool {
        match self {
            Self::OrgToken { draining_until, .. } | Self::WorkspaceToken { draining_until, .. } => {
                draining_until.is_some()
            }
            Self::Session { .. }
            | Self::AdminToken { .. }
            | Self::Provisioner { .. }
            | Self::PolicyFolder => false,
        }
    }
}

/// The policy folder's audit label.
pub const POLICY_FOLDER: &str = "policy-folder";

/// The earlier of two ends, of which either may never come.
pub fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Through which door the request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The HTTP interface.
    Http,
    /// The console's pages.
    Console,
    /// None: the host itself asks.
    Host,
}

impl Door {
    fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Console => "console",
            Self::Host => "host",
        }
    }
}

/// A caller, verified.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The credential.
    pub identity: Identity,
    /// The organisation's approval anchor; absent where a configured one is not a UUID.
    pub anchor: Option<WorkspaceId>,
    /// The door.
    pub door: Door,
    /// The address, as the host sees it.
    pub address: String,
}

impl Caller {
    /// The kind of credential.
    pub fn credential(&self) -> Credential {
        match &self.identity {
            Identity::Session { .. } => Credential::VerifiedSession,
            Identity::OrgToken { .. } => Credential::OrgToken,
            Identity::WorkspaceToken { .. } => Credential::WorkspaceToken,
            Identity::AdminToken { .. } => Credential::AdminToken,
            Identity::Provisioner { .. } => Credential::Provisioner,
            Identity::PolicyFolder => Credential::Other,
        }
    }

    /// The person, if it is one.
    pub fn person(&self) -> Option<&Person> {
        match &self.identity {
            Identity::Session { person, .. } => Some(person),
            _ => None,
        }
    }

    /// What it may reach. A workspace token is an editor, of its own workspace alone: the least with which
    /// it can read its secrets' values and replace itself.
    pub fn role(&self) -> Role {
        match &self.identity {
            Identity::OrgToken { role, .. } => *role,
            Identity::WorkspaceToken { .. } => Role::Editor,
            Identity::Session { .. }
            | Identity::AdminToken { .. }
            | Identity::Provisioner { .. }
            | Identity::PolicyFolder => Role::Admin,
        }
    }

    /// The one workspace to which it is confined.
    pub fn confined_to(&self) -> Option<WorkspaceId> {
        match &self.identity {
            Identity::OrgToken { workspace, .. } => *workspace,
            Identity::WorkspaceToken { workspace, .. } => Some(*workspace),
            Identity::Session { .. }
            | Identity::AdminToken { .. }
            | Identity::Provisioner { .. }
            | Identity::PolicyFolder => None,
        }
    }

    /// When the credential ends, where that is known.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.identity.ends_at()
    }

    /// The end that nothing may outlive which it mints. A person is none who ends with the proof of the
    /// moment: an edge makes them a new one for each request.
    pub fn mints_until(&self) -> Option<Timestamp> {
        match &self.identity {
            Identity::Session { .. } => None,
            _ => self.expires_at(),
        }
    }

    /// The workspace from which it acts: that of the token, the anchor for the admin token.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        match &self.identity {
            Identity::OrgToken { workspace, .. } => *workspace,
            Identity::WorkspaceToken { workspace, .. } => Some(*workspace),
            Identity::AdminToken { .. } => self.anchor,
            Identity::Session { .. } | Identity::Provisioner { .. } | Identity::PolicyFolder => {
                None
            }
        }
    }

    /// The workspace under which its approvals are filed.
    pub fn filed_under(&self) -> Option<WorkspaceId> {
        self.workspace().or(self.anchor)
    }

    /// The audit label: `session:…`, `org-token:<prefix>`, `workspace-token:<prefix>`, `admin-token`,
    /// `provisioner`, `policy-folder`.
    pub fn actor(&self) -> String {
        match &self.identity {
            Identity::Session { person, .. } => person.label(),
            Identity::OrgToken { prefix, .. } => format!("org-token:{prefix}"),
            Identity::WorkspaceToken { prefix, .. } => format!("workspace-token:{prefix}"),
            Identity::AdminToken { .. } => "admin-token".to_owned(),
            Identity::Provisioner { .. } => "provisioner".to_owned(),
            Identity::PolicyFolder => POLICY_FOLDER.to_owned(),
        }
    }

    /// Which credential exactly: what a grant is bound to. For a session it is the person.
    pub fn credential_key(&self) -> String {
        match &self.identity {
            Identity::Session { person, .. } => format!("person:{}", person.key()),
            Identity::OrgToken { id, .. } => format!("org-token:{id}"),
            Identity::WorkspaceToken { id, .. } => format!("workspace-token:{id}"),
            Identity::AdminToken { fingerprint } => format!("admin-token:{fingerprint}"),
            Identity::Provisioner { fingerprint } => format!("provisioner:{fingerprint}"),
            Identity::PolicyFolder => POLICY_FOLDER.to_owned(),
        }
    }

    /// The credential at the root of its lineage: what limits and cool-downs count.
    pub fn lineage(&self) -> String {
        match &self.identity {
            Identity::OrgToken { lineage, .. } | Identity::WorkspaceToken { lineage, .. } => {
                lineage.clone()
            }
            Identity::Session { .. }
            | Identity::AdminToken { .. }
            | Identity::Provisioner { .. }
            | Identity::PolicyFolder => self.credential_key(),
        }
    }

    /// What a policy is told of it.
    pub fn subject(&self) -> Subject {
        let (kind, principal) = match &self.identity {
            Identity::Session { person, .. } => ("user", person.user.clone()),
            Identity::OrgToken { id, .. } => ("org-token", id.to_string()),
            Identity::WorkspaceToken { id, .. } => ("workspace-token", id.to_string()),
            Identity::AdminToken { .. } => ("admin-token", String::new()),
            Identity::Provisioner { .. } => ("provisioner", String::new()),
            Identity::PolicyFolder => (POLICY_FOLDER, String::new()),
        };
        let mut properties = Properties::new();
        match &self.identity {
            Identity::Session { person, groups, .. } => {
                properties.set("issuer", Value::Text(person.issuer.as_str().to_owned()));
                if !groups.is_empty() {
                    properties.set("groups", Value::Texts(groups.clone()));
                }
            }
            Identity::OrgToken { minted_by, .. } | Identity::WorkspaceToken { minted_by, .. } => {
                properties.set("minted-by", Value::Text(minted_by.clone()));
            }
            Identity::AdminToken { .. } | Identity::Provisioner { .. } | Identity::PolicyFolder => {
            }
        }
        if let Some(expires_at) = self.expires_at() {
            properties.set("expires-at", Value::Integer(expires_at.as_millis()));
        }
        Subject {
            credential: self.credential(),
            principal: principal.clone(),
            role: self.role(),
            actor: self.actor(),
            workspace: self.workspace().map_or_else(String::new, |w| w.to_string()),
            entity: Entity {
                kind: kind.to_owned(),
                id: principal,
                properties: Properties::new(),
            },
            properties,
        }
    }

    /// Facts of the request's surroundings, of which a module sees those that it asks for.
    pub fn context(&self) -> Properties {
        Properties::new()
            .with("host.address", Value::Text(self.address.clone()))
            .with("host.door", Value::Text(self.door.as_str().to_owned()))
    }
}
