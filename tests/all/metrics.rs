//! What the host counts, as Prometheus reads it.

use std::collections::BTreeMap;

use countersign_tests::{ControlPlane, Host};
use reqwest::Method;
use serde_json::json;

use crate::stage::{ADMIN_TOKEN, Stage};

/// The samples of `GET /metrics`, by name and labels.
pub async fn samples(host: &Host) -> BTreeMap<String, f64> {
    let reply = host.anonymous().get("/metrics").await.expect(200);
    let kind = reply.header("content-type").expect("a type");
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let page = reply.page();
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    samples
        .map(|line| {
            let (name, value) = line.rsplit_once(' ').expect("a name and a value");
            (name.to_owned(), value.parse().expect("a number"))
        })
        .collect()
}

#[tokio::test]
async fn what_is_done_is_counted_by_route_and_by_verb() {
    let stage = Stage::set().await;
    let agent = stage.agent();
    agent.post("/org/tokens", json!({})).await.expect(202);
    agent.post("/org/tokens", json!({})).await.expect(202);
    agent
        .get("/decisions")
        .await
        .refused(403, "denied_by_policy");
    agent.get("/org/tokens").await.expect(200);
    let samples = samples(&stage.host).await;
    for (sample, expected) in [
        (
            r#"countersign_requests_total{method="POST",route="/org/tokens",status="202"}"#,
            2.0,
        ),
        (
            r#"countersign_request_seconds_count{route="/org/tokens"}"#,
            3.0,
        ),
        (
            r#"countersign_decisions_total{verb="org_token_mint",outcome="pending"}"#,
            2.0,
        ),
        (
            r#"countersign_decisions_total{verb="decision_read",outcome="refused"}"#,
            1.0,
        ),
        (
            r#"countersign_decisions_total{verb="org_token_list",outcome="done"}"#,
            1.0,
        ),
        ("countersign_policy_generation", 1.0),
        ("countersign_policies_behind", 0.0),
    ] {
        assert_eq!(
            samples.get(sample),
            Some(&expected),
            "{sample}: {samples:#?}"
        );
    }
}

#[tokio::test]
async fn a_caller_makes_no_label_of_its_own() {
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .control_plane(&ControlPlane::start())
        .start()
        .await;
    for n in 0..20 {
        let method = Method::from_bytes(format!("ODD{n}").as_bytes()).expect("a method");
        let path = format!("/no-such-route-{n}");
        host.anonymous().send(method, &path, None, Vec::new()).await;
        let path = format!("/approvals/marker-{n}");
        host.agent(ADMIN_TOKEN).get(&path).await;
    }
    let samples = samples(&host).await;
    let text = format!("{samples:?}");
    for trace in ["ODD", "no-such-route", "marker", ADMIN_TOKEN] {
        assert!(!text.contains(trace), "{text}");
    }
    let refused = r#"countersign_requests_total{method="other",route="none",status="404"}"#;
    assert_eq!(samples.get(refused), Some(&20.0), "{samples:#?}");
}
