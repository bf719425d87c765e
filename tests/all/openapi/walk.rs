//! A walk over the routes, by a person, agents and the install path, with what each is refused.

mod approvals;
mod policies;

use countersign_tests::{Caller, Host, Mode, Reply};
use serde_json::{Value, json};

use super::document::Witness;
use super::{NOBODYS_ID, text};
use crate::stage::Stage;

const PROVISION_TOKEN: &str = "the-provision-token-of-the-install-path";

/// Who walks, and where.
pub struct Walk {
    pub witness: Witness,
    stage: Stage,
    person: Caller,
    agent: Caller,
    /// Under which the agent's requests are filed.
    anchor: String,
}

impl Walk {
    pub async fn begin() -> Self {
        let builder = Host::builder()
            .provision_token(PROVISION_TOKEN)
            .env("COUNTERSIGN_OPERATORS", "control-plane:ann")
            .env("RATE_LIMIT", "100000");
        let stage = Stage::set_for(builder).await;
        let (person, agent) = (stage.person("ann").await, stage.agent());
        let listed = person.get("/workspaces").await.expect(200);
        let anchor = text(&listed.items()[0], "id").to_owned();
        Self {
            witness: Witness::of(&stage.host).await,
            stage,
            person,
            agent,
            anchor,
        }
    }

    pub fn person(&self) -> &Caller {
        &self.person
    }

    async fn get(&self, path: &str) -> Reply {
        self.witness.get(&self.person, path).await
    }

    async fn delete(&self, path: &str) -> Reply {
        self.witness.delete(&self.person, path).await
    }

    async fn post(&self, path: &str, body: Value) -> Reply {
        self.witness.post(&self.person, path, &body).await
    }

    async fn asks(&self, path: &str, body: Value) -> Reply {
        self.witness.post(&self.agent, path, &body).await
    }

    async fn decides(&self, approval: &str, decision: &str) -> Reply {
        let path = format!("/approvals/{approval}/decide");
        self.post(
            &path,
            json!({ "decision": decision, "reason": "as agreed" }),
        )
        .await
    }

    async fn created(&self, name: &str, parent: Option<&str>) -> String {
        let body = json!({ "name": name, "parent_id": parent });
        let reply = self.post("/workspaces", body).await.expect(201);
        reply.text("id").to_owned()
    }

    pub async fn tokens(&self) {
        let home = self.created("home", None).await;
        let all = "/org/tokens";
        self.witness
            .ask(&self.person, "POST", all, None)
            .await
            .expect(200);
        let full = json!({ "name": "full", "role": "reader", "workspace_id": home, "expires_at": "2100-01-01T00:00:00Z" });
        self.post(all, full).await.expect(200);
        self.post(all, json!({ "role": "king" })).await.expect(400);
        let parent = self
            .post(all, json!({ "name": "parent" }))
            .await
            .expect(200);
        let bearer = self.stage.host.agent(parent.text("auth_token"));
        let waits = self
            .witness
            .post(&bearer, all, &json!({ "name": "child" }))
            .await
            .approval();
        self.decides(&waits, "approved").await.expect(200);
        self.witness
            .post(&bearer, all, &json!({ "name": "child" }))
            .await
            .expect(200);
        self.witness
            .post(&bearer, all, &json!({ "name": "other" }))
            .await
            .approval();
        self.get(all).await.expect(200);
        let one = format!("/org/tokens/{}", parent.text("id"));
        self.get(&format!("{one}/usage?hours=3")).await.expect(200);
        self.get(&format!("{one}/usage?hours=0")).await.expect(400);
        self.get(&format!("/org/tokens/{NOBODYS_ID}/usage"))
            .await
            .expect(404);
        self.witness.delete(&self.agent, &one).await.expect(202);
        self.delete(&format!("{one}?descendants=maybe"))
            .await
            .expect(400);
        self.delete(&format!("{one}?drain_seconds=60&descendants=true"))
            .await
            .expect(200);
        self.get(all).await.expect(200);
        self.witness.get(&bearer, "/workspaces").await.expect(200);
        let other = self.post(all, json!({})).await.expect(200);
        let one = format!("/org/tokens/{}", other.text("id"));
        self.delete(&one).await.expect(200);
        self.delete(&one).await.expect(404);
        let gone = self.stage.host.agent(other.text("auth_token"));
        self.witness.get(&gone, all).await.expect(401);

        let tokens = format!("/workspaces/{home}/tokens");
        let token = self.post(&tokens, json!({})).await.expect(201);
        self.asks(&tokens, json!({})).await.expect(202);
        self.get(&tokens).await.expect(200);
        self.get(&format!("{tokens}?limit=1&offset=0"))
            .await
            .expect(200);
        self.get(&format!("{tokens}?limit=0")).await.expect(400);
        let one = format!("{tokens}/{}", token.text("id"));
        let own = self.stage.host.agent(token.text("auth_token"));
        self.witness.get(&own, &tokens).await.expect(200);
        self.witness.get(&own, "/org/tokens").await.expect(403);
        self.get(&format!("{one}/usage")).await.expect(200);
        self.delete(&one).await.expect(200);
        self.delete(&one).await.expect(404);
    }

    pub async fn workspaces(&self) {
        let all = "/workspaces";
        self.get(all).await.expect(200);
        self.post(all, json!({ "name": " " })).await.expect(400);
        let (home, other) = (
            self.created("one", None).await,
            self.created("two", None).await,
        );
        self.created("below", Some(&home)).await;
        let one = format!("/workspaces/{home}");
        self.get(&one).await.expect(200);
        self.get(&format!("/workspaces/{NOBODYS_ID}"))
            .await
            .expect(404);
        let patch = async |caller: &Caller, body: Value| {
            self.witness.ask(caller, "PATCH", &one, Some(&body)).await
        };
        patch(&self.person, json!({ "name": "renamed" }))
            .await
            .expect(200);
        patch(&self.person, json!({ "name": 1 })).await.expect(400);
        patch(&self.agent, json!({ "parent_id": other }))
            .await
            .expect(202);
        self.delete(&one)
            .await
            .refused(409, "confirmation_required");
        let id = self
            .witness
            .delete(&self.agent, &format!("{one}?confirm=true"))
            .await
            .approval();
        self.get(&format!("/approvals/{id}")).await.expect(200);
        self.decides(&id, "approved").await.expect(200);
        patch(&self.person, json!({ "name": "moved on" }))
            .await
            .expect(200);
        let again = self
            .witness
            .delete(&self.agent, &format!("{one}?confirm=true"))
            .await;
        again.refused(409, "approval_stale");
        self.delete(&format!("/workspaces/{}", self.anchor))
            .await
            .expect(403);
        self.delete(&format!("{one}?confirm=true"))
            .await
            .expect(200);
        self.delete(&format!("{one}?confirm=true"))
            .await
            .expect(404);
        let installer = self.stage.host.provisioner(PROVISION_TOKEN);
        let body = json!({ "name": "installed" });
        self.witness.post(&installer, all, &body).await.expect(201);
        self.witness.get(&installer, all).await.expect(403);
    }

    pub async fn secrets(&self) {
        let home = self.created("of secrets", None).await;
        let token = self
            .post(&format!("/workspaces/{home}/tokens"), json!({}))
            .await;
        let own = self.stage.host.agent(token.text("auth_token"));
        let of_home = format!("/workspaces/{home}/secrets");
        for all in ["/settings/secrets", "/admin/secrets", &of_home] {
            let body = json!({ "key": "values", "value": "v" });
            self.post(all, body.clone()).await.expect(200);
            self.witness
                .ask(&self.person, "PUT", all, Some(&body))
                .await
                .expect(200);
            self.post(all, json!({ "key": "no key", "value": "v" }))
                .await
                .expect(400);
            let key = all.replace(['/', '-'], "_").to_uppercase();
            let ask = json!({ "key": key, "value": "v" });
            self.asks(all, ask.clone()).await.expect(202);
            self.witness
                .ask(&self.agent, "PUT", all, Some(&ask))
                .await
                .expect(202);
            self.get(all).await.expect(200);
            if all == of_home {
                self.witness
                    .get(&own, &format!("{all}/values"))
                    .await
                    .expect(200);
                self.get(&format!("{all}/values")).await.expect(403);
                let values = format!("{all}/values");
                self.witness.delete(&self.agent, &values).await.expect(202);
            }
            self.delete(&format!("{all}/values")).await.expect(200);
            self.delete(&format!("{all}/values")).await.expect(404);
            let (one, kept) = (
                format!("{all}/KEPT"),
                json!({ "key": "KEPT", "value": "v" }),
            );
            self.post(all, kept).await.expect(200);
            self.witness.delete(&self.agent, &one).await.expect(202);
            self.delete(&one).await.expect(200);
            self.delete(&one).await.expect(404);
        }
    }

    pub async fn history(&self) {
        let decisions = self.get("/decisions?limit=200").await.expect(200);
        for decision in decisions.json["decisions"].as_array().expect("decisions") {
            self.get(&format!("/decisions/{}", text(decision, "id")))
                .await
                .expect(200);
        }
        self.get(&format!("/decisions/{NOBODYS_ID}"))
            .await
            .expect(404);
        self.get("/decisions?limit=no").await.expect(400);
        self.get("/audit?limit=200").await.expect(200);
        self.get("/audit?limit=1").await.expect(200);
        self.get("/audit?cursor=_").await.expect(400);
        self.get("/audit/verify").await.expect(200);
        let kept = self.get("/policies/freeze/versions").await.expect(200);
        let digest = text(&kept.json["versions"][0], "digest");
        let component = format!("/policies/freeze/versions/{digest}");
        self.get(&component).await.expect(200);
        self.get(&format!("/policies/nothing/versions/{digest}"))
            .await
            .expect(404);
        self.get("/policies/freeze/versions/no").await.expect(400);
        for path in ["/decisions", "/audit", "/audit/verify", &component] {
            self.witness
                .get(&self.agent, path)
                .await
                .refused(403, "denied_by_policy");
        }
        let one = format!("/decisions/{NOBODYS_ID}");
        self.witness.get(&self.agent, &one).await.expect(403);
    }

    pub async fn host(&self) {
        for path in ["/health", "/ready", "/metrics", "/openapi.json"] {
            self.witness
                .get(&self.stage.host.anonymous(), path)
                .await
                .expect(200);
        }
        self.get("/cp/nothing").await.expect(404);
        self.get("/cp/auth/tenant-member?slug=acme").await;
    }

    pub async fn limits(&self) {
        let long = json!({ "name": "x".repeat(400 * 1024) });
        for path in ["/org/tokens", "/settings/secrets", "/org/deprovision"] {
            self.post(path, long.clone()).await.expect(413);
        }
        let mut last = None;
        for n in 0..=20 {
            let body = json!({ "key": format!("KEY_{n}"), "value": "v" });
            last = Some(self.asks("/settings/secrets", body).await);
        }
        last.expect("an answer").refused(429, "too_many_pending");
    }

    pub async fn without_control_plane(&self) {
        let control_plane = &self.stage.control_plane;
        control_plane.behave(Mode::Failing).await;
        let decide = format!("/approvals/{NOBODYS_ID}/decide");
        let yes = json!({ "decision": "approved" });
        for (path, body) in [
            ("/policies/rollback", json!({ "generation": 1 })),
            (&decide, yes),
        ] {
            let reply = self.post(path, body).await;
            reply.refused(503, "control_plane_unavailable");
        }
        let token = format!("/org/tokens/{NOBODYS_ID}");
        self.delete(&token).await.expect(503);
        control_plane.behave(Mode::Normal).await;
    }

    pub async fn the_end(&self) {
        let path = "/org/deprovision";
        self.post(path, json!({ "confirm": "another" }))
            .await
            .expect(400);
        self.asks(path, json!({ "confirm": "acme" })).await;
        self.post(path, json!({ "confirm": "acme" }))
            .await
            .expect(200);
    }
}
