//! What is seldom seen: ends that time brings, people who need people, a host that is not whole.

use countersign_tests::guest::Guest;
use countersign_tests::{FakeClock, Host};
use serde_json::json;

use super::staged;
use crate::stage::{Stage, approve, decide, workspace, workspace_token};
use crate::workspace_secrets::tamper;

/// A policy that gates everybody until one person agrees. (The offsets are those of the quorum and of the two
/// lives in a verdict.)
fn everybody_needs_a_person() -> Vec<u8> {
    Guest {
        rule: "everybody",
        decide: "(i32.store (i32.load offset=28 (global.get $gate)) (i32.const 1))
                 (i32.store offset=40 (global.get $gate) (i32.const 3600))
                 (i32.store offset=48 (global.get $gate) (i32.const 900))
                 (global.get $gate)",
        ..Guest::default()
    }
    .component()
}

#[tokio::test]
async fn the_wire_of_people_who_need_people_is_as_it_was() {
    let builder = Host::builder().policy("baseline.wasm", everybody_needs_a_person());
    let (stage, mut story) = staged("people", builder).await;
    let (ann, bob) = (stage.person("ann").await, stage.person("bob").await);
    let wants = json!({ "name": "mine" });
    let waits = story.shape("ann mints", ann.post("/org/tokens", wants.clone()).await);
    let id = waits.text("approval_id").to_owned();
    let own = decide(&ann, &id, "approved").await;
    story.shape("ann approves what ann asked for", own);
    story.shape("bob approves", decide(&bob, &id, "approved").await);
    let seen = bob.get(&format!("/approvals/{id}")).await;
    story.shape("what bob approved", seen);
    story.shape("ann mints again", ann.post("/org/tokens", wants).await);
    story.end();
}

#[tokio::test]
async fn the_wire_of_what_time_ends_is_as_it_was() {
    let clock = FakeClock::default();
    let (stage, mut story) = staged("lives", Host::builder().clock(&clock)).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let secret = json!({ "key": "GRANTED", "value": "a value" });
    let pending = agent.post("/org/tokens", json!({})).await.approval();
    let granted = agent.post("/settings/secrets", secret.clone()).await;
    let granted = granted.approval();
    approve(&person, &granted).await;
    clock.set(3_700);
    story.goes_ahead(3_701);
    for (id, path, body, name) in [
        (&pending, "/org/tokens", json!({}), "nobody decided in time"),
        (&granted, "/settings/secrets", secret, "nobody used in time"),
    ] {
        let seen = person.get(&format!("/approvals/{id}")).await;
        story.shape(&format!("what {name}"), seen);
        let late = agent.with("approval-id", id).post(path, body).await;
        story.shape(&format!("the agent does what {name}"), late);
    }
    let late = decide(&person, &pending, "approved").await;
    story.shape("ann approves too late", late);
    let late = json!({ "reason": "too late" });
    let late = person
        .post(&format!("/approvals/{granted}/revoke"), late)
        .await;
    story.shape("ann takes back too late", late);
    story.end();
}

#[tokio::test]
async fn the_wire_of_a_host_that_is_not_whole_is_as_it_was() {
    let (stage, mut story) = staged("not_whole", Host::builder()).await;
    let person = stage.person("ann").await;
    let (home, gone) = (
        workspace(&person, "home", None).await,
        workspace(&person, "gone", None).await,
    );
    person
        .delete(&format!("/workspaces/{gone}"))
        .await
        .expect(200);
    let secrets = format!("/workspaces/{home}/secrets");
    for key in ["A", "B"] {
        let secret = json!({ "key": key, "value": "a value" });
        person.post(&secrets, secret).await.expect(200);
    }
    let token = workspace_token(&person, &home).await;
    let builder = stage.host.stop().await;
    // A row that was copied over another one, as a database's owner could.
    let sql =
        "UPDATE secrets SET sealed = (SELECT sealed FROM secrets WHERE key = 'A') WHERE key = 'B'";
    tamper(&builder, sql).await;
    let builder = builder.env("MOLECULE_PLATFORM_WORKSPACE_ID", gone);
    let stage = Stage {
        control_plane: stage.control_plane,
        host: builder.start().await,
    };
    story.goes_on_at(&stage.host);
    let own = stage.host.agent(&token);
    let values = own.get(&format!("{secrets}/values")).await;
    story.shape("a value that does not open", values);
    let lost = stage.agent().post("/org/tokens", json!({})).await;
    story.shape("an anchor that is gone", lost);
    story.end();
}
