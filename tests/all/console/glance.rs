//! A page that shows something beside what it is about: where a policy gates that, a mere look asks nobody.

use countersign_tests::Caller;
use serde_json::{Value, json};

use crate::stage::{self, Stage};

const SETTINGS: &str = "verbs = [\"workspace_list\", \"secret_list\"]\napprovers = 1\n";

/// A host on which people need each other for these lists, with a workspace that was created before.
async fn gated(settings: &str) -> (Stage, Caller, String) {
    let stage = Stage::gated(settings).await;
    let ann = stage.person("ann").await;
    let workspace = stage::workspace(&ann, "billing", None).await;
    (stage, ann, workspace)
}

async fn opened(person: &Caller, path: &str, status: u16) -> String {
    let page = person.get(path).await.expect(status);
    String::from_utf8(page.body).expect("text")
}

#[tokio::test]
async fn pages_with_gated_parts_open_say_so_and_file_nothing() {
    let (_stage, ann, workspace) = gated(SETTINGS).await;
    let keys = opened(&ann, "/console/keys", 200).await;
    assert!(!keys.contains("billing"), "{keys}");
    let one = opened(&ann, &format!("/console/workspaces/{workspace}"), 200).await;
    assert!(one.contains("billing"), "{one}");
    assert!(
        one.contains("ask a person before you may see this"),
        "{one}"
    );
    // It can be removed by whoever may not list the others: they are counted.
    let remove = format!("/console/workspaces/{workspace}/remove");
    stage::workspace(&ann, "below-billing", Some(&workspace)).await;
    let falls = opened(&ann, &remove, 200).await;
    for shown in [
        "1 workspace below it",
        "you are not shown which",
        "Remove all of this",
    ] {
        assert!(falls.contains(shown), "{shown}: {falls}");
    }
    assert!(!falls.contains("below-billing"), "{falls}");
    assert_eq!(stage::pending(&ann).await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_look_beside_uses_up_no_grant() {
    let (stage, ann, _) = gated(SETTINGS).await;
    let path = "/console/workspaces";
    let waits = ann.get(path).await.expect(202);
    let asked = stage::pending(&ann).await;
    assert_eq!(asked.len(), 1, "{waits}");
    let id = asked[0]["id"].as_str().expect("an id");
    stage::approve(&stage.person("bob").await, id).await;
    for _ in 0..2 {
        opened(&ann, "/console/keys", 200).await;
    }
    assert_eq!(stage::approval(&ann, id).await["status"], "approved");
    assert!(opened(&ann, path, 200).await.contains("billing"));
    assert_eq!(stage::approval(&ann, id).await["status"], "used");
}

// Guard: `Sight` in host/server/src/console/sight.rs.
#[tokio::test]
async fn what_falls_is_not_named_to_a_person_who_may_not_list_it() {
    let (stage, ann, workspace) = gated("verbs = [\"secret_list\"]\napprovers = 1\n").await;
    let key = stage::workspace_token(&ann, &workspace).await;
    let secret = json!({ "key": "STRIPE_KEY", "value": "not-to-be-seen" });
    let secrets = format!("/workspaces/{workspace}/secrets");
    ann.post(&secrets, secret).await.expect(200);
    let path = format!("/console/workspaces/{workspace}/remove");
    let falls = opened(&ann, &path, 200).await;
    for shown in [
        "1 secret is deleted",
        "you are not shown which",
        "1 key stops working",
        &key[..8],
    ] {
        assert!(falls.contains(shown), "{shown}: {falls}");
    }
    assert!(!falls.contains("STRIPE_KEY"), "{falls}");
    assert_eq!(stage::pending(&ann).await, [] as [Value; 0]);
    // Nor by the page of a request that anybody can file.
    let removal = format!("/workspaces/{workspace}?confirm=true");
    let waits = stage.agent().delete(&removal).await.approval();
    let request = format!("/console/approvals/{waits}");
    let request = opened(&ann, &request, 200).await;
    assert!(request.contains("you are not shown which"), "{request}");
    assert!(request.contains(&key[..8]), "{request}");
    assert!(!request.contains("STRIPE_KEY"), "{request}");
}

#[tokio::test]
async fn a_key_that_falls_is_not_shown_to_a_person_who_may_not_list_keys() {
    let (stage, ann, _) = gated("verbs = [\"org_token_list\"]\napprovers = 1\n").await;
    let key = json!({ "name": "payroll", "role": "admin" });
    let minted = ann.post("/org/tokens", key).await.expect(200);
    let robot = stage.agent().bearer(minted.text("auth_token"));
    let below = json!({ "name": "below-payroll" });
    let waits = robot.post("/org/tokens", below.clone()).await.approval();
    stage::approve(&stage.person("bob").await, &waits).await;
    robot.post("/org/tokens", below).await.expect(200);

    let revocation = format!("/org/tokens/{}?descendants=true", minted.text("id"));
    let waits = stage.agent().delete(&revocation).await.approval();
    let request = opened(&ann, &format!("/console/approvals/{waits}"), 200).await;
    let hidden = "You are not shown the key and what it minted";
    assert!(request.contains(hidden), "{request}");
    assert!(!request.contains("below-payroll"), "{request}");
}
