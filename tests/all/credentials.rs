//! Who a caller is: what counts as proof, what does not, and which proof counts where there are several.

use std::time::Duration;

use countersign_core::time::{Clock as _, SystemClock};
use countersign_tests::{Caller, ControlPlane, Host};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::stage::{ADMIN_TOKEN, Stage, approval, approve, minted, pending, tokens};

/// The audit label of a person.
fn label(issuer: &str, user: &str) -> String {
    let hash = Sha256::digest(format!("{issuer}\0{user}"));
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("session:{}", &hex[..16])
}

async fn mint(caller: &Caller) -> countersign_tests::Reply {
    caller.post("/org/tokens", json!({})).await
}

#[tokio::test]
async fn a_verified_session_mints_at_once_without_an_approval() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let forged = json!({
        "name": "laptop", "created_by": "session:0000000000000000", "created_by_user": "eve",
        "user_id": "eve",
    });
    let token = minted(&person, forged).await;
    let listed = tokens(&person).await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0]["created_by"], label("control-plane", "ann"));
    assert_eq!(listed[0]["created_by_user"], "ann");
    assert_eq!(listed[0]["role"], "admin");
    assert_eq!(listed[0]["prefix"], token[..8]);
    assert!(!listed[0].to_string().contains(&token));
    assert!(pending(&person).await.is_empty());

    let audit = person.get("/audit").await.expect(200);
    let entries = audit.json["entries"].as_array().expect("entries").clone();
    let kinds: Vec<&Value> = entries.iter().map(|entry| &entry["kind"]).collect();
    assert!(
        !kinds
            .iter()
            .any(|kind| kind.to_string().contains("approval")),
        "{kinds:?}"
    );
    assert!(!audit.page().contains("eve"), "{audit}");
}

#[tokio::test]
async fn a_person_behind_any_bearer_stays_a_person() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    for (at, beside) in [
        person.bearer("junk"),
        person.bearer(ADMIN_TOKEN),
        person.with("authorization", "Basic YW5uOmFubg=="),
        person.with("authorization", ""),
        person
            .bearer("junk")
            .also("authorization", "Bearer more junk"),
    ]
    .iter()
    .enumerate()
    {
        mint(beside).await.expect(200);
        let listed = tokens(&person).await;
        assert_eq!(listed.len(), at + 1);
        assert_eq!(listed[0]["created_by"], label("control-plane", "ann"));
    }
    assert!(pending(&person).await.is_empty());
}

#[tokio::test]
async fn a_cookie_that_proves_nothing_leaves_the_bearer_its_own_class() {
    let stage = Stage::set().await;
    let junk = stage.host.session("cp_session=junk");
    mint(&junk.bearer(ADMIN_TOKEN)).await.approval();
    mint(&junk.bearer("junk"))
        .await
        .refused(401, "unauthenticated");
    mint(&junk).await.refused(401, "unauthenticated");
    for cookie in [
        "",
        "cp_session=",
        "=",
        ";;",
        "member=true; user_id=ann; human=1",
    ] {
        let reply = mint(&stage.host.session(cookie)).await;
        reply.refused(401, "unauthenticated");
    }
}

#[tokio::test]
async fn without_a_credential_nothing_is_told_but_which_would_do() {
    let stage = Stage::set().await;
    let nobody = stage.host.anonymous();
    for path in [
        "/org/tokens",
        "/settings/secrets",
        "/admin/secrets",
        "/approvals/pending",
        "/approvals/00000000-0000-4000-8000-000000000000",
        "/policies",
        "/decisions",
        "/audit",
    ] {
        let reply = nobody.get(path).await.refused(401, "unauthenticated");
        assert!(reply.text("error").contains("Bearer"), "{reply}");
        assert!(reply.text("error").contains("session"), "{reply}");
        assert!(reply.header("www-authenticate").is_some(), "{reply}");
    }
    assert_eq!(
        nobody.get("/health").await.expect(200).json,
        json!({ "status": "ok" })
    );
    nobody.get("/ready").await.expect(200);
}

#[tokio::test]
async fn all_ways_of_a_bearer_to_be_wrong_look_the_same() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let revoked = minted(&person, json!({ "name": "revoked" })).await;
    let id = tokens(&person).await[0]["id"].clone();
    let path = format!("/org/tokens/{}", id.as_str().expect("an id"));
    let reply = person.delete(&path).await.expect(200);
    assert_eq!(reply.json, json!({ "revoked": id }));

    let host = &stage.host;
    let wrong = [
        host.agent("junk"),
        host.agent(&revoked),
        // Of the right shape, and with the right checksum, but never minted.
        host.agent(&revoked.replace("cso_", "csw_")),
        host.agent(&format!("{revoked}x")),
        host.agent(&ADMIN_TOKEN[1..]),
        host.agent(&format!("{ADMIN_TOKEN}x")),
        host.agent(&ADMIN_TOKEN.to_uppercase()),
        host.agent("a b"),
        host.agent(&"x".repeat(4_000)),
        host.anonymous().with("authorization", "Bearer"),
        host.anonymous().with("authorization", "Bearer "),
        host.anonymous().with("authorization", ""),
        host.anonymous().with("authorization", ADMIN_TOKEN),
        host.anonymous()
            .with("authorization", format!("Basic {ADMIN_TOKEN}")),
        host.anonymous()
            .with("authorization", format!("Bearer{ADMIN_TOKEN}")),
        host.anonymous().with("authorization", b"Bearer \xff\xfe"),
        host.agent(ADMIN_TOKEN)
            .also("authorization", format!("Bearer {ADMIN_TOKEN}")),
        host.agent(ADMIN_TOKEN).also("authorization", "Bearer junk"),
    ];
    let mut bodies = Vec::new();
    for caller in &wrong {
        let reply = mint(caller).await.refused(401, "unauthenticated");
        bodies.push(reply.page());
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    let other_case = host
        .anonymous()
        .with("authorization", format!("bearer {ADMIN_TOKEN}"));
    mint(&other_case).await.approval();
}

#[tokio::test]
async fn a_token_ends_when_it_says_and_mints_nothing_that_outlives_it() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let end = SystemClock.now().plus(Duration::from_secs(3));
    let token = minted(&person, json!({ "expires_at": end })).await;
    let agent = stage.host.agent(&token);

    let later = json!({ "expires_at": end.plus(Duration::from_secs(1)) });
    let wider = agent.post("/org/tokens", later).await;
    let wider = wider.refused(403, "denied_by_policy");
    assert_eq!(wider.json["policy"], "core", "{wider}");
    // Without an end of its own it has its minter's.
    let id = mint(&agent).await.approval();
    let row = approval(&person, &id).await;
    assert_eq!(
        row["payload"]["arguments"]["expires_at"],
        json!(end),
        "{row}"
    );
    approve(&person, &id).await;

    let gone = countersign_tests::until("the token ends", Duration::from_secs(10), async || {
        let reply = agent.get("/org/tokens").await;
        (reply.status != 200).then_some(reply)
    });
    gone.await.refused(401, "unauthenticated");
    mint(&agent).await.refused(401, "unauthenticated");
    assert!(
        tokens(&person).await.is_empty(),
        "it is not listed any more"
    );
}

#[tokio::test]
async fn a_narrow_token_reaches_no_further_than_its_role() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let reader = stage
        .host
        .agent(&minted(&person, json!({ "role": "reader" })).await);
    let editor = stage
        .host
        .agent(&minted(&person, json!({ "role": "editor" })).await);
    let write = json!({ "key": "K", "value": "v" });

    reader.get("/settings/secrets").await.expect(200);
    for denied in [
        reader.post("/settings/secrets", write.clone()).await,
        reader.get("/org/tokens").await,
        mint(&reader).await,
        mint(&editor).await,
    ] {
        let denied = denied.refused(403, "denied_by_policy");
        assert_eq!(denied.json["policy"], "core", "{denied}");
        assert_eq!(denied.json["rule"], "role-too-narrow", "{denied}");
    }
    editor.post("/settings/secrets", write).await.approval();
    assert_eq!(tokens(&person).await.len(), 2);
}

#[tokio::test]
async fn two_sessions_of_different_people_are_nobody() {
    let host = Host::start(ADMIN_TOKEN).await;
    let operator = host.operator_session().await;
    let control_plane = ControlPlane::start();
    let host = host
        .stop()
        .await
        .control_plane(&control_plane)
        .start()
        .await;
    let ann = control_plane.sign_in("ann").await;

    mint(&host.signed_in(&operator)).await.expect(200);
    mint(&host.session(&ann)).await.expect(200);
    let own = &operator.cookie;
    for both in [format!("{own}; {ann}"), format!("{ann}; {own}")] {
        let reply = mint(&host.session(&both)).await;
        let reply = reply.refused(401, "unauthenticated");
        assert!(reply.text("error").contains("different people"), "{reply}");
        let reply = mint(&host.session(&both).bearer(ADMIN_TOKEN)).await;
        reply.refused(401, "unauthenticated");
    }
    assert_eq!(tokens(&host.session(&ann)).await.len(), 2);
}
