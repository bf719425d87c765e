//! Tokens that are revoked and still work for a while, and what a token leaves behind.

use countersign_core::approval::State;
use countersign_core::id::{ApprovalId, TokenId};
use countersign_core::ledger::{Done, OrgToken, Refusal, Revoked, Settled};
use countersign_core::ports::Ledger as _;
use countersign_core::time::Timestamp;

use super::world::*;

pub(super) fn revoked(settled: Settled) -> Revoked {
    match settled {
        Settled::Done(Done::Revoked(revoked)) => revoked,
        other => panic!("a revocation, not {other:?}"),
    }
}

/// Ids of one instant sort as chance has it.
pub(super) fn sorted(mut ids: Vec<ApprovalId>) -> Vec<ApprovalId> {
    ids.sort_unstable();
    ids
}

/// A person has the token drain.
async fn drained(world: &World, token: TokenId, drain_seconds: u32, seconds: i64) -> Revoked {
    let ask = Ask::new(
        &session_of("ann"),
        drain(token, drain_seconds),
        allow(),
        at(seconds),
    );
    revoked(world.ask(&ask).await)
}

async fn listed(world: &World, token: &OrgToken, now: Timestamp) -> Option<OrgToken> {
    let mut live = world.live_tokens(now).await.into_iter();
    live.find(|listed| listed.id == token.id)
}

#[tokio::test]
async fn a_draining_token_works_until_it_has_drained_and_is_listed_as_one() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let revoked = drained(&world, agent.id, 60, 10).await;
    assert_eq!(revoked.draining_until, Some(at(70)));
    let shown = listed(&world, &agent, at(69)).await.expect("it is live");
    assert_eq!(shown.draining_until, Some(at(70)));
    // Whoever was verified before it began to drain is not shut out, and learns of its end.
    let read = Ask::new(&bearer(&agent), list(), allow(), at(69));
    assert!(matches!(done(world.ask(&read).await), Done::Read(_)));
    assert!(listed(&world, &agent, at(70)).await.is_none());
    let late = world.ask(&read.at(at(70))).await;
    assert_eq!(refused(late), Refusal::CredentialGone);
    let again = Ask::new(&session_of("ann"), revoke_token(agent.id), allow(), at(70));
    assert_eq!(refused(world.ask(&again).await), Refusal::TargetGone);
    world.end().await;
}

#[tokio::test]
async fn a_token_that_drains_can_be_made_to_end_sooner_and_never_later() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    for (drain, seconds, expected) in [(600, 0, 600), (900, 1, 600), (60, 2, 62), (60, 30, 62)] {
        let revoked = drained(&world, agent.id, drain, seconds).await;
        assert_eq!(revoked.draining_until, Some(at(expected)), "at {seconds}");
    }
    let at_once = drained(&world, agent.id, 0, 40).await;
    assert_eq!(at_once.draining_until, None);
    assert!(listed(&world, &agent, at(41)).await.is_none());
    assert_eq!(world.audited("org_token_revoked").await, 5);

    // Nor later than it would have expired.
    let ask = Ask::new(
        &session_of("ann"),
        mint_until("brief", Some(at(100))),
        allow(),
        at(50),
    );
    let brief = token(world.ask(&ask).await);
    let revoked = drained(&world, brief.id, 600, 51).await;
    assert_eq!(revoked.draining_until, Some(at(100)));
    assert!(listed(&world, &brief, at(100)).await.is_none());
    world.end().await;
}

#[tokio::test]
async fn what_a_draining_token_mints_ends_no_later_than_it() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    // Verified before it began to drain, and judged as one that never ends.
    let before = bearer(&agent);
    drained(&world, agent.id, 60, 10).await;
    for (expires_at, is_minted) in [
        (None, false),
        (Some(at(71)), false),
        (Some(at(70)), true),
        (Some(at(60)), true),
    ] {
        let ask = Ask::new(&before, mint_until("child", expires_at), allow(), at(20));
        match world.ask(&ask).await {
            Settled::Done(Done::Minted(_)) if is_minted => {}
            Settled::Refused(Refusal::Denied { rule, policy, .. }) if !is_minted => {
                assert_eq!(
                    (rule.as_str(), policy.as_str()),
                    ("outlives-the-minter", "core")
                );
            }
            other => panic!("{expires_at:?}: {other:?}"),
        }
    }
    let home = world.workspace("home", None).await;
    let ask = Ask::new(&before, token_of(home), allow(), at(20));
    assert!(matches!(
        refused(world.ask(&ask).await),
        Refusal::Denied { .. }
    ));
    world.end().await;
}

#[tokio::test]
async fn what_a_revoked_token_asked_for_ends_with_it() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let other = world.minted(&session_of("ann"), "other", at(0)).await;
    let ask = |token: &OrgToken, name: &str| Ask::new(&bearer(token), mint(name), gate(), at(1));
    let waits = pending(world.ask(&ask(&agent, "waits")).await);
    let granted = world.approved(&ask(&agent, "granted")).await;
    let of_other = pending(world.ask(&ask(&other, "waits")).await);
    let revoke = Ask::new(&session_of("ann"), revoke_token(agent.id), allow(), at(3));
    let revoked = revoked(world.ask(&revoke).await);

    assert_eq!(
        sorted(revoked.approvals),
        sorted(vec![waits.id, granted.id])
    );
    assert_eq!(world.approval(waits.id).await.state, State::Withdrawn);
    assert_eq!(world.approval(granted.id).await.state, State::Lapsed);
    assert_eq!(world.approval(of_other.id).await.state, State::Pending);
    assert_eq!(world.audited("approval_withdrawn").await, 1);
    assert_eq!(world.audited("approval_lapsed").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_token_that_revokes_itself_by_a_grant_uses_it_and_leaves_nothing() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let own = Ask::new(&bearer(&agent), revoke_token(agent.id), gate(), at(1));
    let granted = world.approved(&own).await;
    let waits = Ask::new(&bearer(&agent), mint("waits"), gate(), at(1));
    let waits = pending(world.ask(&waits).await);
    let revoked = revoked(world.ask(&own.at(at(3))).await);
    assert_eq!(revoked.approvals, [waits.id]);
    assert_eq!(world.approval(granted.id).await.state, State::Used);
    world.end().await;
}

#[tokio::test]
async fn what_a_workspace_token_asked_for_ends_when_it_is_revoked_or_replaced() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let first = world.workspace_token(&admin(), home, at(0)).await;
    let ask = |token| {
        let action = rename(home, "renamed");
        Ask::new(&bearer_of_workspace(token), action, gate(), at(1))
    };
    let waits = pending(world.ask(&ask(&first)).await);
    let rotate = Ask::new(&bearer_of_workspace(&first), token_of(home), allow(), at(2));
    let second = workspace_token(world.ask(&rotate).await);
    assert_eq!(world.approval(waits.id).await.state, State::Withdrawn);

    let waits = pending(world.ask(&ask(&second)).await);
    let revoke = countersign_core::action::Action::WorkspaceTokenRevoke {
        workspace: home,
        token: second.id,
    };
    let revoke = Ask::new(&session_of("ann"), revoke, allow(), at(3));
    done(world.ask(&revoke).await);
    assert_eq!(world.approval(waits.id).await.state, State::Withdrawn);
    world.end().await;
}

#[tokio::test]
async fn the_sweep_ends_what_tokens_asked_for_that_ended_by_themselves() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let until = |name: &str, seconds| {
        let action = mint_until(name, Some(at(seconds)));
        Ask::new(&session_of("ann"), action, allow(), at(0))
    };
    let brief = token(world.ask(&until("brief", 100)).await);
    let long = token(world.ask(&until("long", 500)).await);
    let drains = world.minted(&session_of("ann"), "drains", at(0)).await;
    let of_home = Ask::new(
        &bearer(&brief),
        countersign_core::action::Action::WorkspaceTokenMint {
            workspace: home,
            expires_at: brief.expires_at,
        },
        allow(),
        at(1),
    );
    let of_home = workspace_token(world.ask(&of_home).await);
    let mut ended = Vec::new();
    let mut asked = async |ask: Ask| {
        let waits = pending(world.ask(&ask).await);
        ended.push(waits.id);
    };
    let mint_of = |token: &OrgToken| {
        let action = mint_until("x", Some(at(50)));
        Ask::new(&bearer(token), action, gate(), at(2))
    };
    asked(mint_of(&brief)).await;
    asked(Ask::new(
        &bearer_of_workspace(&of_home),
        rename(home, "x"),
        gate(),
        at(2),
    ))
    .await;
    asked(mint_of(&drains)).await;
    drained(&world, drains.id, 60, 3).await;
    let stays = pending(world.ask(&mint_of(&long)).await);
    let granted = world
        .approved(&Ask::new(
            &bearer(&brief),
            mint_until("granted", brief.expires_at),
            gate(),
            at(4),
        ))
        .await;

    let swept = async |seconds| {
        let swept = world.ledger.sweep(at(seconds)).await;
        swept.expect("the ledger answers")
    };
    assert_eq!(swept(62).await, []);
    assert_eq!(swept(63).await, [ended[2]]);
    assert_eq!(swept(99).await, []);
    assert_eq!(
        sorted(swept(100).await),
        sorted(vec![ended[0], ended[1], granted.id])
    );
    for id in ended {
        assert_eq!(world.approval(id).await.state, State::Withdrawn);
    }
    assert_eq!(world.approval(granted.id).await.state, State::Lapsed);
    assert_eq!(world.approval(stays.id).await.state, State::Pending);
    world.end().await;
}
