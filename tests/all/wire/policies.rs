//! Policies, and what they decided.

use std::time::Duration;

use countersign_tests::{Caller, Host, until};
use reqwest::Method;
use serde_json::json;

use super::volatile::sha256;
use super::{NOBODYS_ID, staged};
use crate::reload::shelf::Freeze;

const BASELINE: &[u8] = include_bytes!("../../../policies/baseline/baseline.wasm");

/// Waits until so many generations were made, and the last of them decides.
async fn is_live(person: &Caller, generation: u64) {
    until("it is live", Duration::from_secs(60), async || {
        let live = person.get("/policies").await;
        (live.json["generation"] == generation).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_wire_of_policies_is_as_it_was() {
    let (stage, mut story) = staged("policies", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let freeze = Freeze::FIRST.component();
    story.knows(&sha256(BASELINE), "<sha256 of baseline>");
    story.knows(&sha256(&freeze), "<sha256 of freeze>");
    let put = async |who: &Caller, name: &str, bytes: &[u8]| {
        let path = format!("/policies/{name}");
        who.send(Method::PUT, &path, Some("application/wasm"), bytes.to_vec())
            .await
    };
    let live = story.shape("what is live", person.get("/policies").await);
    story.shape("ann pushes", put(&person, "freeze", &freeze).await);
    story.shape(
        "ann pushes it as another",
        put(&person, "thaw", &freeze).await,
    );
    story.shape("ann pushes nothing", put(&person, "freeze", b"").await);
    story.shape(
        "ann pushes what is no component",
        put(&person, "freeze", b"no").await,
    );
    story.shape("an agent pushes", put(&agent, "freeze", &freeze).await);
    story.shape("versions", person.get("/policies/freeze/versions").await);
    story.shape(
        "no versions",
        person.get("/policies/nothing/versions").await,
    );
    let activate = "/policies/generations";
    let baseline = json!({ "name": "baseline", "digest": live.json["modules"][0]["digest"] });
    let set = json!({ "modules": [baseline, { "name": "freeze", "version": "1.0.0" }] });
    story.shape(
        "ann makes it live",
        person.post(activate, set.clone()).await,
    );
    is_live(&person, 2).await;
    story.shape("ann makes the same live", person.post(activate, set).await);
    let nothing = json!({ "modules": [{ "name": "nothing", "version": "1.0.0" }] });
    story.shape(
        "ann makes live what is not kept",
        person.post(activate, nothing).await,
    );
    story.shape(
        "neither version nor digest",
        person
            .post(activate, json!({ "modules": [{ "name": "freeze" }] }))
            .await,
    );
    story.shape(
        "an agent is frozen",
        agent.post("/org/tokens", json!({})).await,
    );
    let back = "/policies/rollback";
    story.shape(
        "an agent goes back",
        agent.post(back, json!({ "generation": 1 })).await,
    );
    story.shape(
        "ann goes back",
        person.post(back, json!({ "generation": 1 })).await,
    );
    is_live(&person, 3).await;
    story.shape(
        "ann goes back to what never was",
        person.post(back, json!({ "generation": 4711 })).await,
    );
    let mode = "/policies/freeze/mode";
    let shadow = json!({ "mode": "shadow", "version": "1.0.0" });
    story.shape(
        "an agent puts it in shadow",
        agent.put(mode, shadow.clone()).await,
    );
    story.shape(
        "no mode",
        person.put(mode, json!({ "mode": "asleep" })).await,
    );
    story.shape(
        "ann puts it in shadow",
        person.put(mode, shadow.clone()).await,
    );
    is_live(&person, 4).await;
    story.shape("ann puts it there again", person.put(mode, shadow).await);
    story.shape(
        "an agent is not frozen",
        agent.post("/org/tokens", json!({})).await,
    );
    let differences = "/policies/generations/4/differences";
    until("it is asked about", Duration::from_secs(60), async || {
        let live = person.get("/policies").await;
        (live.json["shadow"]["asked"] == 1).then_some(())
    })
    .await;
    story.shape("what is in shadow", person.get("/policies").await);
    story.shape("what it would have changed", person.get(differences).await);
    story.shape("an agent reads that", agent.get(differences).await);
    let none = "/policies/generations/4711/differences";
    story.shape("of no generation", person.get(none).await);
    person
        .post(back, json!({ "generation": 1 }))
        .await
        .expect(200);
    is_live(&person, 5).await;
    let pin = "/policies/baseline/pin";
    story.shape("an agent pins", agent.put(pin, json!({})).await);
    story.shape("ann pins", person.put(pin, json!({})).await);
    is_live(&person, 6).await;
    story.shape("ann pins it again", person.put(pin, json!({})).await);
    story.shape("what is pinned", person.get("/policies").await);
    let asleep = json!({ "mode": "shadow" });
    let moved = person.put("/policies/baseline/mode", asleep).await;
    story.shape("ann puts it in shadow all the same", moved);
    story.shape("generations", person.get(activate).await);
    story.shape("ann lets go", person.delete(pin).await);
    is_live(&person, 7).await;
    story.shape("ann lets go again", person.delete(pin).await);
    story.shape(
        "the last of them",
        person.get(&format!("{activate}?limit=1")).await,
    );
    story.end();
}

#[tokio::test]
async fn the_wire_of_the_record_is_as_it_was() {
    let (stage, mut story) = staged("record", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    story.knows(&sha256(BASELINE), "<sha256 of baseline>");
    let waits = agent.post("/org/tokens", json!({ "name": "ci" })).await;
    let waits = story.shape("an agent wants a token", waits);
    story.shape("the decisions", person.get("/decisions?limit=2").await);
    let decision = waits.header("x-decision-id").expect("an id").to_owned();
    story.shape(
        "the decision",
        person.get(&format!("/decisions/{decision}")).await,
    );
    story.shape(
        "no decision",
        person.get(&format!("/decisions/{NOBODYS_ID}")).await,
    );
    story.shape("the audit", person.get("/audit").await);
    story.shape("a part of it", person.get("/audit?limit=1").await);
    story.shape("no part of it", person.get("/audit?cursor=_").await);
    let walked = person.get("/audit/verify").await;
    let (key, head) = (
        walked.text("public_key").to_owned(),
        walked.json["head"].clone(),
    );
    let genuine: countersign_core::audit::SignedHead =
        serde_json::from_value(head.clone()).expect("a head");
    assert!(genuine.is_genuine(), "{walked}");
    story.knows(&key, "<public key>");
    story.knows(
        head["signature"].as_str().expect("a signature"),
        "<its signature>",
    );
    story.shape("the audit is whole", walked);
    story.shape("an agent reads the audit", agent.get("/audit").await);
    story.shape("an agent reads decisions", agent.get("/decisions").await);
    story.end();
}
