use super::super::examples::{
    NOW, agent, approval, is_whole, person, policy_approval, secret_approval, vote,
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
    Reader { caller, standing }
}

fn drawn(approval: &Approval, reader: &Caller) -> String {
    let html = ApprovalPage::new(approval, &read_by(reader), NOW)
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

#[test]
fn whoever_cannot_decide_gets_no_form() {
    let mut own = approval();
    own.requester.credential = person("ada").credential_key();
    let mut voted = approval();
    voted.votes.push(vote("ada", Choice::Approve));
    let mut decided = approval();
    decided.state = State::Denied;
    let ada = person("ada");
    for (approval, reader, stance) in [
        (&own, &ada, Stance::Asked),
        (&voted, &ada, Stance::Voted),
        (&decided, &ada, Stance::Closed),
        (&approval(), &agent(), Stance::IsProgram),
    ] {
        let page = ApprovalPage::new(approval, &read_by(reader), NOW);
        assert_eq!(page.stance, stance);
        assert!(!drawn(approval, reader).contains(r#"name="decision""#));
    }
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
fn votes_are_signatures_and_missing_ones_are_blank() {
    let mut approval = approval();
    approval.terms.quorums = vec![Quorum {
        people: 3,
        groups: vec!["security".to_owned(), "ops".to_owned()],
    }];
    approval.votes.push(vote("grace", Choice::Approve));
    let html = drawn(&approval, &person("operator"));
    assert!(html.contains("grace"), "{html}");
    assert!(
        html.contains("3 different people of security or ops"),
        "{html}"
    );
    assert_eq!(html.matches("class=\"blank\"").count(), 2, "{html}");
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
    let html = drawn(&granted, &person("grace"));
    assert!(!html.contains(&form), "{html}");
    assert!(html.contains("&#60;b&#62;wrong key"), "{html}");
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
    let page = ApprovalPage::new(&secret_approval(), &read_by(&person("operator")), NOW);
    assert!(
        page.fields
            .iter()
            .any(|field| matches!(field.value, Shown::Secret(_)))
    );
}
