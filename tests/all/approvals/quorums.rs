//! Policies that change between the request, the votes and the use.

use std::time::Duration;

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, until};
use serde_json::json;

use super::mint;
use crate::stage::{Stage, approval, approve, decide, minted};

/// A further policy, for which two people must agree to everything.
fn two_people() -> Vec<u8> {
    let guest = Guest {
        name: "second",
        rule: "two-people",
        decide: "(global.get $gate)",
        people: 2,
        ..Guest::default()
    };
    guest.component()
}

async fn put_in(stage: &Stage) {
    let file = stage.host.data_dir().join("policies/second.wasm");
    std::fs::write(file, two_people()).expect("the folder is there");
    let person = stage.person("ann").await;
    until("it is live", Duration::from_secs(30), async || {
        let shown = person.get("/policies").await.expect(200).json;
        (shown["modules"].as_array()?.len() == 2).then_some(())
    })
    .await;
}

// Guards: `tighten` in host/store/src/portable/requests.rs, and `find` in grants.rs beside it, which holds
// the votes against the quorums of the moment.
#[tokio::test]
async fn a_quorum_that_has_grown_asks_for_more_people_or_anew() {
    let stage = Stage::set().await;
    let (agent, ann) = (stage.agent(), stage.person("ann").await);
    let bob = stage.person("bob").await;
    let waits = mint(&agent, "waits").await.approval();
    let granted = mint(&agent, "granted").await.approval();
    approve(&ann, &granted).await;
    put_in(&stage).await;

    // What waits takes the new quorum on.
    assert_eq!(mint(&agent, "waits").await.approval(), waits);
    assert_eq!(approval(&ann, &waits).await["people_needed"], 2);
    let reply = decide(&ann, &waits, "approved").await.expect(200);
    assert_eq!(reply.json["status"], "pending");
    assert_eq!(mint(&agent, "waits").await.approval(), waits);
    approve(&bob, &waits).await;
    mint(&agent, "waits").await.expect(200);

    // What was granted on less is asked for anew, and ends.
    let anew = mint(&agent, "granted").await.approval();
    assert_ne!(anew, granted);
    assert_eq!(approval(&ann, &granted).await["status"], "lapsed");
    decide(&ann, &anew, "approved").await.expect(200);
    assert_eq!(mint(&agent, "granted").await.approval(), anew);
    approve(&bob, &anew).await;
    mint(&agent, "granted").await.expect(200);
}

// Guards: `objection` and `meet` in host/store/src/portable/votes.rs; the page says before what they would.
#[tokio::test]
async fn the_page_says_whose_signature_cannot_count_and_the_inbox_counts_none_of_those() {
    let stage = Stage::gated("verbs = [\"secret_write\"]\ngroups = [\"security\"]\n").await;
    let ann = stage.person("ann").await;
    let robot = stage
        .host
        .agent(&minted(&ann, json!({ "name": "robot" })).await);
    let secret = json!({ "key": "DEPLOY_KEY", "value": "v" });
    let id = robot.post("/settings/secrets", secret).await.approval();
    let read = async |person: &Caller, path: &str| person.get(path).await.expect(200).page();
    let path = format!("/console/approvals/{id}");
    let form = "name=\"decision\"";

    // The baseline asks for one person, whoever that is, and the other module for two of a group.
    let page = read(&ann, &path).await;
    assert!(page.contains("You minted a key"), "{page}");
    assert!(!page.contains(form), "{page}");
    for choice in ["approved", "denied"] {
        let reply = decide(&ann, &id, choice).await;
        reply.refused(403, "minter_cannot_approve");
    }

    let (bob, carol) = (stage.person("bob").await, stage.person("carol").await);
    let page = read(&bob, &path).await;
    assert!(page.contains(form), "{page}");
    assert!(!page.contains("would not count"), "{page}");
    let reply = decide(&bob, &id, "approved").await.expect(200);
    assert_eq!(reply.json["status"], "pending", "{reply}");

    let page = read(&carol, &path).await;
    assert!(page.contains(form), "{page}");
    let of = "would not count: what is missing is a signature of somebody in security";
    assert!(page.contains(of), "{page}");
    for _ in 0..2 {
        let inbox = read(&carol, "/console/approvals").await;
        assert!(inbox.contains("data-signed=\"1 of 3\""), "{inbox}");
        let reply = decide(&carol, &id, "approved").await.expect(200);
        assert_eq!(reply.json["status"], "pending", "{reply}");
    }
    let dora = stage.person("dora").await;
    let reply = decide(&dora, &id, "denied").await.expect(200);
    assert_eq!(reply.json["status"], "denied", "{reply}");
}
