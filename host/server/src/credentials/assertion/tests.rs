use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_core::time::Timestamp;
use jsonwebtoken::Algorithm;
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::json;

use super::claims::{Asserted, asserted};
use super::keys::{KeySet, KeysError};
use super::*;
use crate::config::{Allowed, Claim, KeySource};

/// A second on which all tests happen.
const NOW: i64 = 1_700_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000)
}

fn rules() -> AssertionRules {
    AssertionRules {
        header: HeaderName::from_static("x-assertion"),
        issuer: "https://edge.example".to_owned(),
        audiences: ["countersign".to_owned()].into(),
        keys: KeySource::File(PathBuf::new()),
        person: Claim::parse("sub"),
        groups: Claim::parse("groups"),
        allowed: Allowed::default(),
        services: Vec::new(),
    }
}

fn right() -> Value {
    json!({
        "iss": "https://edge.example", "aud": "countersign", "sub": "ann",
        "iat": NOW, "exp": NOW + 300,
    })
}

/// What comes of the right claims with `changes`; null takes one away.
fn judged(changes: Value) -> Result<Asserted, Flaw> {
    judged_by(&rules(), changes)
}

fn judged_by(rules: &AssertionRules, changes: Value) -> Result<Asserted, Flaw> {
    let mut claims = right().as_object().expect("claims").clone();
    for (name, value) in changes.as_object().expect("changes") {
        match value {
            Value::Null => claims.remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
    asserted(&claims, rules, at(NOW))
}

#[test]
fn the_right_claims_assert_a_person() {
    let person = judged(json!({ "groups": ["b", "a", "b"] })).expect("right");
    assert_eq!(person.user, "ann");
    assert_eq!(person.groups, ["a", "b"]);
    assert_eq!(person.ends_at, at(NOW + 360));
    for right in [
        json!({ "aud": ["other", "countersign"] }),
        json!({ "groups": "one" }),
        json!({ "exp": NOW + 299, "iat": NOW - 300 }),
        json!({ "exp": NOW + 600 }),
        json!({ "exp": (NOW + 300) as f64 + 0.5 }),
        json!({ "nbf": NOW + 60 }),
        json!({ "iat": NOW + 60 }),
        json!({ "iat": NOW - 400, "exp": NOW - 59 }),
        json!({ "email_verified": false }),
    ] {
        judged(right.clone()).unwrap_or_else(|flaw| panic!("{right}: {flaw}"));
    }
}

#[test]
fn each_claim_that_is_wrong_is_named() {
    let long = "x".repeat(257);
    for (wrong, flaw) in [
        (json!({ "iss": null }), Flaw::Issuer),
        (json!({ "iss": "https://edge.example/" }), Flaw::Issuer),
        (json!({ "iss": ["https://edge.example"] }), Flaw::Issuer),
        (json!({ "aud": null }), Flaw::Audience),
        (json!({ "aud": [] }), Flaw::Audience),
        (json!({ "aud": "Countersign" }), Flaw::Audience),
        (json!({ "aud": { "countersign": true } }), Flaw::Audience),
        (json!({ "aud": [["countersign"]] }), Flaw::Audience),
        (json!({ "exp": null }), Flaw::NoInstant("exp")),
        (json!({ "exp": "1700000300" }), Flaw::NoInstant("exp")),
        (json!({ "exp": -1 }), Flaw::NoInstant("exp")),
        (json!({ "exp": 1e300 }), Flaw::NoInstant("exp")),
        (json!({ "exp": u64::MAX }), Flaw::NoInstant("exp")),
        (json!({ "iat": null }), Flaw::NoInstant("iat")),
        (json!({ "iat": true }), Flaw::NoInstant("iat")),
        (json!({ "nbf": "now" }), Flaw::NoInstant("nbf")),
        (json!({ "exp": NOW + 601 }), Flaw::Life),
        (json!({ "exp": NOW }), Flaw::Life),
        (json!({ "exp": NOW - 1 }), Flaw::Life),
        (json!({ "iat": NOW - 400, "exp": NOW - 60 }), Flaw::Expired),
        (
            json!({ "iat": NOW + 61, "exp": NOW + 100 }),
            Flaw::NotYetValid,
        ),
        (json!({ "nbf": NOW + 61 }), Flaw::NotYetValid),
        (json!({ "sub": null }), Flaw::NoSubject),
        (json!({ "sub": "" }), Flaw::NoSubject),
        (json!({ "sub": 7 }), Flaw::NoSubject),
        (json!({ "sub": "ann\nroot" }), Flaw::NoPerson),
        (json!({ "sub": "ann\u{202e}toor" }), Flaw::NoPerson),
        (json!({ "sub": long }), Flaw::NoPerson),
        (json!({ "groups": { "a": true } }), Flaw::Groups),
        (json!({ "groups": ["a", 7] }), Flaw::Groups),
        (json!({ "groups": ["a", ""] }), Flaw::Groups),
        (json!({ "groups": vec!["a"; 1_001] }), Flaw::Groups),
    ] {
        assert_eq!(judged(wrong.clone()), Err(flaw), "{wrong}");
    }
}

#[test]
fn another_claim_can_name_the_person_and_sub_is_needed_all_the_same() {
    let rules = AssertionRules {
        person: Claim::parse("email"),
        ..rules()
    };
    let judged = |changes| judged_by(&rules, changes);
    let email = "ann@example.org";
    assert_eq!(
        judged(json!({ "email": email })).expect("right").user,
        email
    );
    let verified = json!({ "email": email, "email_verified": true });
    assert_eq!(judged(verified).expect("right").user, email);
    assert_eq!(judged(json!({})), Err(Flaw::NoPerson));
    let nobody = json!({ "email": email, "sub": "" });
    assert_eq!(judged(nobody), Err(Flaw::NoSubject));
    for unverified in [json!(false), json!("false"), json!(0)] {
        let claims = json!({ "email": email, "email_verified": unverified });
        assert_eq!(judged(claims), Err(Flaw::Unverified));
    }
}

#[test]
fn whoever_is_listed_or_in_a_listed_group_may_come() {
    let rules = AssertionRules {
        allowed: Allowed::of(&["ann"], &["owners"]),
        ..rules()
    };
    let judged = |changes| judged_by(&rules, changes);
    judged(json!({})).expect("listed");
    judged(json!({ "sub": "bob", "groups": ["x", "owners"] })).expect("in a listed group");
    let other = json!({ "sub": "bob", "groups": ["x"] });
    assert_eq!(judged(other), Err(Flaw::NotAllowed));
    let other = json!({ "sub": "owners" });
    assert_eq!(judged(other), Err(Flaw::NotAllowed));
}

fn jwk(changes: Value) -> Value {
    let point = URL_SAFE_NO_PAD.encode([7; 32]);
    let mut key = json!({ "kty": "EC", "crv": "P-256", "kid": "1", "x": point, "y": point });
    for (name, value) in changes.as_object().expect("changes") {
        key[name] = value.clone();
    }
    key
}

fn set(keys: &[Value]) -> KeySet {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a JWKS")
}

#[test]
fn a_key_is_used_for_its_own_algorithm_and_for_nothing_else() {
    let modulus = |length| URL_SAFE_NO_PAD.encode(vec![0xc1; length]);
    let short = URL_SAFE_NO_PAD.encode([7; 31]);
    let rsa = |length| json!({ "kty": "RSA", "kid": "1", "n": modulus(length), "e": "AQAB" });
    for (usable, algorithm) in [
        (jwk(json!({})), Algorithm::ES256),
        (
            jwk(json!({ "alg": "ES256", "use": "sig", "key_ops": ["verify"] })),
            Algorithm::ES256,
        ),
        (rsa(256), Algorithm::RS256),
        (rsa(1024), Algorithm::RS256),
        (
            jwk(json!({ "kty": "OKP", "crv": "Ed25519" })),
            Algorithm::EdDSA,
        ),
        (
            jwk(json!({ "kty": "OKP", "crv": "Ed25519", "alg": "Ed25519" })),
            Algorithm::EdDSA,
        ),
    ] {
        let set = set(std::slice::from_ref(&usable));
        for other in [
            Algorithm::RS256,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::ES256,
            Algorithm::ES384,
            Algorithm::EdDSA,
            Algorithm::HS256,
        ] {
            for id in [Some("1"), None] {
                let found = set.find(id, other).is_some();
                assert_eq!(found, other == algorithm, "{usable} {other:?}");
            }
        }
        assert!(set.find(Some("2"), algorithm).is_none());
    }
    for unusable in [
        json!({ "kty": "oct", "kid": "1", "k": "c2VjcmV0" }),
        jwk(json!({ "d": "c2VjcmV0" })),
        jwk(json!({ "k": "c2VjcmV0" })),
        jwk(json!({ "use": "enc" })),
        jwk(json!({ "key_ops": ["sign"] })),
        jwk(json!({ "alg": "HS256" })),
        jwk(json!({ "alg": "none" })),
        jwk(json!({ "crv": "P-384" })),
        jwk(json!({ "crv": "secp256k1" })),
        jwk(json!({ "crv": null })),
        jwk(json!({ "x": short })),
        jwk(json!({ "y": null })),
        jwk(json!({ "x": "=" })),
        jwk(json!({ "kty": "OKP", "crv": "Ed448" })),
        jwk(json!({ "kty": "RSA" })),
        jwk(json!({ "kty": 7 })),
        rsa(128),
        rsa(1025),
        json!("key"),
        json!(null),
    ] {
        let set = set(std::slice::from_ref(&unusable));
        assert_eq!((set.len(), set.ignored().len()), (0, 1), "{unusable}");
    }
}

#[test]
fn a_jwt_that_names_no_key_is_taken_where_only_one_can_be_meant() {
    let two = set(&[jwk(json!({})), jwk(json!({ "kid": "2" }))]);
    assert!(two.find(None, Algorithm::ES256).is_none());
    assert!(two.find(Some("2"), Algorithm::ES256).is_some());
    let nameless = set(&[jwk(json!({ "kid": null }))]);
    assert!(nameless.find(None, Algorithm::ES256).is_some());
    assert!(nameless.find(Some("1"), Algorithm::ES256).is_none());
}

#[test]
fn what_is_no_jwks_is_refused() {
    let parse = |text: &str| KeySet::parse(text.as_bytes()).err();
    for odd in ["", "[]", "null", "{}", r#"{"keys":{}}"#, "<!doctype html>"] {
        assert_eq!(parse(odd), Some(KeysError::NotAJwks), "{odd}");
    }
    let many = json!({ "keys": vec![jwk(json!({})); 101] }).to_string();
    assert_eq!(parse(&many), Some(KeysError::TooMany));
    assert!(parse(r#"{"keys":[]}"#).is_none());
}

/// One key, its set, and a JWT that it signed.
fn signed_by_a_key() -> (KeySet, String) {
    signature::install();
    let random = SystemRandom::new();
    let pkcs8 =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random)
        .expect("a key");
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let set = set(&[jwk(json!({ "x": encode(x), "y": encode(y) }))]);
    let header = json!({ "alg": "ES256", "kid": "1" }).to_string();
    let message = format!(
        "{}.{}",
        encode(header.as_bytes()),
        encode(right().to_string().as_bytes())
    );
    let signature = key.sign(&random, message.as_bytes()).expect("signed");
    let jwt = format!("{message}.{}", encode(signature.as_ref()));
    (set, jwt)
}

/// Whom `assertion` asserts, by `keys` that are known.
fn verified(assertion: &[u8], keys: &KeySet) -> Result<Asserted, Flaw> {
    let header = header(assertion)?;
    let key = keys.find(header.kid.as_deref(), header.alg);
    let claims = signed(assertion, key.ok_or(Flaw::UnknownKey)?)?;
    asserted(&claims, &rules(), at(NOW))
}

#[test]
fn not_one_byte_of_an_assertion_can_be_another() {
    let (keys, jwt) = signed_by_a_key();
    verified(jwt.as_bytes(), &keys).expect("right");
    for at in 0..jwt.len() {
        for flip in [1, 2, 0x20] {
            let mut other = jwt.clone().into_bytes();
            other[at] ^= flip;
            assert!(verified(&other, &keys).is_err(), "byte {at}");
        }
        assert!(
            verified(&jwt.as_bytes()[..at], &keys).is_err(),
            "cut at {at}"
        );
    }
}

proptest! {
    #[test]
    fn what_nobody_signed_never_verifies(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        text in "[A-Za-z0-9_.=-]{0,200}",
        header in any::<String>(),
        payload in any::<String>(),
        signature in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let (keys, _) = signed_by_a_key();
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let whole = encode(br#"{"alg":"ES256","kid":"1"}"#);
        let claims = encode(right().to_string().as_bytes());
        let signature = encode(&signature);
        for assertion in [
            bytes,
            text.into_bytes(),
            format!("{}.{}.{signature}", encode(header.as_bytes()), encode(payload.as_bytes())).into(),
            format!("{whole}.{}.{signature}", encode(payload.as_bytes())).into(),
            format!("{whole}.{claims}.{signature}").into(),
        ] {
            prop_assert!(verified(&assertion, &keys).is_err());
        }
    }

    #[test]
    fn no_claims_and_no_jwks_make_the_host_panic(text in any::<String>(), number in any::<f64>()) {
        let _ = KeySet::parse(text.as_bytes());
        let odd = json!(text);
        for name in ["iss", "aud", "sub", "groups", "exp", "iat", "nbf"] {
            let mut claims = right().as_object().expect("claims").clone();
            claims.insert(name.to_owned(), odd.clone());
            let _ = asserted(&claims, &rules(), at(NOW));
            claims.insert(name.to_owned(), json!(number));
            let _ = asserted(&claims, &rules(), at(NOW));
        }
    }
}
