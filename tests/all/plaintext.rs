//! Plaintext of tokens and secrets is nowhere: not in the data folder, not in what the host says.

use std::path::PathBuf;

use countersign_tests::{Caller, ControlPlane, Host};
use serde_json::json;

use crate::stage::{ADMIN_TOKEN, approve, decide};

const NOWHERE: [PathBuf; 0] = [];

async fn write(caller: &Caller, key: &str, value: &str) -> countersign_tests::Reply {
    let body = json!({ "key": key, "value": value });
    caller.post("/settings/secrets", body).await
}

#[tokio::test]
async fn plaintext_is_nowhere_in_the_data_folder_or_the_outputs() {
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("COUNTERSIGN_LOG", "trace")
        .start()
        .await;
    let operator = host.operator_session().await;
    let link = host.login_secret();
    let control_plane = ControlPlane::start();
    let host = host
        .stop()
        .await
        .control_plane(&control_plane)
        .start()
        .await;
    let cookie = control_plane.sign_in("ann").await;
    let (person, agent) = (host.session(&cookie), host.agent(ADMIN_TOKEN));
    host.signed_in(&operator)
        .get("/org/tokens")
        .await
        .expect(200);

    // A token each way: minted at once, and granted. The names show that the search finds what is there.
    let mint = json!({ "name": "a-name-that-is-stored" });
    let at_once = person.post("/org/tokens", mint.clone()).await.expect(200);
    let id = agent.post("/org/tokens", mint.clone()).await.approval();
    approve(&person, &id).await;
    let granted = agent.post("/org/tokens", mint).await.expect(200);
    let tokens = [at_once.text("auth_token"), granted.text("auth_token")];
    for token in tokens {
        host.agent(token)
            .get("/approvals/pending")
            .await
            .expect(200);
        host.agent(&format!("{token}x"))
            .get("/approvals/pending")
            .await
            .expect(401);
    }

    // A secret in every state that one can be in.
    write(&person, "WRITTEN", "plain-written").await.expect(200);
    write(&person, "WRITTEN", "plain-overwritten")
        .await
        .expect(200);
    write(&agent, "PENDING", "plain-pending").await.approval();
    let id = write(&agent, "GRANTED", "plain-granted").await.approval();
    approve(&person, &id).await;
    write(&agent, "GRANTED", "plain-granted").await.expect(200);
    let id = write(&agent, "DENIED", "plain-denied").await.approval();
    decide(&person, &id, "denied").await.expect(200);
    write(&agent, "DENIED", "plain-denied").await.expect(403);
    write(&agent, "not a key", "plain-refused")
        .await
        .expect(400);
    write(&person, "GONE", "plain-gone").await.expect(200);
    person.delete("/settings/secrets/GONE").await.expect(200);
    for page in [
        "/console/approvals",
        "/console/keys",
        "/approvals/pending",
        "/decisions",
        "/audit",
    ] {
        let shown = person.get(page).await.expect(200).page();
        assert!(!shown.contains("plain-"), "{page}: {shown}");
        assert!(
            !tokens.iter().any(|token| shown.contains(token)),
            "{page}: {shown}"
        );
    }

    search(
        &host,
        &tokens,
        &[&link, &operator.cookie, &operator.proof, &cookie],
    );
    // What a stop writes out, and what a start reads, too.
    let host = host.restart().await;
    search(
        &host,
        &tokens,
        &[&link, &operator.cookie, &operator.proof, &cookie],
    );
}

fn search(host: &Host, tokens: &[&str], proofs: &[&str]) {
    assert_ne!(
        host.files_with("a-name-that-is-stored"),
        NOWHERE,
        "the search finds nothing"
    );
    assert_ne!(
        host.files_with("/settings/secrets"),
        NOWHERE,
        "the search reads no log"
    );
    assert_eq!(host.files_with("plain-"), NOWHERE);
    assert_eq!(host.files_with(ADMIN_TOKEN), NOWHERE);
    for token in tokens {
        assert_eq!(host.files_with(token), NOWHERE);
        // Not without what is the same in every token, either.
        assert_eq!(host.files_with(&token[8..47]), NOWHERE);
    }
    for proof in proofs {
        let value = proof.rsplit('=').next().expect("a value");
        let mut found = host.files_with(value);
        // Where the operator is told to look for the link.
        found.retain(|file| !file.ends_with("data/login-link"));
        assert_eq!(found, NOWHERE, "{proof}");
    }
}
