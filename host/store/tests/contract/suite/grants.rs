use countersign_core::action::Action;
use countersign_core::approval::{Choice, MOVED, State};
use countersign_core::caller::{Caller, Identity};
use countersign_core::chance::OsChance;
use countersign_core::decision::Outcome;
use countersign_core::id::ApprovalId;
use countersign_core::ledger::{Refusal, Settled, Voted};
use countersign_core::secret::{SecretAddress, SecretScope};

use super::workspaces::by_ann;
use super::world::*;

#[tokio::test]
async fn an_approved_request_is_done_once_when_it_is_repeated() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    assert_eq!(approval.state, State::Approved);
    assert!(world.live_tokens(at(2)).await.is_empty());

    let minted = token(world.ask(&ask.clone().at(at(3))).await);
    assert_eq!(world.approval(approval.id).await.state, State::Used);
    assert_eq!(world.live_tokens(at(4)).await.len(), 1);
    let kinds: Vec<String> = world.audit().await.into_iter().map(|e| e.kind).collect();
    assert_eq!(
        kinds,
        [
            "approval_requested",
            "approval_approved",
            "approval_used",
            "org_token_minted"
        ]
    );
    let decisions = world.decisions().await;
    let granted = decisions.iter().find(|d| d.outcome == Outcome::Granted);
    assert_eq!(granted.expect("recorded").approval, Some(approval.id));

    world.presented(minted.id, at(4)).await;
    let named = world.ask(&ask.clone().naming(approval.id).at(at(5))).await;
    assert_eq!(refused(named), Refusal::GrantUsed);
    let again = pending(world.ask(&ask.at(at(5))).await);
    assert_ne!(again.id, approval.id);
    assert_eq!(world.live_tokens(at(6)).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_grant_can_be_named() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    token(world.ask(&ask.naming(approval.id).at(at(3))).await);
    world.end().await;
}

#[tokio::test]
async fn a_grant_is_good_for_nobody_else_and_for_nothing_else() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let ask = Ask::new(&bearer(&agent), write(global("KEY"), "a"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let others = [
        Ask {
            caller: admin(),
            ..ask.clone()
        },
        Ask {
            action: write(global("KEY"), "b"),
            ..ask.clone()
        },
        Ask {
            action: write(global("OTHER"), "a"),
            ..ask.clone()
        },
        Ask {
            action: mint("ci"),
            ..ask.clone()
        },
    ];
    for other in others {
        let other = other.at(at(3));
        let named = world.ask(&other.clone().naming(approval.id)).await;
        assert_eq!(refused(named), Refusal::ApprovalMismatch);
        assert_ne!(pending(world.ask(&other).await).id, approval.id);
    }
    let unknown = ApprovalId::new(at(3), &OsChance);
    let named = world.ask(&ask.clone().naming(unknown).at(at(3))).await;
    assert_eq!(refused(named), Refusal::ApprovalMismatch);
    done(world.ask(&ask.at(at(4))).await);
    world.end().await;
}

#[tokio::test]
async fn a_replaced_admin_token_cannot_use_the_grant_of_the_one_before() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let replaced = Caller {
        identity: Identity::AdminToken {
            fingerprint: "beef".to_owned(),
        },
        ..admin()
    };
    let stolen = Ask {
        caller: replaced,
        ..ask
    }
    .at(at(3));
    let named = world.ask(&stolen.clone().naming(approval.id)).await;
    assert_eq!(refused(named), Refusal::ApprovalMismatch);
    assert_ne!(pending(world.ask(&stolen).await).id, approval.id);
    world.end().await;
}

#[tokio::test]
async fn a_grant_is_not_used_where_the_target_has_moved() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), write(global("KEY"), "approved"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let theirs = Ask::new(
        &session_of("ann"),
        write(global("KEY"), "theirs"),
        allow(),
        at(2),
    );
    done(world.ask(&theirs).await);

    let stale = world.ask(&ask.clone().naming(approval.id).at(at(3))).await;
    assert_eq!(refused(stale), Refusal::ApprovalStale);
    assert_eq!(world.approval(approval.id).await.state, State::Lapsed);
    assert_eq!(world.audited("approval_lapsed").await, 1);
    assert_eq!(world.audited("secret_written").await, 1);
    assert_ne!(pending(world.ask(&ask.at(at(4))).await).id, approval.id);
    world.end().await;
}

#[tokio::test]
async fn people_are_asked_anew_when_what_waits_is_repeated_for_a_target_that_has_moved() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), write(global("KEY"), "asked"), gate(), at(0));
    let approval = pending(world.ask(&ask).await);
    let again = pending(world.ask(&ask.clone().at(at(1))).await);
    assert_eq!(again.id, approval.id, "nothing has moved");
    let theirs = write(global("KEY"), "theirs");
    let theirs = |seconds| Ask::new(&session_of("ann"), theirs.clone(), allow(), at(seconds));
    done(world.ask(&theirs(2)).await);

    let fresh = pending(world.ask(&ask.clone().at(at(3))).await);
    assert_ne!(fresh.id, approval.id);
    let ended = world.approval(approval.id).await;
    assert_eq!(ended.state, State::Withdrawn);
    assert_eq!(ended.end.expect("an end").because, MOVED);
    assert_eq!(world.audited("approval_withdrawn").await, 1);
    assert_eq!(world.pending_at(at(3)).await.len(), 1);

    // Whoever names what waits is told that it leads nowhere.
    done(world.ask(&theirs(4)).await);
    let named = world.ask(&ask.clone().naming(fresh.id).at(at(5))).await;
    assert_eq!(refused(named), Refusal::ApprovalWithdrawn);
    assert_eq!(world.approval(fresh.id).await.state, State::Withdrawn);
    assert!(world.pending_at(at(5)).await.is_empty());
    // So is whoever would do what cannot be done any more.
    let delete = || Action::SecretDelete {
        address: global("KEY"),
    };
    let gone = Ask::new(&admin(), delete(), gate(), at(6));
    let waits = pending(world.ask(&gone).await);
    done(
        world
            .ask(&Ask::new(&session_of("ann"), delete(), allow(), at(6)))
            .await,
    );
    assert_eq!(refused(world.ask(&gone).await), Refusal::TargetGone);
    assert_eq!(world.approval(waits.id).await.state, State::Withdrawn);
    // And what people agree to then can be done.
    world.approved(&ask.clone().at(at(6))).await;
    done(world.ask(&ask.at(at(8))).await);
    world.end().await;
}

// Guard: `fall::end_moved` in portable/votes.rs, for every verb that is bound to its target.
#[tokio::test]
async fn nobody_agrees_to_what_is_for_a_target_that_has_moved() {
    let world = World::new().await;
    let (home, away) = (
        world.workspace("home", None).await,
        world.workspace("away", None).await,
    );
    let address = SecretAddress {
        scope: SecretScope::Workspace(home),
        ..global("KEY")
    };
    done(world.ask(&by_ann(write(address.clone(), "first"), 0)).await);
    let key = workspace_token(world.ask(&by_ann(token_of(away), 0)).await);
    let revoke = Action::WorkspaceTokenRevoke {
        workspace: away,
        token: key.id,
    };
    for (asked, moves) in [
        (
            write(address.clone(), "mine"),
            write(address.clone(), "theirs"),
        ),
        (
            Action::SecretDelete {
                address: address.clone(),
            },
            write(address, "again"),
        ),
        (rename(home, "mine"), rename(home, "theirs")),
        (place(home, Some(away)), rename(away, "moved")),
        (create("below", Some(away)), rename(away, "moved again")),
        (token_of(home), rename(home, "theirs, again")),
        (
            Action::WorkspaceRead { workspace: home },
            rename(home, "theirs, for good"),
        ),
        (revoke.clone(), revoke),
    ] {
        let ask = Ask::new(&admin(), asked, gate(), at(1));
        let approval = pending(world.ask(&ask).await);
        let yes = |seconds| ballot(approval.id, "bob", Choice::Approve, at(seconds));
        world.ask(&by_ann(moves, 2)).await;
        let moved = world.vote(&yes(3)).await;
        assert!(
            matches!(moved, Voted::Stale(_)),
            "{}: {moved:?}",
            approval.reason
        );
        let ended = world.approval(approval.id).await;
        assert_eq!(ended.state, State::Withdrawn, "{}", approval.reason);
        // Asked anew, it is what it is by now.
        let Settled::Pending(anew) = world.ask(&ask.at(at(4))).await else {
            continue;
        };
        counted(
            world
                .vote(&ballot(anew.id, "bob", Choice::Approve, at(5)))
                .await,
        );
    }
    world.end().await;
}

#[tokio::test]
async fn a_grant_to_revoke_is_stale_once_somebody_else_revoked() {
    let world = World::new().await;
    let target = world.minted(&session_of("ann"), "target", at(0)).await;
    let revoke = revoke_token(target.id);
    let ask = Ask::new(&admin(), revoke.clone(), gate(), at(0));
    world.approved(&ask).await;
    done(
        world
            .ask(&Ask::new(&session_of("ann"), revoke, allow(), at(2)))
            .await,
    );
    let stale = world.ask(&ask.clone().at(at(3))).await;
    assert_eq!(refused(stale), Refusal::ApprovalStale);
    assert_eq!(
        refused(world.ask(&ask.at(at(4))).await),
        Refusal::TargetGone
    );
    world.end().await;
}

#[tokio::test]
async fn a_grant_ends() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let end = approval.grant_expires_at.expect("a grant");
    let named = world.ask(&ask.clone().naming(approval.id).at(end)).await;
    assert_eq!(refused(named), Refusal::GrantExpired);
    assert_ne!(pending(world.ask(&ask.at(end)).await).id, approval.id);
    world.end().await;
}

#[tokio::test]
async fn a_policy_that_denies_now_leaves_the_grant_unused() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let denied = Ask {
        ruling: deny(),
        ..ask.clone()
    }
    .naming(approval.id)
    .at(at(3));
    assert!(matches!(
        refused(world.ask(&denied).await),
        Refusal::Denied { .. }
    ));
    assert_eq!(world.approval(approval.id).await.state, State::Approved);
    world.end().await;
}

#[tokio::test]
async fn a_deed_that_cannot_be_done_leaves_the_grant_unused() {
    let world = World::new().await;
    world
        .minted(&session_of("ann"), "there already", at(0))
        .await;
    let ask = Ask {
        live_limit: 1,
        ..Ask::new(&admin(), mint("ci"), gate(), at(0))
    };
    let approval = world.approved(&ask).await;
    let full = world.ask(&ask.clone().at(at(3))).await;
    assert_eq!(refused(full), Refusal::TooManyTokens);
    assert_eq!(world.approval(approval.id).await.state, State::Approved);
    assert_eq!(world.audited("approval_used").await, 0);
    let decisions = world.decisions().await;
    let refusals = decisions
        .iter()
        .filter(|d| d.outcome == Outcome::Refused)
        .count();
    assert_eq!(refusals, 1);
    token(
        world
            .ask(
                &Ask {
                    live_limit: 2,
                    ..ask
                }
                .at(at(4)),
            )
            .await,
    );
    world.end().await;
}

#[tokio::test]
async fn a_denied_request_can_be_named_to_learn_why() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = pending(world.ask(&ask).await);
    counted(
        world
            .vote(&ballot(approval.id, "ann", Choice::Deny, at(1)))
            .await,
    );
    let named = world.ask(&ask.naming(approval.id).at(at(2))).await;
    let expected = Refusal::ApprovalDenied {
        reason: None,
        again_at: at(61),
    };
    assert_eq!(refused(named), expected);
    world.end().await;
}

#[tokio::test]
async fn a_grant_that_ended_while_the_deed_waited_for_others_is_not_used() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let end = world
        .approved(&ask)
        .await
        .grant_expires_at
        .expect("a grant ends");
    let late = Ask {
        begins_at: Some(end),
        ..ask.at(at(3))
    };
    pending(world.ask(&late).await);
    assert!(world.live_tokens(end).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_deed_that_is_allowed_by_now_uses_up_its_grant() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let allowed = Ask {
        ruling: allow(),
        ..ask.clone()
    };
    token(world.ask(&allowed.at(at(3))).await);
    assert_eq!(world.approval(approval.id).await.state, State::Used);
    // So that it is no second deed when the policies gate again.
    pending(world.ask(&ask.at(at(4))).await);
    assert_eq!(world.live_tokens(at(5)).await.len(), 1);
    world.end().await;
}
