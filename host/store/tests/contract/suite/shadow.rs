use countersign_core::action::Action;
use countersign_core::generation::{GenerationChange, GenerationLedger, Seal};
use countersign_core::id::DecisionId;
use countersign_core::policy::CallerClass;
use countersign_core::shadow::{Counts, Difference, Round, ShadowLedger};
use countersign_core::strictness::Change;
use countersign_core::verdict::{Judgement, Took};

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

fn round(changes: &[(DecisionId, Change)], missed: u64) -> Round {
    let mut round = Round {
        generation: 1,
        ..Round::default()
    };
    round.counts.missed = missed;
    for (decision, change) in changes {
        round.counts.add(Some(*change));
        round.differences.push(Difference {
            decision: *decision,
            change: *change,
            would_be: Judgement {
                generation: 1,
                class: CallerClass::Agent,
                ruling: allow(),
                opinions: Vec::new(),
                took: Took::UNKNOWN,
            },
        });
    }
    round
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
        let found = world.ledger.shadow_differences(&permit, 1, &page).await;
        found.expect("differences")
    };
    let all = list(None, 10).await;
    let [third] = &second.differences[..] else {
        panic!("one difference");
    };
    assert_eq!(
        all,
        [third, &first.differences[1], &first.differences[0]].map(Clone::clone)
    );
    assert_eq!(list(None, 1).await, all[..1]);
    assert_eq!(list(Some(ids[0].to_string()), 10).await, all[1..]);
    let other = world.permit(Action::PolicyRead).await;
    let refused = world
        .ledger
        .shadow_differences(&other, 1, &page(None, 1))
        .await;
    assert!(
        refused.is_err(),
        "a permit to read policies is none to read decisions"
    );
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

#[tokio::test]
async fn beyond_ten_thousand_differences_are_counted_and_not_kept() {
    let (world, ids) = decided(3).await;
    let first = round(&[(ids[2], Change::Looser)], 0);
    world.ledger.record_shadow(&first).await.expect("recorded");
    world
        .database
        .tamper("UPDATE shadow_counts SET kept = 9999")
        .await;
    let rest = round(&[(ids[1], Change::Looser), (ids[0], Change::Looser)], 0);
    world.ledger.record_shadow(&rest).await.expect("recorded");
    let counts = world.ledger.shadow_counts(1).await.expect("an answer");
    assert_eq!(counts.looser, 3);
    let permit = world.permit(Action::DecisionRead).await;
    let kept = world
        .ledger
        .shadow_differences(&permit, 1, &page(None, 10))
        .await;
    let kept: Vec<_> = kept
        .expect("differences")
        .iter()
        .map(|one| one.decision)
        .collect();
    assert_eq!(kept, [ids[1], ids[2]]);
    world.end().await;
}
