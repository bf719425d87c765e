//! What was decided about something: from the page of that to the list.

use countersign_tests::{Caller, Host};
use serde_json::json;

use crate::stage;

/// The decisions to which the page at `path` leads by its link about `what`: how many, and the list.
async fn led_to(person: &Caller, path: &str, what: &str) -> (usize, String) {
    let page = person.get(path).await.expect(200).page();
    let link = format!("/console/decisions?about={}", what.replace('/', "%2F"));
    assert!(page.contains(&format!("href=\"{link}\"")), "{path}: {page}");
    listed(person, &link).await
}

/// How many decisions the list holds, and the list.
async fn listed(person: &Caller, list: &str) -> (usize, String) {
    let page = person.get(list).await.expect(200).page();
    (page.matches("role=\"rowheader\"").count(), page)
}

#[tokio::test]
async fn each_thing_leads_to_what_was_decided_about_it() {
    let host = Host::start(stage::ADMIN_TOKEN).await;
    let (person, agent) = (host.operator().await, host.agent(stage::ADMIN_TOKEN));
    let home = stage::workspace(&person, "home", None).await;
    let other = stage::workspace(&person, "other", None).await;
    let secrets = format!("/workspaces/{home}/secrets");
    let body = json!({ "key": "API_KEY", "value": "plain-value" });
    let approval = agent.post(&secrets, body.clone()).await.approval();
    stage::approve(&person, &approval).await;
    agent.post(&secrets, body).await.expect(200);
    let key = json!({ "name": "ci" });
    let key = person.post("/org/tokens", key).await.expect(200);
    let id = key.text("id");
    agent.delete(&format!("/org/tokens/{id}")).await.approval();

    let (of_home, of_key) = (
        format!("/console/workspaces/{home}"),
        format!("/console/keys/{id}"),
    );
    // Each was asked for, and two of them were done.
    for (path, what, many, shown) in [
        (
            &*format!("/console/approvals/{approval}"),
            &*approval,
            2,
            "done, as people approved <",
        ),
        (&of_home, &home, 2, ">Write a secret</a>"),
        (
            &of_home,
            &format!("{home}/API_KEY"),
            2,
            ">Write a secret</a>",
        ),
        (&of_key, id, 1, ">Revoke an organisation key</a>"),
    ] {
        let (rows, page) = led_to(&person, path, what).await;
        assert_eq!(rows, many, "{what}: {page}");
        assert!(page.contains(shown), "{what}: {page}");
    }
    let (rows, page) = led_to(&person, &format!("/console/workspaces/{other}"), &other).await;
    assert_eq!(rows, 0, "{page}");
    assert!(page.contains("No decision is like that"), "{page}");

    // What the core refuses before any policy is asked is about something as well.
    let bound = json!({ "name": "bound", "workspace_id": home });
    let bound = host.agent(&stage::minted(&person, bound).await);
    let theirs = format!("/workspaces/{other}/secrets");
    bound.get(&theirs).await.refused(403, "denied_by_policy");
    let (rows, page) = listed(&person, &format!("/console/decisions?about={other}")).await;
    assert_eq!(rows, 1, "{page}");
    assert!(page.contains("<bdi>bound-to-a-workspace</bdi>"), "{page}");

    for (outcome, many) in [("granted", 1), ("pending", 1), ("refused", 0)] {
        let narrowed = format!("/console/decisions?about={home}&outcome={outcome}");
        let (rows, page) = listed(&person, &narrowed).await;
        assert_eq!(rows, many, "{outcome}: {page}");
    }

    // What was made anew is told by the name that it got, as the words of whoever asked.
    for (verb, name) in [
        ("org_token_mint", "ci"),
        ("org_token_mint", "bound"),
        ("workspace_create", "home"),
    ] {
        let (_, page) = listed(&person, &format!("/console/decisions?verb={verb}")).await;
        let shown = format!("<code><bdi>{name}</bdi></code> <span class=\"claim\">");
        assert!(page.contains(&shown), "{shown}: {page}");
    }
}
