//! What is counted, when it is beyond, and what becomes of it then.

use countersign_budget::Budget;
use countersign_policy::prelude::*;
use countersign_policy::testing::{RequestBuilder, configured, request, settings};

type Given<'g> = &'g [(&'g str, &'g [&'g str])];

const COUNTED: [(Verb, &str); 5] = [
    (Verb::OrgTokenMint, "mints"),
    (Verb::WorkspaceTokenMint, "mints"),
    (Verb::SecretWrite, "secret-writes"),
    (Verb::SecretDelete, "secret-writes"),
    (Verb::WorkspaceCreate, "workspaces"),
];

fn asked(verb: Verb, what: &str, own: u32, all: u32) -> RequestBuilder {
    request(Credential::OrgToken, verb.name())
        .tally(&format!("{what}-of-actor"), own)
        .tally(&format!("{what}-in-all"), all)
}

fn mint(own: u32, all: u32) -> RequestBuilder {
    asked(Verb::OrgTokenMint, "mints", own, all)
}

fn judged(given: Given<'_>, asked: RequestBuilder) -> Verdict {
    asked.judged_by(&configured::<Budget>(given))
}

#[test]
fn each_budget_ends_with_the_deed_that_fills_it() {
    let limits = [
        ("mints", 10, 100),
        ("secret-writes", 60, 600),
        ("workspaces", 30, 300),
    ];
    for (verb, what) in COUNTED {
        for (name, own, all) in limits {
            if name != what {
                continue;
            }
            assert_eq!(
                judged(&[], asked(verb, what, own - 1, all - 1)),
                Verdict::Abstain
            );
            let of_actor = judged(&[], asked(verb, what, own, 0));
            assert_eq!(of_actor.rule(), Some(&*format!("{what}-of-actor")));
            let in_all = judged(&[], asked(verb, what, 0, all));
            assert_eq!(in_all.rule(), Some(&*format!("{what}-in-all")));
            assert!(of_actor.is_gate() && in_all.is_gate());
            assert!(judged(&[], asked(verb, what, u32::MAX, u32::MAX)).is_gate());
        }
    }
}

#[test]
fn without_a_count_it_denies_also_where_it_would_gate() {
    for beyond in ["gate", "deny"] {
        let given: Given<'_> = &[("beyond", &[beyond])];
        for request in [
            request(Credential::OrgToken, "org_token_mint"),
            request(Credential::OrgToken, "org_token_mint").tally("mints-of-actor", 0),
            request(Credential::OrgToken, "org_token_mint").tally("mints-of-actor", 99),
            request(Credential::OrgToken, "org_token_mint").tally("mints-in-all", 0),
            request(Credential::OrgToken, "org_token_mint").tally("workspaces-in-all", 0),
        ] {
            let verdict = judged(given, request);
            assert!(verdict.is_deny());
            assert_eq!(verdict.rule(), Some("no-count"));
        }
    }
}

#[test]
fn what_is_unlimited_is_not_looked_at() {
    let given: Given<'_> = &[
        ("mints_per_hour", &["unlimited"]),
        ("mints_per_hour_in_all", &["5"]),
    ];
    assert_eq!(judged(given, mint(1_000, 4)), Verdict::Abstain);
    assert_eq!(judged(given, mint(0, 5)).rule(), Some("mints-in-all"));
    let none: Given<'_> = &[
        ("mints_per_hour", &["unlimited"]),
        ("mints_per_hour_in_all", &["unlimited"]),
    ];
    let uncounted = request(Credential::OrgToken, "org_token_mint");
    assert_eq!(judged(none, uncounted), Verdict::Abstain);
}

#[test]
fn a_budget_of_nothing_is_beyond_at_once() {
    assert!(judged(&[("mints_per_hour", &["0"])], mint(0, 0)).is_gate());
}

#[test]
fn beyond_it_nothing_is_done_where_the_setting_says_so() {
    let verdict = judged(&[("beyond", &["deny"])], mint(10, 10));
    assert!(verdict.is_deny());
    assert_eq!(
        verdict.ground().map(|ground| ground.reason.as_str()),
        Some("10 mints of tokens an hour for one actor are done or asked for already")
    );
}

#[test]
fn the_people_who_are_asked_are_settings() {
    let given: Given<'_> = &[("approvers", &["2"]), ("groups", &["platform"])];
    let Verdict::Gate(terms) = judged(given, mint(10, 10)) else {
        panic!("expected a gate")
    };
    assert_eq!(terms.quorums.len(), 1);
    assert_eq!(terms.quorums[0].people, 2);
    assert_eq!(terms.quorums[0].groups, ["platform"]);
}

#[test]
fn it_abstains_from_what_it_does_not_count() {
    for &verb in Verb::ALL {
        if COUNTED.iter().all(|(counted, _)| *counted != verb) {
            let verdict = judged(&[], request(Credential::OrgToken, verb.name()));
            assert_eq!(verdict, Verdict::Abstain, "{verb:?}");
        }
    }
    let unknown = request(Credential::OrgToken, "make_coffee");
    assert_eq!(judged(&[], unknown), Verdict::Abstain);
}

#[test]
fn people_have_no_budget_unless_the_setting_says_so() {
    let person = || {
        request(Credential::VerifiedSession, "org_token_mint")
            .tally("mints-of-actor", 10)
            .tally("mints-in-all", 10)
    };
    assert_eq!(judged(&[], person()), Verdict::Abstain);
    assert!(judged(&[], person().class(CallerClass::Agent)).is_gate());
    assert!(judged(&[("people_too", &["true"])], person()).is_gate());
}

#[test]
fn the_manifest_asks_for_every_count_that_is_limited() {
    let tallies: Vec<_> = Budget::manifest()
        .tallies
        .into_iter()
        .map(|tally| (tally.name, tally.window_seconds))
        .collect();
    let expected = ["mints", "secret-writes", "workspaces"]
        .iter()
        .flat_map(|what| [format!("{what}-of-actor"), format!("{what}-in-all")])
        .map(|name| (name, 3_600))
        .collect::<Vec<_>>();
    assert_eq!(tallies, expected);
}

#[test]
fn a_mistake_is_named_in_a_sentence() {
    let cases: [(Given<'_>, &str); 4] = [
        (
            &[("mints_per_hour", &["ten"])],
            "the setting `mints_per_hour` is a number from 0 to 1000000, not `ten`; \
             `unlimited` is no limit",
        ),
        (
            &[("workspaces_per_hour_in_all", &["-1"])],
            "the setting `workspaces_per_hour_in_all` is a number from 0 to 1000000, not `-1`; \
             `unlimited` is no limit",
        ),
        (
            &[("beyond", &["dny"])],
            "the setting `beyond` is `gate` or `deny`, not `dny`; did you mean `deny`?",
        ),
        (
            &[("approvers", &["0"])],
            "the setting `approvers` is a number from 1 to 9, not `0`",
        ),
    ];
    for (given, expected) in cases {
        let refusal = countersign_policy::configure::<Budget>(&settings(given));
        assert_eq!(refusal.expect_err("INVARIANT: each is a mistake"), expected);
    }
}
