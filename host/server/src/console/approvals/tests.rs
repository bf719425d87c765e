use countersign_core::policy::Quorum;

use super::super::examples::{NOW, approval, is_whole, person, vote};
use super::*;

fn page_of(waiting: &[Approval]) -> ApprovalsPage {
    let all = waiting.iter();
    ApprovalsPage {
        frame: Frame::of(&person("operator"), Place::Approvals),
        waiting: all.map(|approval| Waiting::new(approval, NOW)).collect(),
        total: waiting.len().try_into().expect("few"),
        sees_all: true,
        is_first: true,
        next: None,
        refreshes: true,
    }
}

fn rendered(page: &ApprovalsPage) -> String {
    let html = page.render().expect("drawn");
    is_whole(&html);
    html
}

fn drawn(waiting: Vec<Approval>, next: Option<&str>, refreshes: bool) -> String {
    rendered(&ApprovalsPage {
        next: next.map(str::to_owned),
        refreshes,
        ..page_of(&waiting)
    })
}

#[test]
fn every_part_says_how_many_wait_in_all_of_them() {
    let most = u64::from(MOST_COUNTED);
    for (total, title, heading) in [
        (1, "(1) Approvals", "One request is waiting"),
        (2_501, "(2501) Approvals", "2501 requests are waiting"),
        (most, "(10000) Approvals", "10000 requests are waiting"),
        (
            most + 1,
            "(10000+) Approvals",
            "10000+ requests are waiting",
        ),
    ] {
        for is_first in [true, false] {
            let html = rendered(&ApprovalsPage {
                total,
                is_first,
                next: Some("x".to_owned()),
                ..page_of(&[approval()])
            });
            for shown in [
                format!("<title>{title}"),
                format!("<h1>{heading}</h1>"),
                format!("data-news=\"{heading}\""),
            ] {
                assert!(html.contains(&shown), "{shown}: {html}");
            }
            let later = html.contains("the parts before have waited longer");
            assert_eq!(later, !is_first, "{html}");
        }
    }
    let html = drawn(Vec::new(), None, true);
    assert!(html.contains("<title>Approvals"), "{html}");
    assert!(html.contains("<h1>Nothing is waiting</h1>"), "{html}");
    // Behind the end, while others wait.
    let html = rendered(&ApprovalsPage {
        total: 50,
        is_first: false,
        ..page_of(&[])
    });
    assert!(html.contains("<h1>50 requests are waiting</h1>"), "{html}");
    assert!(html.contains("Nothing waits from here on"), "{html}");
}

#[test]
fn signatures_count_for_whom_they_are_asked_of_as_on_the_page_of_the_request() {
    let quorum = |people, group: &str| Quorum {
        people,
        groups: vec![group.to_owned()],
    };
    let told = |approval: &Approval| {
        let html = drawn(vec![approval.clone()], None, true);
        let (_, told) = html.split_once("data-signed=\"").expect("it is told");
        let (told, _) = told.split_once('"').expect("it ends");
        let line = format!("<dt>Signatures</dt><dd>{told}</dd>");
        (told.to_owned(), html.contains(&line))
    };
    assert_eq!(told(&approval()), ("0 of 1".to_owned(), false));
    let mut two = approval();
    two.terms.quorums = vec![quorum(2, "security")];
    two.votes.push(vote("grace", Choice::Approve));
    // She is in no group that was asked.
    assert_eq!(told(&two), ("0 of 2".to_owned(), true));
    two.votes[0].groups = vec!["security".to_owned()];
    assert_eq!(told(&two), ("1 of 2".to_owned(), true));
    two.terms.quorums = vec![quorum(1, "ops"), quorum(1, "security")];
    assert_eq!(told(&two), ("1 of 2".to_owned(), true));
    // Whoever minted towards the requester has signed, and does not count.
    two.terms.quorums = vec![Quorum {
        people: 2,
        groups: Vec::new(),
    }];
    two.votes.push(vote("ann", Choice::Approve));
    assert_eq!(told(&two), ("1 of 2".to_owned(), true));
}

#[test]
fn a_pending_request_leads_to_its_page_and_cannot_be_markup() {
    let mut hostile = approval();
    hostile.payload["arguments"]["name"] = "<script>alert(1)</script>".into();
    let html = drawn(vec![hostile], None, true);
    assert!(html.contains(&format!(r#"href="/console/approvals/{}""#, approval().id)));
    assert!(html.contains("&#60;script&#62;"), "{html}");
    assert!(!html.contains("<script>"), "{html}");
    assert!(html.contains("caller’s words"), "{html}");
}

#[test]
fn what_is_about_an_id_says_how_that_is_called_and_a_disguised_name_is_flagged() {
    let mut removal = approval();
    removal.verb = Verb::DeleteWorkspace;
    removal.resource_kind = "workspace".to_owned();
    removal.resource_name = Some("<b>researсh".to_owned());
    let html = drawn(vec![removal.clone()], None, true);
    let shown = format!(
        "{}</bdi> <span class=\"quiet\">called</span> <bdi>&#60;b&#62;researсh</bdi>",
        removal.resource_id
    );
    assert!(html.contains(&shown), "{html}");
    assert!(html.contains("Look twice."), "{html}");
}

#[test]
fn a_list_that_goes_on_leads_to_its_next_part() {
    assert!(drawn(vec![approval()], Some("abc"), true).contains("cursor=abc"));
    assert!(!drawn(vec![approval()], None, true).contains("cursor="));
}

#[test]
fn keeping_current_can_be_stopped_and_needs_no_script() {
    let still = drawn(Vec::new(), None, false);
    let current = drawn(Vec::new(), None, true);
    for (sign, what) in [
        (r#"<noscript><meta http-equiv="refresh""#, "without script"),
        ("assets/live.js", "with script"),
        ("data-follows", "what the script looks for"),
    ] {
        assert!(current.contains(sign), "{what}: {current}");
        assert!(!still.contains(sign), "{what}: {still}");
    }
    assert_eq!(current.matches("http-equiv").count(), 1, "{current}");
}

#[test]
fn a_reason_typed_over_several_lines_becomes_one() {
    assert_eq!(on_one_line(" yes,\r\nfor  today "), "yes, for today");
}
