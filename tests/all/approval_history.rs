//! What was asked before, as people seek it, and what a long history costs.

use std::time::Instant;

use serde_json::json;

use crate::stage::{Stage, decide, in_time, rewrite};

const MANY: usize = 5_000;

#[tokio::test]
async fn the_history_is_narrowed_by_state_verb_requester_and_day_and_says_what_is_no_filter() {
    let stage = Stage::set().await;
    let (agent, ann) = (stage.agent(), stage.person("ann").await);
    let ask = async |name: &str| {
        let reply = agent.post("/org/tokens", json!({ "name": name })).await;
        reply.approval()
    };
    let denied = ask("denied-one").await;
    decide(&ann, &denied, "denied").await.expect(200);
    let body = json!({ "key": "API_KEY", "value": "v" });
    let secret = agent.post("/settings/secrets", body).await.approval();
    let at = async |query: &str| {
        let path = format!("/console/approvals/history{query}");
        ann.get(&path).await.expect(200).page()
    };
    let shows = |page: &str, id: &str| page.contains(&format!("/console/approvals/{id}\""));
    for (query, has_denied, has_secret) in [
        ("", true, true),
        ("?state=denied", true, false),
        ("?state=pending&verb=&who=&since=", false, true),
        ("?verb=secret_write", false, true),
        ("?who=ADMIN_TOKEN", true, true),
        ("?who=cso_nobody", false, false),
        ("?since=2020-01-01", true, true),
        ("?since=2999-01-01", false, false),
        ("?state=denied&verb=secret_write", false, false),
        ("?limit=1", false, true),
    ] {
        let page = at(query).await;
        assert_eq!(shows(&page, &denied), has_denied, "{query}: {page}");
        assert_eq!(shows(&page, &secret), has_secret, "{query}: {page}");
    }
    assert!(
        at("?who=cso_nobody")
            .await
            .contains("No request is like that")
    );
    let next = at(&format!("?limit=1&cursor={secret}")).await;
    assert!(shows(&next, &denied) && !shows(&next, &secret), "{next}");
    for (query, words) in [
        (
            "state=gone&who=typed",
            "id=\"state-wrong\">Choose one of the list",
        ),
        (
            "verb=nothing&who=typed",
            "id=\"verb-wrong\">Choose one of the list",
        ),
        (
            "since=yesterday&who=typed",
            "id=\"since-wrong\">This is no day",
        ),
        ("who=typed%07", "id=\"who-wrong\">"),
    ] {
        let path = format!("/console/approvals/history?{query}");
        let page = ann.get(&path).await.expect(400).page();
        for shown in [words, "value=\"typed", "Nothing was looked for"] {
            assert!(page.contains(shown), "{query}: {shown}: {page}");
        }
        assert!(!shows(&page, &denied), "{page}");
    }
    let lost = "/console/approvals/history?cursor=x";
    let page = ann.get(lost).await.expect(400).page();
    assert!(page.contains("cursor") && !page.contains("{\""), "{page}");
    // What a page holds is carried along by the link to the next one.
    let page = at("?limit=1&who=ADMIN_TOKEN").await;
    let older = format!("limit=1&#38;who=ADMIN_TOKEN&#38;cursor={secret}");
    assert!(page.contains(&older), "{page}");
    // A program sees its own; nobody, nothing.
    let robot = crate::stage::minted(&ann, json!({})).await;
    let robot = stage.host.agent(&robot);
    let page = robot.get("/console/approvals/history").await.expect(200);
    assert!(!shows(&page.page(), &denied));
    let anybody = stage.host.anonymous();
    anybody.get("/console/approvals/history").await.expect(401);
}

#[tokio::test]
async fn a_page_over_thousands_of_approvals_is_drawn_at_once() {
    let stage = Stage::set().await;
    let ann = stage.person("ann").await;
    let agent = stage.agent();
    let reply = agent.post("/org/tokens", json!({ "name": "one" })).await;
    let id = reply.approval();
    let fill = format!(
        "INSERT INTO approvals (id, workspace, requester_credential, requester_actor,
             requester_lineage, verb, resource_kind, resource_id, digest, payload, reason, terms,
             policy, decision, precondition, state, created_at, expires_at, decided_at)
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {MANY})
         SELECT substr(one.id, 1, 24) || substr('000000000000' || CAST(n AS TEXT),
                    length('000000000000' || CAST(n AS TEXT)) - 11),
                workspace, requester_credential, requester_actor, requester_lineage, verb,
                resource_kind, resource_id, 'd' || CAST(n AS TEXT), payload, reason, terms, policy,
                decision, precondition,
                CASE n % 4 WHEN 0 THEN 'denied' WHEN 1 THEN 'used' ELSE 'pending' END,
                created_at + n, expires_at, created_at
         FROM numbers, (SELECT * FROM approvals WHERE id = '{id}') AS one"
    );
    rewrite(stage.host.database(), &stage.host.data_dir(), &fill).await;
    let votes =
        "INSERT INTO votes (approval, voter_issuer, voter_user, voter_groups, choice, reason, at)
         SELECT id, 'control-plane', 'ann', '[]', 'denied', 'no', created_at FROM approvals
         WHERE state = 'denied'";
    rewrite(stage.host.database(), &stage.host.data_dir(), votes).await;

    for path in [
        "/console/approvals",
        "/console/approvals?limit=200",
        "/console/approvals/history",
        "/console/approvals/history?limit=200",
        "/console/approvals/history?state=denied&who=ADMIN_TOKEN&since=2020-01-01",
        "/console/approvals/history?verb=secret_write",
    ] {
        let mut took = Vec::new();
        for _ in 0..5 {
            let asked = Instant::now();
            let reply = ann.get(path).await.expect(200);
            took.push(asked.elapsed());
            assert!(reply.page().contains("</html>"));
        }
        println!("approvals: {path} over {MANY}: {}", in_time(path, took));
    }
    // Every second of them waits, and the one that they are made of; every part of the list counts them all.
    let many = MANY / 2 + 1;
    let told = [
        format!("<title>({many}) Approvals"),
        format!("<h1>{many} requests are waiting</h1>"),
    ];
    let mut path = "/console/approvals".to_owned();
    for _ in 0..2 {
        let page = ann.get(&path).await.expect(200).page();
        for told in &told {
            assert!(page.contains(told), "{path}: {told}: {page}");
        }
        assert_eq!(page.matches("<article>").count(), 50, "{path}");
        let next = page.split_once("href=\"/console/approvals?cursor=");
        let (_, next) = next.expect("a next part");
        let (next, _) = next.split_once('"').expect("it ends");
        path = format!("/console/approvals?cursor={next}");
    }
}
