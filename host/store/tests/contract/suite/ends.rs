//! By whom, when and why approvals ended, as their rows say it.

use countersign_core::approval::{Approval, Choice, End, State};
use countersign_core::id::ApprovalId;
use countersign_core::ledger::Ended;
use countersign_core::ports::Ledger;

use super::endings::{revoke, withdraw};
use super::world::*;

/// The end of the approval, as it is kept.
async fn end_of(world: &World, id: ApprovalId) -> Option<End> {
    world.approval(id).await.end
}

fn end_in(ended: &Ended) -> Option<End> {
    match ended {
        Ended::Done(approval) | Ended::Is(_, approval) => approval.end.clone(),
        other => panic!("an approval, not {other:?}"),
    }
}

#[tokio::test]
async fn whoever_withdraws_or_revokes_is_kept_and_whoever_comes_later_is_not() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let taken = pending(world.ask(&ask).await);
    let done = withdraw(&world, &admin(), taken.id, (None, at(1))).await;
    let expected = Some(End::by(&admin(), at(1), "the requester took it back"));
    assert_eq!(end_in(&done), expected);
    assert_eq!(end_of(&world, taken.id).await, expected);
    let late = withdraw(&world, &admin(), taken.id, (None, at(2))).await;
    assert!(matches!(late, Ended::Is(State::Withdrawn, _)), "{late:?}");
    assert_eq!(end_in(&late), expected);

    let granted = world.approved(&ask.at(at(3))).await;
    let done = revoke(&world, "bob", granted.id, at(5)).await;
    let end = end_in(&done).expect("it has ended");
    assert_eq!(end.by, Some(person("bob").label()));
    assert_eq!((end.user.as_deref(), end.at), (Some("bob"), at(5)));
    let late = revoke(&world, "cyd", granted.id, at(6)).await;
    assert!(matches!(late, Ended::Is(State::Revoked, _)), "{late:?}");
    assert_eq!(end_in(&late), Some(end.clone()));
    assert_eq!(end_of(&world, granted.id).await, Some(end));
    world.end().await;
}

#[tokio::test]
async fn nobody_ends_what_time_ends_or_what_has_moved() {
    let world = World::new().await;
    let granted = world
        .approved(&Ask::new(&admin(), mint("b"), gate(), at(0)))
        .await;
    let ask = Ask::new(&admin(), mint("a"), gate(), at(0));
    let waiting = pending(world.ask(&ask).await);
    let over = granted.grant_expires_at.expect("a grant");
    let long_after = waiting.expires_at.plus(std::time::Duration::from_secs(60));
    // Before that is recorded and after it, the same is told.
    let told = async |approval: &Approval| world.approval(approval.id).await.end_at(long_after);
    for swept in [false, true] {
        if swept {
            world.ledger.sweep(long_after).await.expect("it sweeps");
        }
        let ends = (told(&granted).await, told(&waiting).await);
        let expected = (End::by_time(over), End::by_time(waiting.expires_at));
        assert_eq!(ends, (Some(expected.0), Some(expected.1)), "{swept}");
    }

    let at = |seconds| long_after.plus(std::time::Duration::from_secs(seconds));
    let ask = Ask::new(&admin(), write(global("KEY"), "approved"), gate(), at(0));
    let asked = pending(world.ask(&ask).await);
    counted(
        world
            .vote(&ballot(asked.id, "ann", Choice::Approve, at(1)))
            .await,
    );
    let write = write(global("KEY"), "theirs");
    let theirs = Ask::new(&session_of("ann"), write, allow(), at(2));
    done(world.ask(&theirs).await);
    refused(world.ask(&ask.naming(asked.id).at(at(3))).await);
    let moved = End::by_nobody(at(3), "the target has moved");
    assert_eq!(end_of(&world, asked.id).await, Some(moved));
    world.end().await;
}

#[tokio::test]
async fn what_falls_with_its_token_names_whoever_revoked_that_and_the_host_where_it_ended_by_itself()
 {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let ask = |name| Ask::new(&bearer(&agent), mint(name), gate(), at(1));
    let granted = world.approved(&ask("a")).await;
    let waiting = pending(world.ask(&ask("b")).await);
    let revoke = Ask::new(&session_of("ann"), revoke_token(agent.id), allow(), at(5));
    done(world.ask(&revoke).await);
    let because = "the token that asked was revoked";
    let expected = Some(End::by(&session_of("ann"), at(5), because));
    assert_eq!(end_of(&world, waiting.id).await, expected);
    assert_eq!(end_of(&world, granted.id).await, expected);

    let short = world.minted(&session_of("ann"), "short", at(6)).await;
    let orphan = pending(
        world
            .ask(&Ask::new(&bearer(&short), mint("c"), gate(), at(7)))
            .await,
    );
    let until = at(8).as_micros();
    let ends = format!("UPDATE org_tokens SET expires_at = {until} WHERE name = 'short'");
    world.database.tamper(&ends).await;
    world.ledger.sweep(at(9)).await.expect("it sweeps");
    let end = end_of(&world, orphan.id).await.expect("it has ended");
    assert_eq!((end.by.as_deref(), end.user), (Some("host"), None));
    assert_eq!(end.because, "the token that asked has ended");
    world.end().await;
}

#[tokio::test]
async fn what_ended_before_that_was_kept_is_read_and_says_nothing_of_it() {
    let world = World::new().await;
    let granted = world
        .approved(&Ask::new(&admin(), mint("ci"), gate(), at(0)))
        .await;
    revoke(&world, "bob", granted.id, at(5)).await;
    world
        .database
        .tamper(
            "UPDATE approvals SET ended_at = NULL, ended_by = NULL, ended_by_user = NULL,
                 ended_because = NULL",
        )
        .await;
    let before = world.approval(granted.id).await;
    assert_eq!(before.end_at(at(6)), None);
    assert!(before.state.has_end());
    assert_eq!(before.revoke_reason.as_deref(), Some("the wrong key"));
    world.end().await;
}
