//! Every assertion that is wrong proves nothing, and the log says why without saying what it says.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_tests::edge::{HEADER, claims, encoded, message, now};
use countersign_tests::{Edge, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Behind, is_nobodys};

/// In the claims of each wrong assertion, and never in the log.
const MARKER: &str = "ann-whom-no-log-may-name";

fn changed(changes: Value) -> Value {
    let mut claims = claims(MARKER);
    for (name, value) in changes.as_object().expect("changes") {
        claims[name] = value.clone();
    }
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims(MARKER);
    claims.as_object_mut().expect("claims").remove(name);
    claims
}

/// HMAC-SHA256 (RFC 2104), by hand.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = if key.len() > 64 {
        Sha256::digest(key).to_vec()
    } else {
        key.to_vec()
    };
    block.resize(64, 0);
    let pad = |byte: u8| block.iter().map(|b| b ^ byte).collect::<Vec<_>>();
    let inner = Sha256::digest([&pad(0x36)[..], message].concat());
    Sha256::digest([&pad(0x5c)[..], &inner].concat()).to_vec()
}

/// Wrong claims under a right signature.
fn of_claims(edge: &Edge) -> Vec<(&'static str, String)> {
    let now = now();
    [
        ("another audience", changed(json!({ "aud": "another" }))),
        ("no audience of ours", changed(json!({ "aud": ["a", "b"] }))),
        ("no audience", without("aud")),
        (
            "another issuer",
            changed(json!({ "iss": "https://evil.example" })),
        ),
        (
            "a longer issuer",
            changed(json!({ "iss": "https://edge.example.evil.example" })),
        ),
        ("no issuer", without("iss")),
        (
            "expired",
            changed(json!({ "iat": now - 400, "nbf": now - 400, "exp": now - 61 })),
        ),
        ("no end", without("exp")),
        (
            "an end in words",
            changed(json!({ "exp": "2100-01-01T00:00:00Z" })),
        ),
        ("no beginning", without("iat")),
        ("not valid yet", changed(json!({ "nbf": now + 90 }))),
        (
            "made in the future",
            changed(json!({ "iat": now + 90, "exp": now + 200 })),
        ),
        (
            "a life of 11 minutes",
            changed(json!({ "iat": now, "exp": now + 660 })),
        ),
        ("a life of a day", changed(json!({ "exp": now + 86_400 }))),
        ("no subject", without("sub")),
        ("an empty subject", changed(json!({ "sub": "" }))),
        ("a subject that is a number", changed(json!({ "sub": 1 }))),
        (
            "a subject of two lines",
            changed(json!({ "sub": "ann\nroot" })),
        ),
        (
            "Cloudflare's service token",
            changed(json!({ "common_name": "e3.access", "sub": "" })),
        ),
        (
            "a service token with a subject",
            changed(json!({ "common_name": "e3.access" })),
        ),
        (
            "Google's service account",
            changed(json!({ "email": "ci@acme.iam.gserviceaccount.com" })),
        ),
        (
            "groups that cannot be read",
            changed(json!({ "groups": [1] })),
        ),
        ("claims that are a list", json!([claims(MARKER)])),
        ("claims that are a text", json!("ann")),
    ]
    .map(|(what, claims)| (what, edge.key.sign(&claims)))
    .into()
}

/// Right claims under a wrong header or signature.
fn of_headers(edge: &Edge) -> Vec<(&'static str, String)> {
    let right = claims(MARKER);
    let public = edge.key.jwk();
    let head = |changes: Value| {
        let mut header = json!({ "alg": "ES256", "kid": "first", "typ": "JWT" });
        for (name, value) in changes.as_object().expect("changes") {
            header[name] = value.clone();
        }
        header
    };
    let signed = |changes: Value| edge.key.sign_under(&head(changes), &right);
    let with_hmac = |key: &[u8]| {
        let message = message(&head(json!({ "alg": "HS256" })), &right);
        format!("{message}.{}", encoded(&hmac(key, message.as_bytes())))
    };
    let text = |name: &str| public[name].as_str().expect("a coordinate").to_owned();
    let decoded = |name: &str| {
        let standard = text(name).replace('-', "+").replace('_', "/");
        STANDARD.decode(format!("{standard}=")).expect("base64")
    };
    let point = [&[4][..], &decoded("x"), &decoded("y")].concat();
    // A key of the attacker's, under the name of the edge's.
    let own = SigningKey::p256("first");
    let with_own = |changes: Value| own.sign_under(&head(changes), &right);
    let elsewhere = "http://127.0.0.1:9/jwks";
    let right_jwt = edge.assertion(MARKER);
    let parts: Vec<&str> = right_jwt.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let none = |alg: &str| format!("{}.", message(&head(json!({ "alg": alg })), &right));
    vec![
        ("alg none", none("none")),
        ("alg None", none("None")),
        (
            "alg none with a signature",
            signed(json!({ "alg": "none" })),
        ),
        (
            "no alg",
            edge.key.sign_under(&json!({ "kid": "first" }), &right),
        ),
        ("alg null", signed(json!({ "alg": null }))),
        ("alg as a list", signed(json!({ "alg": ["ES256"] }))),
        ("HS256 with the key's point", with_hmac(&point)),
        (
            "HS256 with the key's JWK",
            with_hmac(public.to_string().as_bytes()),
        ),
        ("HS256 with the key's x", with_hmac(text("x").as_bytes())),
        ("HS256 with nothing", with_hmac(b"")),
        ("RS256 by a key on P-256", signed(json!({ "alg": "RS256" }))),
        ("EdDSA by a key on P-256", signed(json!({ "alg": "EdDSA" }))),
        ("ES384 by a key on P-256", signed(json!({ "alg": "ES384" }))),
        ("PS256", signed(json!({ "alg": "PS256" }))),
        ("a key of somebody else's", with_own(json!({}))),
        ("an embedded jwk", with_own(json!({ "jwk": own.jwk() }))),
        (
            "an embedded jwk, no kid",
            with_own(json!({ "kid": null, "jwk": own.jwk() })),
        ),
        ("a jku", with_own(json!({ "jku": elsewhere }))),
        ("an x5u", with_own(json!({ "x5u": elsewhere }))),
        ("an x5c", with_own(json!({ "x5c": ["MIIB"] }))),
        ("crit", signed(json!({ "crit": ["exp"], "exp": 1 }))),
        ("crit with nothing", signed(json!({ "crit": [] }))),
        ("crit that is no list", signed(json!({ "crit": "exp" }))),
        ("b64", signed(json!({ "b64": false, "crit": ["b64"] }))),
        ("compressed", signed(json!({ "zip": "DEF" }))),
        ("encrypted", signed(json!({ "enc": "A128GCM" }))),
        (
            "a nested JWT",
            edge.key
                .sign_under(&head(json!({ "cty": "JWT" })), &json!(right_jwt)),
        ),
        ("no signature", format!("{header}.{payload}")),
        ("an empty signature", format!("{header}.{payload}.")),
        (
            "a cut signature",
            right_jwt[..right_jwt.len() - 2].to_owned(),
        ),
        ("a signature with padding", format!("{right_jwt}==")),
        ("two signatures", format!("{right_jwt}.{signature}")),
        ("another one's claims", {
            let other = edge.assertion("eve");
            let other: Vec<&str> = other.split('.').collect();
            format!("{header}.{}.{signature}", other[1])
        }),
        (
            "all zeros for a signature",
            format!("{header}.{payload}.{}", encoded(&[0; 64])),
        ),
        ("five parts", format!("{header}..{payload}.{signature}.")),
        ("with a scheme", format!("Bearer {right_jwt}")),
        ("twice in one line", format!("{right_jwt}, {right_jwt}")),
        (
            "20 kB",
            edge.key
                .sign(&changed(json!({ "padding": "x".repeat(15_000) }))),
        ),
        ("dots", "..".to_owned()),
        ("nothing", String::new()),
        ("words", format!("human; {MARKER}")),
    ]
}

// Guards: host/server/src/credentials/assertion: `header` and `presented` in assertion.rs, claims.rs,
// keys.rs and signature.rs. Each line of the tables has one.
#[tokio::test]
async fn each_assertion_that_is_wrong_proves_nothing() {
    let stage = Behind::an_edge().await;
    let edge = &stage.edge;
    let started = Instant::now();
    stage.person("right").get("/org/tokens").await.expect(200);
    for (what, assertion) in of_claims(edge).into_iter().chain(of_headers(edge)) {
        is_nobodys(&stage.host.asserted(&assertion), what).await;
    }
    let right = edge.assertion(MARKER);
    let twice = stage.host.asserted(&right).also(HEADER, &right);
    is_nobodys(&twice, "twice").await;
    let second = stage.host.asserted("junk").also(HEADER, &right);
    is_nobodys(&second, "junk, and then a right one").await;
    let binary = stage.host.anonymous().with(HEADER, b"\xff\xfe");
    is_nobodys(&binary, "no text").await;
    stage
        .host
        .asserted(&right)
        .get("/org/tokens")
        .await
        .expect(200);

    let said = stage.host.said();
    for why in [
        "has expired",
        "lives longer than ten minutes",
        "it is a program's",
        "signature does not hold",
        "`aud`",
        "more than once",
        "too long",
    ] {
        assert!(said.contains(why), "the log does not say: {why}");
    }
    assert!(!said.contains(MARKER), "the log says who");
    let payload = right.split('.').nth(1).expect("claims");
    assert!(!said.contains(payload), "the log says what");
    assert!(!said.contains("panicked"), "{said}");
    // Nothing that a header pointed at was asked for, and made-up keys did not have the edge asked for each.
    let halves_of_a_minute = started.elapsed().as_secs() / 30;
    assert!(
        edge.asked() as u64 <= 2 + halves_of_a_minute,
        "{}",
        edge.asked()
    );
}

#[tokio::test]
async fn an_assertion_of_a_megabyte_is_refused_before_it_is_read() {
    let stage = Behind::an_edge().await;
    let head = format!(
        "GET /org/tokens HTTP/1.1\r\nHost: {}\r\n{HEADER}: {}\r\n\r\n",
        stage.host.authority(),
        "x".repeat(1 << 20),
    );
    let answer = stage.host.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    stage.person("ann").get("/org/tokens").await.expect(200);
}
