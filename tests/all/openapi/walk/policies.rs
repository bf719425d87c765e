//! Policies, brought, made live, put in shadow and taken back.

use std::time::Duration;

use countersign_tests::{Caller, until};
use reqwest::Method;
use serde_json::{Value, json};

use super::super::document::Heard;
use crate::reload::shelf::Freeze;

impl super::Walk {
    pub async fn policies(&self) {
        let live = self.get("/policies").await.expect(200);
        let generation = live.json["generation"].clone();
        self.get("/policies/generations?limit=1").await.expect(200);
        let put = async |caller: &Caller, bytes: Vec<u8>| {
            let (path, kind) = ("/policies/freeze", Some("application/wasm"));
            let reply = caller.send(Method::PUT, path, kind, bytes).await;
            self.witness.hold("PUT", path, &Heard::from(&reply));
            reply
        };
        put(&self.person, Freeze::FIRST.component())
            .await
            .expect(201);
        put(&self.person, Vec::new()).await.expect(400);
        put(&self.person, b"no component".to_vec())
            .await
            .expect(400);
        put(&self.agent, Vec::new()).await.expect(403);
        self.get("/policies/freeze/versions").await.expect(200);
        self.get("/policies/nothing/versions").await.expect(404);
        let baseline = json!({ "name": "baseline", "digest": live.json["modules"][0]["digest"] });
        let set = json!({ "modules": [baseline, { "name": "freeze", "version": "1.0.0" }] });
        let activate = "/policies/generations";
        self.post(activate, set.clone()).await.expect(200);
        self.post(activate, set.clone()).await.expect(409);
        self.post(activate, json!({ "modules": [{ "name": "freeze" }] }))
            .await
            .expect(400);
        let unknown = json!({ "modules": [{ "name": "nothing", "version": "1.0.0" }] });
        self.post(activate, unknown).await.expect(404);
        self.asks(activate, set).await.expect(403);
        self.get("/policies").await.expect(200);
        self.get("/policies/freeze/versions").await.expect(200);
        self.modes().await;
        let rollback = "/policies/rollback";
        self.asks(rollback, json!({ "generation": generation }))
            .await
            .expect(403);
        self.post(rollback, json!({ "generation": generation }))
            .await
            .expect(200);
        self.post(rollback, json!({ "generation": 4711 }))
            .await
            .expect(404);
        self.post(rollback, json!({})).await.expect(400);
        self.get(activate).await.expect(200);
    }

    /// The person is the only operator, and accepts what they asked for.
    async fn accepts(&self, approval: &str) {
        let decide = format!("/approvals/{approval}/decide");
        self.post(&decide, json!({ "decision": "approved" }))
            .await
            .expect(200);
    }

    /// `freeze` is live.
    async fn modes(&self) {
        let put = async |caller: &Caller, mode: Value| {
            let path = "/policies/freeze/mode";
            let reply = caller.put(path, mode).await;
            self.witness.hold("PUT", path, &Heard::from(&reply));
            reply
        };
        let shadow = json!({ "mode": "shadow" });
        put(&self.agent, shadow.clone()).await.expect(403);
        put(&self.person, json!({ "mode": "asleep" }))
            .await
            .expect(400);
        put(
            &self.person,
            json!({ "mode": "shadow", "version": "9.9.9" }),
        )
        .await
        .expect(404);
        let waits = put(&self.person, shadow.clone()).await.expect(202);
        self.accepts(waits.text("approval_id")).await;
        let live = put(&self.person, shadow.clone()).await.expect(200);
        put(&self.person, shadow).await.expect(409);
        self.get("/policies").await.expect(200);
        let differences = format!(
            "/policies/generations/{}/differences",
            live.json["generation"]
        );
        self.agent.get("/org/tokens").await.expect(200);
        until(
            "a difference is kept",
            Duration::from_secs(60),
            async || {
                let found = self.get(&differences).await.expect(200);
                (found.json["differences"].as_array()?.len() == 1).then_some(())
            },
        )
        .await;
        self.get("/policies/generations").await.expect(200);
        self.get("/policies/generations/4711/differences")
            .await
            .expect(404);
        self.get("/policies/generations/none/differences")
            .await
            .expect(400);
        put(&self.person, json!({ "mode": "enforce" }))
            .await
            .expect(200);
        self.pins().await;
    }

    /// `freeze` decides.
    async fn pins(&self) {
        let path = "/policies/freeze/pin";
        let put = async |caller: &Caller, pin: Value| {
            let reply = caller.put(path, pin).await;
            self.witness.hold("PUT", path, &Heard::from(&reply));
            reply
        };
        let delete = async |caller: &Caller| {
            let reply = caller.delete(path).await;
            self.witness.hold("DELETE", path, &Heard::from(&reply));
            reply
        };
        put(&self.agent, json!({})).await.expect(403);
        put(&self.person, json!({ "version": 1 })).await.expect(400);
        put(&self.person, json!({ "version": "9.9.9" }))
            .await
            .expect(404);
        put(&self.person, json!({})).await.expect(200);
        put(&self.person, json!({})).await.expect(409);
        self.get("/policies").await.expect(200);
        self.get("/policies/generations").await.expect(200);
        delete(&self.agent).await.expect(403);
        delete(&self.person).await.expect(200);
        delete(&self.person).await.expect(409);
    }
}
