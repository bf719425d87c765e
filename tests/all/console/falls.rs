//! A request by which something falls: who is asked to agree reads what does, or that it has moved.

use countersign_tests::Caller;
use serde_json::{Value, json};

use super::revocation::Held;
use crate::stage::{self, Stage, approval, approve, workspace};

async fn page(person: &Caller, id: &str) -> String {
    let path = format!("/console/approvals/{id}");
    person.get(&path).await.expect(200).page()
}

/// Presses a button of the page of the request.
async fn press(person: &Caller, id: &str, decision: &str) -> (u16, String) {
    let asked = approval(person, id).await;
    let digest = asked["digest"].as_str().expect("a digest");
    let form = [("decision", decision), ("digest", digest)];
    let path = format!("/console/approvals/{id}");
    let reply = person.post_form(&path, &form).await;
    (reply.status, String::from_utf8(reply.body).expect("text"))
}

fn has(page: &str, all: &[&str]) {
    for shown in all {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

/// What a secret holds, and no page shows.
const VALUE: &str = "sk-live-not-to-be-seen";

/// None of it is on the page.
fn lacks(page: &str, all: &[&str]) {
    for hidden in all {
        assert!(!page.contains(hidden), "{hidden}: {page}");
    }
}

/// An agent's request to remove a workspace that has another one below it, with a key, an organisation key that
/// is bound to it, and a secret.
struct Removal {
    stage: Stage,
    person: Caller,
    root: String,
    child: String,
    key: String,
    bound: String,
    path: String,
    asked: String,
}

impl Removal {
    async fn asked() -> Self {
        let stage = Stage::set().await;
        let person = stage.person("ann").await;
        let root = workspace(&person, "payments", None).await;
        let child = workspace(&person, "p\u{430}yroll", Some(&root)).await;
        let key = stage::workspace_token(&person, &child).await;
        let bound = json!({ "name": "payslip-bot", "role": "editor", "workspace_id": child });
        let bound = stage::minted(&person, bound).await;
        let secret = json!({ "key": "STRIPE_KEY", "value": VALUE });
        let secrets = format!("/workspaces/{child}/secrets");
        person.post(&secrets, secret).await.expect(200);
        let path = format!("/workspaces/{root}?confirm=true");
        let asked = stage.agent().delete(&path).await.approval();
        Self {
            stage,
            person,
            root,
            child,
            key,
            bound,
            path,
            asked,
        }
    }

    /// The secret, and how the keys begin.
    fn names(&self) -> [&str; 4] {
        [
            "STRIPE_KEY",
            &self.key[..8],
            "payslip-bot",
            &self.bound[..8],
        ]
    }

    /// What is in no list.
    fn values(&self) -> [&str; 3] {
        [VALUE, &self.key, &self.bound]
    }
}

// Guard: `fall` in host/server/src/console/approvals.rs.
#[tokio::test]
async fn an_agents_removal_names_all_that_falls_on_the_page_of_its_request() {
    let removal = Removal::asked().await;
    let shown = page(&removal.person, &removal.asked).await;
    has(
        &shown,
        &[
            "1 workspace below it",
            "<bdi>p\u{430}yroll</bdi>",
            "mixes letters of Cyrillic and Latin",
            &format!("/console/workspaces/{}", removal.child),
            "1 key stops working",
            "1 secret is deleted",
        ],
    );
    has(&shown, &removal.names());
    lacks(&shown, &removal.values());
    // A program reads no more than its own routes tell it.
    let own = page(&removal.stage.agent(), &removal.asked).await;
    lacks(&own, &["yroll"]);
    lacks(&own, &removal.names());
    approve(&removal.person, &removal.asked).await;
    let agent = removal.stage.agent();
    agent.delete(&removal.path).await.expect(200);
    let done = page(&removal.person, &removal.asked).await;
    assert!(!done.contains("yroll"), "{done}");
}

// Guard: `Sight` in host/server/src/console/removal.rs.
#[tokio::test]
async fn the_page_of_a_removal_names_to_people_what_it_counts_for_programs() {
    let removal = Removal::asked().await;
    let path = format!("/console/workspaces/{}/remove", removal.root);
    let counts = ["1 key stops working", "1 secret is deleted"];
    let shown = removal.person.get(&path).await.expect(200).page();
    has(&shown, &counts);
    has(&shown, &removal.names());
    lacks(&shown, &removal.values());
    lacks(&shown, &["you are not shown which"]);
    let agents = removal.stage.agent().get(&path).await.expect(200).page();
    has(&agents, &counts);
    has(&agents, &["you are not shown which"]);
    lacks(&agents, &removal.names());
    lacks(&agents, &removal.values());
}

#[tokio::test]
async fn of_many_workspaces_that_fall_some_are_named_and_the_others_counted() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let root = workspace(&person, "payments", None).await;
    for number in 0..52 {
        workspace(&person, &format!("below-{number}."), Some(&root)).await;
    }
    let path = format!("/workspaces/{root}?confirm=true");
    let asked = stage.agent().delete(&path).await.approval();
    let shown = page(&person, &asked).await;
    has(
        &shown,
        &["52 workspaces below it", "below-49.", "and 2 more"],
    );
    assert!(!shown.contains("below-50."), "{shown}");
}

// Guards: the comparison in `read`, and `end_moved`, in host/store/src/portable/fall.rs.
#[tokio::test]
async fn a_set_that_moved_is_not_shown_and_cannot_be_agreed_to() {
    let removal = Removal::asked().await;
    let Removal { person, asked, .. } = &removal;
    workspace(person, "late", Some(&removal.child)).await;
    let shown = page(person, asked).await;
    has(
        &shown,
        &["What this is about has moved since it was asked for"],
    );
    assert!(
        !shown.contains("yroll") && !shown.contains("late<"),
        "{shown}"
    );
    assert_eq!(approval(person, asked).await["status"], "pending");

    let (status, told) = press(person, asked, "approved").await;
    assert_eq!(status, 409, "{told}");
    has(
        &told,
        &[
            "What this is about has moved since it was asked for",
            "was not recorded",
        ],
    );
    let ended = approval(person, asked).await;
    assert_eq!(ended["status"], "withdrawn", "{ended}");
    assert_eq!(ended["ended_by"], Value::Null, "{ended}");
    assert_eq!(ended["ended_because"], "the target has moved", "{ended}");
    assert_eq!(ended["votes"], json!([]), "{ended}");

    // Asked anew, it is for what falls by now.
    let agent = removal.stage.agent();
    let anew = agent.delete(&removal.path).await.approval();
    assert_ne!(anew, *asked);
    has(&page(person, &anew).await, &["<bdi>late</bdi>"]);
    workspace(person, "later", Some(&removal.child)).await;
    let refused = stage::decide(person, &anew, "approved").await;
    refused.refused(409, "approval_stale");
    // Who says no needs nothing to hold.
    let last = agent.delete(&removal.path).await.approval();
    workspace(person, "last", Some(&removal.child)).await;
    let denied = stage::decide(person, &last, "denied").await.expect(200);
    assert_eq!(denied.json["status"], "denied");
}

#[tokio::test]
async fn an_agents_revocation_names_the_key_and_what_falls_with_it() {
    let held = Held::by_robot().await;
    held.mints("early").await;
    let (agent, person) = (held.stage.agent(), &held.person);
    let alone = format!("/org/tokens/{}", held.id);
    let asked = agent.delete(&alone).await.approval();
    let link = format!("/console/keys/{}", held.id);
    let shown = page(person, &asked).await;
    has(
        &shown,
        &[
            &link,
            "<bdi>robot</bdi>",
            "by <bdi>ann</bdi>",
            "What it minted goes on working",
            "<bdi>early</bdi>",
        ],
    );
    let path = format!("{alone}?descendants=true");
    let asked = agent.delete(&path).await.approval();
    let shown = page(person, &asked).await;
    has(
        &shown,
        &["falls with it", "<bdi>robot</bdi>", "<bdi>early</bdi>"],
    );
    held.mints("late").await;
    let shown = page(person, &asked).await;
    has(&shown, &["What this is about has moved", &link]);
    assert!(!shown.contains("early"), "{shown}");
    let refused = stage::decide(person, &asked, "approved").await;
    refused.refused(409, "approval_stale");
}

#[tokio::test]
async fn who_is_asked_for_everything_reads_how_much_that_is() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    workspace(&person, "payments", None).await;
    stage::minted(&person, json!({ "name": "robot" })).await;
    let agent = stage.agent();
    let asked = crate::deprovision::deprovision(&agent, "acme")
        .await
        .approval();
    let shown = page(&person, &asked).await;
    has(
        &shown,
        &["2 stand", "1 key stops working", "0 secrets are deleted"],
    );
    workspace(&person, "late", None).await;
    has(
        &page(&person, &asked).await,
        &["What this is about has moved"],
    );
    let refused = stage::decide(&person, &asked, "approved").await;
    refused.refused(409, "approval_stale");
}
