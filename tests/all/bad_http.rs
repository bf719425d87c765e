//! Requests that are wrong as HTTP: too long, for another host, to nowhere, or hardly requests at all.

use countersign_tests::{Caller, Host};
use serde_json::{Value, json};

use crate::stage::{ADMIN_TOKEN, Stage, secrets};

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let stage = Stage::set().await;
    let person = stage.person("ann").await;
    let long = format!(
        r#"{{"key":"K","value":"v","x":"{}"}}"#,
        "x".repeat(320 * 1024)
    );
    for path in ["/settings/secrets", "/org/tokens"] {
        let reply = person.post_text(path, &long).await;
        reply.refused(413, "body_too_long");
    }
    // Without a credential not even that is looked at.
    let nobody = stage.host.anonymous().post_text("/org/tokens", &long).await;
    nobody.refused(401, "unauthenticated");
    assert!(secrets(&person).await.is_empty());
}

#[tokio::test]
async fn a_name_that_is_not_ours_is_not_served() {
    let host = Host::start(ADMIN_TOKEN).await;
    let agent = host.agent(ADMIN_TOKEN);
    let port = host.authority().rsplit(':').next().expect("a port");
    for name in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "127.0.0.1".to_owned(),
        "127.0.0.1:1".to_owned(),
        format!("{}.", host.authority()),
        String::new(),
    ] {
        let misdirected = agent.with("host", &name);
        for path in ["/org/tokens", "/health"] {
            misdirected.get(path).await.refused(421, "wrong_host");
        }
        misdirected.get("/console/sign-in").await.expect(421);
    }
    agent
        .with("host", format!("LOCALHOST:{port}"))
        .get("/org/tokens")
        .await
        .expect(200);

    let twice = format!(
        "GET /health HTTP/1.1\r\nHost: {0}\r\nHost: {0}\r\nConnection: close\r\n\r\n",
        host.authority()
    );
    assert!(
        host.raw(twice.as_bytes()).await.starts_with("HTTP/1.1 4"),
        "two names"
    );
    let none = b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n";
    assert!(host.raw(none).await.starts_with("HTTP/1.1 4"), "no name");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json_and_every_answer_is_guarded() {
    let stage = Stage::set().await;
    let nobody = stage.host.anonymous();
    let agent = stage.agent();
    let replies = [
        nobody.get("/nothing").await.refused(404, "not_found"),
        agent
            .get("/workspaces/x/y/z")
            .await
            .refused(404, "not_found"),
        agent
            .delete("/org/tokens")
            .await
            .refused(405, "method_not_allowed"),
        nobody
            .get("/org/tokens")
            .await
            .refused(401, "unauthenticated"),
        nobody.get("/health").await.expect(200),
    ];
    let mut ids: Vec<&str> = Vec::new();
    for reply in &replies {
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{reply}"
        );
        assert_eq!(
            reply.header("x-content-type-options"),
            Some("nosniff"),
            "{reply}"
        );
        assert_eq!(reply.header("x-frame-options"), Some("DENY"), "{reply}");
        let policy = reply.header("content-security-policy").expect("a policy");
        assert!(policy.contains("default-src 'none'"), "{reply}");
        ids.push(reply.header("x-request-id").expect("an id"));
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), replies.len());
}

#[tokio::test]
async fn what_is_hardly_http_is_answered_or_dropped_and_the_host_goes_on() {
    let stage = Stage::set().await;
    let host = &stage.host;
    let head = format!("Host: {}\r\nConnection: close\r\n", host.authority());
    let long = "x".repeat(1 << 20);
    for (bytes, answer) in [
        ("nonsense\r\n\r\n".to_owned(), "HTTP/1.1 400"),
        (format!("GET /health HTTP/9.9\r\n{head}\r\n"), ""),
        (
            format!("GET /{} HTTP/1.1\r\n{head}\r\n", &long[..60_000]),
            "HTTP/1.1 4",
        ),
        (
            format!("GET /health HTTP/1.1\r\n{head}X: {long}\r\n\r\n"),
            "",
        ),
        (
            format!("POST /org/tokens HTTP/1.1\r\n{head}Content-Length: -1\r\n\r\n"),
            "HTTP/1.1 400",
        ),
    ] {
        let what = bytes.chars().take(60).collect::<String>();
        let answered = host.raw(bytes.as_bytes()).await;
        assert!(answered.starts_with(answer), "{what}: {answered}");
        assert!(!answered.starts_with("HTTP/1.1 2"), "{what}: {answered}");
    }
    still_works(&stage.agent()).await;
    assert!(!host.said().contains("panicked"), "{}", host.said());
}

async fn still_works(agent: &Caller) {
    let reply = agent.get("/org/tokens").await.expect(200);
    assert_eq!(
        reply.json,
        json!({ "tokens": Value::Array(Vec::new()), "count": 0 })
    );
}
