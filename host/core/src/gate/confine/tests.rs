use super::*;
use crate::caller::{Door, Issuer, Person};
use crate::id::TokenId;
use crate::secret::{PlainSecret, SecretAddress, SecretKey, SecretScope};
use crate::session::OPERATOR;

const A: &str = "00000000-0000-4000-8000-00000000000a";
const B: &str = "00000000-0000-4000-8000-00000000000b";

fn workspace(id: &str) -> WorkspaceId {
    WorkspaceId::parse(id).expect("a UUID")
}

fn token() -> TokenId {
    TokenId::parse(A).expect("a UUID")
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn caller(identity: Identity) -> Caller {
    Caller {
        identity,
        anchor: None,
        door: Door::Http,
        address: "127.0.0.1".to_owned(),
    }
}

fn session(issuer: Issuer, user: &str, expires_at: Option<Timestamp>) -> Caller {
    caller(Identity::Session {
        person: Person {
            issuer,
            user: user.to_owned(),
        },
        groups: Vec::new(),
        session: None,
        expires_at,
    })
}

fn provisioner() -> Caller {
    caller(Identity::Provisioner {
        fingerprint: "f00d".to_owned(),
    })
}

/// What a credential can reach, and until when. `None` is everywhere, or for ever.
#[derive(Clone, Copy, Debug)]
struct Reach {
    role: Role,
    workspace: Option<WorkspaceId>,
    until: Option<Timestamp>,
}

impl Reach {
    /// Said without a look at how `confine` says it.
    fn is_within(self, wider: Self) -> bool {
        let in_place = match (wider.workspace, self.workspace) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => wide == narrow,
            (Some(_), None) => false,
        };
        let in_time = match (wider.until, self.until) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => narrow <= wide,
            (Some(_), None) => false,
        };
        self.role <= wider.role && in_place && in_time
    }
}

const ENDS: [Option<i64>; 4] = [None, Some(100), Some(200), Some(300)];

/// Every kind of credential that there is, each with what it reaches.
fn minters() -> Vec<(Caller, Reach)> {
    let everything = Reach {
        role: Role::Admin,
        workspace: None,
        until: None,
    };
    let mut minters = vec![
        (session(Issuer::Operator, OPERATOR, None), everything),
        // A person does not end with the proof of the moment.
        (
            session(Issuer::IdentityAssertion, "ann", Some(second(1))),
            everything,
        ),
        (provisioner(), everything),
        (
            caller(Identity::AdminToken {
                fingerprint: "f00d".to_owned(),
            }),
            everything,
        ),
    ];
    for until in ENDS.map(|end| end.map(second)) {
        for &role in Role::ALL {
            for workspace in [None, Some(workspace(A))] {
                let reach = Reach {
                    role,
                    workspace,
                    until,
                };
                let identity = Identity::OrgToken {
                    id: token(),
                    prefix: "cso_abcd".to_owned(),
                    role,
                    workspace,
                    expires_at: until,
                    draining_until: None,
                    minted_by: "admin-token".to_owned(),
                    lineage: "admin-token".to_owned(),
                };
                minters.push((caller(identity), reach));
            }
        }
        let identity = Identity::WorkspaceToken {
            id: token(),
            prefix: "csw_abcd".to_owned(),
            workspace: workspace(A),
            expires_at: until,
            draining_until: None,
            minted_by: "admin-token".to_owned(),
            lineage: "admin-token".to_owned(),
        };
        let reach = Reach {
            role: Role::Editor,
            workspace: Some(workspace(A)),
            until,
        };
        minters.push((caller(identity), reach));
    }
    minters
}

/// Every mint that can be asked for, each with what the new token would reach.
fn mints() -> Vec<(Action, Reach)> {
    let mut mints = Vec::new();
    for expires_at in ENDS.map(|end| end.map(second)) {
        for place in [None, Some(workspace(A)), Some(workspace(B))] {
            for &role in Role::ALL {
                let mint = Action::OrgTokenMint {
                    name: None,
                    role,
                    workspace: place,
                    expires_at,
                };
                let reach = Reach {
                    role,
                    workspace: place,
                    until: expires_at,
                };
                mints.push((mint, reach));
            }
        }
        for id in [A, B] {
            let mint = Action::WorkspaceTokenMint {
                workspace: workspace(id),
                expires_at,
            };
            let reach = Reach {
                role: Role::Editor,
                workspace: Some(workspace(id)),
                until: expires_at,
            };
            mints.push((mint, reach));
        }
    }
    mints
}

#[test]
fn no_credential_mints_anything_wider_than_itself() {
    let mut passed = 0;
    let mut denied = 0;
    for (minter, wide) in minters() {
        for (mint, narrow) in mints() {
            let verb = mint.verb();
            let has_the_role = wide.role >= verb.needed_role();
            // Organisation tokens are of no workspace's routes, whatever they are bound to.
            let on_its_routes = wide.workspace.is_none() || verb == Verb::WorkspaceTokenMint;
            let expected = has_the_role && on_its_routes && narrow.is_within(wide);
            let ruling = confine(&minter, &mint);
            assert_eq!(
                ruling.is_none(),
                expected,
                "{minter:?} {mint:?}: {ruling:?}"
            );
            if expected {
                passed += 1;
            } else {
                denied += 1;
            }
        }
    }
    assert!(passed > 100 && denied > 1_000, "{passed} {denied}");
}

/// One action of each verb that has any.
fn actions() -> Vec<Action> {
    let workspace = workspace(A);
    let address = SecretAddress {
        scope: SecretScope::Workspace(workspace),
        key: SecretKey::parse("API_KEY").expect("a key"),
    };
    let token = token();
    vec![
        Action::OrgTokenMint {
            name: None,
            role: Role::Admin,
            workspace: None,
            expires_at: None,
        },
        Action::OrgTokenRevoke {
            token,
            drain_seconds: 0,
            descendants: false,
            shown: None,
        },
        Action::OrgTokenList,
        Action::SecretWrite {
            address: address.clone(),
            value: PlainSecret::new("v".to_owned()),
        },
        Action::SecretDelete { address },
        Action::SecretList {
            scope: SecretScope::Global,
        },
        Action::SecretRead { workspace },
        Action::WorkspaceCreate {
            name: "research".to_owned(),
            parent: None,
        },
        Action::WorkspaceUpdate {
            workspace,
            name: None,
            parent: Some(None),
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
        Action::ApprovalList,
        Action::PolicyRead,
        Action::PolicyFetch {
            name: "extra".to_owned(),
            digest: "0".repeat(64),
        },
        Action::AuditRead,
        Action::DecisionRead,
    ]
}

/// Whoever may mint at all has every role that there is to give, today. It is asked all the same.
#[test]
fn no_role_is_wider_than_that_of_who_gives_it() {
    for &own in Role::ALL {
        let minter = caller(Identity::OrgToken {
            id: token(),
            prefix: "cso_abcd".to_owned(),
            role: own,
            workspace: None,
            expires_at: None,
            draining_until: None,
            minted_by: "admin-token".to_owned(),
            lineage: "admin-token".to_owned(),
        });
        for &given in Role::ALL {
            let mint = Action::OrgTokenMint {
                name: None,
                role: given,
                workspace: None,
                expires_at: None,
            };
            let ruling = mints_wider(&minter, &mint, given);
            assert_eq!(ruling.is_some(), given > own, "{own} gives {given}");
        }
    }
}

#[test]
fn the_provisioner_has_four_verbs_and_sees_what_came_of_them_whatever_a_policy_says() {
    let passed: Vec<Verb> = actions()
        .iter()
        .filter(|action| confine(&provisioner(), action).is_none())
        .map(Action::verb)
        .collect();
    let expected = [
        Verb::OrgTokenMint,
        Verb::SecretWrite,
        Verb::WorkspaceCreate,
        Verb::WorkspaceTokenMint,
        Verb::ApprovalList,
    ];
    assert_eq!(passed, expected);
}

const POLICY_VERBS: [Verb; 3] = [Verb::PolicyPush, Verb::PolicyActivate, Verb::PolicyRollback];

fn may_change_policies(caller: &Caller, operators: &Operators) -> bool {
    let allowed = POLICY_VERBS.map(|verb| judged_by_core(caller, verb, operators).effect());
    assert!(allowed.iter().all(|effect| *effect == allowed[0]));
    allowed[0] == "allow"
}

#[test]
fn only_operators_change_the_policies() {
    let own_login = session(Issuer::Operator, OPERATOR, None);
    let ann = session(Issuer::ControlPlane, "ann", None);
    let asserted = session(Issuer::IdentityAssertion, "ann", None);
    let by_default = Operators::default();
    assert!(may_change_policies(&own_login, &by_default));
    assert!(!may_change_policies(&ann, &by_default));
    assert!(!may_change_policies(&asserted, &by_default));

    let listed = Operators::parse("identity-assertion:ann").expect("a list");
    assert!(!may_change_policies(&own_login, &listed));
    assert!(!may_change_policies(&ann, &listed));
    assert!(may_change_policies(&asserted, &listed));
    for (caller, _) in minters() {
        if caller.person().is_none() {
            assert!(!may_change_policies(&caller, &by_default), "{caller:?}");
            assert!(!may_change_policies(&caller, &listed), "{caller:?}");
        }
    }
}

#[test]
fn nobody_but_a_person_takes_the_bytes_of_a_policy_along() {
    let fetch = Action::PolicyFetch {
        name: "extra".to_owned(),
        digest: "0".repeat(64),
    };
    let ann = session(Issuer::ControlPlane, "ann", None);
    assert_eq!(confine(&ann, &fetch), None);
    let admin = caller(Identity::AdminToken {
        fingerprint: "f00d".to_owned(),
    });
    let programs = [(admin, false), (provisioner(), true)];
    for (program, is_provisioner) in programs {
        let reads = confine(&program, &Action::PolicyRead);
        assert_eq!(reads.is_some(), is_provisioner);
        let ruling = confine(&program, &fetch).expect("it is denied");
        assert_eq!(ruling.effect(), "deny");
    }
}

#[test]
fn who_is_no_operator_still_reads_and_decides() {
    let ann = session(Issuer::ControlPlane, "ann", None);
    for verb in [Verb::PolicyRead, Verb::ApprovalList, Verb::ApprovalDecide] {
        let ruling = judged_by_core(&ann, verb, &Operators::default());
        assert_eq!(ruling.effect(), "allow", "{verb}");
    }
}

#[test]
fn the_folder_asks_for_what_it_holds_and_for_nothing_else() {
    let folder = caller(Identity::PolicyFolder);
    let core = Verb::ALL
        .iter()
        .filter(|verb| verb.is_judged_by_core_alone());
    let changes = core.filter(|verb| !matches!(verb, Verb::ApprovalList | Verb::PolicyRead));
    let allowed: Vec<_> = changes
        .filter(|verb| judged_by_core(&folder, **verb, &Operators::default()).effect() == "allow")
        .collect();
    assert_eq!(allowed, [&Verb::PolicyActivate]);
}
