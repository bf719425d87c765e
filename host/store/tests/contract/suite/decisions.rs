use countersign_core::action::Action;
use countersign_core::chance::OsChance;
use countersign_core::generation::GenerationLedger as _;
use countersign_core::id::DecisionId;
use countersign_core::policy::Question;
use countersign_core::ports::Ledger;
use countersign_core::verdict::Took;

use super::world::*;

#[tokio::test]
async fn decisions_come_newest_first_in_pages() {
    let world = World::new().await;
    for n in 1..=4 {
        world
            .ask(&Ask::new(&admin(), mint(&format!("t{n}")), deny(), at(n)))
            .await;
    }
    let permit = world.permit(Action::DecisionRead).await;
    let list = async |after: Option<String>, limit| {
        let decisions = world.ledger.decisions(&permit, &page(after, limit)).await;
        decisions.expect("decisions")
    };
    let all = list(None, 100).await;
    // The permit's own was made at the first instant.
    assert_eq!(all.len(), 5);
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id));
    let first = list(None, 2).await;
    let rest = list(Some(first[1].id.to_string()), 100).await;
    let ids: Vec<_> = first
        .iter()
        .chain(&rest)
        .map(|decision| decision.id)
        .collect();
    assert_eq!(
        ids,
        all.iter().map(|decision| decision.id).collect::<Vec<_>>()
    );
    world.end().await;
}

#[tokio::test]
async fn a_decision_is_kept_whole_with_what_the_policies_were_asked() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), deny(), at(1));
    let facts = world
        .ledger
        .facts(&ask.caller, &ask.action, world.org, at(1))
        .await;
    let facts = facts.expect("facts");
    let intent = world.intent(&ask);
    let mut submission = world.submission(&ask, &intent, &facts);
    submission.decision.question = Some(Question {
        subject: ask.caller.subject(),
        verb: intent.verb().as_str().to_owned(),
        arguments: intent.action.arguments(),
        resource: facts.resource.clone(),
        time: 1,
        tallies: Vec::new(),
        context: ask.caller.context(),
    });
    submission.decision.judgement.took = Took::of_micros(42);
    let made = submission.decision.clone();
    world.ledger.settle(submission).await.expect("it settles");
    let permit = world.permit(Action::DecisionRead).await;
    let kept = world
        .ledger
        .decision(&permit, made.id)
        .await
        .expect("an answer");
    assert_eq!(
        format!("{:?}", kept.expect("it is there")),
        format!("{made:?}")
    );
    // What nobody asked the policies is not among what was asked lately.
    world.ask(&ask.at(at(2))).await;
    let asked = world.ledger.asked_lately(10).await.expect("an answer");
    let [asked] = asked.as_slice() else {
        panic!("one question, not {asked:?}");
    };
    assert_eq!((asked.decision, &*asked.actor), (made.id, "admin-token"));
    assert_eq!(Some(&asked.question), made.question.as_ref());
    // As a row from before has it.
    let forget = format!(
        "UPDATE decisions SET judged_in = NULL WHERE id = '{}'",
        made.id
    );
    world.database.tamper(&forget).await;
    let kept = world.ledger.decision(&permit, made.id).await;
    let kept = kept.expect("an answer").expect("it is there");
    assert!(kept.judgement.took.is_unknown(), "{kept:?}");
    let unknown = DecisionId::new(at(2), &OsChance);
    let nothing = world.ledger.decision(&permit, unknown).await;
    assert!(nothing.expect("an answer").is_none());
    world.end().await;
}
