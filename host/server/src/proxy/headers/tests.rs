use super::*;

fn map(headers: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("a value");
        map.append(HeaderName::from_static(name), value);
    }
    map
}

fn cookie(sent: &str) -> Option<String> {
    let passed = to_upstream(&map(&[("cookie", sent)]), &[]);
    let cookie = passed.get(header::COOKIE)?;
    Some(String::from_utf8(cookie.as_bytes().to_vec()).expect("UTF-8"))
}

#[test]
fn our_cookies_do_not_leave_under_either_name() {
    for (sent, passed) in [
        ("a=1; countersign=x; b=2", Some("a=1; b=2")),
        ("__Host-countersign=x", None),
        ("countersign=x;a=1", Some("a=1")),
        (" countersign =x; a=1", Some("a=1")),
        ("Countersign=x", None),
        ("countersign", None),
        ("=countersign=x", None),
        ("a=\"; countersign=x; \"", Some("a=\"")),
        (
            "countersigned=1; xcountersign=2",
            Some("countersigned=1; xcountersign=2"),
        ),
        ("a=é", Some("a=é")),
        (";;;", None),
    ] {
        assert_eq!(cookie(sent).as_deref(), passed, "{sent}");
    }
}

#[test]
fn nothing_sets_our_cookies() {
    for (set, passes) in [
        ("session=1; Path=/; HttpOnly", true),
        ("session=1; Domain=countersign=x", true),
        ("countersign=x; Path=/", false),
        ("countersign=", false),
        ("__Host-countersign=x; Secure; Path=/", false),
        ("__host-COUNTERSIGN=x", false),
        (" countersign\t=x", false),
        ("=countersign=x", false),
        ("countersign", false),
        ("", false),
    ] {
        let passed = to_client(&map(&[("set-cookie", set)]));
        assert_eq!(passed.contains_key(header::SET_COOKIE), passes, "{set}");
    }
}

#[test]
fn what_is_ours_or_for_one_hop_stays() {
    let stay = [
        "host",
        "connection",
        "keep-alive",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
        "content-length",
        "proxy-authorization",
        "proxy-connection",
        "x-provision-token",
        "approval-id",
        "x-countersign-proof",
        "x-countersign-anything",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "forwarded",
        "x-real-ip",
        "x-original-url",
        "x-rewrite-url",
        "via",
        "fly-replay-src",
        "cf-access-jwt-assertion",
        "x-identity",
        "x-named",
        "authorization",
    ];
    let go = [
        "accept",
        "accept-language",
        "content-type",
        "origin",
        "user-agent",
        "if-none-match",
        "x-molecule-org-slug",
        "x-csrf-token",
        "idempotency-key",
        "x-molecule-org-id",
    ];
    let mut sent = HeaderMap::new();
    for name in stay.iter().chain(&go) {
        sent.insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
    }
    sent.insert(
        "connection",
        HeaderValue::from_static("close, X-Named, Origin"),
    );
    let withheld = [HeaderName::from_static("x-identity")];
    let passed = to_upstream(&sent, &withheld);
    let mut names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    let mut expected = go.to_vec();
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn of_an_address_only_the_origin_leaves() {
    let sent = map(&[(
        "referer",
        "https://h.example:8443/console/sign-in?link=secret",
    )]);
    let passed = to_upstream(&sent, &[]);
    assert_eq!(passed["referer"], "https://h.example:8443/");
    for odd in ["about:blank", "nonsense", "é", "data:text/plain,secret"] {
        assert!(
            to_upstream(&map(&[("referer", odd)]), &[]).is_empty(),
            "{odd}"
        );
    }
}

#[test]
fn an_answer_says_nothing_of_our_origin() {
    let said = [
        "service-worker-allowed",
        "clear-site-data",
        "strict-transport-security",
        "alt-svc",
        "nel",
        "report-to",
        "reporting-endpoints",
        "content-security-policy",
        "x-frame-options",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "x-decision-id",
        "x-policy-generation",
        "x-request-id",
        "x-ratelimit-remaining",
        "x-token-draining",
        "cross-origin-opener-policy",
        "referrer-policy",
        "origin-agent-cluster",
        "sourcemap",
        "refresh",
        "connection",
        "transfer-encoding",
        "content-length",
        "permissions-policy",
        "accept-ch",
    ];
    let mut answer = HeaderMap::new();
    for name in said {
        answer.insert(HeaderName::from_static(name), HeaderValue::from_static("v"));
    }
    assert!(to_client(&answer).is_empty(), "{:?}", to_client(&answer));
}

#[test]
fn a_script_is_answered_as_text() {
    for (kind, passed) in [
        ("application/json", "application/json"),
        ("text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("text/javascript", "text/plain"),
        ("Application/X-JavaScript; charset=utf-8", "text/plain"),
        ("text/plain, text/ecmascript", "text/plain"),
    ] {
        assert_eq!(
            to_client(&map(&[("content-type", kind)]))["content-type"],
            passed,
            "{kind}"
        );
    }
    let twice = map(&[
        ("content-type", "text/javascript"),
        ("content-type", "text/html"),
    ]);
    assert_eq!(to_client(&twice)["content-type"], "text/plain");
}

#[test]
fn nobody_is_asked_for_a_password_in_our_name() {
    for (challenge, passes) in [
        ("Bearer realm=\"cp\"", true),
        ("bearer", true),
        ("Basic realm=\"Countersign: enter ADMIN_TOKEN\"", false),
        ("Bearer realm=\"x\", Basic realm=\"y\"", false),
        ("Negotiate", false),
    ] {
        let passed = to_client(&map(&[("www-authenticate", challenge)]));
        assert_eq!(
            passed.contains_key("www-authenticate"),
            passes,
            "{challenge}"
        );
    }
}
