use std::path::Path;

use countersign_core::action::Action;
use countersign_core::caller::{Caller, Door, Identity, Issuer, Person};
use countersign_core::exhaustive;
use countersign_core::id::{OrgId, TokenId, WorkspaceId};
use countersign_core::policy::{Properties, Role};
use countersign_core::secret::{PlainSecret, SecretAddress, SecretKey, SecretScope};
use countersign_core::time::Timestamp;

use super::*;

const ID: &str = "5f0c7a4e-0000-4000-8000-000000000001";

/// Each of `told` is described, with its shape.
#[track_caller]
fn described(told: &Properties, names: &[Name], whose: &str) {
    for property in told.iter() {
        let described = names.iter().find(|(name, _)| *name == property.name);
        let Some((_, shape)) = described else {
            panic!("{whose}: `{}` is not described", property.name)
        };
        let (name, value) = (&property.name, &property.value);
        assert!(
            shape.fits(value),
            "{whose}: `{name}` is {value:?}, not {shape}"
        );
    }
}

#[track_caller]
fn has_kind(verb: Verb, kind: &str) {
    let kinds = describe(verb).resources.iter();
    assert!(
        kinds.clone().any(|(known, _)| *known == kind),
        "{verb}: `{kind}`"
    );
}

#[test]
fn every_question_of_the_exhaustive_table_is_told_in_described_words() {
    for row in exhaustive::rows() {
        let (question, key) = (row.question(), row.key());
        let Described {
            resource, action, ..
        } = describe(row.verb);
        described(&question.subject.properties, CALLER, &key);
        described(&question.resource.properties, resource, &key);
        described(&question.arguments, action, &key);
        described(&question.context, CONTEXT, &key);
        has_kind(row.verb, &question.resource.kind);
    }
}

#[test]
fn every_action_is_told_in_described_words() {
    let org = OrgId::parse(ID).expect("a UUID");
    let workspace = WorkspaceId::parse(ID).expect("a UUID");
    let key = SecretKey::parse("KEY").expect("a key");
    let scopes = [SecretScope::Global, SecretScope::Workspace(workspace)];
    let secrets = scopes.into_iter().flat_map(|scope| {
        let address = SecretAddress {
            scope,
            key: key.clone(),
        };
        let value = PlainSecret::new("v".to_owned());
        [
            Action::SecretDelete {
                address: address.clone(),
            },
            Action::SecretWrite { address, value },
            Action::SecretList { scope },
        ]
    });
    let token = TokenId::parse(ID).expect("a UUID");
    let name = "research".to_owned();
    let parents = [None, Some(None), Some(Some(workspace))];
    let updates = parents.map(|parent| Action::WorkspaceUpdate {
        workspace,
        name: Some(name.clone()),
        parent,
    });
    let of_workspaces = [
        Action::SecretRead { workspace },
        Action::WorkspaceCreate {
            name: name.clone(),
            parent: Some(workspace),
        },
        Action::WorkspaceRead { workspace },
        Action::WorkspaceList,
        Action::DeleteWorkspace {
            workspace,
            confirm: true,
            shown: None,
        },
        Action::WorkspaceTokenMint {
            workspace,
            expires_at: None,
        },
        Action::WorkspaceTokenRevoke { workspace, token },
    ];
    let others = [
        Action::OrgTokenMint {
            name: Some("ci".to_owned()),
            role: Role::Admin,
            workspace: Some(workspace),
            expires_at: Timestamp::parse("2026-01-01T00:00:00Z"),
        },
        Action::OrgTokenRevoke {
            token: TokenId::parse(ID).expect("a UUID"),
            drain_seconds: 60,
            descendants: true,
            shown: None,
        },
        Action::Deprovision,
        Action::OrgTokenList,
        Action::ApprovalList,
        Action::PolicyRead,
        Action::AuditRead,
        Action::DecisionRead,
    ];
    for action in secrets.chain(updates).chain(of_workspaces).chain(others) {
        let verb = action.verb();
        described(&action.arguments(), describe(verb).action, verb.as_str());
        has_kind(verb, action.resource(org).0);
    }
}

#[test]
fn every_caller_is_told_in_described_words() {
    let session = Identity::Session {
        person: Person {
            issuer: Issuer::Operator,
            user: "u".to_owned(),
        },
        groups: vec!["g".to_owned()],
        session: None,
        expires_at: Timestamp::parse("2026-01-01T00:00:00Z"),
    };
    let token = Identity::OrgToken {
        id: TokenId::parse(ID).expect("a UUID"),
        prefix: "cso_Zk3p".to_owned(),
        role: Role::Reader,
        workspace: WorkspaceId::parse(ID),
        expires_at: Timestamp::parse("2026-01-01T00:00:00Z"),
        draining_until: None,
        minted_by: "admin-token".to_owned(),
        lineage: "admin-token".to_owned(),
    };
    let admin = Identity::AdminToken {
        fingerprint: String::new(),
    };
    let of_workspace = Identity::WorkspaceToken {
        id: TokenId::parse(ID).expect("a UUID"),
        prefix: "csw_Zk3p".to_owned(),
        workspace: WorkspaceId::parse(ID).expect("a UUID"),
        expires_at: Timestamp::parse("2026-01-01T00:00:00Z"),
        draining_until: None,
        minted_by: "admin-token".to_owned(),
        lineage: "admin-token".to_owned(),
    };
    let provisioner = Identity::Provisioner {
        fingerprint: String::new(),
    };
    for identity in [session, token, of_workspace, admin, provisioner] {
        for door in [Door::Http, Door::Console] {
            let caller = Caller {
                identity: identity.clone(),
                anchor: None,
                door,
                address: "127.0.0.1".to_owned(),
            };
            described(&caller.subject().properties, CALLER, "caller");
            described(&caller.context(), CONTEXT, "context");
        }
    }
}

#[test]
fn what_is_described_is_described_once() {
    for &verb in Verb::ALL {
        let Described {
            resource, action, ..
        } = describe(verb);
        for names in [resource, action] {
            let unique: std::collections::BTreeSet<_> =
                names.iter().map(|(name, _)| name).collect();
            assert_eq!(unique.len(), names.len(), "{verb}");
        }
        assert_eq!(describe(verb).verb, verb);
    }
}

#[test]
fn the_page_for_people_is_the_one_that_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/vocabulary.md");
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(&path, page()).expect("the page can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page(),
        "docs/vocabulary.md is not what the code makes: \
         run `COUNTERSIGN_BLESS=1 cargo test -p countersign-lab` and read its diff"
    );
}
