use countersign_core::action::Action;
use countersign_core::approval::Choice;
use countersign_core::ledger::{ApprovalEvents, Whose};
use countersign_core::permit::Permit;
use countersign_core::ports::Ledger;

use super::world::*;

async fn after(
    world: &World,
    permit: &Permit,
    (whose, after, limit): (&Whose, Option<i64>, u32),
) -> ApprovalEvents {
    let events = world
        .ledger
        .approval_events(permit, whose, after, limit)
        .await;
    events.expect("the ledger answers")
}

#[tokio::test]
async fn what_happened_to_approvals_is_told_in_order_in_parts_and_nothing_else_is() {
    let mut world = World::new().await;
    let permit = world.permit(Action::ApprovalList).await;
    let begin = after(&world, &permit, (&Whose::All, None, 9)).await;
    assert!(begin.events.is_empty());
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    token(world.ask(&ask.at(at(3))).await);
    world.minted(&session_of("ann"), "noise", at(3)).await;
    let denied = pending(
        world
            .ask(&Ask::new(&admin(), mint("no"), gate(), at(4)))
            .await,
    );
    counted(
        world
            .vote(&ballot(denied.id, "ann", Choice::Deny, at(5)))
            .await,
    );

    // Also after a restart.
    world.reopen().await;
    let permit = world.permit(Action::ApprovalList).await;
    let mut told = begin.up_to;
    let mut kinds = Vec::new();
    loop {
        let part = after(&world, &permit, (&Whose::All, Some(told), 2)).await;
        kinds.extend(part.events.iter().map(|event| event.kind.as_str()));
        assert!(part.events.iter().all(|event| event.seq > told));
        told = part.up_to;
        if part.events.len() < 2 {
            break;
        }
    }
    let expected = [
        "approval_requested",
        "approval_approved",
        "approval_used",
        "approval_requested",
        "approval_denied",
    ];
    assert_eq!(kinds, expected);
    let all = after(&world, &permit, (&Whose::All, Some(begin.up_to), 9)).await;
    assert_eq!(all.events[0].approval, approval.id);
    assert_eq!(all.events[0].reason, approval.reason);
    assert_eq!(all.events[0].workspace, approval.workspace);
    assert_eq!(all.up_to, told, "noise is behind it");
    // From beyond the end, there is nothing to tell until the end has moved.
    let beyond = after(&world, &permit, (&Whose::All, Some(i64::MAX), 9)).await;
    assert_eq!((beyond.events.len(), beyond.up_to), (0, told));
    world.end().await;
}

#[tokio::test]
async fn a_program_is_told_of_its_own_requests_alone() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let own = pending(
        world
            .ask(&Ask::new(&bearer(&agent), mint("a"), gate(), at(1)))
            .await,
    );
    pending(
        world
            .ask(&Ask::new(&admin(), mint("b"), gate(), at(2)))
            .await,
    );
    let permit = world.permit(Action::ApprovalList).await;
    let whose = Whose::Requester(bearer(&agent).credential_key());
    let told = after(&world, &permit, (&whose, Some(0), 9)).await;
    let told: Vec<_> = told.events.iter().map(|event| event.approval).collect();
    assert_eq!(told, [own.id]);
    let nobody = world.permit(Action::PolicyRead).await;
    let refused = world.ledger.approval_events(&nobody, &whose, None, 9).await;
    assert!(refused.is_err());
    world.end().await;
}

#[tokio::test]
async fn a_credential_lives_for_as_long_as_the_ledger_says() {
    let world = World::new().await;
    let brief = Ask::new(&admin(), mint_until("brief", Some(at(60))), allow(), at(0));
    let brief = bearer(&token(world.ask(&brief).await));
    let lives = async |now| world.ledger.lives(&brief, now).await.expect("an answer");
    assert!(lives(at(59)).await);
    assert!(!lives(at(60)).await);
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let revoke = Action::OrgTokenRevoke {
        token: agent.id,
        drain_seconds: 0,
        descendants: false,
        shown: None,
    };
    done(
        world
            .ask(&Ask::new(&session_of("ann"), revoke, allow(), at(1)))
            .await,
    );
    assert!(
        !world
            .ledger
            .lives(&bearer(&agent), at(2))
            .await
            .expect("an answer")
    );
    world.end().await;
}
