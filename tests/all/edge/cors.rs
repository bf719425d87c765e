//! What pages of other origins may ask, and read.

use countersign_tests::{Caller, Host, Reply};
use reqwest::Method;
use serde_json::json;

use crate::stage::{Stage, approval, minted};

const CANVAS: &str = "https://canvas.example";
const OTHER: &str = "http://localhost:3000";
const EVIL: &str = "https://canvas.example.evil";
const ORG: &str = "0197a3f2-6c00-7000-8000-00000000000a";

async fn stage() -> Stage {
    let origins = format!("{CANVAS},{OTHER}");
    Stage::set_for(Host::builder().env("CORS_ORIGINS", origins)).await
}

/// What a browser asks before it sends a request that a form could not have sent.
async fn preflight(host: &Host, origin: &str, method: &str, path: &str) -> Reply {
    host.anonymous()
        .with("origin", origin)
        .with("access-control-request-method", method)
        .with("access-control-request-headers", "content-type,approval-id")
        .send(Method::OPTIONS, path, None, Vec::new())
        .await
}

/// As the browser of `person` sends what a page of `origin` asks.
fn page_of(person: &Caller, origin: &str) -> Caller {
    person
        .with("sec-fetch-site", "cross-site")
        .with("origin", origin)
}

#[tokio::test]
async fn a_preflight_is_answered_for_the_origins_that_were_named_and_the_routes_that_are_open() {
    let stage = stage().await;
    for origin in [CANVAS, OTHER] {
        for (method, path) in [
            ("POST", "/org/tokens"),
            ("DELETE", "/org/tokens/x"),
            ("PATCH", "/workspaces/x"),
            ("PUT", "/settings/secrets"),
            ("GET", "/approvals/pending"),
            ("POST", "/cp/orgs"),
            ("GET", "/cp/auth/me"),
        ] {
            let reply = preflight(&stage.host, origin, method, path)
                .await
                .expect(204);
            assert_eq!(reply.header("access-control-allow-origin"), Some(origin));
            assert_eq!(
                reply.header("access-control-allow-credentials"),
                Some("true")
            );
            let allowed = reply
                .header("access-control-allow-methods")
                .expect("methods");
            assert!(
                allowed.split(", ").any(|allowed| allowed == method),
                "{allowed}"
            );
            let headers = reply
                .header("access-control-allow-headers")
                .expect("headers");
            for name in [
                "content-type",
                "authorization",
                "approval-id",
                "x-molecule-org-id",
            ] {
                assert!(
                    headers.split(", ").any(|header| header == name),
                    "{headers}"
                );
            }
            assert!(
                !headers.contains("proof") && !headers.contains('*'),
                "{headers}"
            );
            assert_eq!(reply.header("vary"), Some("origin"));
        }
        for (method, path) in [
            ("POST", "/approvals/x/decide"),
            ("POST", "/approvals/x/revoke"),
            ("POST", "/workspaces/w/approvals/x/decide"),
            ("PUT", "/policies/x"),
            ("POST", "/policies/rollback"),
            ("POST", "/console/sign-in"),
            ("POST", "/console/approvals/x"),
            ("GET", "/console/keys"),
            ("POST", "/cp/auth/login"),
            ("b\u{e4}d", "/org/tokens"),
        ] {
            let reply = preflight(&stage.host, origin, method, path).await;
            assert_eq!(
                reply.header("access-control-allow-origin"),
                None,
                "{method} {path}: {reply}"
            );
            assert_eq!(reply.header("access-control-allow-methods"), None);
        }
    }
    for origin in [
        EVIL,
        "null",
        "https://canvas.example:8443",
        "http://canvas.example",
        "HTTPS://canvas.example",
        "*",
        "",
    ] {
        let reply = preflight(&stage.host, origin, "POST", "/org/tokens").await;
        assert!(reply.status >= 400, "{origin}: {reply}");
        let told = reply
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control-"));
        assert!(!told, "{origin}: {reply}");
        assert_eq!(reply.header("vary"), Some("origin"));
    }
}

// Guards: `is_for_own_pages` in host/server/src/routes/call.rs, and `Origins` in host/server/src/origins.rs.
#[tokio::test]
async fn a_page_of_a_named_origin_asks_as_the_person_but_neither_decides_nor_reads_the_console() {
    let stage = stage().await;
    let person = stage.person("ann").await;
    let canvas = page_of(&person, CANVAS);
    let id = stage
        .agent()
        .post("/org/tokens", json!({}))
        .await
        .approval();

    minted(&canvas, json!({ "name": "from the canvas" })).await;
    let listed = canvas.get("/org/tokens").await.expect(200);
    assert_eq!(listed.header("access-control-allow-origin"), Some(CANVAS));
    assert_eq!(
        listed.header("access-control-allow-credentials"),
        Some("true")
    );
    let read = listed
        .header("access-control-expose-headers")
        .expect("a list");
    for name in [
        "x-request-id",
        "retry-after",
        "x-ratelimit-remaining",
        "x-decision-id",
        "location",
    ] {
        assert!(read.split(", ").any(|header| header == name), "{read}");
    }
    // What goes wrong can be read as well.
    let wrong = canvas.get("/nothing").await.expect(404);
    assert_eq!(wrong.header("access-control-allow-origin"), Some(CANVAS));

    // To take a request back is open: what is refused here is that it is another's.
    let withdrawn = canvas
        .post(&format!("/approvals/{id}/withdraw"), json!({}))
        .await;
    withdrawn.refused(403, "not_the_requester");

    for (path, body) in [
        (
            format!("/approvals/{id}/decide"),
            json!({ "decision": "approved" }),
        ),
        (
            format!("/workspaces/{ORG}/approvals/{id}/decide"),
            json!({ "decision": "approved" }),
        ),
    ] {
        let reply = canvas.post(&path, body).await.refused(403, "cross_site");
        assert_eq!(reply.header("access-control-allow-origin"), None);
    }
    for path in ["/console/keys", "/console/approvals"] {
        let form = canvas.post_form(path, &[("name", "x")]).await;
        assert!(matches!(form.status, 403 | 405), "{form}");
        let page = canvas.get(path).await;
        assert_eq!(page.header("access-control-allow-origin"), None, "{page}");
    }
    canvas
        .post_form("/console/sign-in", &[("link", "x")])
        .await
        .expect(403);
    canvas.post_form("/console/sign-out", &[]).await.expect(403);
    assert_eq!(approval(&person, &id).await["status"], "pending");

    for origin in [EVIL, "null", "https://canvas.example:8443"] {
        let evil = page_of(&person, origin);
        evil.post("/org/tokens", json!({}))
            .await
            .refused(403, "cross_site");
        let read = evil.get("/org/tokens").await.expect(200);
        assert_eq!(read.header("access-control-allow-origin"), None);
    }
    let twice = page_of(&person, CANVAS).also("origin", EVIL);
    twice
        .post("/org/tokens", json!({}))
        .await
        .refused(403, "cross_site");
}

#[tokio::test]
async fn where_none_is_named_no_answer_speaks_of_origins() {
    let stage = Stage::set().await;
    let person = page_of(&stage.person("ann").await, CANVAS);
    person
        .post("/org/tokens", json!({}))
        .await
        .refused(403, "cross_site");
    for reply in [
        person.get("/org/tokens").await.expect(200),
        preflight(&stage.host, CANVAS, "POST", "/org/tokens").await,
    ] {
        assert!(
            reply
                .headers
                .keys()
                .all(|name| !name.as_str().starts_with("access-control-"))
        );
        assert_eq!(reply.header("vary"), None);
    }
}

#[tokio::test]
async fn a_preflight_names_no_tenant_and_what_follows_it_does() {
    let builder = Host::builder()
        .env("CORS_ORIGINS", CANVAS)
        .env("MOLECULE_ORG_ID", ORG);
    let stage = Stage::set_for(builder).await;
    preflight(&stage.host, CANVAS, "GET", "/org/tokens")
        .await
        .expect(204);
    preflight(&stage.host, EVIL, "GET", "/org/tokens")
        .await
        .refused(404, "not_found");
    let canvas = page_of(&stage.person("ann").await, CANVAS);
    let lost = canvas.get("/org/tokens").await.refused(404, "not_found");
    assert_eq!(lost.header("access-control-allow-origin"), Some(CANVAS));
    canvas
        .with("x-molecule-org-id", ORG)
        .get("/org/tokens")
        .await
        .expect(200);
}
