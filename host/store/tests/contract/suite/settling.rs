use std::time::Duration;

use countersign_core::action::Action;
use countersign_core::approval::{Choice, PENDING_LIMIT, PENDING_TTL, State};
use countersign_core::caller::{Caller, Identity, Issuer, Person};
use countersign_core::chance::OsChance;
use countersign_core::decision::Outcome;
use countersign_core::id::SessionId;
use countersign_core::ledger::{Refusal, Settled};
use countersign_core::policy::{Ground, Quorum, Role, Terms};
use countersign_core::ports::Ledger;
use countersign_core::session::{NewSession, ProofHash};

use super::world::*;

#[tokio::test]
async fn a_denied_action_leaves_no_effect_but_its_record() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), deny(), at(0));
    let refusal = refused(world.ask(&ask).await);
    assert!(matches!(&refusal, Refusal::Denied { rule, policy, .. }
            if rule == "nobody-may" && policy == "baseline@0.1.0"));
    assert!(world.audit().await.is_empty());
    assert!(world.live_tokens(at(1)).await.is_empty());
    let decisions = world.decisions().await;
    let denied = decisions
        .iter()
        .find(|d| d.verb.as_str() == "org_token_mint");
    let denied = denied.expect("it is recorded");
    assert_eq!(denied.outcome, Outcome::Refused);
    assert_eq!(denied.judgement.ruling, deny());
    assert_eq!(denied.at, at(0));
    world.end().await;
}

#[tokio::test]
async fn a_gated_action_waits_and_nothing_is_done() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = pending(world.ask(&ask).await);
    assert_eq!(approval.state, State::Pending);
    assert_eq!(
        approval.reason,
        "mint organisation token `ci` (admin, never expires): agents need a person for this"
    );
    assert_eq!(approval.workspace, workspace(0xaa));
    assert_eq!(approval.requester.actor, "admin-token");
    assert_eq!(approval.expires_at, at(0).plus(PENDING_TTL.default));
    assert_eq!(approval.policy, "baseline@0.1.0");
    assert!(world.live_tokens(at(1)).await.is_empty());
    let stored = world.approval(approval.id).await;
    assert_eq!(format!("{stored:?}"), format!("{approval:?}"));
    assert_eq!(world.audited("approval_requested").await, 1);
    let decisions = world.decisions().await;
    let opened = decisions.iter().find(|d| d.id == approval.decision);
    let opened = opened.expect("its decision is recorded");
    assert_eq!(opened.outcome, Outcome::Pending);
    assert_eq!(opened.approval, Some(approval.id));
    world.end().await;
}

#[tokio::test]
async fn asking_again_while_it_waits_finds_the_same_approval() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let first = pending(world.ask(&ask).await);
    let again = pending(world.ask(&ask.clone().at(at(5))).await);
    let named = pending(world.ask(&ask.naming(first.id).at(at(6))).await);
    assert_eq!((again.id, named.id), (first.id, first.id));
    assert_eq!(world.pending_at(at(7)).await.len(), 1);
    assert_eq!(world.audited("approval_requested").await, 1);
    world.end().await;
}

#[tokio::test]
async fn another_value_or_another_credential_is_another_request() {
    let world = World::new().await;
    let ask = |caller: &Caller, value| Ask::new(caller, write(global("KEY"), value), gate(), at(0));
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let one = pending(world.ask(&ask(&admin(), "a")).await);
    let other_value = pending(world.ask(&ask(&admin(), "b")).await);
    let other_caller = pending(world.ask(&ask(&bearer(&agent), "a")).await);
    assert_ne!(one.digest, other_value.digest);
    assert_ne!(one.digest, other_caller.digest);
    assert_eq!(world.pending_at(at(1)).await.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_request_that_nobody_decided_is_asked_anew() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let first = pending(world.ask(&ask).await);
    let late = first.expires_at;
    let second = pending(world.ask(&ask.clone().at(late)).await);
    assert_ne!(first.id, second.id);
    assert_eq!(world.approval(first.id).await.state, State::Expired);
    assert_eq!(world.audited("approval_expired").await, 1);
    let named = world.ask(&ask.naming(first.id).at(late)).await;
    assert_eq!(refused(named), Refusal::ApprovalExpired);
    world.end().await;
}

#[tokio::test]
async fn a_policy_sets_the_lives_within_the_bounds() {
    let world = World::new().await;
    let ruling = |seconds| {
        gate_with(Terms {
            ground: Ground::new("r", "because"),
            quorums: vec![Quorum::one_person()],
            pending_ttl: Some(seconds),
            grant_ttl: Some(seconds),
        })
    };
    for (seconds, pending_secs, grant_secs) in
        [(120, 120, 120), (0, 30, 10), (u32::MAX, 7 * 86_400, 86_400)]
    {
        let name = format!("t{seconds}");
        let ask = Ask::new(&admin(), mint(&name), ruling(seconds), at(0));
        let approval = world.approved(&ask).await;
        assert_eq!(
            approval.expires_at,
            at(0).plus(Duration::from_secs(pending_secs))
        );
        let end = at(1).plus(Duration::from_secs(grant_secs));
        assert_eq!(approval.grant_expires_at, Some(end));
    }
    world.end().await;
}

#[tokio::test]
async fn one_lineage_can_have_so_many_requests_pending_and_no_more() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let child = world.minted(&bearer(&agent), "child", at(0)).await;
    let stranger = world.minted(&session_of("ann"), "stranger", at(0)).await;
    let ask = |caller: &Caller, name: &str| Ask::new(caller, mint(name), gate(), at(1));
    for n in 0..PENDING_LIMIT {
        pending(world.ask(&ask(&bearer(&agent), &format!("t{n}"))).await);
    }
    let more = world.ask(&ask(&bearer(&agent), "more")).await;
    assert_eq!(refused(more), Refusal::TooManyPending);
    let by_child = world.ask(&ask(&bearer(&child), "more")).await;
    assert_eq!(refused(by_child), Refusal::TooManyPending);
    pending(world.ask(&ask(&bearer(&agent), "t0")).await);
    let by_stranger = pending(world.ask(&ask(&bearer(&stranger), "more")).await);
    // Time makes room, whether or not it is recorded yet.
    let late = ask(&bearer(&agent), "more").at(by_stranger.expires_at);
    pending(world.ask(&late).await);
    world.end().await;
}

#[tokio::test]
async fn a_denied_lineage_waits_before_it_asks_again() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let child = world.minted(&bearer(&agent), "child", at(0)).await;
    let ask = |caller: &Caller, key: &str, value: &str, seconds| {
        Ask::new(caller, write(global(key), value), gate(), at(seconds))
    };
    let first = pending(world.ask(&ask(&bearer(&agent), "A", "1", 1)).await);
    let mut no = ballot(first.id, "ann", Choice::Deny, at(2));
    no.reason = Some("not today".to_owned());
    assert_eq!(counted(world.vote(&no).await).state, State::Denied);

    let denied = Refusal::ApprovalDenied {
        reason: Some("not today".to_owned()),
        again_at: at(62),
    };
    let same = world.ask(&ask(&bearer(&agent), "A", "1", 3)).await;
    assert_eq!(refused(same), denied);
    let other_value = world.ask(&ask(&bearer(&agent), "A", "2", 3)).await;
    assert_eq!(refused(other_value), denied);
    let by_child = world.ask(&ask(&bearer(&child), "A", "1", 61)).await;
    assert_eq!(refused(by_child), denied);
    pending(world.ask(&ask(&bearer(&agent), "B", "1", 3)).await);
    pending(world.ask(&ask(&admin(), "A", "1", 3)).await);
    pending(world.ask(&ask(&bearer(&agent), "A", "1", 62)).await);
    let named = ask(&bearer(&agent), "A", "1", 99).naming(first.id);
    assert_eq!(refused(world.ask(&named).await), denied);
    world.end().await;
}

#[tokio::test]
async fn without_an_anchor_there_is_nowhere_to_file_a_request() {
    let world = World::new().await;
    let lost = Caller {
        anchor: None,
        ..admin()
    };
    let gated = world.ask(&Ask::new(&lost, mint("ci"), gate(), at(0))).await;
    assert_eq!(refused(gated), Refusal::NoAnchor);
    token(
        world
            .ask(&Ask::new(&lost, mint("ci"), allow(), at(0)))
            .await,
    );
    world.end().await;
}

#[tokio::test]
async fn people_are_not_asked_about_what_is_not_there() {
    let world = World::new().await;
    let minted = world.minted(&session_of("ann"), "ci", at(0)).await;
    let revoke = revoke_token(minted.id);
    world
        .ask(&Ask::new(
            &session_of("ann"),
            revoke.clone(),
            allow(),
            at(1),
        ))
        .await;
    let delete = Action::SecretDelete {
        address: global("NONE"),
    };
    for action in [revoke, delete] {
        let gated = world.ask(&Ask::new(&admin(), action, gate(), at(2))).await;
        assert_eq!(refused(gated), Refusal::TargetGone);
    }
    assert!(world.pending_at(at(3)).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn what_moved_after_it_was_judged_is_not_done_and_not_recorded() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), write(global("KEY"), "mine"), allow(), at(0));
    let judged_on = world
        .ledger
        .facts(&ask.caller, &ask.action, world.org, at(0))
        .await;
    let judged_on = judged_on.expect("facts");
    let before = world.decisions().await.len();
    let theirs = Ask::new(
        &session_of("ann"),
        write(global("KEY"), "theirs"),
        allow(),
        at(0),
    );
    done(world.ask(&theirs).await);
    let intent = world.intent(&ask);
    let settled = world
        .ledger
        .settle(world.submission(&ask, &intent, &judged_on))
        .await;
    assert!(matches!(settled, Ok(Settled::Moved)));
    // Theirs, and the permit to count.
    assert_eq!(world.decisions().await.len(), before + 2);
    assert_eq!(world.audited("secret_written").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_token_that_died_or_changed_while_it_asked_does_nothing() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    let brief = Ask::new(&admin(), mint_until("brief", Some(at(60))), allow(), at(0));
    let brief = token(world.ask(&brief).await);
    let revoke = revoke_token(agent.id);
    world
        .ask(&Ask::new(&session_of("ann"), revoke, allow(), at(1)))
        .await;
    let promoted = Caller {
        identity: match bearer(&brief).identity {
            Identity::OrgToken {
                id,
                prefix,
                workspace,
                expires_at,
                draining_until,
                minted_by,
                lineage,
                ..
            } => {
                let role = Role::Reader;
                Identity::OrgToken {
                    id,
                    prefix,
                    role,
                    workspace,
                    expires_at,
                    draining_until,
                    minted_by,
                    lineage,
                }
            }
            other => other,
        },
        ..bearer(&brief)
    };
    for (caller, seconds) in [(bearer(&agent), 2), (bearer(&brief), 60), (promoted, 3)] {
        let ask = Ask::new(&caller, mint("child"), allow(), at(seconds));
        assert_eq!(refused(world.ask(&ask).await), Refusal::CredentialGone);
    }
    token(
        world
            .ask(&Ask::new(
                &bearer(&brief),
                mint_until("child", brief.expires_at),
                allow(),
                at(59),
            ))
            .await,
    );
    world.end().await;
}

#[tokio::test]
async fn a_session_that_ended_while_it_asked_does_nothing() {
    let world = World::new().await;
    let session = NewSession {
        id: SessionId::new(at(0), &OsChance),
        cookie: hash("cookie"),
        proof: ProofHash::of("proof"),
        expires_at: at(600),
    };
    world
        .ledger
        .save_login_link(hash("link"), at(60), at(0))
        .await
        .expect("saved");
    let redeemed = world
        .ledger
        .redeem_login_link(hash("link"), session, at(1))
        .await;
    assert!(redeemed.expect("an answer"));
    let operator = Caller {
        identity: Identity::Session {
            person: Person {
                issuer: Issuer::Operator,
                user: "operator".to_owned(),
            },
            groups: Vec::new(),
            session: Some(session.id),
            expires_at: None,
        },
        ..admin()
    };
    token(
        world
            .ask(&Ask::new(&operator, mint("a"), allow(), at(2)))
            .await,
    );
    let late = world
        .ask(&Ask::new(&operator, mint("b"), allow(), at(600)))
        .await;
    assert_eq!(refused(late), Refusal::CredentialGone);
    world
        .ledger
        .end_session(session.id, at(3))
        .await
        .expect("ended");
    let ended = world
        .ask(&Ask::new(&operator, mint("c"), allow(), at(4)))
        .await;
    assert_eq!(refused(ended), Refusal::CredentialGone);
    world.end().await;
}

#[tokio::test]
async fn what_other_policies_judged_is_judged_again() {
    let world = World::new().await;
    let before = world.decisions().await.len();
    let ask = Ask {
        generation: 2,
        ..Ask::new(&admin(), mint("ci"), allow(), at(0))
    };
    let intent = world.intent(&ask);
    let facts = world
        .ledger
        .facts(&ask.caller, &ask.action, world.org, ask.at)
        .await
        .expect("facts");
    let submission = world.submission(&ask, &intent, &facts);
    let settled = world.ledger.settle(submission).await.expect("an answer");
    assert!(matches!(settled, Settled::Moved));
    assert!(world.live_tokens(at(1)).await.is_empty());
    // The two permits to read tokens and decisions.
    assert_eq!(world.decisions().await.len(), before + 2);
    world.end().await;
}

#[tokio::test]
async fn a_denial_of_one_request_does_not_hide_another_that_waits() {
    let world = World::new().await;
    let [first, second] = ["one", "two"].map(|name| Ask::new(&admin(), mint(name), gate(), at(0)));
    let denied = pending(world.ask(&first).await);
    let waits = pending(world.ask(&second).await);
    world
        .vote(&ballot(denied.id, "ann", Choice::Deny, at(1)))
        .await;
    assert_eq!(pending(world.ask(&second.at(at(2))).await).id, waits.id);
    assert!(matches!(
        refused(world.ask(&first.at(at(2))).await),
        Refusal::ApprovalDenied { .. }
    ));
    world.end().await;
}
