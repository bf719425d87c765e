//! What goes through to the control plane, and what stays.

use countersign_tests::{Edge, Host, HostBuilder};
use reqwest::Method;

use super::raw;
use super::upstream::{Upstream, ok};
use crate::stage::ADMIN_TOKEN;

pub fn behind(upstream: &Upstream) -> HostBuilder {
    Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("CP_UPSTREAM_URL", upstream.url())
        .env("MOLECULE_ORG_SLUG", "acme")
}

#[tokio::test]
async fn what_the_contract_names_goes_through_as_it_is() {
    let upstream = Upstream::answering(ok("Content-Type: application/json\r\n", r#"{"ok":true}"#));
    let host = behind(&upstream).start().await;
    let person = host
        .anonymous()
        .with("cookie", "cp_session=ann; theme=dark")
        .with("authorization", "Bearer of-the-control-planes-own")
        .with("origin", host.origin())
        .with("accept-language", "de")
        .with("x-csrf-token", "t");
    for (method, path) in [
        (Method::GET, "/cp/auth/me"),
        (Method::GET, "/cp/orgs"),
        (Method::POST, "/cp/orgs"),
        (Method::PUT, "/cp/orgs/acme/members/a+b@example.org"),
        (Method::PATCH, "/cp/billing/plan"),
        (Method::DELETE, "/cp/templates/x"),
        (Method::GET, "/cp/templates?q=a%2Fb&x=1"),
        (Method::OPTIONS, "/cp/legal/terms"),
        (Method::HEAD, "/cp/legal/terms"),
    ] {
        upstream.forget();
        let body = match method {
            Method::GET | Method::HEAD | Method::OPTIONS => Vec::new(),
            _ => b"{\"name\":\"x\"}".to_vec(),
        };
        let reply = person
            .send(method.clone(), path, Some("application/json"), body.clone())
            .await
            .expect(200);
        let heard = upstream.only();
        assert_eq!(heard.line(), format!("{method} {path}"));
        assert_eq!(heard.body, body);
        for (name, value) in [
            ("host", upstream.url().replace("http://", "")),
            ("cookie", "cp_session=ann; theme=dark".to_owned()),
            (
                "authorization",
                "Bearer of-the-control-planes-own".to_owned(),
            ),
            ("origin", host.origin().to_owned()),
            ("accept-language", "de".to_owned()),
            ("x-csrf-token", "t".to_owned()),
            ("content-type", "application/json".to_owned()),
            ("x-forwarded-for", "127.0.0.1".to_owned()),
            ("x-forwarded-proto", "http".to_owned()),
            ("x-forwarded-host", host.authority().to_owned()),
        ] {
            assert_eq!(heard.header(name), Some(value), "{method} {path}: {name}");
        }
        if method != Method::HEAD {
            assert_eq!(reply.json["ok"], true, "{reply}");
        }
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    }
}

// Guards: `to_upstream` in host/server/src/proxy/headers.rs, and `Credentials::is_ours`.
#[tokio::test]
async fn nothing_that_is_a_credential_here_leaves() {
    let plain = Host::start(ADMIN_TOKEN).await;
    let session = plain.operator_session().await;
    let operator = plain.signed_in(&session);
    let token = crate::stage::minted(&operator, serde_json::json!({})).await;
    let upstream = Upstream::answering(ok("", ""));
    let host = plain
        .stop()
        .await
        .env("CP_UPSTREAM_URL", upstream.url())
        .env("MOLECULE_ORG_SLUG", "acme")
        .start()
        .await;
    let link = format!("{}/console/sign-in?link=the-link-itself", host.origin());
    let everything = host
        .signed_in(&session)
        .also("cookie", format!("a=1; __Host-{}; b=2", session.cookie))
        .with("x-provision-token", "the-provision-token")
        .with("x-countersign-proof", &session.proof)
        .with("approval-id", "0197a3f2-6c00-7000-8000-000000000001")
        .with("cf-access-jwt-assertion", "the-assertion")
        .with("x-forwarded-for", "6.6.6.6")
        .with("x-forwarded-host", "evil.example")
        .with("forwarded", "for=6.6.6.6")
        .with("x-real-ip", "6.6.6.6")
        .with("x-original-url", "/admin")
        .with("fly-replay-src", "state=x")
        .with("referer", &link)
        .with("connection", "close, x-named")
        .with("x-named", "for-one-hop");
    let bearers = [
        format!("Bearer {ADMIN_TOKEN}"),
        format!("bearer   {ADMIN_TOKEN}"),
        format!("Token {ADMIN_TOKEN}"),
        format!("Token token=\"{ADMIN_TOKEN}\""),
        ADMIN_TOKEN.to_owned(),
        format!("Bearer {token}"),
        format!("Bearer x,{token}"),
        // Not one that lives, but by its looks somebody's.
        "Bearer csw_0123".to_owned(),
    ];
    let own = session.cookie.split('=').nth(1).expect("a value");
    for bearer in &bearers {
        upstream.forget();
        let reply = everything
            .with("authorization", bearer)
            .get("/cp/auth/me")
            .await;
        reply.expect(200);
        let heard = upstream.only();
        assert_eq!(heard.header("authorization"), None, "{bearer}");
        assert_eq!(heard.header("cookie").as_deref(), Some("a=1; b=2"));
        assert_eq!(
            heard.header("x-forwarded-for").as_deref(),
            Some("127.0.0.1")
        );
        let origin = format!("{}/", host.origin());
        assert_eq!(heard.header("referer"), Some(origin));
        for secret in [
            own,
            &session.proof,
            &token,
            ADMIN_TOKEN,
            "the-provision-token",
            "the-assertion",
            "the-link-itself",
            "0197a3f2",
            "6.6.6.6",
            "evil",
            "/admin",
            "state=x",
            "for-one-hop",
            "cso_",
            "csw_",
        ] {
            assert!(!heard.head.contains(secret), "{secret} in {}", heard.head);
        }
    }
    // Of two, nobody knows which counts.
    upstream.forget();
    let two = everything.with("authorization", "Bearer theirs");
    two.also("authorization", format!("Bearer {ADMIN_TOKEN}"))
        .get("/cp/auth/me")
        .await
        .expect(200);
    assert_eq!(upstream.only().header("authorization"), None);
}

// Guard: `is_forwarded` in host/server/src/proxy/path.rs.
#[tokio::test]
async fn nothing_else_leaves_not_even_a_byte() {
    let upstream = Upstream::answering(ok("", "it left"));
    let host = behind(&upstream).start().await;
    for path in [
        "/cp",
        "/cp/",
        "/cp/auth",
        "/cp/auth/",
        "/cp/orgs/",
        "/cp/orgsx",
        "/cp/billing",
        "/cp/admin/x",
        "/CP/orgs",
        "//cp/orgs",
        "/cp//orgs",
        "/cp/orgs//x",
        "/cp/./orgs",
        "/cp/orgs/.",
        "/cp/orgs/..",
        "/cp/orgs/../admin",
        "/cp/auth/../../org/tokens",
        "/cp/orgs/%2e%2e/admin",
        "/cp/orgs/%2E%2E%2Fadmin",
        "/cp/orgs/.%2e/admin",
        "/cp/orgs/%252e%252e/admin",
        "/cp/orgs/a%2fb",
        "/cp/orgs/a%5cb",
        "/cp/orgs/..;/admin",
        "/cp/orgs;x",
        "/cp/orgs/%00",
        "/cp/orgs/a%0d%0aX:%20y",
        "/cp/orgs/%c0%ae%c0%ae/x",
        "/cp%2forgs",
        "/cp/%6frgs",
        "/%63p/orgs",
        "/cp/orgs/a%zz",
        "/cp/orgs/%ff",
        "/cp/orgs/...",
    ] {
        for method in ["GET", "POST", "OPTIONS"] {
            let (status, said) = raw(&host, &format!("{method} {path}"), "").await;
            assert_eq!(status, 404, "{method} {path}: {said}");
            assert!(said.contains(r#""code":"not_found""#), "{said}");
        }
    }
    for path in [
        "/cp/orgs\\..\\admin",
        "/cp/orgs/<x>",
        "/cp/orgs/{x}",
        "/cp/orgs/a|b",
        "/cp/orgs/\u{e9}",
        "/cp/orgs/\t",
    ] {
        let (status, said) = raw(&host, &format!("GET {path}"), "").await;
        assert!(matches!(status, 400 | 404), "{path}: {said}");
    }
    for method in ["TRACE", "CONNECT", "PROPFIND", "get"] {
        let (status, said) = raw(&host, &format!("{method} /cp/orgs"), "").await;
        assert!(matches!(status, 400 | 404 | 405), "{method}: {said}");
    }
    let (status, said) = raw(&host, "GET /cp/orgs", "Upgrade: websocket\r\n").await;
    assert_eq!(status, 400, "{said}");
    let (status, said) = raw(&host, "GET /cp/orgs/sw.js", "Service-Worker: script\r\n").await;
    assert_eq!(status, 403, "{said}");
    assert!(upstream.heard().is_empty(), "{:?}", upstream.heard());
}

#[tokio::test]
async fn without_a_control_plane_nothing_is_there() {
    let host = Host::start(ADMIN_TOKEN).await;
    for path in ["/cp/orgs", "/cp/auth/me", "/cp/admin"] {
        host.anonymous().get(path).await.refused(404, "not_found");
    }
}

// Guards: `MAX_REQUEST` in host/server/src/proxy.rs, and `Bounded`, which counts what comes.
#[tokio::test]
async fn a_body_goes_through_as_it_comes_and_only_so_much_of_it() {
    let upstream = Upstream::answering(ok("", ""));
    let host = behind(&upstream).start().await;
    let long = vec![b'x'; 6 << 20];
    let post = async |body| {
        host.anonymous()
            .send(Method::POST, "/cp/templates", Some("text/plain"), body)
            .await
    };
    post(long.clone()).await.expect(200);
    assert_eq!(upstream.only().body, long);
    upstream.forget();
    post(vec![b'x'; (8 << 20) + 1])
        .await
        .refused(413, "body_too_long");
    assert!(upstream.heard().is_empty());

    // One that does not say how long it is.
    let piece = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let chunked = |pieces: usize| {
        let body = piece.repeat(pieces);
        format!(
            "POST /cp/templates HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n{body}0\r\nX-Trailer: y\r\n\r\n",
            host.authority()
        )
    };
    let said = super::sent(&host, chunked(4).as_bytes()).await;
    assert!(said.starts_with("HTTP/1.1 200 "), "{said}");
    assert_eq!(upstream.only().body.len(), 4 * 0x10000);
    assert!(!upstream.only().head.contains("railer"));
    upstream.forget();
    let said = super::sent(&host, chunked(129).as_bytes()).await;
    assert!(
        said.starts_with("HTTP/1.1 413 ") || said.is_empty(),
        "{said}"
    );
    // It was on its way, and did not come to its end.
    assert!(upstream.heard().is_empty(), "{}", upstream.heard().len());
}

// Guard: what `control_plane` in host/server/src/serve/assembly.rs withholds.
#[tokio::test]
async fn an_assertion_of_the_edge_that_is_configured_stays_here() {
    let (edge, upstream) = (Edge::start(), Upstream::answering(ok("", "")));
    let host = Host::builder()
        .env("CP_UPSTREAM_URL", upstream.url())
        .edge(&edge)
        .start()
        .await;
    let person = host.asserted(&edge.assertion("ann"));
    person.get("/cp/auth/me").await.expect(200);
    let heard = upstream.only();
    assert_eq!(heard.header(countersign_tests::edge::HEADER), None);
}
