use countersign_core::action::Action;
use countersign_core::generation::{GenerationChange, GenerationLedger, Seal};
use countersign_core::id::DecisionId;
use countersign_core::policy::{CallerClass, Ground};
use countersign_core::shadow::{
    Beside, Counts, Difference, Gist, Kind, MAX_KINDS, Round, ShadowLedger, Which,
};
use countersign_core::strictness::Change;
use countersign_core::verb::Verb;
use countersign_core::verdict::{Judgement, Ruling, Took};

use super::world::*;

/// A world with a generation, and decisions of it, newest first.
async fn decided(count: i64) -> (World, Vec<DecisionId>) {
    let world = World::new().await;
    let change = GenerationChange {
        seal: Seal::from_text("ab".repeat(32)),
        modules: Vec::new(),
        shadow: Vec::new(),
        components: Vec::new(),
        follows: 0,
        by: "folder".to_owned(),
        summary: "nothing".to_owned(),
        at: at(0),
        approval: None,
    };
    let recorded = world.ledger.record_generation(&change).await;
    assert_eq!(recorded.expect("an answer"), Some(1));
    for n in 1..=count {
        world
            .ask(&Ask::new(&admin(), mint("ci"), deny(), at(n)))
            .await;
    }
    let decisions = world.decisions().await;
    let ids = decisions.iter().map(|decision| decision.id);
    let ids = ids.take(usize::try_from(count).expect("a few")).collect();
    (world, ids)
}

/// What would have been, by that rule.
fn would_be(rule: &str) -> Judgement {
    Judgement {
        generation: 1,
        class: CallerClass::Agent,
        ruling: Ruling::Allow {
            ground: Ground::new(rule, "it may"),
            policy: "candidate@1.0.0".to_owned(),
        },
        opinions: Vec::new(),
        took: Took::UNKNOWN,
    }
}

fn difference(decision: DecisionId, change: Change, rule: &str) -> Difference {
    let would_be = would_be(rule);
    Difference {
        decision,
        kind: Kind {
            verb: Verb::OrgTokenMint,
            change,
            was: Gist::from(&Judgement {
                ruling: deny(),
                ..would_be.clone()
            }),
            would_be: (&would_be).into(),
        },
        would_be,
    }
}

fn round(changes: &[(DecisionId, Change)], missed: u64) -> Round {
    let mut round = Round {
        generation: 1,
        ..Round::default()
    };
    round.counts.missed = missed;
    for (decision, change) in changes {
        round.counts.add(Some(*change));
        round
            .differences
            .push(difference(*decision, *change, "may"));
    }
    round
}

/// One decision after the other differs by the rule beside it.
fn by_rules(rules: &[(DecisionId, &str)]) -> Round {
    let mut round = Round {
        generation: 1,
        ..Round::default()
    };
    for (decision, rule) in rules {
        round.counts.add(Some(Change::Looser));
        let difference = difference(*decision, Change::Looser, rule);
        round.differences.push(difference);
    }
    round
}

const ALL: Which = Which {
    generation: 1,
    kind: None,
};

/// Those that are kept, newest first.
async fn kept(world: &World, which: Which) -> Vec<DecisionId> {
    let permit = world.permit(Action::DecisionRead).await;
    let found = world
        .ledger
        .shadow_differences(&permit, which, &page(None, 50))
        .await;
    let found = found.expect("differences");
    found.iter().map(|one| one.decision.id).collect()
}

#[tokio::test]
async fn counts_add_up_and_differences_are_kept_newest_first() {
    let (world, ids) = decided(3).await;
    let none = world.ledger.shadow_counts(1).await.expect("an answer");
    assert_eq!(none, Counts::default());
    let first = round(&[(ids[2], Change::Looser), (ids[1], Change::Same)], 1);
    let second = round(&[(ids[0], Change::Mixed)], 4);
    for round in [&first, &second] {
        world.ledger.record_shadow(round).await.expect("recorded");
    }
    let counts = world.ledger.shadow_counts(1).await.expect("an answer");
    let expected = Counts {
        asked: 3,
        looser: 1,
        mixed: 1,
        tighter: 0,
        reworded: 1,
        missed: 5,
    };
    assert_eq!(counts, expected);
    let permit = world.permit(Action::DecisionRead).await;
    let list = async |after, limit| {
        let page = page(after, limit);
        let found = world.ledger.shadow_differences(&permit, ALL, &page).await;
        let found = found.expect("differences");
        let listed = found.into_iter().map(|one| (one.decision.id, one.beside));
        listed.collect::<Vec<_>>()
    };
    let all = list(None, 10).await;
    let expected: Vec<_> = [
        &second.differences[0],
        &first.differences[1],
        &first.differences[0],
    ]
    .into_iter()
    .map(|one| {
        let beside = Beside {
            change: one.kind.change,
            would_be: one.would_be.clone(),
        };
        (one.decision, beside)
    })
    .collect();
    assert_eq!(all, expected);
    assert_eq!(list(None, 1).await, all[..1]);
    assert_eq!(list(Some(ids[0].to_string()), 10).await, all[1..]);
    let beside = async |generation, id| {
        let found = world.ledger.shadow_beside(&permit, generation, id).await;
        found.expect("an answer")
    };
    assert_eq!(beside(1, ids[0]).await.as_ref(), Some(&all[0].1));
    assert_eq!(beside(2, ids[0]).await, None, "of another generation");
    world.end().await;
}

// Guard: the permits in host/store/src/portable/shadow.rs.
#[tokio::test]
async fn a_permit_to_read_policies_is_none_to_read_what_would_have_been_decided() {
    let (world, ids) = decided(1).await;
    let other = world.permit(Action::PolicyRead).await;
    let page = page(None, 1);
    let ledger = &world.ledger;
    let listed = ledger.shadow_differences(&other, ALL, &page).await;
    assert!(listed.is_err(), "the list");
    let kinds = ledger.shadow_kinds(&other, 1).await;
    assert!(kinds.is_err(), "the kinds");
    let beside = ledger.shadow_beside(&other, 1, ids[0]).await;
    assert!(beside.is_err(), "one");
    world.end().await;
}

#[tokio::test]
async fn kinds_are_told_apart_counted_and_listed_by_themselves() {
    let (world, ids) = decided(4).await;
    let first = by_rules(&[(ids[3], "may"), (ids[2], "may-too")]);
    let second = by_rules(&[(ids[0], "may"), (ids[1], "may")]);
    for round in [&first, &second] {
        world.ledger.record_shadow(round).await.expect("recorded");
    }
    let permit = world.permit(Action::DecisionRead).await;
    let kinds = world.ledger.shadow_kinds(&permit, 1).await;
    let kinds = kinds.expect("kinds");
    let told: Vec<_> = kinds
        .iter()
        .map(|one| (one.number, &*one.kind.would_be.rule, one.seen, one.last))
        .collect();
    assert_eq!(told, [(1, "may", 3, ids[0]), (2, "may-too", 1, ids[2])]);
    assert_eq!(kinds[0].kind, first.differences[0].kind);
    let of = |kind| Which {
        kind: Some(kind),
        ..ALL
    };
    assert_eq!(kept(&world, of(1)).await, [ids[0], ids[1], ids[3]]);
    assert_eq!(kept(&world, of(2)).await, [ids[2]]);
    let elsewhere = world.ledger.shadow_kinds(&permit, 2).await;
    assert_eq!(elsewhere.expect("kinds"), []);
    world.end().await;
}

// Guard: `there.kinds < $5` in host/store/src/portable/shadow.rs.
#[tokio::test]
async fn of_more_kinds_than_there_is_room_for_the_rest_is_counted_alone() {
    let (world, ids) = decided(3).await;
    let first = by_rules(&[(ids[2], "may")]);
    world.ledger.record_shadow(&first).await.expect("recorded");
    let fill = format!(
        "WITH RECURSIVE more (kind) AS (SELECT 2 UNION ALL SELECT kind + 1 FROM more WHERE kind < {MAX_KINDS})
         INSERT INTO shadow_kinds (generation, kind, what, seen, last)
         SELECT 1, more.kind, shadow_kinds.what, 0, shadow_kinds.last FROM more, shadow_kinds"
    );
    world.database.tamper(&fill).await;
    let rest = by_rules(&[(ids[1], "one-too-many"), (ids[0], "may")]);
    world.ledger.record_shadow(&rest).await.expect("recorded");
    let permit = world.permit(Action::DecisionRead).await;
    let kinds = world.ledger.shadow_kinds(&permit, 1).await.expect("kinds");
    assert_eq!(kinds.len(), MAX_KINDS as usize);
    assert!(kinds.iter().all(|one| one.kind.would_be.rule == "may"));
    assert_eq!(kept(&world, ALL).await, ids, "they are kept nevertheless");
    let beyond = Which {
        kind: Some(MAX_KINDS + 1),
        ..ALL
    };
    assert_eq!(kept(&world, beyond).await, [], "it is of no kind");
    let counts = world.ledger.shadow_counts(1).await.expect("an answer");
    assert_eq!(counts.looser, 3);
    world.end().await;
}

#[tokio::test]
async fn a_round_is_recorded_whole_or_not_at_all() {
    let (world, ids) = decided(1).await;
    let twice = round(&[(ids[0], Change::Looser), (ids[0], Change::Looser)], 0);
    let refused = world.ledger.record_shadow(&twice).await;
    assert!(refused.is_err(), "one decision differs once");
    let counts = world.ledger.shadow_counts(1).await.expect("an answer");
    assert_eq!(counts, Counts::default());
    world.end().await;
}

// Guard: `make_room` in host/store/src/portable/shadow.rs.
#[tokio::test]
async fn beyond_ten_thousand_the_oldest_of_the_most_frequent_kind_makes_room() {
    let (world, ids) = decided(5).await;
    let first = by_rules(&[(ids[4], "rare"), (ids[3], "often"), (ids[2], "often")]);
    world.ledger.record_shadow(&first).await.expect("recorded");
    world
        .database
        .tamper("UPDATE shadow_counts SET kept = 9999")
        .await;
    let rest = by_rules(&[(ids[1], "often"), (ids[0], "new")]);
    world.ledger.record_shadow(&rest).await.expect("recorded");
    let counts = world.ledger.shadow_counts(1).await.expect("an answer");
    assert_eq!(counts.looser, 5, "all are counted");
    assert_eq!(kept(&world, ALL).await, [ids[0], ids[1], ids[2], ids[4]]);
    world.end().await;
}
