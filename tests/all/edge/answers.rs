//! What comes back from the control plane, and what an answer of it cannot do to us.

use countersign_tests::Host;

use super::forwarded::behind;
use super::raw;
use super::upstream::{Upstream, answer, ok};
use crate::stage::ADMIN_TOKEN;

// Guard: `to_client` in host/server/src/proxy/headers.rs, which passes what it knows.
#[tokio::test]
async fn an_answer_sets_its_own_cookies_and_says_nothing_of_our_origin() {
    let upstream = Upstream::answering(ok(
        "Set-Cookie: cp_session=1; Path=/; HttpOnly\r\n\
         Set-Cookie: countersign=forged; Path=/\r\n\
         Set-Cookie: __Host-countersign=forged; Secure; Path=/\r\n\
         Set-Cookie: =countersign=forged\r\n\
         Set-Cookie: theme=dark; Domain=example.org\r\n\
         Service-Worker-Allowed: /\r\n\
         Clear-Site-Data: \"*\"\r\n\
         Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n\
         Alt-Svc: h2=\"evil.example:443\"\r\n\
         Access-Control-Allow-Origin: https://evil.example\r\n\
         Access-Control-Allow-Credentials: true\r\n\
         Content-Security-Policy: script-src *\r\n\
         X-Frame-Options: ALLOWALL\r\n\
         X-Decision-Id: forged\r\n\
         X-RateLimit-Limit: 1\r\n\
         X-Request-Id: forged\r\n\
         Connection: x-total-count\r\n\
         X-Total-Count: 3\r\n\
         ETag: \"v1\"\r\n\
         Content-Type: text/html\r\n",
        "<script>alert(1)</script>",
    ));
    let host = behind(&upstream).start().await;
    let reply = host.anonymous().get("/cp/legal/terms").await.expect(200);
    let cookies: Vec<&str> = reply
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().expect("text"))
        .collect();
    assert_eq!(
        cookies,
        [
            "cp_session=1; Path=/; HttpOnly",
            "theme=dark; Domain=example.org"
        ]
    );
    for gone in [
        "service-worker-allowed",
        "clear-site-data",
        "strict-transport-security",
        "alt-svc",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "x-decision-id",
        "x-total-count",
    ] {
        assert_eq!(reply.header(gone), None, "{gone}");
    }
    assert_eq!(reply.header("etag"), Some("\"v1\""));
    assert_eq!(reply.header("x-frame-options"), Some("DENY"));
    assert_eq!(reply.header("x-ratelimit-limit"), Some("600"));
    assert_ne!(reply.header("x-request-id"), Some("forged"));
    let policy = reply.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("sandbox "), "{policy}");
    for word in ["allow-scripts", "allow-same-origin", "script-src"] {
        assert!(!policy.contains(word), "{policy}");
    }
}

#[tokio::test]
async fn a_redirect_is_passed_on_and_a_script_is_text() {
    let upstream = Upstream::start(|heard| {
        Some(match heard.line() {
            "GET /cp/auth/login" => answer(
                "302 Found",
                "Location: https://identity.example/authorize?x=1\r\nSet-Cookie: state=1; Path=/cp\r\n",
                "",
            ),
            "GET /cp/auth/relative" => {
                answer("307 Temporary Redirect", "Location: /cp/auth/me\r\n", "")
            }
            _ => ok(
                "Content-Type: application/javascript; charset=utf-8\r\n",
                "alert(1)",
            ),
        })
    });
    let host = behind(&upstream).start().await;
    let nobody = host.anonymous();
    let login = nobody.get("/cp/auth/login").await.expect(302);
    assert_eq!(
        login.header("location"),
        Some("https://identity.example/authorize?x=1")
    );
    assert_eq!(login.header("set-cookie"), Some("state=1; Path=/cp"));
    let relative = nobody.get("/cp/auth/relative").await.expect(307);
    assert_eq!(relative.header("location"), Some("/cp/auth/me"));
    assert_eq!(upstream.heard().len(), 2, "nobody followed");
    let script = nobody.get("/cp/templates/x.js").await.expect(200);
    assert_eq!(script.header("content-type"), Some("text/plain"));
    assert_eq!(script.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn what_is_no_answer_is_502_in_the_contracts_words() {
    const ODD: [&str; 7] = [
        "",
        "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 70000000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ];
    let upstream = Upstream::start(|heard| {
        let which: usize = heard.line().rsplit('/').next()?.parse().ok()?;
        Some(ODD[which].as_bytes().to_vec())
    });
    let host = behind(&upstream).start().await;
    for (which, odd) in ODD.iter().enumerate() {
        let reply = host.anonymous().get(&format!("/cp/orgs/{which}")).await;
        assert_eq!(reply.status, 502, "{odd}: {reply}");
        let reply = reply.refused(502, "control_plane_unavailable");
        assert_eq!(reply.text("error"), "control plane unavailable");
    }
    assert!(!host.said().contains("panicked"), "{}", host.said());

    let nobody_there = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("CP_UPSTREAM_URL", "http://127.0.0.1:1")
        .env("MOLECULE_ORG_SLUG", "acme")
        .start()
        .await;
    let reply = nobody_there.anonymous().get("/cp/orgs").await;
    reply.refused(502, "control_plane_unavailable");
}

#[tokio::test]
async fn a_long_answer_streams_and_one_that_breaks_off_is_not_taken_for_whole() {
    let upstream = Upstream::start(|heard| {
        let piece = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
        let bytes = match heard.line() {
            "GET /cp/templates/big" => format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\nX-Trailer: y\r\n\r\n",
                piece.repeat(20)
            ),
            "GET /cp/templates/short" => {
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhalf".to_owned()
            }
            "GET /cp/templates/cut" => {
                "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n".to_owned()
            }
            _ => "HTTP/1.1 200 OK\r\n\r\nto the end".to_owned(),
        };
        Some(bytes.into_bytes())
    });
    let host = behind(&upstream).start().await;
    let big = host.anonymous().get("/cp/templates/big").await.expect(200);
    assert_eq!(big.body.len(), 20 << 20);
    assert_eq!(big.header("x-trailer"), None);

    let (_, short) = raw(&host, "GET /cp/templates/short", "").await;
    assert!(short.contains("content-length: 10\r\n"), "{short}");
    assert!(short.len() < short.find("\r\n\r\n").expect("a head") + 4 + 10);
    let (_, cut) = raw(&host, "GET /cp/templates/cut", "").await;
    assert!(
        cut.contains("chunked") && !cut.contains("0\r\n\r\n"),
        "{cut}"
    );
    let (_, whole) = raw(&host, "GET /cp/templates/x", "").await;
    assert!(
        whole.contains("to the end") && whole.ends_with("0\r\n\r\n"),
        "{whole}"
    );
}
