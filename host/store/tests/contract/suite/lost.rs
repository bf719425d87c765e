//! Lost answers: a repeat that names its approval gets the token that it never saw, and that one dies.

use std::sync::Arc;

use countersign_core::action::Action;
use countersign_core::approval::State;
use countersign_core::ledger::{Done, Refusal, Settled};
use tokio::task::JoinSet;

use super::world::*;

/// The grant of `ask`, used once, and `ask` naming it.
async fn used(world: &World, ask: &Ask) -> (Ask, Settled) {
    let approval = world.approved(ask).await;
    let first = world.ask(&ask.clone().at(at(3))).await;
    assert_eq!(world.approval(approval.id).await.state, State::Used);
    (ask.clone().naming(approval.id).at(at(4)), first)
}

#[tokio::test]
async fn a_repeat_that_names_its_approval_replaces_a_token_that_nobody_presented() {
    let world = World::new().await;
    let ask = Ask {
        live_limit: 1,
        ..Ask::new(&admin(), mint("ci"), gate(), at(0))
    };
    let (repeat, first) = used(&world, &ask).await;
    let first = token(first);
    let second = token(world.ask(&repeat).await);
    assert_ne!(first.id, second.id);
    let live = world.live_tokens(at(5)).await;
    assert_eq!(live.iter().map(|t| t.id).collect::<Vec<_>>(), [second.id]);
    let entry = world.audit().await.pop().expect("an entry");
    assert_eq!(entry.kind, "org_token_replaced", "one event");
    assert_eq!(entry.detail["replaces"], first.id.to_string());
    assert_eq!(entry.detail["token"], second.id.to_string());
    assert_eq!(world.audited("org_token_minted").await, 1);
    assert_eq!(world.audited("org_token_revoked").await, 0);
    assert_eq!(world.audited("approval_used").await, 1);
    // And once more: that answer may have got lost as well.
    let third = token(world.ask(&repeat.at(at(5))).await);
    assert_eq!(world.live_tokens(at(6)).await[0].id, third.id);
    world.end().await;
}

#[tokio::test]
async fn a_token_that_was_presented_or_revoked_is_not_replaced() {
    let world = World::new().await;
    let (repeat, first) = used(&world, &Ask::new(&admin(), mint("used"), gate(), at(0))).await;
    world.presented(token(first).id, at(4)).await;
    assert_eq!(refused(world.ask(&repeat).await), Refusal::GrantUsed);
    let allowed = Ask {
        ruling: allow(),
        ..repeat
    };
    assert_eq!(refused(world.ask(&allowed).await), Refusal::GrantUsed);

    let (repeat, first) = used(&world, &Ask::new(&admin(), mint("revoked"), gate(), at(0))).await;
    let revoke = countersign_core::action::Action::OrgTokenRevoke {
        token: token(first).id,
        drain_seconds: 0,
        descendants: false,
        shown: None,
    };
    done(
        world
            .ask(&Ask::new(&session_of("ann"), revoke, allow(), at(4)))
            .await,
    );
    assert_eq!(refused(world.ask(&repeat).await), Refusal::GrantUsed);
    assert_eq!(world.audited("org_token_replaced").await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_by_whoever_asked_within_the_grants_life_and_by_name() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let (repeat, first) = used(&world, &ask).await;
    let first = token(first).id;
    let end = world.approval(repeat.named.expect("named")).await;
    let end = end.grant_expires_at.expect("a grant");
    assert_eq!(
        refused(world.ask(&repeat.clone().at(end)).await),
        Refusal::GrantUsed
    );
    let other = Ask {
        action: mint("other"),
        ..repeat.clone()
    };
    assert_eq!(refused(world.ask(&other).await), Refusal::ApprovalMismatch);
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let thief = Ask {
        caller: bearer(&agent),
        ..repeat.clone()
    };
    assert_eq!(refused(world.ask(&thief).await), Refusal::ApprovalMismatch);
    // Without the name it is another request.
    pending(world.ask(&ask.at(at(4))).await);
    // The policies are asked afresh.
    let stricter = Ask {
        ruling: gate_by(vec![people(2)]),
        ..repeat.clone()
    };
    assert_eq!(refused(world.ask(&stricter).await), Refusal::GrantUsed);
    let denied = Ask {
        ruling: deny(),
        ..repeat.clone()
    };
    let denied = refused(world.ask(&denied).await);
    assert!(matches!(denied, Refusal::Denied { .. }), "{denied:?}");
    assert!(world.live_tokens(at(5)).await.iter().any(|t| t.id == first));
    // What they allow by now replaces it all the same.
    let allowed = Ask {
        ruling: allow(),
        ..repeat
    };
    token(world.ask(&allowed).await);
    assert!(world.live_tokens(at(5)).await.iter().all(|t| t.id != first));
    world.end().await;
}

#[tokio::test]
async fn a_workspaces_token_is_replaced_likewise_while_the_workspace_is_as_it_was() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let ask = Ask::new(&admin(), token_of(home), gate(), at(0));
    let (repeat, first) = used(&world, &ask).await;
    let first = workspace_token(first);
    let second = workspace_token(world.ask(&repeat).await);
    let live = world.workspace_tokens(home, at(5)).await;
    assert_eq!(live.iter().map(|t| t.id).collect::<Vec<_>>(), [second.id]);
    let entry = world.audit().await.pop().expect("an entry");
    assert_eq!(entry.kind, "workspace_token_replaced");
    assert_eq!(entry.detail["replaces"], first.id.to_string());

    let rename = Ask::new(&session_of("ann"), rename(home, "other"), allow(), at(5));
    saved(world.ask(&rename).await);
    let stale = world.ask(&repeat.clone().at(at(6))).await;
    assert_eq!(refused(stale), Refusal::ApprovalStale);
    assert_eq!(world.workspace_tokens(home, at(6)).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_workspaces_token_that_was_presented_is_not_replaced() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let ask = Ask::new(&admin(), token_of(home), gate(), at(0));
    let (repeat, first) = used(&world, &ask).await;
    let first = workspace_token(first).id;
    world.presented(first, at(4)).await;
    assert_eq!(refused(world.ask(&repeat).await), Refusal::GrantUsed);
    world.end().await;
}

#[tokio::test]
async fn what_is_no_mint_is_not_done_again() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), write(global("KEY"), "a"), gate(), at(0));
    let (repeat, _) = used(&world, &ask).await;
    assert_eq!(refused(world.ask(&repeat).await), Refusal::GrantUsed);
    world.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_repeats_at_once_exactly_one_answer_lives() {
    for users in [16, 64] {
        let world = Arc::new(World::new().await);
        let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
        let approval = world.approved(&ask).await;
        let ask = ask.naming(approval.id).at(at(3));
        let mut tasks = JoinSet::new();
        for _ in 0..users {
            let (world, ask) = (Arc::clone(&world), ask.clone());
            tasks.spawn(async move { world.ask(&ask).await });
        }
        let answered: Vec<_> = tasks
            .join_all()
            .await
            .into_iter()
            .map(|settled| match settled {
                Settled::Done(Done::Minted(token)) => token.id,
                other => panic!("a token, not {other:?}"),
            })
            .collect();
        assert_eq!(answered.len(), users);
        let live = world.live_tokens(at(4)).await;
        assert_eq!(live.len(), 1, "of {users}");
        assert!(answered.contains(&live[0].id));
        assert_eq!(world.audited("approval_used").await, 1);
        assert_eq!(world.audited("org_token_minted").await, 1);
        assert_eq!(world.audited("org_token_replaced").await, users - 1);
        let world = Arc::into_inner(world).expect("nobody else has it");
        world.end().await;
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_and_drains_is_not_replaced_by_one_that_does_not() {
    let world = World::new().await;
    let (repeat, first) = used(&world, &Ask::new(&admin(), mint("ci"), gate(), at(0))).await;
    let first = token(first).id;
    let revoke = Action::OrgTokenRevoke {
        token: first,
        drain_seconds: 3_600,
        descendants: false,
        shown: None,
    };
    done(
        world
            .ask(&Ask::new(&session_of("ann"), revoke, allow(), at(3)))
            .await,
    );
    assert_eq!(refused(world.ask(&repeat).await), Refusal::GrantUsed);
    let live = world.live_tokens(at(5)).await;
    assert_eq!(live.iter().map(|t| t.id).collect::<Vec<_>>(), [first]);
    world.end().await;
}

#[tokio::test]
async fn however_often_an_answer_is_lost_it_is_one_mint() {
    let world = World::new().await;
    let limited = |ask: Ask| Ask {
        mint_limit: 2,
        ..ask
    };
    let ask = limited(Ask::new(&admin(), mint("ci"), gate(), at(0)));
    let (repeat, _) = used(&world, &ask).await;
    for _ in 0..4 {
        token(world.ask(&repeat).await);
    }
    // Neither its repeats nor another's mint from there are in the way, but the one after that.
    let other = |name: &str| limited(Ask::new(&session_of("ann"), mint(name), allow(), at(5)));
    token(world.ask(&other("one")).await);
    let refused = refused(world.ask(&other("two")).await);
    assert!(
        matches!(refused, Refusal::TooManyMints { .. }),
        "{refused:?}"
    );
    token(world.ask(&repeat).await);
    world.end().await;
}
