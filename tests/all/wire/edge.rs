//! What surrounds the routes, and the end of an organisation.

use countersign_tests::{Host, Mode};
use serde_json::json;

use super::{NOBODYS_ID, Story, now, staged};
use crate::stage::{ADMIN_TOKEN, workspace};

const ORGANISATION: &str = "0197a3f2-6c00-7000-8000-00000000000a";

#[tokio::test]
async fn the_wire_of_the_edge_is_as_it_was() {
    let (stage, mut story) = staged("edge", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let nobody = stage.host.anonymous();
    story.shape("it lives", nobody.get("/health").await);
    story.shape("it can work", nobody.get("/ready").await);
    story.shape("no route", nobody.get("/nothing").await);
    story.shape("no such method", nobody.delete("/health").await);
    story.shape("no credential", nobody.get("/org/tokens").await);
    story.shape(
        "a wrong bearer",
        stage.host.agent("wrong").get("/org/tokens").await,
    );
    story.shape(
        "a wrong provisioner",
        stage.host.provisioner("wrong").get("/org/tokens").await,
    );
    let both = stage
        .host
        .provisioner(super::PROVISION_TOKEN)
        .bearer(ADMIN_TOKEN);
    story.shape("a provisioner with a bearer", both.get("/org/tokens").await);
    story.shape(
        "another Host",
        agent
            .with("host", "elsewhere.example")
            .get("/org/tokens")
            .await,
    );
    let cross = person.with("sec-fetch-site", "cross-site");
    story.shape(
        "a session from another site",
        cross.post("/org/tokens", json!({})).await,
    );
    let long = json!({ "name": "x".repeat(400 * 1024) });
    story.shape("too long a body", agent.post("/org/tokens", long).await);
    story.shape(
        "a query with the same name twice",
        agent.get("/audit?limit=1&limit=2").await,
    );
    story.shape(
        "an approval that is no id",
        agent
            .with("approval-id", "mine")
            .post("/org/tokens", json!({}))
            .await,
    );
    story.shape("denied by the core", agent.get("/audit").await);
    story.shape(
        "what is not passed on to the control plane",
        nobody.get("/cp/nothing").await,
    );
    stage.control_plane.behave(Mode::Failing).await;
    let decide = format!("/approvals/{NOBODYS_ID}/decide");
    let yes = json!({ "decision": "approved" });
    story.shape(
        "the control plane verifies nobody",
        person.post(&decide, yes).await,
    );
    story.end();
}

#[tokio::test]
async fn the_wire_of_a_tenant_and_its_end_is_as_it_was() {
    let from = now();
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("MOLECULE_ORG_ID", ORGANISATION)
        .env("CP_UPSTREAM_URL", "http://127.0.0.1:1")
        .start()
        .await;
    let mut story = Story::begin("tenant", from, &host);
    story.knows(ORGANISATION, "<organisation>");
    let agent = host.agent(ADMIN_TOKEN);
    story.shape("no tenant is named", agent.get("/org/tokens").await);
    let ours = agent.with("x-molecule-org-id", ORGANISATION);
    story.shape("ours is named", ours.get("/org/tokens").await);
    story.shape("health needs no name", agent.get("/health").await);
    story.shape("the control plane is gone", agent.get("/cp/orgs").await);
    story.end();

    let (stage, mut story) = staged("deprovision", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let home = workspace(&person, "home", None).await;
    let secret = json!({ "key": "K", "value": "v" });
    person
        .post(&format!("/workspaces/{home}/secrets"), secret)
        .await
        .expect(200);
    person.post("/org/tokens", json!({})).await.expect(200);
    let path = "/org/deprovision";
    story.shape(
        "another is named",
        person.post(path, json!({ "confirm": "another" })).await,
    );
    story.shape(
        "an agent asks",
        agent.post(path, json!({ "confirm": "acme" })).await,
    );
    story.shape(
        "what the agent asks",
        person.get("/approvals/pending").await,
    );
    story.shape(
        "ann does it",
        person.post(path, json!({ "confirm": "acme" })).await,
    );
    story.end();
}
