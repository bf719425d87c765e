mod stances;

use countersign_core::action::ActionDigest;
use countersign_core::approval::End;
use countersign_core::decision::{Decision, Outcome};
use countersign_core::id::DecisionId;
use countersign_core::policy::{CallerClass, Ground, Role, Value};
use countersign_core::provenance::{Lately, Link};
use countersign_core::verb::Verb;
use countersign_core::verdict::{Judgement, Ruling, Took};

use super::super::examples::{
    NOW, agent, approval, decision, is_whole, person, policy_approval, secret_approval,
};
use super::*;

fn read_by(caller: &Caller) -> Reader<'_> {
    let standing = match caller
        .person()
        .is_some_and(|person| person.user == "operator")
    {
        true => Standing::Only,
        false => Standing::None,
    };
    Reader {
        caller,
        standing,
        refreshes: true,
    }
}

fn drawn(approval: &Approval, reader: &Caller) -> String {
    let html = ApprovalPage::new(
        approval,
        (&Provenance::default(), None),
        &read_by(reader),
        NOW,
    )
    .render()
    .expect("drawn");
    is_whole(&html);
    html
}

#[test]
fn a_person_sees_what_is_asked_and_signs_what_they_saw() {
    let html = drawn(&approval(), &person("operator"));
    for shown in [
        "Mint an organisation key",
        "agents need a person for this",
        "privileged-verb",
        "baseline@0.1.0",
        "cso_abcd",
        "It never expires",
        &format!(r#"name="digest" value="{}""#, approval().digest),
        r#"name="decision" value="approved""#,
        r#"name="decision" value="denied""#,
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}

#[test]
fn what_a_caller_names_is_marked_as_its_claim_and_cannot_be_markup() {
    let mut hostile = approval();
    hostile.payload["arguments"]["name"] = "<script>alert(1)</script>\"'".into();
    let html = drawn(&hostile, &person("operator"));
    assert!(!html.contains("<script>"), "{html}");
    assert!(html.contains("&#60;script&#62;"), "{html}");
    assert!(html.contains("caller’s words"), "{html}");
}

#[test]
fn a_secret_is_never_on_the_page() {
    let html = drawn(&secret_approval(), &person("operator"));
    assert!(html.contains("fingerprint"), "{html}");
    assert!(!html.contains("c0ffee"), "not even its commitment: {html}");
}

// A page that is drawn anew keeps open what has an id.
#[test]
fn all_that_a_reader_can_unfold_has_an_id_of_its_own() {
    let mut long = approval();
    long.claim.reason = Some("because ".repeat(60));
    for one in [&policy_approval(), &long] {
        let html = drawn(one, &person("operator"));
        let ids: Vec<_> = html.split("<details").skip(1).map(id).collect();
        assert!(ids.len() > 2, "{html}");
        for id in ids {
            assert_eq!(
                html.matches(&format!(" id=\"{id}\"")).count(),
                1,
                "{id}: {html}"
            );
        }
    }
}

/// Of the element whose tag begins so.
fn id(tag: &str) -> &str {
    let (tag, _) = tag.split_once('>').expect("a tag");
    let (_, id) = tag.split_once(" id=\"").expect("an id");
    id.split('"').next().expect("it ends")
}

#[test]
fn a_change_of_policies_shows_the_list_and_who_may_accept_it() {
    let html = drawn(&policy_approval(), &person("operator"));
    for shown in [
        "2 changes loosen",
        "gate → allow",
        "org_token_mint: any agent token",
        "3 rows of the table · 2 recorded decisions",
        "1 person; 15 min to use it",
        "evidence and no proof",
        "baseline@0.1.0 (abababababab)",
        r#"value="approved""#,
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    assert!(!html.contains("<script>"), "{html}");
    let others = drawn(&policy_approval(), &person("ada"));
    assert!(!others.contains(r#"value="approved""#), "{others}");
    assert!(others.contains("decided by operators"), "{others}");
    let mut accepted = policy_approval();
    accepted.state = State::Approved;
    accepted.grant_expires_at = Some(NOW.plus(std::time::Duration::from_secs(60)));
    let html = drawn(&accepted, &person("operator"));
    assert!(html.contains("makes it live by itself"), "{html}");
    assert!(!html.contains("repeating"), "{html}");
    let mut own = policy_approval();
    own.requester.credential = person("operator").credential_key();
    assert!(drawn(&own, &person("operator")).contains(r#"value="approved""#));
}

#[test]
fn every_state_is_told_in_words() {
    for state in State::ALL {
        let mut approval = approval();
        approval.state = *state;
        approval.grant_expires_at = Some(NOW.plus(std::time::Duration::from_secs(60)));
        let html = drawn(&approval, &person("operator"));
        assert!(html.contains(says(*state)), "{state}: {html}");
    }
}

#[test]
fn a_person_whose_own_request_was_approved_can_finish_it() {
    let mut own = approval();
    own.requester.credential = person("ada").credential_key();
    own.state = State::Approved;
    own.grant_expires_at = Some(NOW.plus(std::time::Duration::from_secs(60)));
    let html = drawn(&own, &person("ada"));
    assert!(html.contains(r#"action="/console/keys""#), "{html}");
    assert!(html.contains(r#"name="role" value="admin""#), "{html}");
    assert!(!drawn(&own, &person("grace")).contains("Mint the key now"));
}

#[test]
fn people_can_take_back_a_grant_that_is_not_used() {
    let mut granted = approval();
    granted.state = State::Approved;
    granted.grant_expires_at = Some(NOW.plus(std::time::Duration::from_secs(60)));
    let form = format!(r#"action="/console/approvals/{}/revoke""#, granted.id);
    assert!(drawn(&granted, &person("grace")).contains(&form));
    assert!(!drawn(&granted, &agent()).contains(&form));
    assert!(!drawn(&approval(), &person("grace")).contains(&form));
    granted.state = State::Revoked;
    granted.revoke_reason = Some("<b>wrong key</b>".to_owned());
    granted.end = Some(End::by(&person("ada"), NOW, "a person took it back"));
    let html = drawn(&granted, &person("grace"));
    assert!(!html.contains(&form), "{html}");
    assert!(html.contains("&#60;b&#62;wrong key"), "{html}");
    assert!(
        html.contains(">ada</bdi> <span class=\"vouched\">("),
        "{html}"
    );
}

#[test]
fn an_expired_request_is_not_pending_even_before_that_is_recorded() {
    let mut late = approval();
    late.expires_at = NOW;
    let html = drawn(&late, &person("operator"));
    assert!(html.contains(says(State::Expired)), "{html}");
    assert!(!html.contains(r#"name="decision""#), "{html}");
}

#[test]
fn literal_values_and_secrets_are_told_apart() {
    let page = ApprovalPage::new(
        &secret_approval(),
        (&Provenance::default(), None),
        &read_by(&person("operator")),
        NOW,
    );
    assert!(
        page.fields
            .iter()
            .any(|field| matches!(field.value, Shown::Secret(_)))
    );
}

#[test]
fn who_asks_is_told_with_its_chain_of_minters_and_what_it_did_lately() {
    let ruling = Ruling::Deny {
        ground: Ground::new("nobody", "nobody may"),
        policy: "baseline@0.1.0".to_owned(),
    };
    let known = Provenance {
        links: vec![Link {
            actor: "org-token:cso_abcd".to_owned(),
            name: Some("<b>\u{440}\u{430}ypal</b>".to_owned()),
            role: Some(Role::Admin),
            workspace: None,
            created_at: NOW,
            created_by: "session:0123456789abcdef".to_owned(),
            created_by_user: Some("\u{430}nn".to_owned()),
            lives: false,
        }],
        goes_on: true,
        lately: vec![Lately {
            decision: Decision {
                id: DecisionId::parse("019b76da-a800-7000-8000-00000000000a").expect("a UUID"),
                at: NOW,
                actor: "org-token:cso_abcd".to_owned(),
                credential: "org-token:x".to_owned(),
                verb: Verb::SecretWrite,
                digest: ActionDigest::from_text("d"),
                question: None,
                judgement: Judgement {
                    generation: 1,
                    class: CallerClass::Agent,
                    ruling,
                    opinions: Vec::new(),
                    took: Took::UNKNOWN,
                },
                outcome: Outcome::Refused,
                approval: None,
            },
            times: 7,
        }],
    };
    let reader = person("operator");
    let page = ApprovalPage::new(&approval(), (&known, None), &read_by(&reader), NOW);
    let html = page.render().expect("drawn");
    is_whole(&html);
    for shown in [
        "organisation key",
        "&#60;b&#62;",
        "mixes letters of Cyrillic and Latin",
        "admin, the whole organisation",
        "<bdi>\u{430}nn</bdi>",
        "looks like “ann” and is not",
        "does not work any more",
        "The chain goes on",
        "Write a secret",
        "refused",
        "7 times",
        r#"href="/console/decisions/019b76da-a800-7000-8000-00000000000a""#,
        r#"href="/console/approvals/history?who=org-token%3Acso_abcd""#,
        &format!(r#"href="/console/decisions?about={}""#, approval().id),
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}

#[test]
fn what_the_caller_says_stands_apart_and_a_long_text_is_folded_and_whole() {
    let mut asked = approval();
    asked.claim.reason = Some(format!("{}the end", "approved by everybody ".repeat(20)));
    let html = drawn(&asked, &person("operator"));
    let (_, claim) = html
        .split_once("What the caller says of it")
        .expect("apart");
    assert!(claim.contains("Nobody has verified a word"), "{claim}");
    assert!(claim.contains("447 characters"), "{claim}");
    assert!(claim.contains("everybody the end</bdi>"), "{claim}");
    assert!(!drawn(&approval(), &person("operator")).contains("What the caller says"));
}

#[test]
fn an_open_page_is_told_of_every_change_of_state_and_of_every_signature() {
    let mut told: Vec<String> = State::ALL
        .iter()
        .map(|state| news((*state, says(*state)), 1))
        .collect();
    told.push(news((State::Pending, ""), 0));
    told.push(news((State::Pending, ""), 2));
    let all = told.len();
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), all, "{told:?}");
}

#[test]
fn a_page_that_follows_what_happens_can_be_stopped_and_one_that_stands_still_says_so() {
    let reader = person("grace");
    for (refreshes, signs) in [
        (
            true,
            [
                "data-follows",
                "assets/live.js",
                r#"href="?refresh=off">Stop that"#,
            ],
        ),
        (
            false,
            ["This page stands still", "Keep it current", r#"id="act""#],
        ),
    ] {
        let reader = Reader {
            refreshes,
            ..read_by(&reader)
        };
        let page = ApprovalPage::new(&approval(), (&Provenance::default(), None), &reader, NOW);
        let html = page.render().expect("drawn");
        is_whole(&html);
        for sign in signs {
            assert!(html.contains(sign), "{sign}: {html}");
        }
        assert_eq!(html.contains("live.js"), refreshes, "{html}");
    }
}

#[test]
fn what_a_caller_did_lately_is_told_with_what_it_was_about_and_a_name_as_its_words() {
    let written = decision();
    let mut minted = decision();
    minted.verb = Verb::OrgTokenMint;
    let question = minted.question.as_mut().expect("a question");
    question.resource.kind = "organisation".to_owned();
    let name = Value::Text("<i>p\u{430}ypal".to_owned());
    question.arguments.set("name", name);
    let lately = [written, minted].map(|decision| Lately { decision, times: 1 });
    let known = Provenance {
        lately: lately.into(),
        ..Provenance::default()
    };
    let reader = person("operator");
    let page = ApprovalPage::new(&approval(), (&known, None), &read_by(&reader), NOW);
    let html = page.render().expect("drawn");
    is_whole(&html);
    for shown in [
        "Write a secret</a> <bdi class=\"literal\">global/API_KEY</bdi> ·",
        "Mint an organisation key</a> <bdi class=\"literal\">&#60;i&#62;p\u{430}ypal</bdi> <span class=\"claim\">",
        "mixes letters of Cyrillic and Latin",
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
}
