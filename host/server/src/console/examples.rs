//! What the console's tests draw.

use axum::body::Body;
use axum::http::Response;
use countersign_core::action::ActionDigest;
use countersign_core::approval::{Approval, Choice, Claim, Requester, State, Vote};
use countersign_core::caller::{Caller, Door, Identity, Issuer, Person};
use countersign_core::decision::{Decision, Outcome};
use countersign_core::holdings::{Falling, Named, NamedSecret, NamedToken};
use countersign_core::id::{ApprovalId, DecisionId, TokenId, WorkspaceId};
use countersign_core::ledger::OrgToken;
use countersign_core::policy::{
    CallerClass, Entity, Ground, Properties, Question, Quorum, Role, Terms, Value, Verdict,
};
use countersign_core::secret::SecretKey;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use countersign_core::verdict::{Judgement, ModuleId, Opinion, Ruling, Took};
use countersign_core::workspace::{FallDigest, Status, Workspace};
use serde_json::json;

/// When the tests take place.
pub const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

const HOUR: std::time::Duration = std::time::Duration::from_secs(3_600);

/// A request of an agent to mint a key.
pub fn approval() -> Approval {
    Approval {
        id: ApprovalId::parse("019b76da-a800-7000-8000-000000000001").expect("a UUID"),
        workspace: WorkspaceId::parse("019b76da-a800-7000-8000-000000000002").expect("a UUID"),
        workspace_name: Some("Platform agent".to_owned()),
        requester: Requester {
            credential: "org-token:019b76da-a800-7000-8000-000000000003".to_owned(),
            actor: "org-token:cso_abcd".to_owned(),
            lineage: "admin-token:0".to_owned(),
        },
        verb: Verb::OrgTokenMint,
        resource_kind: "organisation".to_owned(),
        resource_id: "019b76da-a800-7000-8000-000000000004".to_owned(),
        resource_name: None,
        digest: ActionDigest::from_text("ab".repeat(32)),
        payload: json!({
            "verb": "org_token_mint",
            "resource": { "kind": "organisation", "id": "019b76da-a800-7000-8000-000000000004" },
            "arguments": { "name": "ci", "role": "admin", "workspace": null, "expires_at": null },
        }),
        reason:
            "mint organisation token `ci` (admin, never expires): agents need a person for this"
                .to_owned(),
        claim: Claim::default(),
        terms: Terms {
            ground: Ground::new("privileged-verb", "agents need a person for this"),
            quorums: vec![Quorum::one_person()],
            pending_ttl: None,
            grant_ttl: None,
        },
        policy: "baseline@0.1.0".to_owned(),
        decision: DecisionId::parse("019b76da-a800-7000-8000-000000000005").expect("a UUID"),
        precondition: String::new(),
        state: State::Pending,
        created_at: NOW,
        expires_at: NOW.plus(HOUR),
        grant_expires_at: None,
        decided_at: None,
        revoke_reason: None,
        end: None,
        votes: Vec::new(),
    }
}

/// A request of an agent to write a secret.
pub fn secret_approval() -> Approval {
    Approval {
        verb: Verb::SecretWrite,
        resource_kind: "secret".to_owned(),
        resource_id: "global/API_KEY".to_owned(),
        payload: json!({
            "verb": "secret_write",
            "resource": { "kind": "secret", "id": "global/API_KEY" },
            "arguments": { "key": "API_KEY", "value": { "commitment": "c0ffee".repeat(10) } },
        }),
        ..approval()
    }
}

/// A change of policies, which loosens.
pub fn policy_approval() -> Approval {
    let gate = json!({
        "class": "agent", "effect": "gate", "rule": "privileged-verb", "policy": "baseline",
        "takes": { "quorums": [{ "people": 1, "groups": [] }], "pending_ttl": null, "grant_ttl": 900 },
    });
    let allow = json!({
        "class": "agent", "effect": "allow", "rule": "<script>", "policy": "baseline",
    });
    let item = |decision: serde_json::Value| {
        json!({
            "change": "looser", "before": gate, "after": allow, "rows": 3,
            "phrases": ["org_token_mint: any agent token"], "searched": 0, "recorded": 2,
            "case": "given.verb = \"org_token_mint\"", "decision": decision,
        })
    };
    let shown = json!({
        "id": "019b76da-a800-7000-8000-000000000005", "at": "2026-01-01T00:00:00Z",
        "actor": "org-token:cso_abcd", "verb": "org_token_mint", "resource": "organisation x",
    });
    Approval {
        verb: Verb::PolicyActivate,
        requester: Requester {
            credential: "policy-folder".to_owned(),
            actor: "policy-folder".to_owned(),
            lineage: "policy-folder".to_owned(),
        },
        payload: json!({
            "verb": "policy_activate",
            "resource": { "kind": "organisation", "id": "019b76da-a800-7000-8000-000000000004" },
            "arguments": {
                "follows": 1,
                "summary": "baseline@0.1.0 configured anew",
                "modules": [{
                    "name": "baseline", "version": "0.1.0", "digest": "ab".repeat(32),
                    "settings": { "gated_verbs": ["deprovision"] },
                }],
                "shadow": [],
                "review": {
                    "looked": {
                        "rows": 1856, "searched": 90_000, "cut_short": false, "recorded": 12,
                        "unasked": 0, "reworded": 0,
                    },
                    "loosens": [item(serde_json::Value::Null), item(shown)],
                    "tightens": [],
                    "broken": [],
                },
            },
        }),
        ..approval()
    }
}

/// A vote of `user`.
pub fn vote(user: &str, choice: Choice) -> Vote {
    Vote {
        person: Person {
            issuer: Issuer::ControlPlane,
            user: user.to_owned(),
        },
        groups: Vec::new(),
        choice,
        reason: Some("<i>because</i>".to_owned()),
        at: NOW,
    }
}

/// A person with a verified session.
pub fn person(user: &str) -> Caller {
    caller(Identity::Session {
        person: Person {
            issuer: Issuer::ControlPlane,
            user: user.to_owned(),
        },
        groups: Vec::new(),
        session: None,
        expires_at: None,
    })
}

/// A program with an organisation token.
pub fn agent() -> Caller {
    caller(Identity::OrgToken {
        id: TokenId::parse("019b76da-a800-7000-8000-000000000003").expect("a UUID"),
        prefix: "cso_abcd".to_owned(),
        role: Role::Admin,
        workspace: None,
        expires_at: None,
        draining_until: None,
        minted_by: "admin-token".to_owned(),
        lineage: "admin-token:0".to_owned(),
    })
}

fn caller(identity: Identity) -> Caller {
    Caller {
        identity,
        anchor: None,
        door: Door::Console,
        address: "127.0.0.1".to_owned(),
    }
}

/// A key called `name`.
pub fn org_token(name: &str) -> OrgToken {
    OrgToken {
        id: TokenId::parse("019b76da-a800-7000-8000-000000000003").expect("a UUID"),
        prefix: "cso_abcd".to_owned(),
        name: Some(name.to_owned()),
        role: Role::Admin,
        workspace: None,
        created_by: "session:0123456789abcdef".to_owned(),
        created_by_user: Some("ada@example".to_owned()),
        lineage: "person:control-plane:ada".to_owned(),
        created_at: NOW,
        last_used_at: None,
        uses_24h: 0,
        expires_at: Some(NOW.plus(24 * 90 * HOUR)),
        draining_until: None,
    }
}

/// The text of a response.
pub async fn body_of(response: Response<Body>) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .expect("a body");
    String::from_utf8(bytes.into()).expect("UTF-8")
}

/// What must hold for every page: a language, one main heading and none that is missing above another, one main
/// part to which the skip link leads, a style, and nothing that the content security policy forbids.
pub fn is_whole(html: &str) {
    assert!(html.starts_with("<!doctype html>"), "{html}");
    for once in [
        "<html lang=\"en\">",
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<title>",
        "<h1",
        "<main id=\"content\"",
        "href=\"#content\"",
    ] {
        assert_eq!(html.matches(once).count(), 1, "{once}: {html}");
    }
    assert!(html.contains("/console/assets/console.css?v="), "{html}");
    let ours = "<script defer src=\"/console/assets/";
    assert_eq!(
        html.matches("<script").count(),
        html.matches(ours).count(),
        "{html}"
    );
    assert!(
        html.contains("<script defer src=\"/console/assets/console.js?v="),
        "{html}"
    );
    for banned in [
        " style=",
        "<style",
        " onclick=",
        "javascript:",
        "http://",
        "https://",
    ] {
        assert!(!html.contains(banned), "{banned}: {html}");
    }
    let levels = html.split("<h");
    let levels = levels.filter_map(|tag| tag.chars().next()?.to_digit(10));
    let mut above = 0;
    for level in levels {
        assert!(
            level <= above + 1,
            "nothing stands above <h{level}>: {html}"
        );
        above = level;
    }
    assert!(
        !html.contains("Moment {") && !html.contains("Some("),
        "{html}"
    );
}

/// A write of a secret that one module denied, one gated and one could not judge.
pub fn decision() -> Decision {
    let module = |name: &str| ModuleId {
        name: name.to_owned(),
        version: "0.1.0".to_owned(),
        digest: "ef".repeat(32),
    };
    let opinion = |name, verdict| Opinion {
        module: module(name),
        verdict,
        notes: vec!["a note of the module <b>".to_owned()],
        took: Took::of_micros(1_234),
    };
    let mut ground = Ground::new("self-targeted", "it would change what it runs with");
    let advice = Value::Text("set env or config instead".to_owned());
    ground.details.set("advice", advice);
    let terms = Terms {
        quorums: vec![Quorum {
            people: 2,
            groups: vec!["security".to_owned()],
        }],
        grant_ttl: Some(900),
        ..approval().terms
    };
    let caller = agent();
    Decision {
        id: DecisionId::parse("019b76da-a800-7000-8000-000000000005").expect("a UUID"),
        at: NOW,
        actor: caller.actor(),
        credential: caller.credential_key(),
        verb: Verb::SecretWrite,
        digest: ActionDigest::from_text("cd".repeat(32)),
        question: Some(Question {
            subject: caller.subject(),
            verb: Verb::SecretWrite.as_str().to_owned(),
            arguments: Properties::new().with("key", Value::Text("API_KEY".to_owned())),
            resource: Entity {
                kind: "secret".to_owned(),
                id: "global/API_KEY".to_owned(),
                properties: Properties::new().with("exists", Value::Boolean(true)),
            },
            time: 1_767_225_600_000,
            tallies: Vec::new(),
            context: caller.context(),
        }),
        judgement: Judgement {
            generation: 3,
            class: CallerClass::Agent,
            ruling: Ruling::Deny {
                ground: ground.clone(),
                policy: "names@0.1.0".to_owned(),
            },
            opinions: vec![
                opinion("baseline", Ok(Verdict::Gate(terms))),
                opinion("names", Ok(Verdict::Deny(ground))),
                opinion("other", Ok(Verdict::Abstain)),
                opinion("broken", Err("it trapped".to_owned())),
            ],
            took: Took::of_micros(1_234),
        },
        outcome: Outcome::Refused,
        approval: None,
    }
}

/// The workspace with a number, below another one.
pub fn workspace(number: u8, name: &str, parent: Option<u8>) -> Workspace {
    let id = |n: u8| {
        let text = format!("00000000-0000-4000-8000-0000000000{n:02x}");
        WorkspaceId::parse(&text).expect("a UUID")
    };
    Workspace {
        id: id(number),
        name: name.to_owned(),
        parent: parent.map(id),
        status: Status::Provisioning,
        version: "1".to_owned(),
        created_by: "org-token:cso_abcd".to_owned(),
        created_at: NOW,
        updated_at: NOW,
    }
}

/// What falls with a workspace that has another one below it: a key of each, an organisation key of the other
/// one, and secrets of both.
pub fn falling() -> Falling {
    let token = |number: u8, prefix: &str, of: u8| NamedToken {
        id: TokenId::parse(&format!("019b76da-a800-7000-8000-0000000000{number}")).expect("a UUID"),
        prefix: prefix.to_owned(),
        name: None,
        workspace: workspace(of, "", None).id,
    };
    let bound = NamedToken {
        name: Some("<script>p\u{430}ypal".to_owned()),
        ..token(13, "cso_boun", 2)
    };
    Falling {
        workspaces: vec![
            workspace(1, "payments", None),
            workspace(2, "<script>", Some(1)),
        ],
        tokens: 2,
        bound_tokens: 1,
        secrets: 3,
        named: Named {
            tokens: vec![token(11, "csw_root", 1), token(12, "csw_chil", 2)],
            bound_tokens: vec![bound],
            secrets: vec![
                named_secret("STRIPE_KEY", 1),
                named_secret("DB_URL", 2),
                named_secret("SALT", 2),
            ],
        },
        digest: FallDigest::of([("a", "b")]),
    }
}

/// A secret of the workspace with a number, as it is named.
pub fn named_secret(key: &str, of: u8) -> NamedSecret {
    NamedSecret {
        key: SecretKey::parse(key).expect("a key"),
        workspace: workspace(of, "", None).id,
    }
}
