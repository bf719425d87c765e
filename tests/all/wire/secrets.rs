//! Secrets, of the organisation and of a workspace.

use countersign_tests::Host;
use serde_json::json;

use super::staged;
use crate::stage::workspace;
use crate::stage::workspace_token;

#[tokio::test]
async fn the_wire_of_secrets_is_as_it_was() {
    let (stage, mut story) = staged("secrets", Host::builder()).await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let home = workspace(&person, "home", None).await;
    let of_home = format!("/workspaces/{home}/secrets");
    let token = workspace_token(&person, &home).await;
    let own = stage.host.agent(&token);
    let secret = |key: &str| json!({ "key": key, "value": "a value" });
    for (all, whose) in [
        (of_home.as_str(), "the workspace's"),
        ("/settings/secrets", "the organisation's"),
        ("/admin/secrets", "the organisation's, as administrators do"),
    ] {
        let name = |what: &str| format!("{whose}: {what}");
        story.shape(
            &name("ann writes one"),
            person.post(all, secret("ONE")).await,
        );
        story.shape(
            &name("ann puts another"),
            person.put(all, secret("TWO")).await,
        );
        story.shape(
            &name("an agent writes"),
            agent.post(all, secret("THREE")).await,
        );
        story.shape(&name("a list"), person.get(all).await);
        story.shape(
            &name("an agent deletes"),
            agent.delete(&format!("{all}/ONE")).await,
        );
        story.shape(
            &name("ann deletes"),
            person.delete(&format!("{all}/TWO")).await,
        );
        story.shape(
            &name("ann deletes a second time"),
            person.delete(&format!("{all}/TWO")).await,
        );
        story.shape(&name("no key"), person.post(all, secret("no key")).await);
    }
    person
        .post("/settings/secrets", secret("GLOBAL"))
        .await
        .expect(200);
    story.shape("the merged list", own.get(&of_home).await);
    story.shape(
        "its own values",
        own.get(&format!("{of_home}/values")).await,
    );
    story.shape(
        "ann reads the values",
        person.get(&format!("{of_home}/values")).await,
    );
    let own_write = own.post(&of_home, secret("OWN")).await;
    story.shape("the workspace writes for itself", own_write);
    let long = json!({ "key": "LONG", "value": "x".repeat(256 * 1024 + 1) });
    story.shape("too long a value", person.post(&of_home, long).await);
    story.end();
}
