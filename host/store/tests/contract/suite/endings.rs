use countersign_core::approval::{Approval, Choice, State};
use countersign_core::caller::Caller;
use countersign_core::chance::OsChance;
use countersign_core::id::{ApprovalId, WorkspaceId};
use countersign_core::ledger::{Ended, Refusal, Revocation, Withdrawal};
use countersign_core::operators::Standing;
use countersign_core::ports::Ledger;
use countersign_core::time::Timestamp;

use super::world::*;

pub async fn withdraw(
    world: &World,
    caller: &Caller,
    approval: ApprovalId,
    (workspace, at): (Option<WorkspaceId>, Timestamp),
) -> Ended {
    let withdrawal = Withdrawal {
        approval,
        workspace,
        caller,
        at,
    };
    let ended = world.ledger.withdraw(withdrawal).await;
    ended.expect("the ledger answers")
}

pub async fn revoke(world: &World, user: &str, approval: ApprovalId, at: Timestamp) -> Ended {
    let revocation = Revocation {
        approval,
        caller: &session_of(user),
        standing: Standing::None,
        reason: Some("the wrong key"),
        at,
    };
    let ended = world.ledger.revoke(revocation).await;
    ended.expect("the ledger answers")
}

fn ended(ended: Ended) -> Approval {
    match ended {
        Ended::Done(approval) => *approval,
        other => panic!("an end, not {other:?}"),
    }
}

#[tokio::test]
async fn a_requester_takes_its_pending_request_back_and_may_ask_again() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = pending(world.ask(&ask).await);
    let here = (Some(approval.workspace), at(1));
    let withdrawn = ended(withdraw(&world, &admin(), approval.id, here).await);
    assert_eq!(withdrawn.state, State::Withdrawn);
    assert_eq!(world.approval(approval.id).await.state, State::Withdrawn);
    let entry = world.audit().await.pop().expect("an entry");
    assert_eq!(entry.kind, "approval_withdrawn");
    assert_eq!(entry.actor, "admin-token");

    let yes = ballot(approval.id, "ann", Choice::Approve, at(2));
    let voted = world.vote(&yes).await;
    assert!(matches!(
        voted,
        countersign_core::ledger::Voted::NotPending(_)
    ));
    let named = world.ask(&ask.clone().naming(approval.id).at(at(2))).await;
    assert_eq!(refused(named), Refusal::ApprovalWithdrawn);
    assert_ne!(pending(world.ask(&ask.at(at(3))).await).id, approval.id);
    world.end().await;
}

#[tokio::test]
async fn nobody_but_the_requester_takes_a_request_back_and_only_where_it_is_and_waits() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let child = world.minted(&bearer(&agent), "child", at(0)).await;
    let ask = Ask::new(&bearer(&agent), mint("ci"), gate(), at(1));
    let approval = pending(world.ask(&ask).await);
    for other in [admin(), session_of("ann"), bearer(&child)] {
        let refused = withdraw(&world, &other, approval.id, (None, at(2))).await;
        assert!(matches!(refused, Ended::NotRequester), "{refused:?}");
    }
    let elsewhere = (Some(workspace(1)), at(2));
    let refused = withdraw(&world, &bearer(&agent), approval.id, elsewhere).await;
    assert!(matches!(refused, Ended::NotThere), "{refused:?}");
    let unknown = ApprovalId::new(at(2), &OsChance);
    let refused = withdraw(&world, &bearer(&agent), unknown, (None, at(2))).await;
    assert!(matches!(refused, Ended::NotThere), "{refused:?}");
    let late = (None, approval.expires_at);
    let refused = withdraw(&world, &bearer(&agent), approval.id, late).await;
    assert!(
        matches!(refused, Ended::Is(State::Expired, _)),
        "{refused:?}"
    );
    assert_eq!(world.approval(approval.id).await.state, State::Pending);
    assert_eq!(world.audited("approval_withdrawn").await, 0);

    let revoke = countersign_core::action::Action::OrgTokenRevoke {
        token: agent.id,
        drain_seconds: 0,
        descendants: false,
        shown: None,
    };
    done(
        world
            .ask(&Ask::new(&session_of("ann"), revoke, allow(), at(3)))
            .await,
    );
    let dead = withdraw(&world, &bearer(&agent), approval.id, (None, at(4))).await;
    assert!(matches!(dead, Ended::CredentialGone), "{dead:?}");
    world.end().await;
}

#[tokio::test]
async fn a_person_takes_an_unused_grant_back_and_the_requester_learns_why() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let revoked = ended(revoke(&world, "bob", approval.id, at(2)).await);
    assert_eq!(revoked.state, State::Revoked);
    let kept = world.approval(approval.id).await;
    assert_eq!(kept.state, State::Revoked);
    assert_eq!(kept.revoke_reason.as_deref(), Some("the wrong key"));
    let entry = world.audit().await.pop().expect("an entry");
    assert_eq!(entry.kind, "approval_revoked");
    assert_eq!(entry.actor, person("bob").label());
    assert_eq!(entry.detail["user"], "bob");
    assert_eq!(entry.detail["reason"], "the wrong key");

    let named = world.ask(&ask.clone().naming(approval.id).at(at(3))).await;
    let expected = Refusal::ApprovalRevoked {
        reason: Some("the wrong key".to_owned()),
    };
    assert_eq!(refused(named), expected);
    assert_ne!(pending(world.ask(&ask.at(at(3))).await).id, approval.id);
    assert!(world.live_tokens(at(4)).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn what_is_no_unused_grant_is_not_revoked() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let waiting = pending(world.ask(&ask).await);
    let refused = revoke(&world, "bob", waiting.id, at(1)).await;
    assert!(
        matches!(refused, Ended::Is(State::Pending, _)),
        "{refused:?}"
    );
    let approval = world.approved(&ask).await;
    let end = approval.grant_expires_at.expect("a grant");
    let refused = revoke(&world, "bob", approval.id, end).await;
    assert!(
        matches!(refused, Ended::Is(State::Lapsed, _)),
        "{refused:?}"
    );
    token(world.ask(&ask.at(at(3))).await);
    let refused = revoke(&world, "bob", approval.id, at(4)).await;
    assert!(matches!(refused, Ended::Is(State::Used, _)), "{refused:?}");
    let unknown = ApprovalId::new(at(2), &OsChance);
    let refused = revoke(&world, "bob", unknown, at(4)).await;
    assert!(matches!(refused, Ended::NotThere), "{refused:?}");
    assert_eq!(world.audited("approval_revoked").await, 0);
    world.end().await;
}
