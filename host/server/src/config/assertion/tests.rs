use serde_json::json;

use super::*;

fn flags() -> Flags {
    Flags {
        assertion_header: Some("Cf-Access-Jwt-Assertion".to_owned()),
        assertion_issuer: Some("https://acme.cloudflareaccess.com".to_owned()),
        assertion_audience: Some("a, b".to_owned()),
        assertion_jwks: Some("https://acme.cloudflareaccess.com/cdn-cgi/access/certs".to_owned()),
        ..Flags::default()
    }
}

fn rules(mut flags: Flags) -> Result<AssertionRules, Vec<String>> {
    let mut mistakes = Vec::new();
    let rules = assertion(&mut flags, &mut Flags::default(), &mut mistakes);
    rules.filter(|_| mistakes.is_empty()).ok_or(mistakes)
}

fn claims(value: Value) -> Map<String, Value> {
    value.as_object().expect("claims").clone()
}

/// Whether the default marks say that `value` are a program's claims.
fn is_service(value: Value) -> bool {
    let rules = rules(flags()).expect("right");
    let claims = claims(value);
    rules.services.iter().any(|mark| mark.is_on(&claims))
}

#[test]
fn nothing_said_is_no_assertion_and_no_mistake() {
    let mut mistakes = Vec::new();
    let none = assertion(&mut Flags::default(), &mut Flags::default(), &mut mistakes);
    assert!(none.is_none() && mistakes.is_empty(), "{mistakes:?}");
}

#[test]
fn all_that_is_missing_is_named_at_once() {
    let mistakes = rules(Flags {
        assertion_users: Some("ann".to_owned()),
        ..Flags::default()
    })
    .expect_err("four are missing");
    for name in ["HEADER", "ISSUER", "AUDIENCE", "JWKS"] {
        let name = format!("COUNTERSIGN_ASSERTION_{name}:");
        assert!(
            mistakes.iter().any(|m| m.starts_with(&name)),
            "{mistakes:?}"
        );
    }
    assert_eq!(mistakes.len(), 4, "{mistakes:?}");
}

#[test]
fn a_header_with_another_meaning_holds_no_assertion() {
    for header in ["Authorization", "cookie", "X-Forwarded-For", "a b", ""] {
        let refused = rules(Flags {
            assertion_header: Some(header.to_owned()),
            ..flags()
        });
        refused.expect_err(header);
    }
}

#[test]
fn keys_come_by_https_or_from_this_machine() {
    for (text, is_right) in [
        ("https://edge.example/jwks", true),
        ("http://127.0.0.1:9/jwks", true),
        ("http://localhost/jwks", true),
        ("http://[::1]/jwks", true),
        ("/etc/countersign/jwks.json", true),
        ("http://edge.example/jwks", false),
        ("http://127.0.0.1.example/jwks", false),
        ("http://127.0.0.1@edge.example/jwks", false),
        ("https://u:p@edge.example/jwks", false),
        ("ftp://edge.example/jwks", false),
        ("file:///etc/jwks.json", false),
    ] {
        let rules = rules(Flags {
            assertion_jwks: Some(text.to_owned()),
            ..flags()
        });
        assert_eq!(rules.is_ok(), is_right, "{text}");
    }
}

#[test]
fn known_proxies_name_their_programs_so() {
    for service in [
        json!({ "type": "app", "sub": "", "common_name": "e367826f93b8d71185e03fe518aff3b4.access" }),
        json!({ "sub": "accounts.google.com:1", "email": "ci@acme.iam.gserviceaccount.com" }),
        json!({ "email": "1-compute@Developer.GServiceAccount.com" }),
        json!({ "sub": "x@clients", "gty": "client-credentials" }),
        json!({ "sub": "x", "idtyp": "app" }),
        json!({ "sub": "x", "preferred_username": "service-account-ci" }),
    ] {
        assert!(is_service(service.clone()), "{service}");
    }
    for person in [
        json!({ "type": "app", "sub": "7335d417", "email": "ann@example.org", "common_name": "" }),
        json!({ "sub": "1", "email": "ann@gserviceaccount.com.example.org", "common_name": null }),
        json!({ "sub": "1", "idtyp": "user", "gty": ["password"] }),
        json!({ "sub": "1", "preferred_username": "ann" }),
    ] {
        assert!(!is_service(person.clone()), "{person}");
    }
}

#[test]
fn a_mark_of_ones_own_takes_the_place_of_the_defaults() {
    let rules = rules(Flags {
        assertion_services: Some("/act/kind=bot*, machine".to_owned()),
        ..flags()
    })
    .expect("right");
    let is_service = |value| {
        let claims = claims(value);
        rules.services.iter().any(|mark| mark.is_on(&claims))
    };
    assert!(is_service(json!({ "act": { "kind": "Bot-7" } })));
    assert!(is_service(json!({ "machine": true })));
    assert!(!is_service(json!({ "machine": false, "act": "bot" })));
    assert!(!is_service(json!({ "common_name": "x" })));
    for odd in ["=x", "a=", "a=*b*", "a,,b"] {
        let refused = super::service_marks(odd);
        refused.expect_err(odd);
    }
}

#[test]
fn a_claim_is_a_name_or_a_pointer() {
    let claims = claims(json!({
        "https://example.org/groups": ["a"], "custom": { "groups": ["b"], "a/b": 1 }, "n": null
    }));
    let of = |claim: &str| Claim::parse(claim).of(&claims).cloned();
    assert_eq!(of("https://example.org/groups"), Some(json!(["a"])));
    assert_eq!(of("/custom/groups"), Some(json!(["b"])));
    assert_eq!(of("/custom/groups/0"), Some(json!("b")));
    assert_eq!(of("/custom/a~1b"), Some(json!(1)));
    assert_eq!(of("/custom"), Some(json!({ "groups": ["b"], "a/b": 1 })));
    for absent in ["custom.groups", "/custom/none", "n", "/n", "/", ""] {
        assert_eq!(of(absent), None, "{absent}");
    }
}
