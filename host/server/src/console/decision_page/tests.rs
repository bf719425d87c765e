//! The page of one decision, drawn.

use countersign_core::policy::CallerClass;
use countersign_core::shadow::Beside;
use countersign_core::strictness::Change;
use countersign_core::tally::{Tally, TallyKind, TallyScope};
use countersign_core::verdict::Judgement;

use super::super::examples::{NOW, approval, decision, is_whole, person};
use super::*;

fn drawn(decision: &Decision) -> String {
    drawn_beside(decision, None)
}

fn drawn_beside(decision: &Decision, beside: Option<&Beside>) -> String {
    let entries = vec![(7, "secret_written".to_owned())];
    let page = DecisionPage {
        frame: Frame::of(&person("ada"), Place::Decisions),
        compared: beside.map(|beside| Compared::new(&decision.judgement, beside)),
        ..DecisionPage::new((decision, &People::default()), entries, NOW)
    };
    let html = page.render().expect("drawn");
    is_whole(&html);
    html
}

#[test]
fn every_recorded_fact_is_shown_and_cannot_be_markup() {
    let mut decision = decision();
    decision.approval = Some(approval().id);
    let question = decision.question.as_mut().expect("a question");
    question
        .arguments
        .set("name", Value::Text("<script>".to_owned()));
    question.tallies.push(Tally {
        of: TallyOf::Kind(TallyKind {
            scope: TallyScope::User,
            verbs: Vec::new(),
            window_seconds: 3_600,
        }),
        count: 42,
    });
    let html = drawn(&decision);
    for shown in [
        &*decision.id.to_string(),
        &"cd".repeat(32),
        &"ef".repeat(32),
        "secret_write",
        "org-token:cso_abcd",
        "taken for",
        "generation 3",
        "1234 µs",
        "effect deny",
        "names@0.1.0",
        "self-targeted",
        "set env or config instead",
        "a note of the module",
        "it trapped",
        "needs</dt><dd><bdi class=\"literal\">2 people of security",
        "900 seconds",
        "global/API_KEY",
        "&#60;script&#62;",
        "of one user within 3600 seconds",
        "42",
        &format!("/console/approvals/{}", approval().id),
        "/console/audit/7",
        "Secret written",
        "actor=org-token%3Acso_abcd",
        "about=global%2FAPI_KEY",
    ] {
        let lower = html.to_lowercase();
        assert!(lower.contains(&shown.to_lowercase()), "{shown}: {html}");
    }
    assert!(!html.contains("<script>"), "{html}");
}

#[test]
fn of_what_the_core_judged_alone_the_page_says_so() {
    let mut decision = decision();
    decision.question = None;
    decision.judgement.generation = 0;
    decision.judgement.opinions.clear();
    decision.judgement.took = Took::UNKNOWN;
    let html = drawn(&decision);
    assert!(html.contains("No policy was asked"), "{html}");
    assert!(html.contains("none: the core judged alone"), "{html}");
    assert!(!html.contains("about="), "{html}");
}

#[test]
fn what_a_policy_in_shadow_would_have_made_of_it_stands_beside_it() {
    let decision = decision();
    assert!(!drawn(&decision).contains("id=\"beside\""));
    let opinions = decision.judgement.opinions[..1].to_vec();
    let terms = match &opinions[0].verdict {
        Ok(Verdict::Gate(terms)) => terms.clone(),
        other => panic!("a gate: {other:?}"),
    };
    let would_be = Judgement {
        class: CallerClass::Human,
        ruling: Ruling::Gate {
            terms,
            policy: "<i>names</i>@0.2.0".to_owned(),
        },
        opinions,
        ..decision.judgement.clone()
    };
    let beside = Beside {
        change: Change::Looser,
        would_be,
    };
    let html = drawn_beside(&decision, Some(&beside));
    for shown in [
        "id=\"beside\"",
        "They would have let more happen",
        "&#60;i&#62;names",
        "data-label=\"In shadow\"><bdi class=\"literal\">human",
        "data-label=\"Decided\"><bdi class=\"literal\">agent",
        "2 people of security",
        "What each module would have said",
    ] {
        let lower = html.to_lowercase();
        assert!(lower.contains(&shown.to_lowercase()), "{shown}: {html}");
    }
    assert!(!html.contains("<i>"), "{html}");
}
