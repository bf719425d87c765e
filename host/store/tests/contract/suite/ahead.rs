use std::time::Duration;

use countersign_core::action::Action;
use countersign_core::approval::{Choice, Claim, Lives, State};
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::Whose;
use countersign_core::ledger::{Ahead, Refusal, Settled};
use countersign_core::ports::Ledger;

use super::world::*;

fn asked(settled: Settled) -> countersign_core::approval::Approval {
    match settled {
        Settled::Asked(approval) => *approval,
        other => panic!("asked ahead, not {other:?}"),
    }
}

fn ahead(ask: &Ask) -> Ask {
    Ask {
        ahead: Some(Ahead {
            workspace: anchor(),
            claim: Claim {
                reason: Some("the deploy needs it".to_owned()),
                task: Some("task-7".to_owned()),
            },
        }),
        ..ask.clone()
    }
}

#[tokio::test]
async fn what_was_asked_ahead_is_done_when_it_is_asked_for_in_earnest() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), write(global("KEY"), "a"), gate(), at(0));
    let approval = asked(world.ask(&ahead(&ask)).await);
    assert_eq!(approval.state, State::Pending);
    let kept = world.approval(approval.id).await;
    assert_eq!(kept.claim.reason.as_deref(), Some("the deploy needs it"));
    assert_eq!(kept.claim.task.as_deref(), Some("task-7"));
    assert!(!kept.reason.contains("deploy"), "{}", kept.reason);
    // The same, whether it is asked ahead or in earnest.
    assert_eq!(
        asked(world.ask(&ahead(&ask).at(at(1))).await).id,
        approval.id
    );
    assert_eq!(
        pending(world.ask(&ask.clone().at(at(1))).await).id,
        approval.id
    );
    counted(
        world
            .vote(&ballot(approval.id, "ann", Choice::Approve, at(2)))
            .await,
    );
    let again = asked(world.ask(&ahead(&ask).at(at(3))).await);
    assert_eq!((again.id, again.state), (approval.id, State::Approved));
    assert_eq!(
        world.audited("secret_written").await,
        0,
        "asking does nothing"
    );
    let other = Ask {
        action: write(global("KEY"), "b"),
        ..ask.clone()
    };
    assert_ne!(pending(world.ask(&other.at(at(3))).await).id, approval.id);
    done(world.ask(&ask.at(at(4))).await);
    assert_eq!(world.approval(approval.id).await.state, State::Used);
    world.end().await;
}

#[tokio::test]
async fn what_needs_nobody_is_not_asked_and_what_is_denied_is_denied() {
    let world = World::new().await;
    let ask = ahead(&Ask::new(&admin(), mint("ci"), allow(), at(0)));
    assert_eq!(refused(world.ask(&ask).await), Refusal::ApprovalNotNeeded);
    let denied = Ask {
        ruling: deny(),
        ..ask.clone()
    };
    let denied = refused(world.ask(&denied).await);
    assert!(matches!(denied, Refusal::Denied { .. }), "{denied:?}");
    let nowhere = Ask {
        ruling: gate(),
        ahead: Some(Ahead {
            workspace: workspace(9),
            claim: Claim::default(),
        }),
        ..ask
    };
    assert_eq!(refused(world.ask(&nowhere).await), Refusal::FiledNowhere);
    assert!(world.pending_at(at(1)).await.is_empty());
    assert!(world.live_tokens(at(1)).await.is_empty());
    assert!(world.audit().await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_grant_whose_target_has_moved_is_asked_for_anew() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), write(global("KEY"), "mine"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let theirs = write(global("KEY"), "theirs");
    done(
        world
            .ask(&Ask::new(&session_of("eve"), theirs, allow(), at(2)))
            .await,
    );
    let anew = asked(world.ask(&ahead(&ask).at(at(3))).await);
    assert_ne!(anew.id, approval.id);
    assert_eq!(anew.state, State::Pending);
    assert_eq!(world.approval(approval.id).await.state, State::Lapsed);
    world.end().await;
}

#[tokio::test]
async fn what_was_asked_ahead_and_has_moved_is_asked_anew_where_and_as_it_was() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let ask = Ask::new(&admin(), write(global("KEY"), "mine"), gate(), at(0));
    let mut before = ahead(&ask);
    let claim = Claim {
        reason: Some("the release needs it".to_owned()),
        task: Some("task-7".to_owned()),
    };
    before.ahead = Some(Ahead {
        workspace: home,
        claim: claim.clone(),
    });
    let waits = asked(world.ask(&before).await);
    let theirs = write(global("KEY"), "theirs");
    done(
        world
            .ask(&Ask::new(&session_of("eve"), theirs, allow(), at(2)))
            .await,
    );
    let anew = pending(world.ask(&ask.at(at(3))).await);
    assert_ne!(anew.id, waits.id);
    let anew = world.approval(anew.id).await;
    assert_eq!((anew.workspace, anew.claim), (home, claim));
    assert_eq!(world.approval(waits.id).await.state, State::Withdrawn);
    world.end().await;
}

#[tokio::test]
async fn a_workspace_lists_what_is_filed_under_it_of_every_state_newest_first() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let mut filed = Vec::new();
    for n in 0..5 {
        let mut ask = ahead(&Ask::new(&admin(), mint(&format!("t{n}")), gate(), at(n)));
        ask.ahead.as_mut().expect("ahead").workspace = home;
        filed.push(asked(world.ask(&ask).await).id);
    }
    let mut own = ahead(&Ask::new(&bearer(&agent), mint("own"), gate(), at(9)));
    own.ahead.as_mut().expect("ahead").workspace = home;
    let own = asked(world.ask(&own).await).id;
    pending(
        world
            .ask(&Ask::new(&admin(), mint("elsewhere"), gate(), at(9)))
            .await,
    );
    counted(
        world
            .vote(&ballot(filed[0], "ann", Choice::Deny, at(10)))
            .await,
    );
    filed.push(own);
    filed.reverse();

    let permit = world.permit(Action::ApprovalList).await;
    let list = async |whose: Whose, after| {
        let page = page(after, 4);
        let part = world
            .ledger
            .approvals_of(&permit, &whose, home, &page)
            .await;
        part.expect("a list")
            .expect("it stands")
            .into_iter()
            .map(|a| a.id)
            .collect::<Vec<_>>()
    };
    let first = list(Whose::All, None).await;
    assert_eq!(first, filed[..4]);
    let rest = list(Whose::All, Some(first[3].to_string())).await;
    assert_eq!(rest, filed[4..]);
    let theirs = Whose::Requester(bearer(&agent).credential_key());
    assert_eq!(list(theirs, None).await, [own]);
    let nowhere = WorkspaceId::parse("00000000-0000-4000-8000-000000000000").expect("a UUID");
    let page = page(None, 4);
    let ledger = &world.ledger;
    let filed = ledger.approvals_of(&permit, &Whose::All, nowhere, &page);
    assert!(filed.await.expect("an answer").is_none());
    world.end().await;
}

#[tokio::test]
async fn the_operator_sets_the_lives_and_the_cool_down() {
    let world = World::new().await;
    let seconds = Duration::from_secs;
    let lives = Lives {
        pending: Lives::default()
            .pending
            .set_to(seconds(60))
            .expect("within"),
        cool_down: seconds(5),
        ..Lives::default()
    };
    let ask = Ask {
        lives,
        ..Ask::new(&admin(), mint("ci"), gate(), at(0))
    };
    let approval = pending(world.ask(&ask).await);
    assert_eq!(approval.expires_at, at(60));
    counted(
        world
            .vote(&ballot(approval.id, "ann", Choice::Deny, at(1)))
            .await,
    );
    let denied = Refusal::ApprovalDenied {
        reason: None,
        again_at: at(6),
    };
    assert_eq!(refused(world.ask(&ask.clone().at(at(5))).await), denied);
    let again = pending(world.ask(&ask.clone().at(at(6))).await);
    counted(
        world
            .vote(&ballot(again.id, "ann", Choice::Deny, at(7)))
            .await,
    );
    // With none, it may be asked again at once.
    let none = Ask {
        lives: Lives {
            cool_down: Duration::ZERO,
            ..lives
        },
        ..ask
    };
    let again = pending(world.ask(&none.at(at(7))).await);
    let mut yes = ballot(again.id, "ann", Choice::Approve, at(8));
    yes.grant = lives.grant.set_to(seconds(20)).expect("within");
    assert_eq!(
        counted(world.vote(&yes).await).grant_expires_at,
        Some(at(28))
    );
    world.end().await;
}
