//! The part of the walk that is about approvals.

use serde_json::json;

use super::super::NOBODYS_ID;
use super::super::document::Heard;
use super::Walk;

impl Walk {
    pub async fn approvals(&self) {
        let mint = |name: &str| json!({ "name": name, "role": "reader" });
        let all = "/org/tokens";
        let id = self.asks(all, mint("a")).await.approval();
        let one = format!("/approvals/{id}");
        self.get("/approvals/pending?limit=1").await.expect(200);
        self.get("/approvals/pending?limit=0").await.expect(400);
        self.witness
            .get(&self.agent, "/approvals/pending")
            .await
            .expect(200);
        self.get(&format!("/workspaces/{}/approvals", self.anchor))
            .await
            .expect(200);
        self.get(&format!("{one}?wait=56")).await.expect(400);
        self.get(&format!("/approvals/{NOBODYS_ID}"))
            .await
            .expect(404);
        let decide = format!("{one}/decide");
        let yes = json!({ "decision": "approved" });
        self.asks(&decide, yes.clone())
            .await
            .refused(403, "approver_must_be_human");
        self.post(&decide, json!({ "decision": "maybe" }))
            .await
            .expect(400);
        self.post(
            &decide,
            json!({ "decision": "approved", "digest": "another" }),
        )
        .await
        .expect(409);
        let own = self.post(&decide, yes.clone()).await.expect(200);
        assert_eq!(own.json["status"], "approved");
        self.post(&decide, yes.clone()).await.expect(404);
        self.get(&one).await.expect(200);
        self.asks(all, mint("a")).await.expect(200);
        let named = self.agent.with("approval-id", &id);
        let body = mint("b");
        self.witness.post(&named, all, &body).await.expect(403);

        let denied = self.asks(all, mint("denied")).await.approval();
        let path = format!("/workspaces/{}/approvals/{denied}/decide", self.anchor);
        self.post(&path, json!({ "decision": "denied", "reason": "not now" }))
            .await
            .expect(200);
        self.post(&path, yes).await.expect(404);
        self.asks(all, mint("denied"))
            .await
            .refused(403, "approval_denied");
        let cross = self.person.without("sec-fetch-site");
        self.witness
            .post(&cross, &path, &json!({ "decision": "denied" }))
            .await
            .expect(403);

        let home = self.created("of approvals", None).await;
        let waits = async |key: &str| {
            let path = format!("/workspaces/{home}/secrets");
            self.asks(&path, json!({ "key": key, "value": "v" }))
                .await
                .approval()
        };
        for under in [String::new(), format!("/workspaces/{}", self.anchor)] {
            let id = waits(if under.is_empty() { "A" } else { "B" }).await;
            let withdraw = format!("{under}/approvals/{id}/withdraw");
            self.post(&withdraw, json!({}))
                .await
                .refused(403, "not_the_requester");
            self.asks(&withdraw, json!({})).await.expect(200);
            self.asks(&withdraw, json!({})).await.expect(409);
            let nowhere = withdraw.replace(&id, NOBODYS_ID);
            self.asks(&nowhere, json!({})).await.expect(404);
        }
        let id = waits("C").await;
        let revoke = format!("/approvals/{id}/revoke");
        self.post(&revoke, json!({}))
            .await
            .refused(409, "not_approved");
        self.decides(&id, "approved").await.expect(200);
        self.asks(&revoke, json!({}))
            .await
            .refused(403, "approver_must_be_human");
        self.post(&revoke, json!({ "reason": "a mistake" }))
            .await
            .expect(200);
        self.get(&format!("/approvals/{id}")).await.expect(200);
        self.post(&format!("/approvals/{NOBODYS_ID}/revoke"), json!({}))
            .await
            .expect(404);
        self.events().await;
        let unheard = self.agent.with("last-event-id", "none");
        self.witness.get(&unheard, "/events").await.expect(400);
    }

    pub async fn ahead(&self) {
        let path = format!("/workspaces/{}/approvals", self.anchor);
        let secret = json!({ "key": "AHEAD", "value": "v", "scope": "global" });
        let body = json!({ "action": "secret_write", "context": secret, "reason": "soon", "task_id": "t-1" });
        let asked = self.asks(&path, body.clone()).await.expect(201);
        let id = asked.text("approval_id");
        self.get(&format!("/approvals/{id}")).await.expect(200);
        self.decides(id, "approved").await.expect(200);
        self.asks(&path, body).await.expect(200);
        self.asks(&path, json!({ "action": "dance" }))
            .await
            .expect(400);
        let allowed = json!({ "action": "workspace_create", "context": { "name": "w" } });
        self.asks(&path, allowed.clone())
            .await
            .refused(409, "approval_not_needed");
        let nowhere = path.replace(&self.anchor, NOBODYS_ID);
        let write = json!({ "action": "secret_write", "context": { "key": "N", "value": "v", "scope": "global" } });
        self.asks(&nowhere, write).await.expect(404);
    }

    async fn events(&self) {
        let mut stream = self.agent.stream("/events").await;
        let body = json!("what is told while it goes on");
        let heard = Heard {
            status: 200,
            headers: &stream.headers,
            body,
        };
        self.witness.hold("GET", "/events", &heard);
        let home = self.created("of events", None).await;
        let path = format!("/workspaces/{home}/secrets");
        let secret = json!({ "key": "HEARD_OF", "value": "v" });
        let id = self.asks(&path, secret).await.approval();
        let withdraw = format!("/approvals/{id}/withdraw");
        self.asks(&withdraw, json!({})).await.expect(200);
        for _ in 0..2 {
            let event = stream.next().await.expect("an event");
            self.witness.hold_event(&event.data);
        }
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(self.agent.stream("/events").await);
        }
        self.witness.get(&self.agent, "/events").await.expect(429);
    }
}
