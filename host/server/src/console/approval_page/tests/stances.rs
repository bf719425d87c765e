//! What a reader can do about a request, and what is said to whoever cannot, or whose signature does not count.

use countersign_core::approval::Choice;
use countersign_core::policy::Quorum;

use super::super::super::examples::vote;
use super::*;

/// A request to which these have to agree.
fn wanting(quorums: &[(u32, &[&str])]) -> Approval {
    let mut asked = approval();
    let quorums = quorums.iter().map(|(people, groups)| Quorum {
        people: *people,
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    });
    asked.terms.quorums = quorums.collect();
    asked
}

/// Somebody who is in these groups.
fn member(user: &str, groups: &[&str]) -> Caller {
    let mut member = person(user);
    if let Identity::Session { groups: own, .. } = &mut member.identity {
        *own = groups.iter().map(|group| (*group).to_owned()).collect();
    }
    member
}

/// What is known of a key which another one minted, that `minter` had minted.
fn minted_by(minter: &Caller) -> Provenance {
    let link = |prefix: &str, created_by: String| Link {
        actor: format!("org-token:{prefix}"),
        name: None,
        role: Some(Role::Admin),
        workspace: None,
        created_at: NOW,
        created_by,
        created_by_user: None,
        lives: true,
    };
    let first = link("cso_root", minter.actor());
    Provenance {
        links: vec![link("cso_abcd", first.actor.clone()), first],
        ..Provenance::default()
    }
}

fn drawn_of(approval: &Approval, known: &Provenance, reader: &Caller) -> (Stance, String) {
    let page = ApprovalPage::new(approval, (known, None), &read_by(reader), NOW);
    let html = page.render().expect("drawn");
    is_whole(&html);
    (page.stance, html)
}

#[test]
fn whoever_asked_can_take_it_back_while_it_waits_and_nobody_else_can() {
    let ada = person("ada");
    let mut own = approval();
    own.requester.credential = ada.credential_key();
    let form = format!(
        r#"<form method="post" action="/console/approvals/{}/withdraw">"#,
        own.id
    );
    assert!(drawn(&own, &ada).contains(&form));
    for other in [person("grace"), agent()] {
        assert!(!drawn(&own, &other).contains("/withdraw"));
    }
    for state in State::ALL.iter().filter(|state| **state != State::Pending) {
        own.state = *state;
        own.grant_expires_at = Some(NOW.plus(std::time::Duration::from_secs(60)));
        assert!(!drawn(&own, &ada).contains("/withdraw"), "{state}");
    }
}

#[test]
fn whoever_minted_towards_the_requester_gets_no_form_where_more_than_one_must_decide() {
    let (ada, grace) = (person("ada"), person("grace"));
    let known = minted_by(&ada);
    let (stance, _) = drawn_of(&approval(), &known, &ada);
    assert_eq!(stance, Stance::Decides);
    // Of two quorums one person can meet both, and two may have to.
    for asked in [wanting(&[(2, &[])]), wanting(&[(1, &["ops"]), (1, &[])])] {
        let (stance, html) = drawn_of(&asked, &known, &ada);
        assert_eq!(stance, Stance::Minted);
        assert!(!html.contains(r#"name="decision""#), "{html}");
        for words in [
            "You minted a key",
            "others must",
            "revoke the key that asks",
        ] {
            assert!(html.contains(words), "{words}: {html}");
        }
        let (stance, html) = drawn_of(&asked, &known, &grace);
        assert_eq!(stance, Stance::Decides);
        assert!(!html.contains("You minted a key"), "{html}");
    }
    // What they said when one was enough does not count any more.
    let mut tightened = wanting(&[(2, &[])]);
    tightened.votes.push(vote("ada", Choice::Approve));
    assert_eq!(drawn_of(&tightened, &known, &ada).0, Stance::Minted);
}

#[test]
fn whoever_is_in_no_group_that_is_wanted_is_told_so_beside_the_form_and_can_deny() {
    let told = |asked: &Approval, groups: &[&str]| {
        let reader = member("ada", groups);
        let (stance, html) = drawn_of(asked, &Provenance::default(), &reader);
        assert_eq!(stance, Stance::Decides);
        assert!(html.contains(r#"value="denied""#), "{html}");
        let is_told = html.contains("would not count");
        let says_why = r#"value="approved" aria-describedby="uncounted""#;
        assert_eq!(html.contains(says_why), is_told, "{html}");
        is_told.then_some(html)
    };
    let security = wanting(&[(2, &["security", "<ops>"])]);
    let html = told(&security, &["sales"]).expect("it is told");
    let of = "a signature of somebody in security or &#60;ops&#62;, and your session";
    assert!(html.contains(of), "{html}");
    assert!(told(&security, &[]).is_some());
    assert!(told(&security, &["sales", "<ops>"]).is_none());
    assert!(told(&wanting(&[(2, &[])]), &[]).is_none());
    // Anybody will do for one of two, until that one is met.
    let mut two = wanting(&[(1, &[]), (1, &["security"]), (2, &["law"])]);
    assert!(told(&two, &["sales"]).is_none());
    two.votes.push(vote("grace", Choice::Approve));
    let html = told(&two, &["sales"]).expect("it is told");
    let of = "somebody in law and of somebody in security, and";
    assert!(html.contains(of), "{html}");
    assert!(told(&two, &["law"]).is_none());
    // Where enough have signed and one of them does not count, nobody can say whose is missing.
    let mut enough = wanting(&[(1, &["security"]), (1, &["law"])]);
    enough.votes.push(vote("grace", Choice::Approve));
    enough.votes[0].groups = vec!["security".to_owned(), "law".to_owned()];
    assert!(told(&enough, &["sales"]).is_none());
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
        let page = ApprovalPage::new(
            approval,
            (&Provenance::default(), None),
            &read_by(reader),
            NOW,
        );
        assert_eq!(page.stance, stance);
        assert!(!drawn(approval, reader).contains(r#"name="decision""#));
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
    // She is in neither group, so she does not count.
    let html = drawn(&approval, &person("operator"));
    assert!(html.contains("grace"), "{html}");
    assert!(
        html.contains("3 different people of security or ops"),
        "{html}"
    );
    assert_eq!(html.matches("class=\"blank\"").count(), 3, "{html}");
    approval.votes[0].groups = vec!["ops".to_owned()];
    let html = drawn(&approval, &person("operator"));
    assert!(html.contains("1 of 3"), "{html}");
    assert!(
        html.contains("somebody in security or ops is missing"),
        "{html}"
    );
    assert_eq!(html.matches("class=\"blank\"").count(), 2, "{html}");
    assert!(!html.contains("Look twice."), "{html}");
    approval.terms.quorums.push(Quorum::one_person());
    approval.votes[0].person.user = "gr\u{430}ce".to_owned();
    let html = drawn(&approval, &person("operator"));
    assert!(html.contains("One person can sign for several"), "{html}");
    assert!(html.contains("looks like “grace” and is not"), "{html}");
}
