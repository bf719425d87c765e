use countersign_core::action::Action;
use countersign_core::approval::{Choice, State};
use countersign_core::decision::Outcome;
use countersign_core::ledger::{Done, Refusal, Settled};
use countersign_core::ports::LedgerError;
use countersign_core::verdict::Ruling;

use super::world::*;

fn look(ruling: Ruling, seconds: i64) -> Ask {
    Ask::new(&admin(), Action::WorkspaceList, ruling, at(seconds))
}

fn glance(ruling: Ruling, seconds: i64) -> Ask {
    Ask {
        is_glance: true,
        ..look(ruling, seconds)
    }
}

#[tokio::test]
async fn a_glance_at_what_is_allowed_reads_it() {
    let world = World::new().await;
    let settled = world.ask(&glance(allow(), 0)).await;
    assert!(matches!(settled, Settled::Done(Done::Read(_))));
    world.end().await;
}

#[tokio::test]
async fn a_glance_at_what_is_gated_asks_nobody_and_is_recorded() {
    let world = World::new().await;
    let refusal = refused(world.ask(&glance(gate(), 0)).await);
    assert_eq!(refusal, Refusal::AskedFirst);
    assert!(world.pending_at(at(1)).await.is_empty());
    let decisions = world.decisions().await;
    let gated = decisions.iter().find(|one| one.judgement.ruling == gate());
    let gated = gated.expect("it is recorded");
    assert_eq!((gated.outcome, gated.approval), (Outcome::Refused, None));
    world.end().await;
}

#[tokio::test]
async fn a_glance_leaves_what_waits_and_what_was_granted_as_it_is() {
    let world = World::new().await;
    let waits = pending(world.ask(&look(gate(), 0)).await);
    assert_eq!(
        refused(world.ask(&glance(gate(), 1)).await),
        Refusal::AskedFirst
    );
    assert_eq!(world.approval(waits.id).await.state, State::Pending);
    counted(
        world
            .vote(&ballot(waits.id, "ann", Choice::Approve, at(2)))
            .await,
    );
    assert_eq!(
        refused(world.ask(&glance(gate(), 3)).await),
        Refusal::AskedFirst
    );
    assert_eq!(world.approval(waits.id).await.state, State::Approved);
    let used = world.ask(&look(gate(), 4)).await;
    assert!(matches!(used, Settled::Done(Done::Read(_))));
    assert_eq!(world.approval(waits.id).await.state, State::Used);
    world.end().await;
}

// Guard: `is_glance` in `settle`.
#[tokio::test]
async fn no_deed_is_done_at_a_glance() {
    let world = World::new().await;
    for ruling in [allow(), gate()] {
        let ask = Ask {
            is_glance: true,
            ..Ask::new(&admin(), mint("ci"), ruling, at(0))
        };
        let failed = world.try_ask(&ask).await;
        assert!(
            matches!(failed, Err(LedgerError::WrongPermit(_))),
            "{failed:?}"
        );
    }
    assert!(world.live_tokens(at(1)).await.is_empty());
    assert!(world.audit().await.is_empty());
    world.end().await;
}
