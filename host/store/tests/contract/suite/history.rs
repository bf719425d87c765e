use countersign_core::action::Action;
use countersign_core::audit::EventKind;
use countersign_core::caller::Caller;
use countersign_core::decision::Decision;
use countersign_core::history::{
    AuditFilter, DecisionFilter, Effect, Found, HistoryLedger as _, Rest, SCAN, Span, Stretch,
};
use countersign_core::policy::CallerClass;
use countersign_core::ports::Ledger;
use countersign_core::verb::Verb;
use countersign_core::verdict::Ruling;

use super::super::HISTORY;
use super::world::*;

async fn asked(world: &World, caller: &Caller, action: Action, ruling: Ruling, seconds: i64) {
    world
        .ask(&Ask::new(caller, action, ruling, at(seconds)))
        .await;
}

/// An agent is denied, gated, and allowed; a person reads.
async fn told() -> World {
    let world = World::new().await;
    asked(&world, &admin(), mint("a"), deny(), 100).await;
    asked(&world, &admin(), mint("b"), gate(), 200).await;
    asked(&world, &session_of("ann"), mint("c"), allow(), 300).await;
    asked(&world, &session_of("ann"), list(), allow(), 400).await;
    world
}

pub async fn found(
    world: &World,
    filter: &DecisionFilter,
    after: Option<String>,
    limit: u32,
) -> Found<Decision> {
    let permit = world.permit(Action::DecisionRead).await;
    let page = page(after, limit);
    let found = world.ledger.find_decisions(&permit, filter, &page);
    found.await.expect("the ledger answers")
}

/// When what was found was settled, in seconds.
pub async fn seconds(world: &World, filter: DecisionFilter) -> Vec<i64> {
    let found = found(world, &filter, None, 100).await;
    assert_eq!(found.rest, Rest::Nothing, "{filter:?}");
    let second =
        |decision: &Decision| decision.at.as_micros() / 1_000_000 - at(0).as_micros() / 1_000_000;
    found.items.iter().map(second).collect()
}

#[tokio::test]
async fn decisions_are_narrowed_by_each_fact_and_by_all_together() {
    let world = told().await;
    let none = DecisionFilter::default;
    assert_eq!(seconds(&world, none()).await, [300, 200, 100]);
    let all = DecisionFilter {
        reads: true,
        ..none()
    };
    assert!(
        seconds(&world, all)
            .await
            .starts_with(&[400, 300, 200, 100])
    );
    for (effect, expected) in [
        (Effect::Deny, 100),
        (Effect::Gate, 200),
        (Effect::Allow, 300),
    ] {
        let effect = Some(effect);
        assert_eq!(
            seconds(&world, DecisionFilter { effect, ..none() }).await,
            [expected]
        );
    }
    let verb = Some(Verb::OrgTokenList);
    let reads = true;
    assert_eq!(
        seconds(
            &world,
            DecisionFilter {
                verb,
                reads,
                ..none()
            }
        )
        .await,
        [400]
    );
    let by = |actor: &str| DecisionFilter {
        actor: Some(actor.to_owned()),
        ..none()
    };
    assert_eq!(seconds(&world, by("admin-")).await, [200, 100]);
    let label = session_of("ann").actor();
    let (_, after_the_colon) = label.split_once(':').expect("a label");
    assert_eq!(seconds(&world, by(&label)).await, [300]);
    assert_eq!(seconds(&world, by(&after_the_colon[..6])).await, [300]);
    for nobody in ["dmin", "%", "ADMIN", "_dmin"] {
        assert!(seconds(&world, by(nobody)).await.is_empty(), "{nobody}");
    }
    let class = Some(CallerClass::Human);
    assert!(
        seconds(&world, DecisionFilter { class, ..none() })
            .await
            .is_empty()
    );
    let class = Some(CallerClass::Unknown);
    assert_eq!(
        seconds(&world, DecisionFilter { class, ..none() })
            .await
            .len(),
        3
    );
    let rule = Some("nobody-may".to_owned());
    assert_eq!(
        seconds(
            &world,
            DecisionFilter {
                rule: rule.clone(),
                ..none()
            }
        )
        .await,
        [100]
    );
    let together = DecisionFilter {
        rule,
        effect: Some(Effect::Gate),
        ..none()
    };
    assert!(seconds(&world, together).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_span_of_time_begins_with_its_first_moment_and_ends_before_its_last() {
    let world = told().await;
    let within = |since, until| DecisionFilter {
        span: Span { since, until },
        ..DecisionFilter::default()
    };
    assert_eq!(
        seconds(&world, within(Some(at(200)), None)).await,
        [300, 200]
    );
    assert_eq!(seconds(&world, within(None, Some(at(200)))).await, [100]);
    assert_eq!(
        seconds(&world, within(Some(at(100)), Some(at(300)))).await,
        [200, 100]
    );
    assert!(
        seconds(&world, within(Some(at(301)), None))
            .await
            .is_empty()
    );
    world.end().await;
}

#[tokio::test]
async fn pages_of_what_was_found_hold_each_once() {
    let world = told().await;
    let filter = DecisionFilter::default();
    let first = found(&world, &filter, None, 2).await;
    let Rest::More(after) = first.rest else {
        panic!("{:?}", first.rest)
    };
    assert_eq!(after, first.items[1].id.to_string());
    let second = found(&world, &filter, Some(after), 2).await;
    assert_eq!((second.items.len(), second.rest), (1, Rest::Nothing));
    assert_eq!(second.items[0].at, at(100));
    world.end().await;
}

/// So many more decisions after those that there are, like the one of that rule.
pub async fn many(world: &World, rule: &str) {
    let copy = format!(
        "INSERT INTO decisions (id, at, actor, credential, verb, digest, judgement, outcome,
                                effect, class, rule, notable)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {SCAN})
         SELECT '019b7fff-0000-7000-8000-' || CAST(100000000000 + i AS TEXT), at, actor, credential,
                verb, digest, judgement, outcome, effect, class, rule, notable
         FROM decisions, n WHERE rule = '{rule}'"
    );
    world.database.tamper(&copy).await;
}

#[tokio::test]
async fn a_search_that_finds_little_ends_and_says_where_it_goes_on() {
    let world = told().await;
    many(&world, "agents-need-a-person").await;
    let rare = DecisionFilter {
        rule: Some("nobody-may".to_owned()),
        ..DecisionFilter::default()
    };
    let first = found(&world, &rare, None, 50).await;
    assert!(first.items.is_empty());
    let Rest::Unsearched { after, back_to } = first.rest else {
        panic!("{:?}", first.rest)
    };
    // The oldest of the copies: all of them, and nothing else, were looked at.
    assert_eq!(after, "019b7fff-0000-7000-8000-100000000001");
    assert_eq!(back_to, at(200));
    let second = found(&world, &rare, Some(after), 50).await;
    assert_eq!((second.items.len(), second.rest), (1, Rest::Nothing));
    // What narrows by nothing but time finds on every row, and needs no end.
    let newest = found(&world, &DecisionFilter::default(), None, 50).await;
    assert_eq!(newest.items.len(), 50);
    assert!(matches!(newest.rest, Rest::More(_)));
    world.ledger.close().await;
}

#[tokio::test]
async fn decisions_of_an_earlier_version_are_narrowed_alike() {
    let world = told().await;
    assert!(HISTORY.contains("UPDATE decisions"));
    let forget = "UPDATE decisions SET effect = NULL, class = NULL, rule = NULL, notable = NULL";
    world.database.tamper(forget).await;
    assert!(seconds(&world, DecisionFilter::default()).await.is_empty());
    let (_, fill) = HISTORY.split_once("UPDATE").expect("it fills");
    let (fill, _) = fill.split_once(';').expect("a statement");
    world.database.tamper(&format!("UPDATE{fill}")).await;
    assert_eq!(
        seconds(&world, DecisionFilter::default()).await,
        [300, 200, 100]
    );
    for (effect, rule, expected) in [
        (Effect::Deny, "nobody-may", 100),
        (Effect::Gate, "agents-need-a-person", 200),
        (Effect::Allow, "people-may", 300),
    ] {
        let filter = DecisionFilter {
            effect: Some(effect),
            rule: Some(rule.to_owned()),
            class: Some(CallerClass::Unknown),
            ..DecisionFilter::default()
        };
        assert_eq!(seconds(&world, filter).await, [expected]);
    }
    world.end().await;
}

async fn entries(world: &World, filter: &AuditFilter, before: Option<i64>) -> (Vec<i64>, Rest) {
    let permit = world.permit(Action::AuditRead).await;
    let page = page(before.map(|before| before.to_string()), 50);
    let found = world.ledger.find_entries(&permit, filter, &page).await;
    let found = found.expect("the ledger answers");
    (
        found.items.iter().map(|entry| entry.seq).collect(),
        found.rest,
    )
}

#[tokio::test]
async fn audit_entries_are_narrowed_by_each_fact_and_come_newest_first() {
    let world = told().await;
    let none = AuditFilter::default;
    // The anchor, the request, the token.
    let all = entries(&world, &none(), None).await;
    assert_eq!(all, (vec![3, 2, 1], Rest::Nothing));
    assert_eq!(entries(&world, &none(), Some(3)).await.0, [2, 1]);
    let kind = Some(EventKind::OrgTokenMinted);
    assert_eq!(
        entries(&world, &AuditFilter { kind, ..none() }, None)
            .await
            .0,
        [3]
    );
    let actor = Some("admin".to_owned());
    assert_eq!(
        entries(&world, &AuditFilter { actor, ..none() }, None)
            .await
            .0,
        [2]
    );
    let permit = world.permit(Action::AuditRead).await;
    let whole = world.ledger.audit(&permit, &page(None, 10)).await;
    let whole = whole.expect("entries");
    let approval = whole[1].detail["approval"].as_str().expect("an id");
    for about in [approval, &approval[20..]] {
        let about = Some(about.to_owned());
        assert_eq!(
            entries(&world, &AuditFilter { about, ..none() }, None)
                .await
                .0,
            [2]
        );
    }
    let span = Span {
        since: Some(at(200)),
        until: Some(at(300)),
    };
    assert_eq!(
        entries(&world, &AuditFilter { span, ..none() }, None)
            .await
            .0,
        [2]
    );
    let stretch = async |since, until| {
        let span = Span { since, until };
        let stretch = world.ledger.stretch(&permit, span).await;
        stretch.expect("the ledger answers")
    };
    assert_eq!(stretch(None, None).await, Stretch { first: 1, last: 3 });
    let middle = stretch(Some(at(150)), Some(at(250))).await;
    assert_eq!(middle, Stretch { first: 2, last: 2 });
    let nothing = stretch(Some(at(301)), None).await;
    assert!(nothing.last < nothing.first, "{nothing:?}");
    world.end().await;
}

#[tokio::test]
async fn a_decision_knows_the_entries_that_were_written_with_it() {
    let world = told().await;
    let all = found(&world, &DecisionFilter::default(), None, 10).await;
    let permit = world.permit(Action::DecisionRead).await;
    let mut of_each = Vec::new();
    for decision in &all.items {
        let entries = world.ledger.entries_of(&permit, (decision.id, decision.at));
        of_each.push(entries.await.expect("the ledger answers"));
    }
    let named = |seq, kind: &str| vec![(seq, kind.to_owned())];
    assert_eq!(
        of_each,
        [
            named(3, "org_token_minted"),
            named(2, "approval_requested"),
            Vec::new()
        ]
    );
    world.end().await;
}

#[tokio::test]
async fn a_search_of_the_audit_ends_as_well() {
    let world = told().await;
    let copy = format!(
        "INSERT INTO audit (seq, at, kind, actor, detail, previous, hash)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {SCAN})
         SELECT 3 + i, at, kind, actor, detail, previous, hash FROM audit, n WHERE seq = 3"
    );
    world.database.tamper(&copy).await;
    let kind = Some(EventKind::ApprovalRequested);
    let rare = AuditFilter {
        kind,
        ..AuditFilter::default()
    };
    let (found, rest) = entries(&world, &rare, None).await;
    assert!(found.is_empty());
    let Rest::Unsearched { after, back_to } = rest else {
        panic!("{rest:?}")
    };
    assert_eq!((after.as_str(), back_to), ("4", at(300)));
    assert_eq!(
        entries(&world, &rare, Some(4)).await,
        (vec![2], Rest::Nothing)
    );
    world.ledger.close().await;
}

#[tokio::test]
async fn a_permit_for_one_record_is_none_for_the_other() {
    let world = told().await;
    let for_audit = world.permit(Action::AuditRead).await;
    let for_decisions = world.permit(Action::DecisionRead).await;
    let (ledger, page) = (&world.ledger, page(None, 1));
    let filter = DecisionFilter::default();
    assert!(
        ledger
            .find_decisions(&for_audit, &filter, &page)
            .await
            .is_err()
    );
    let filter = AuditFilter::default();
    assert!(
        ledger
            .find_entries(&for_decisions, &filter, &page)
            .await
            .is_err()
    );
    assert!(
        ledger
            .stretch(&for_decisions, Span::default())
            .await
            .is_err()
    );
    let decision =
        countersign_core::id::DecisionId::new(at(1), &countersign_core::chance::OsChance);
    assert!(
        ledger
            .entries_of(&for_audit, (decision, at(1)))
            .await
            .is_err()
    );
    world.end().await;
}
