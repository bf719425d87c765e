//! The end of an organisation at this host: everything falls but the record.

use std::time::Duration;

use countersign_tests::{Caller, Host};
use serde_json::{Value, json};

use crate::crash::instant::Instants;
use crate::stage::{
    ADMIN_TOKEN, Stage, approval, approve, minted, pending, secrets, tokens, workspace,
    workspace_token, workspaces,
};

pub async fn deprovision(caller: &Caller, confirm: &str) -> countersign_tests::Reply {
    let body = json!({ "confirm": confirm });
    caller.post("/org/deprovision", body).await
}

async fn write(caller: &Caller, path: &str) {
    let body = json!({ "key": "KEY", "value": "v" });
    caller.post(path, body).await.expect(200);
}

#[tokio::test]
async fn an_agent_deprovisions_once_a_person_agreed_and_the_host_goes_on() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    let child = workspace(&person, "child", Some(&home)).await;
    let own = workspace_token(&person, &child).await;
    write(&person, "/settings/secrets").await;
    write(&person, &format!("/workspaces/{home}/secrets")).await;
    let agent = stage
        .host
        .agent(&minted(&person, json!({ "name": "agent" })).await);
    let waits = agent.post("/org/tokens", json!({})).await.approval();

    let asked = deprovision(&agent, "acme").await.approval();
    let row = approval(&person, &asked).await;
    assert_eq!(row["action"], "deprovision", "{row}");
    let page = person.get(&format!("/console/approvals/{asked}")).await;
    let page = page.expect(200).page();
    assert!(page.contains("Revoke and remove everything"), "{page}");
    assert!(page.contains("Every key stops working"), "{page}");
    approve(&person, &asked).await;
    // Another way to say which organisation is meant is the same request.
    let org = tokens(&person).await[0]["org_id"].clone();
    let org = org.as_str().expect("an id").to_uppercase();
    let done = deprovision(&agent, &org).await.expect(200);
    assert_eq!(
        done.json,
        json!({ "status": "deprovisioned", "workspaces": 2, "tokens": 2, "secrets": 2 })
    );

    for dead in [&agent, &stage.host.agent(&own)] {
        let reply = dead.get(&format!("/workspaces/{child}")).await;
        reply.refused(401, "unauthenticated");
    }
    assert!(tokens(&person).await.is_empty());
    assert!(workspaces(&person).await.is_empty());
    assert!(secrets(&person).await.is_empty());
    assert!(pending(&person).await.is_empty());
    assert_eq!(approval(&person, &waits).await["status"], "withdrawn");
    assert_eq!(approval(&person, &asked).await["status"], "used");
    let audit = person.get("/audit?limit=200").await.expect(200);
    assert!(audit.page().contains("\"deprovisioned\""), "{audit}");
    assert!(audit.page().contains("workspace_created"), "{audit}");
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], true, "{walked}");

    // A new beginning, also for whoever holds ADMIN_TOKEN, which is no token of this host's.
    let asked = stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();
    approve(&person, &asked).await;
    stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .expect(200);
    workspace(&person, "new", None).await;
}

#[tokio::test]
async fn nothing_falls_where_another_organisation_is_named_or_the_role_is_too_narrow() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let home = workspace(&person, "home", None).await;
    for wrong in [
        json!({ "confirm": "" }),
        json!({ "confirm": "ACME" }),
        json!({ "confirm": "acme " }),
        json!({ "confirm": "11111111-1111-4111-8111-111111111111" }),
        json!({ "confirm": true }),
        json!({}),
    ] {
        for caller in [&person, &stage.agent()] {
            let reply = caller.post("/org/deprovision", wrong.clone()).await;
            reply.blames("confirm");
        }
    }
    person
        .get("/org/deprovision")
        .await
        .refused(405, "method_not_allowed");
    let editor = minted(&person, json!({ "role": "editor" })).await;
    let bound = minted(&person, json!({ "workspace_id": home })).await;
    let own = workspace_token(&person, &home).await;
    for narrow in [editor, bound, own] {
        let reply = deprovision(&stage.host.agent(&narrow), "acme").await;
        let reply = reply.refused(403, "denied_by_policy");
        assert_eq!(reply.json["policy"], "core", "{reply}");
    }
    let cross_site = person.with("sec-fetch-site", "cross-site");
    deprovision(&cross_site, "acme")
        .await
        .refused(403, "cross_site");
    assert_eq!(workspaces(&person).await.len(), 1);
}

// Guard: `of_deprovision` in host/store/src/portable/facts.rs.
#[tokio::test]
async fn what_came_after_people_agreed_does_not_fall_with_the_rest() {
    let stage = Stage::set().await;
    let (person, agent) = (stage.person("ann").await, stage.agent());
    let asked = deprovision(&agent, "acme").await.approval();
    approve(&person, &asked).await;
    workspace(&person, "late", None).await;
    let stale = deprovision(&agent, "acme").await;
    stale.refused(409, "approval_stale");
    assert_eq!(workspaces(&person).await.len(), 1);
}

/// How many of all things are there: workspaces, tokens and secrets.
async fn standing(person: &Caller, homes: &[String]) -> [usize; 3] {
    let mut kept = secrets(person).await.len();
    for home in homes {
        let reply = person.get(&format!("/workspaces/{home}/secrets")).await;
        if reply.status == 200 {
            let own = |secret: &&Value| secret["scope"] == "workspace";
            kept += reply.items().iter().filter(own).count();
        }
    }
    [
        workspaces(person).await.len(),
        tokens(person).await.len(),
        kept,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_falls_or_nothing_when_the_host_is_killed() {
    const KILLS: usize = 4;
    const HOMES: usize = 12;
    let mut instants = Instants::seeded();
    let mut host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("LIVE_TOKEN_LIMIT", "0")
        .start()
        .await;
    let session = host.operator_session().await;
    let org = {
        let person = host.signed_in(&session);
        minted(&person, json!({})).await;
        tokens(&person).await[0]["org_id"].clone()
    };
    let org = org.as_str().expect("an id").to_owned();
    for kill in 0..KILLS {
        let person = host.signed_in(&session);
        let mut homes = Vec::new();
        for n in 0..HOMES {
            let home = workspace(&person, &format!("home-{kill}-{n}"), None).await;
            write(&person, &format!("/workspaces/{home}/secrets")).await;
            homes.push(home);
        }
        minted(&person, json!({ "name": "ci" })).await;
        let before = standing(&person, &homes).await;
        let asked = {
            let (person, body) = (person.clone(), json!({ "confirm": org }));
            tokio::task::JoinSet::from_iter([async move {
                person.try_post("/org/deprovision", body).await
            }])
        };
        // Not a wait for something: the instant itself is what is chosen.
        tokio::time::sleep(instants.next().min(Duration::from_millis(200))).await;
        let stopped = host.crash();
        let answers = asked.join_all().await;
        let acknowledged = answers
            .into_iter()
            .flatten()
            .any(|reply| reply.status == 200);
        instants.learn(acknowledged);
        host = stopped.start().await;
        let person = host.signed_in(&session);
        let after = standing(&person, &homes).await;
        let is_whole = after == [0; 3] || (after == before && !acknowledged);
        assert!(
            is_whole,
            "{before:?} became {after:?}, acknowledged: {acknowledged}"
        );
        let walked = person.get("/audit/verify").await.expect(200);
        assert_eq!(walked.json["whole"], true, "{walked}");
    }
}
