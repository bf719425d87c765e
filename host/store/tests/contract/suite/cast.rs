//! Who asks whom for what, when, and how it is ruled.

use countersign_core::action::Action;
use countersign_core::approval::{Choice, GRANT_TTL};
use countersign_core::caller::{Caller, Door, Identity, Issuer, Person};
use countersign_core::id::{ApprovalId, TokenId, WorkspaceId};
use countersign_core::ledger::{Ballot, OrgToken, Page, TokenUses};
use countersign_core::operators::Standing;
use countersign_core::policy::{Ground, Quorum, Role, Terms};
use countersign_core::secret::{PlainSecret, SecretAddress, SecretKey, SecretScope};
use countersign_core::time::Timestamp;
use countersign_core::verdict::Ruling;
use countersign_core::workspace::WorkspaceToken;

/// The first instant of every test, so many seconds later.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_767_225_600 + seconds) * 1_000_000)
}

pub fn page(after: Option<String>, limit: u32) -> Page {
    Page { after, limit }
}

pub fn allow() -> Ruling {
    Ruling::Allow {
        ground: Ground::new("people-may", "people may do this"),
        policy: "baseline@0.1.0".to_owned(),
    }
}

pub fn deny() -> Ruling {
    Ruling::Deny {
        ground: Ground::new("nobody-may", "nobody may do this"),
        policy: "baseline@0.1.0".to_owned(),
    }
}

pub fn gate() -> Ruling {
    gate_by(vec![Quorum::one_person()])
}

pub fn gate_by(quorums: Vec<Quorum>) -> Ruling {
    gate_with(Terms {
        ground: Ground::new("agents-need-a-person", "agents need a person for this"),
        quorums,
        pending_ttl: None,
        grant_ttl: None,
    })
}

pub fn gate_with(terms: Terms) -> Ruling {
    Ruling::Gate {
        terms,
        policy: "baseline@0.1.0".to_owned(),
    }
}

pub fn people(people: u32) -> Quorum {
    Quorum {
        people,
        groups: Vec::new(),
    }
}

pub fn workspace(n: u8) -> WorkspaceId {
    WorkspaceId::parse(&format!("00000000-0000-4000-8000-0000000000{n:02x}")).expect("a UUID")
}

/// The approval anchor.
pub fn anchor() -> WorkspaceId {
    workspace(0xaa)
}

fn caller(identity: Identity) -> Caller {
    Caller {
        identity,
        anchor: Some(anchor()),
        door: Door::Http,
        address: "127.0.0.1".to_owned(),
    }
}

pub fn admin() -> Caller {
    caller(Identity::AdminToken {
        fingerprint: "f00d".to_owned(),
    })
}

pub fn person(user: &str) -> Person {
    Person {
        issuer: Issuer::ControlPlane,
        user: user.to_owned(),
    }
}

pub fn session_of(user: &str) -> Caller {
    caller(Identity::Session {
        person: person(user),
        groups: Vec::new(),
        session: None,
        expires_at: None,
    })
}

/// Whoever presents `token`.
pub fn bearer(token: &OrgToken) -> Caller {
    caller(Identity::OrgToken {
        id: token.id,
        prefix: token.prefix.clone(),
        role: token.role,
        workspace: token.workspace,
        expires_at: token.expires_at,
        draining_until: token.draining_until,
        minted_by: token.created_by.clone(),
        lineage: token.lineage.clone(),
    })
}

/// Whoever presents a workspace's `token`.
pub fn bearer_of_workspace(token: &WorkspaceToken) -> Caller {
    caller(Identity::WorkspaceToken {
        id: token.id,
        prefix: token.prefix.clone(),
        workspace: token.workspace,
        expires_at: token.expires_at,
        draining_until: token.draining_until,
        minted_by: token.created_by.clone(),
        lineage: token.lineage.clone(),
    })
}

pub fn create(name: &str, parent: Option<WorkspaceId>) -> Action {
    let name = name.to_owned();
    Action::WorkspaceCreate { name, parent }
}

pub fn rename(workspace: WorkspaceId, name: &str) -> Action {
    Action::WorkspaceUpdate {
        workspace,
        name: Some(name.to_owned()),
        parent: None,
    }
}

pub fn place(workspace: WorkspaceId, parent: Option<WorkspaceId>) -> Action {
    Action::WorkspaceUpdate {
        workspace,
        name: None,
        parent: Some(parent),
    }
}

/// With all below it.
pub fn remove(workspace: WorkspaceId) -> Action {
    Action::DeleteWorkspace {
        workspace,
        confirm: true,
        shown: None,
    }
}

pub fn token_of(workspace: WorkspaceId) -> Action {
    Action::WorkspaceTokenMint {
        workspace,
        expires_at: None,
    }
}

/// A mint of an organisation token that is bound to a workspace.
pub fn mint_bound(name: &str, workspace: WorkspaceId) -> Action {
    Action::OrgTokenMint {
        name: Some(name.to_owned()),
        role: Role::Admin,
        workspace: Some(workspace),
        expires_at: None,
    }
}

pub fn mint(name: &str) -> Action {
    mint_until(name, None)
}

pub fn mint_until(name: &str, expires_at: Option<Timestamp>) -> Action {
    Action::OrgTokenMint {
        name: Some(name.to_owned()),
        role: Role::Admin,
        workspace: None,
        expires_at,
    }
}

/// By itself, and at once.
pub fn revoke_token(token: TokenId) -> Action {
    Action::OrgTokenRevoke {
        token,
        drain_seconds: 0,
        descendants: false,
        shown: None,
    }
}

/// With all that it minted, at once.
pub fn revoke_tree(token: TokenId) -> Action {
    Action::OrgTokenRevoke {
        token,
        drain_seconds: 0,
        descendants: true,
        shown: None,
    }
}

/// By itself, once it has drained.
pub fn drain(token: TokenId, drain_seconds: u32) -> Action {
    Action::OrgTokenRevoke {
        token,
        drain_seconds,
        descendants: false,
        shown: None,
    }
}

/// Uses of a token, so many seconds after the first instant, which begins an hour.
pub fn uses(token: TokenId, seconds: i64, uses: u64) -> TokenUses {
    TokenUses {
        token,
        hour: at(seconds.div_euclid(3_600) * 3_600),
        uses,
        last_at: at(seconds),
    }
}

pub fn list() -> Action {
    Action::OrgTokenList
}

pub fn global(key: &str) -> SecretAddress {
    secret_in(SecretScope::Global, key)
}

pub fn secret_in(scope: SecretScope, key: &str) -> SecretAddress {
    let key = SecretKey::parse(key).expect("a key");
    SecretAddress { scope, key }
}

pub fn write(address: SecretAddress, value: &str) -> Action {
    let value = PlainSecret::new(value.to_owned());
    Action::SecretWrite { address, value }
}

/// A vote, before it says what.
pub fn ballot(approval: ApprovalId, user: &str, choice: Choice, at: Timestamp) -> Ballot {
    Ballot {
        approval,
        workspace: None,
        person: person(user),
        groups: Vec::new(),
        session: None,
        choice,
        reason: None,
        digest: None,
        at,
        grant: GRANT_TTL,
        standing: Standing::None,
    }
}
