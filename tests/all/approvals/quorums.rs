//! Policies that change between the request, the votes and the use.

use std::time::Duration;

use countersign_tests::guest::Guest;
use countersign_tests::until;

use super::mint;
use crate::stage::{Stage, approval, approve, decide};

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
