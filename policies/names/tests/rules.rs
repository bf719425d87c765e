//! Which names pass, whose, and what is said of the others.

use countersign_names::Names;
use countersign_policy::Value;
use countersign_policy::prelude::*;
use countersign_policy::testing::{RequestBuilder, configured, request, settings};

type Given<'g> = &'g [(&'g str, &'g [&'g str])];

const CI: Given<'_> = &[
    ("org_token_names", &["ci-*", "release"]),
    ("refuse_org_token_names", &["*prod*"]),
];

fn mint(name: &str) -> RequestBuilder {
    request(Credential::OrgToken, "org_token_mint").action_property("name", name)
}

fn rule(given: Given<'_>, asked: RequestBuilder) -> Option<String> {
    let verdict = asked.judged_by(&configured::<Names>(given));
    assert!(!verdict.is_allow(), "{verdict:?}");
    verdict.rule().map(str::to_owned)
}

#[track_caller]
fn passes(given: Given<'_>, asked: RequestBuilder) {
    assert_eq!(rule(given, asked), None);
}

#[track_caller]
fn stops(given: Given<'_>, asked: RequestBuilder, expected: &str) {
    assert_eq!(rule(given, asked).as_deref(), Some(expected));
}

#[test]
fn without_patterns_it_says_nothing() {
    for &verb in Verb::ALL {
        for name in ["", " x ", "рrod"] {
            let asked = request(Credential::OrgToken, verb.name())
                .action_property("name", name)
                .action_property("key", name);
            passes(&[], asked);
        }
    }
}

#[test]
fn a_name_passes_that_one_pattern_allows_and_none_refuses() {
    passes(CI, mint("ci-deploy"));
    passes(CI, mint("release"));
    stops(CI, mint("release-2"), "name-not-allowed");
    stops(CI, mint("CI-deploy"), "name-not-allowed");
    stops(CI, mint(""), "name-not-allowed");
    stops(CI, mint("ci-prod"), "name-refused");
    stops(CI, mint("ci-PROD-1"), "name-refused");
}

#[test]
fn no_name_is_refused_where_a_pattern_asks_for_one() {
    let unnamed = || request(Credential::OrgToken, "org_token_mint");
    stops(CI, unnamed(), "name-missing");
    passes(&[("refuse_org_token_names", &["*prod*"])], unnamed());
}

#[test]
fn a_name_that_is_no_text_is_refused() {
    for value in [
        Value::from(7),
        Value::from(["ci-1"]),
        Value::Json("\"ci-1\"".to_owned()),
    ] {
        let asked = request(Credential::OrgToken, "org_token_mint").action_property("name", value);
        stops(CI, asked.clone(), "name-characters");
        stops(
            &[("refuse_org_token_names", &["x"])],
            asked,
            "name-characters",
        );
    }
}

#[test]
fn what_looks_like_another_letter_or_like_nothing_is_refused() {
    for name in [
        "ci-рrod",
        "ci-ｐrod",
        "ci-pr\u{200b}od",
        "ci-\u{202e}dorp",
        "ci-a\u{a0}b",
        "ci-e\u{301}",
        "ci-\u{7}",
        "ci-\n",
        " ci-1",
        "ci-1 ",
        "ci-1\t",
    ] {
        stops(CI, mint(name), "name-characters");
    }
    passes(CI, mint("ci-a b"));
}

#[test]
fn other_letters_pass_where_the_setting_says_so_and_what_cannot_be_seen_never_does() {
    let given: Given<'_> = &[("org_token_names", &["büro-*"]), ("unicode", &["true"])];
    passes(given, mint("büro-жук"));
    for name in [
        "büro-a\u{200b}",
        "büro-\u{202e}a",
        "büro-a\u{a0}",
        "büro-a\u{a0}b",
        "büro- ",
        "büro-\u{7}",
    ] {
        stops(given, mint(name), "name-characters");
    }
}

#[test]
fn a_name_that_is_too_long_is_not_looked_at() {
    passes(CI, mint(&format!("ci-{}", "x".repeat(253))));
    stops(
        CI,
        mint(&format!("ci-{}", "x".repeat(254))),
        "name-too-long",
    );
}

#[test]
fn workspaces_are_named_when_they_are_created_and_not_renamed() {
    let given: Given<'_> = &[("workspace_names", &["team-*"])];
    let create =
        |name| request(Credential::OrgToken, "workspace_create").action_property("name", name);
    passes(given, create("team-a"));
    stops(given, create("a"), "name-not-allowed");

    let update = || request(Credential::OrgToken, "workspace_update");
    stops(
        given,
        update().action_property("fields", ["name", "parent_id"]),
        "renaming",
    );
    passes(
        given,
        update().action_property("fields", ["parent_id", "status"]),
    );
    // Who does not say what changes may change the name.
    stops(given, update(), "renaming");
    stops(
        given,
        update().action_property("fields", "parent_id"),
        "renaming",
    );
    stops(&[("refuse_workspace_names", &["x"])], update(), "renaming");
    passes(CI, update());
}

#[test]
fn a_person_reads_a_new_name_where_the_setting_says_so() {
    let names: Names = configured(&[("workspace_names", &["team-*"]), ("renames", &["gate"])]);
    let rename = |credential| {
        request(credential, "workspace_update")
            .action_property("fields", ["name"; 1])
            .judged_by(&names)
    };
    assert!(rename(Credential::OrgToken).is_gate());
    assert!(rename(Credential::Vouched).is_deny());
}

#[test]
fn the_keys_of_secrets_are_governed_when_they_are_written_and_when_they_are_deleted() {
    let given: Given<'_> = &[
        ("secret_keys", &["APP_*"]),
        ("refuse_secret_keys", &["*_ROOT"]),
    ];
    for verb in ["secret_write", "secret_delete"] {
        let asked = |key| request(Credential::OrgToken, verb).action_property("key", key);
        passes(given, asked("APP_URL"));
        stops(given, asked("DB_URL"), "name-not-allowed");
        stops(given, asked("APP_root"), "name-refused");
        stops(given, request(Credential::OrgToken, verb), "name-missing");
    }
    passes(given, request(Credential::OrgToken, "secret_list"));
    passes(given, mint("DB_URL"));
}

#[test]
fn every_program_is_held_and_people_where_the_setting_says_so() {
    for credential in [
        Credential::AdminToken,
        Credential::WorkspaceToken,
        Credential::Provisioner,
        Credential::Vouched,
        Credential::Anonymous,
        Credential::Other,
    ] {
        let asked = request(credential, "org_token_mint").action_property("name", "x");
        stops(CI, asked, "name-not-allowed");
    }
    let person =
        || request(Credential::VerifiedSession, "org_token_mint").action_property("name", "x");
    passes(CI, person());
    stops(CI, person().class(CallerClass::Agent), "name-not-allowed");
    let given: Given<'_> = &[("org_token_names", &["ci-*"]), ("people_too", &["true"])];
    stops(given, person(), "name-not-allowed");
}

#[test]
fn whoever_is_stopped_is_told_what_is_allowed_and_not_what_is_refused() {
    let advice = |given: Given<'_>, name| {
        let verdict = mint(name).judged_by(&configured::<Names>(given));
        let ground = verdict.ground().expect("INVARIANT: a denial has a ground");
        ground.details.text("advice").map(str::to_owned)
    };
    assert_eq!(
        advice(CI, "x").as_deref(),
        Some("names of organisation tokens that are allowed: ci-*, release")
    );
    assert_eq!(
        advice(&[("refuse_org_token_names", &["*prod*"])], "prod").as_deref(),
        Some(
            "choose another one; which names of organisation tokens are refused is for the people \
             here to say"
        )
    );
    let long = "x".repeat(60);
    let many = vec![long.as_str(); 20];
    let told = advice(&[("org_token_names", &many)], "y").expect("INVARIANT: there is advice");
    assert!(
        told.ends_with(", and 14 more") && told.len() < 600,
        "{told}"
    );
}

#[test]
fn a_mistake_is_named_in_a_sentence() {
    let many = vec!["x"; 33];
    let long = "x".repeat(64);
    let full = vec![long.as_str(); 32];
    let cases: [(Given<'_>, &str); 10] = [
        (
            &[
                ("org_token_names", &full),
                ("refuse_workspace_names", &full),
                ("secret_keys", &["X"]),
            ],
            "the setting `secret_keys` brings all patterns together to 4097 bytes, \
             and they take at most 4096",
        ),
        (
            &[("org_token_names", &[""])],
            "the setting `org_token_names` has ``, which is empty; `*` is any name",
        ),
        (
            &[("refuse_workspace_names", &["*a?*"])],
            "the setting `refuse_workspace_names` has `*a?*`, which has a `?` between two `*`; \
             it goes before the first one or behind the last",
        ),
        (
            &[("workspace_names", &["büro"])],
            "the setting `workspace_names` has `büro`, which no name can match unless `unicode` is `true`",
        ),
        (
            &[("secret_keys", &["app-*"])],
            "the setting `secret_keys` has `app-*`, which no key can match: \
             keys have letters, digits and `_`",
        ),
        (
            &[("secret_keys", &many)],
            "the setting `secret_keys` has 33 patterns, and takes at most 32",
        ),
        (
            &[("renames", &["allow"])],
            "the setting `renames` is `deny` or `gate`, not `allow`",
        ),
        (
            &[("unicode", &["yes"])],
            "the setting `unicode` is `true` or `false`, not `yes`",
        ),
        (
            &[("people_too", &["yes"])],
            "the setting `people_too` is `true` or `false`, not `yes`",
        ),
        (
            &[("names", &["x"])],
            "the setting `names` is unknown; `names` has `org_token_names`, `refuse_org_token_names`, \
             `workspace_names`, `refuse_workspace_names`, `secret_keys`, `refuse_secret_keys`, \
             `unicode`, `renames`, `people_too`",
        ),
    ];
    for (given, expected) in cases {
        let refusal = countersign_policy::configure::<Names>(&settings(given));
        assert_eq!(refusal.expect_err("INVARIANT: each is a mistake"), expected);
    }
}
