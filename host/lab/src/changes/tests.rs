use countersign_core::exhaustive;
use countersign_core::policy::{Credential, Quorum, Terms, Value};
use countersign_core::verb::Verb;

use super::*;

fn ground(rule: &str) -> Ground {
    Ground::new(rule, format!("because of {rule}"))
}

fn answers(verdict: impl Fn(&Row) -> Verdict) -> Answers {
    let answered = |row: &Row| Answered {
        class: Ok(CallerClass::Agent),
        verdict: Ok(verdict(row)),
        notes: Vec::new(),
    };
    exhaustive::rows()
        .map(|row| (row.clone(), answered(&row)))
        .collect()
}

fn gate(people: u32) -> Verdict {
    Verdict::Gate(Terms {
        ground: ground("people"),
        quorums: vec![Quorum {
            people,
            groups: Vec::new(),
        }],
        pending_ttl: None,
        grant_ttl: None,
    })
}

#[test]
fn the_same_answers_are_no_change() {
    let one = answers(|_| gate(1));
    assert!(changed(&one, &one).is_empty());
}

#[test]
fn what_loosens_comes_first_and_each_change_is_said_once() {
    let is_mint = |row: &Row| row.verb == Verb::OrgTokenMint;
    let before = answers(|_| gate(2));
    let after = answers(|row| match row.credential {
        Credential::OrgToken if is_mint(row) => gate(1),
        Credential::AdminToken => Verdict::Deny(ground("never")),
        Credential::Vouched => Verdict::Abstain,
        _ => gate(2),
    });
    let found = changed(&before, &after);
    let shown: Vec<_> = found
        .iter()
        .map(|one| (one.change, one.folded.len()))
        .collect();
    assert_eq!(
        shown,
        [
            (Change::Looser, 1),
            (Change::Mixed, 1),
            (Change::Tighter, 1)
        ]
    );
    assert_eq!(found[0].rows, 32);
    assert_eq!(found[0].folded.groups()[0].verbs, [Verb::OrgTokenMint]);
}

#[test]
fn other_words_for_the_same_are_a_change_that_neither_loosens_nor_tightens() {
    let advised = |advice: &str| {
        let advice = Value::Text(advice.to_owned());
        let mut ground = ground("never");
        ground.details.set("advice", advice);
        Verdict::Deny(ground)
    };
    let found = changed(&answers(|_| advised("ask")), &answers(|_| advised("wait")));
    let [one] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(one.change, Change::Same);
    let words = one
        .after
        .words
        .as_ref()
        .expect("the words are what differs");
    assert_eq!(words.details, [("advice".to_owned(), "wait".to_owned())]);
    let found = changed(
        &answers(|_| Verdict::Deny(ground("never"))),
        &answers(|_| Verdict::Deny(ground("not-now"))),
    );
    assert_eq!((found.len(), found[0].change), (1, Change::Same));
}

#[test]
fn a_caller_who_is_taken_for_more_is_a_loosening_even_of_the_same_verdict() {
    let before = answers(|_| gate(1));
    let people: Answers = before
        .iter()
        .map(|(row, answered)| {
            let class = Ok(match row.credential {
                Credential::VerifiedSession => CallerClass::Human,
                _ => CallerClass::Agent,
            });
            (
                row.clone(),
                Answered {
                    class,
                    ..answered.clone()
                },
            )
        })
        .collect();
    let found = changed(&before, &people);
    assert_eq!((found.len(), found[0].change), (1, Change::Looser));
    assert_eq!(changed(&people, &before)[0].change, Change::Tighter);
}

#[test]
fn a_module_that_fails_tightens_and_one_that_no_longer_fails_loosens() {
    let sound = answers(|_| gate(1));
    let broken: Answers = sound
        .iter()
        .map(|(row, answered)| {
            let verdict = Err("it trapped".to_owned());
            (
                row.clone(),
                Answered {
                    verdict,
                    ..answered.clone()
                },
            )
        })
        .collect();
    assert_eq!(changed(&sound, &broken)[0].change, Change::Tighter);
    assert_eq!(changed(&broken, &sound)[0].change, Change::Looser);
}
