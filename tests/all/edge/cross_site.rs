//! Whatever changes state on a session comes from the host's own pages, in the browser's own word for it.

use countersign_tests::{Caller, Host, Reply};
use reqwest::Method;

use crate::stage::{ADMIN_TOKEN, Stage};

const ID: &str = "0197a3f2-6c00-7000-8000-000000000001";

/// Every request that changes something on a session.
fn changes() -> Vec<(Method, String, bool)> {
    let (post, put, patch, delete) = (Method::POST, Method::PUT, Method::PATCH, Method::DELETE);
    let json = |method: &Method, path: String| (method.clone(), path, false);
    let form = |path: String| (post.clone(), path, true);
    vec![
        json(&post, "/org/tokens".to_owned()),
        json(&delete, format!("/org/tokens/{ID}")),
        json(&post, "/settings/secrets".to_owned()),
        json(&put, "/settings/secrets".to_owned()),
        json(&delete, "/settings/secrets/K".to_owned()),
        json(&post, "/admin/secrets".to_owned()),
        json(&delete, "/admin/secrets/K".to_owned()),
        json(&post, format!("/workspaces/{ID}/secrets")),
        json(&put, format!("/workspaces/{ID}/secrets")),
        json(&delete, format!("/workspaces/{ID}/secrets/K")),
        json(&post, "/workspaces".to_owned()),
        json(&patch, format!("/workspaces/{ID}")),
        json(&delete, format!("/workspaces/{ID}")),
        json(&post, format!("/workspaces/{ID}/tokens")),
        json(&delete, format!("/workspaces/{ID}/tokens/{ID}")),
        json(&post, format!("/approvals/{ID}/decide")),
        json(&post, format!("/workspaces/{ID}/approvals/{ID}/decide")),
        form(format!("/console/approvals/{ID}")),
        form(format!("/console/approvals/{ID}/revoke")),
        form(format!("/console/approvals/{ID}/withdraw")),
        form("/console/keys".to_owned()),
        form(format!("/console/keys/{ID}/revoke")),
        form("/console/sign-in".to_owned()),
        form("/console/sign-out".to_owned()),
    ]
}

/// What browsers say, and whether it means one of the host's own pages.
fn words(host: &Host) -> Vec<(Vec<(&'static str, String)>, bool)> {
    let site = |word: &str| ("sec-fetch-site", word.to_owned());
    let origin = |word: &str| ("origin", word.to_owned());
    let ours = host.origin();
    let port = host.authority().rsplit(':').next().expect("a port");
    vec![
        (vec![site("same-origin")], true),
        (vec![site("same-origin"), origin(ours)], true),
        (vec![origin(ours)], true),
        (vec![origin(&format!("http://localhost:{port}"))], true),
        (vec![], false),
        (vec![site("same-site")], false),
        (vec![site("cross-site")], false),
        (vec![site("none")], false),
        (vec![site("")], false),
        (vec![site("Same-Origin")], false),
        (vec![site("same-origin"), site("cross-site")], false),
        (vec![site("cross-site"), site("same-origin")], false),
        // The browser's word goes before the name.
        (vec![site("same-site"), origin(ours)], false),
        (vec![site("none"), origin(ours)], false),
        (vec![origin("null")], false),
        (vec![origin("")], false),
        (vec![origin("http://127.0.0.1")], false),
        (vec![origin(&format!("https://127.0.0.1:{port}"))], false),
        (vec![origin(&format!("{ours}.evil.example"))], false),
        (vec![origin(&format!("{ours}/"))], false),
        (vec![origin(ours), origin("http://evil.example")], false),
        (vec![("referer", format!("{ours}/console"))], false),
    ]
}

async fn ask(caller: &Caller, change: &(Method, String, bool)) -> Reply {
    let (method, path, is_form) = change;
    let (kind, body) = match is_form {
        true => ("application/x-www-form-urlencoded", Vec::new()),
        false => ("application/json", b"{}".to_vec()),
    };
    caller.send(method.clone(), path, Some(kind), body).await
}

fn is_cross_site(reply: &Reply, is_form: bool) -> bool {
    match is_form {
        true => reply.status == 403 && reply.page().contains("This came from another site"),
        false => reply.status == 403 && reply.json["code"] == "cross_site",
    }
}

// Guard: `Origins::same_origin` in host/server/src/origins.rs, asked by `Call::admit` and by signing in and
// out.
#[tokio::test]
async fn nothing_changes_on_a_session_at_another_pages_request() {
    let stage = Stage::set_for(Host::builder().env("RATE_LIMIT", "0")).await;
    let person = stage.person("ann").await.without("sec-fetch-site");
    for (headers, ours) in words(&stage.host) {
        let says = headers
            .iter()
            .fold(person.clone(), |caller, (name, value)| {
                caller.also(name, value)
            });
        for change in changes() {
            let reply = ask(&says, &change).await;
            let refused = is_cross_site(&reply, change.2);
            assert_eq!(refused, !ours, "{headers:?}: {reply}");
        }
    }
}

#[tokio::test]
async fn a_program_with_a_token_needs_no_page() {
    let stage = Stage::set_for(Host::builder().env("RATE_LIMIT", "0")).await;
    let agent = stage
        .agent()
        .with("sec-fetch-site", "cross-site")
        .with("origin", "null");
    for change in changes().into_iter().filter(|(_, _, is_form)| !is_form) {
        let reply = ask(&agent, &change).await;
        assert!(!is_cross_site(&reply, false), "{reply}");
    }
}

// Guard: `proved`, in host/server/src/routes/call.rs.
#[tokio::test]
async fn the_operators_cookie_changes_nothing_without_its_proof_whatever_else_is_said() {
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("RATE_LIMIT", "0")
        .start()
        .await;
    let operator = host.operator().await.without("x-countersign-proof");
    for change in changes() {
        if change.1.starts_with("/console/sign-") {
            continue;
        }
        let reply = ask(&operator, &change).await.expect(403);
        let said = match change.2 {
            true => reply.page().contains("This browser cannot sign"),
            false => reply.json["code"] == "proof_missing",
        };
        assert!(said, "{reply}");
    }
}
