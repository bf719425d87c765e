//! Each kind of value that a snapshot hides is refused where it is wrong.

use serde_json::json;

use super::redaction::Redaction;
use super::story::is_digest_of;
use super::volatile::{instant, sha256, uuid_5};

/// Noon of 2026-01-02, and two minutes later.
const TOLD: (i64, i64) = (1_767_355_200_000_000, 1_767_355_320_000_000);
const ID: &str = "019b7e94-35e8-7000-8000-000000000001";
const OTHER: &str = "019b7e94-35e8-7000-8000-000000000002";
/// The checksum was computed elsewhere.
const TOKEN: &str = "cso_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA47XcvH";

/// What is made of `texts`, one after another; all were found before.
fn hidden(texts: &[&str]) -> Result<String, String> {
    let mut redaction = Redaction::of(TOLD);
    texts.iter().for_each(|text| redaction.find(text));
    let hidden: Result<Vec<String>, String> =
        texts.iter().map(|text| redaction.hide(text)).collect();
    Ok(hidden?.join(" "))
}

#[track_caller]
fn is(texts: &[&str], shown: &str) {
    assert_eq!(hidden(texts).as_deref(), Ok(shown));
}

#[track_caller]
fn refuses(texts: &[&str], why: &str) {
    let hidden = hidden(texts);
    let Err(refused) = &hidden else {
        panic!("{hidden:?}")
    };
    let wrong = texts.last().copied().unwrap_or_default();
    assert!(refused.contains(why), "{wrong}: {refused}");
}

#[test]
fn ids_are_of_their_version_and_time_and_equal_ones_look_equal() {
    is(
        &[ID, OTHER, &format!("/approvals/{ID}")],
        "<id:1> <id:2> /approvals/<id:1>",
    );
    let anchor = uuid_5(ID, "molecule-platform-agent");
    is(&[ID, &anchor], "<id:1> <anchor>");
    // RFC 9562, appendix A.4.
    let dns = uuid_5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com");
    assert_eq!(dns, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    refuses(&[&anchor], "of no organisation");
    refuses(&["019b7e94-35e8-4000-8000-000000000001"], "version 4");
    refuses(
        &["019b7e94-35e8-7000-c000-000000000001"],
        "no known variant",
    );
    refuses(&["019b7e94-35e8-7000-8000-00000000000"], "no UUID");
    refuses(&["019B7E94-35E8-7000-8000-000000000001"], "no UUID");
    refuses(&["018b7e94-35e8-7000-8000-000000000001"], "not made while");
}

#[test]
fn instants_are_in_utc_in_microseconds_and_of_the_story_or_a_life_later() {
    let at = "2026-01-02T12:00:01.234567Z";
    is(&[at, "2026-01-02T12:00:02Z", at], "<at:1> <at:2> <at:1>");
    is(&["2026-01-02T13:00:01.234567Z", at], "<at:1+1h> <at:1>");
    is(&[at, "2026-01-02T12:15:01.234567Z"], "<at:1> <at:1+15m>");
    is(&["2026-01-02T13:00:01.234567Z"], "<at+1h>");
    is(
        &["2026-01-02T12:00:01.5Z", "2026-01-02T12:01:01.5Z"],
        "<at:1> <at:1+60s>",
    );
    assert_eq!(instant("1970-01-01T00:00:00.000001Z"), Ok(1));
    assert_eq!(instant("2000-02-29T00:00:00Z"), Ok(951_782_400_000_000));
    refuses(&["2026-01-02T12:00:01.234567"], "not in UTC");
    refuses(&["2026-01-02T12:00:01.234567+00:00"], "not in UTC");
    refuses(&["2026-01-02T12:00:01.234567890Z"], "microseconds");
    refuses(&["2026-01-02T12:00:01.230Z"], "zeros");
    refuses(&["2026-01-02T12:00Z"], "RFC 3339");
    refuses(&["2026-13-02T12:00:01Z"], "no such day");
    refuses(&["2026-01-02T11:59:59.999999Z"], "neither of the time");
    refuses(&["2026-01-02T12:03:00.000001Z"], "neither of the time");
    // A life that is cut to milliseconds does not end with what it began with.
    is(&[at, "2026-01-02T13:00:01.234Z"], "<at:1> <at+1h>");
    refuses(&["2026-01-02T14:30:00Z"], "neither of the time");
    let lately = |text| Redaction::of(TOLD).lately(text);
    assert_eq!(lately(at).as_deref(), Ok("<lately>"));
    assert!(lately("2026-01-02T12:03:00Z").is_err());
    assert!(lately("2026-01-02T12:00:01").is_err());
    let found = |texts: [&str; 3]| {
        let mut redaction = Redaction::of(TOLD);
        texts.iter().for_each(|text| redaction.find(text));
        redaction.is_in_microseconds()
    };
    let (one, other) = ("2026-01-02T12:00:01.234Z", "2026-01-02T12:00:02Z");
    assert!(found([one, other, at]).is_ok());
    assert!(found([one, other, one]).is_ok());
    assert!(found([one, other, "2026-01-02T12:00:03.5Z"]).is_err());
    let mut redaction = Redaction::of(TOLD);
    assert_eq!(redaction.millis(1_767_355_200_001).as_deref(), Ok("<ms>"));
    assert!(redaction.millis(1_767_355_200).is_err());
    assert!(redaction.millis(TOLD.0).is_err());
}

#[test]
fn tokens_have_their_checksum_and_a_prefix_is_that_of_a_token_that_was_shown() {
    let wrong = TOKEN.replace("AA", "AB");
    is(
        &[TOKEN, "org-token:cso_AAAA"],
        "<token:1> org-token:<prefix of token:1>",
    );
    refuses(&[&wrong], "checksum");
    refuses(&[&TOKEN.replace("cso_", "csw_")], "checksum");
    refuses(&[&TOKEN[..52]], "52 characters");
    refuses(&["cso_AAA"], "7 characters");
    refuses(&[TOKEN, "cso_AAAB"], "no token that the story shows");
}

#[test]
fn digests_are_whole_and_those_of_what_is_asked_are_computed_again() {
    let (digest, other) = (sha256("a"), sha256("b"));
    is(
        &[&digest, &other, &digest],
        "<sha256:1> <sha256:2> <sha256:1>",
    );
    refuses(&[&digest[..63]], "63 hex digits");
    refuses(&[&digest.to_uppercase()], "64 hex digits");
    let payload = json!({ "verb": "org_token_mint", "arguments": { "name": "ci" } });
    let canonical = r#"{"arguments":{"name":"ci"},"verb":"org_token_mint"}"#;
    let of = |digest: String| is_digest_of(Some(&payload), Some(&json!(digest)));
    assert_eq!(of(sha256(canonical)), Ok(()));
    assert!(of(digest).is_err());
}

#[test]
fn headers_are_well_formed_and_within_their_bounds() {
    let mut redaction = Redaction::of(TOLD);
    let mut header = |name, value, code| redaction.header((name, value), code, "600").ok();
    assert_eq!(
        header("x-request-id", "0123456789abcdef", "").as_deref(),
        Some("<request id>")
    );
    for (name, value, code) in [
        (
            "x-request-id",
            "0123456789abcdef",
            "it was another answer's",
        ),
        ("x-request-id", "0123456789ABCDEF", ""),
        ("x-request-id", "0123456789abcde", ""),
        ("x-ratelimit-remaining", "601", ""),
        ("x-ratelimit-remaining", "-1", ""),
        ("x-ratelimit-reset", "61", ""),
        ("retry-after", "61", "rate_limited"),
        ("retry-after", "3601", "too_many_mints"),
        ("retry-after", "soon", ""),
        ("x-decision-id", "019b7e94-35e8-7000-8000", ""),
        (
            "location",
            "/approvals/019b7e94-35e8-4000-8000-000000000001",
            "",
        ),
    ] {
        assert_eq!(header(name, value, code), None, "{name}: {value}");
    }
    assert_eq!(header("retry-after", "5", "").as_deref(), Some("5"));
}

#[test]
fn a_member_is_what_its_name_promises() {
    for (name, shown) in [
        ("created_at", "<at:1>"),
        ("expires_at", "<at:1+1h>"),
        ("expires_at", "<the end asked for>"),
        ("id", "<nobody's id>"),
        ("auth_token", "<token:1>"),
        ("prefix", "<prefix of token:1>"),
        ("name", "ci"),
    ] {
        assert_eq!(Redaction::keeps(name, shown), Ok(()), "{name}");
    }
    for (name, shown) in [
        ("created_at", "yesterday"),
        ("created_at", "<id:1>"),
        ("created_at", "at <at:1>"),
        ("expires_at", "<at:1> and more"),
        ("id", "17"),
        ("auth_token", "<prefix of token:1>"),
        ("prefix", "<token:1>"),
        ("digest", "none"),
    ] {
        assert!(Redaction::keeps(name, shown).is_err(), "{name}: {shown}");
    }
}

#[test]
fn what_the_test_knows_is_named_and_the_longest_name_is_taken() {
    let mut redaction = Redaction::of(TOLD);
    let given = [
        ("http://127.0.0.1:1", "<origin>"),
        ("127.0.0.1:1", "<authority>"),
    ];
    redaction.given = given
        .map(|(known, name)| (known.to_owned(), name.to_owned()))
        .into();
    let shown = redaction.hide(&format!("http://127.0.0.1:1/console/approvals/{ID}"));
    assert_eq!(shown.as_deref(), Ok("<origin>/console/approvals/<id:1>"));
    let elsewhere = redaction.hide("http://127.0.0.1:2/");
    assert_eq!(elsewhere.as_deref(), Ok("http://127.0.0.1:2/"));
}
