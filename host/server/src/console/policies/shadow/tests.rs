//! The page of what would differ, drawn.

use countersign_core::history::Effect;
use countersign_core::policy::{CallerClass, Ground};
use countersign_core::shadow::Beside;
use countersign_core::verdict::{Judgement, Ruling, Took};

use super::super::super::examples::{NOW, decision, is_whole, person};
use super::*;

fn gist(effect: Effect, rule: &str) -> Gist {
    Gist {
        class: CallerClass::Agent,
        effect,
        rule: rule.to_owned(),
        policy: "names@0.1.0".to_owned(),
    }
}

fn kind(number: u32, change: Change, seen: u64) -> KindOfDifference {
    KindOfDifference {
        number,
        kind: Kind {
            verb: Verb::SecretWrite,
            change,
            was: gist(Effect::Deny, "self-targeted"),
            would_be: Gist {
                class: CallerClass::Human,
                ..gist(Effect::Allow, "<script>")
            },
        },
        seen,
        last: decision().id,
    }
}

fn differing() -> Differing {
    Differing {
        decision: decision(),
        beside: Beside {
            change: Change::Looser,
            would_be: Judgement {
                generation: 3,
                class: CallerClass::Human,
                ruling: Ruling::Allow {
                    ground: Ground::new("<script>", "anybody may"),
                    policy: "names@0.2.0".to_owned(),
                },
                opinions: Vec::new(),
                took: Took::UNKNOWN,
            },
        },
    }
}

/// Where there are more differences than the one that a page shows, unless there are none.
fn drawn(counts: Counts, kinds: &[KindOfDifference], chosen: Option<u32>) -> String {
    let found = match kinds {
        [] => Vec::new(),
        _ => vec![differing(), differing()],
    };
    drawn_of(counts, kinds, (chosen, &found))
}

fn drawn_of(
    counts: Counts,
    kinds: &[KindOfDifference],
    (chosen, found): (Option<u32>, &[Differing]),
) -> String {
    let which = Which {
        generation: 3,
        kind: chosen,
    };
    let wanted = Page {
        after: None,
        limit: 1,
    };
    let modules = vec![InShadow {
        name: "names".to_owned(),
        version: "0.2.0".to_owned(),
        failed: Some((3, "it trapped, or gave up")),
    }];
    let page = ShadowPage::of(
        (
            Frame::of(&person("ada"), Place::Policies),
            &People::default(),
            NOW,
        ),
        (3, true, modules),
        (counts, kinds),
        (which, found, &wanted),
    );
    let html = page.render().expect("drawn");
    is_whole(&html);
    assert!(!html.contains("<script>"), "{html}");
    html
}

fn counts() -> Counts {
    Counts {
        asked: 900,
        looser: 12,
        tighter: 40,
        ..Counts::default()
    }
}

#[test]
fn each_kind_is_counted_what_loosens_first_and_leads_to_its_decisions() {
    let kinds = [
        kind(1, Change::Tighter, 40),
        kind(2, Change::Looser, 4),
        kind(3, Change::Looser, 5),
    ];
    let html = drawn(counts(), &kinds, None);
    for shown in [
        "900 decisions",
        "52: 12 let more happen",
        "agent, in shadow human",
        "self-targeted",
        "&#60;script&#62;",
        "generation=3&#38;kind=2",
        "3 more differ, of kinds that are not told apart",
        "failed 3 decisions",
        "it trapped, or gave up",
        "taken for agent, in shadow for human",
        &format!("/console/decisions/{}#beside", decision().id),
        &format!("cursor={}", decision().id),
    ] {
        assert!(html.contains(shown), "{shown}: {html}");
    }
    let at = |text: &str| html.find(text).expect("it is there");
    assert!(at("Would let more happen<") < at("Would let less happen"));
    assert!(at("kind=3") < at("kind=2"), "most first: {html}");
}

#[test]
fn one_kind_is_told_with_its_own_decisions() {
    let html = drawn(counts(), &[kind(2, Change::Looser, 1)], Some(2));
    assert!(html.contains("1 decision differs"), "{html}");
    assert!(html.contains("All kinds of differences"), "{html}");
    assert!(!html.contains("What would differ"), "{html}");
    assert!(html.contains("kind=2&amp;cursor="), "{html}");
}

#[test]
fn older_ones_are_offered_where_there_are_some_and_one_page_shows_no_more_than_it_may() {
    let kinds = [kind(2, Change::Looser, 1)];
    for (found, is_older) in [(1, false), (2, true)] {
        let found: Vec<_> = std::iter::repeat_with(differing).take(found).collect();
        let html = drawn_of(counts(), &kinds, (None, &found));
        assert_eq!(html.contains(">Older</a>"), is_older, "{html}");
        let link = format!("/console/decisions/{}#beside", decision().id);
        assert_eq!(html.matches(&link).count(), 1, "{html}");
    }
}

#[test]
fn where_nothing_differs_the_page_says_so() {
    let none = Counts {
        asked: 7,
        missed: 2,
        ..Counts::default()
    };
    let html = drawn(none, &[], None);
    assert!(
        html.contains("7 decisions, and would have made each"),
        "{html}"
    );
    let html = drawn(Counts::default(), &[], None);
    assert!(html.contains("not asked about any decision yet"), "{html}");
}
