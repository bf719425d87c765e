//! Quorums of several policies, from the vote to the use.

use countersign_core::approval::{Approval, Choice, State};
use countersign_core::ledger::{Ballot, Voted};
use countersign_core::policy::{Ground, Quorum, Terms};
use countersign_core::verdict::{ModuleId, Opinion, Ruling, Took, fold};

use super::world::*;

fn of(people: u32, group: &str) -> Quorum {
    Quorum {
        people,
        groups: vec![group.to_owned()],
    }
}

async fn yes(
    world: &World,
    approval: &Approval,
    (user, groups, when): (&str, &[&str], i64),
) -> Voted {
    let yes = Ballot {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..ballot(approval.id, user, Choice::Approve, at(when))
    };
    world.vote(&yes).await
}

/// What two modules make of a request when each gates it.
fn joined(quorums: [Vec<Quorum>; 2]) -> Ruling {
    let mut opinions = Vec::new();
    for (name, quorums) in ["ops", "sec"].into_iter().zip(quorums) {
        opinions.push(Opinion {
            module: ModuleId {
                name: name.to_owned(),
                version: "1.0.0".to_owned(),
                digest: String::new(),
            },
            verdict: Ok(countersign_core::policy::Verdict::Gate(Terms {
                ground: Ground::new(name, format!("{name} wants a say")),
                quorums,
                pending_ttl: None,
                grant_ttl: None,
            })),
            notes: Vec::new(),
            took: Took::UNKNOWN,
        });
    }
    fold(&opinions)
}

#[tokio::test]
async fn the_gates_of_two_modules_take_people_of_both_groups() {
    let world = World::new().await;
    let ruling = joined([vec![of(1, "ops")], vec![of(2, "security")]]);
    let ask = Ask::new(&admin(), mint("ci"), ruling, at(0));
    let approval = pending(world.ask(&ask).await);
    assert!(
        approval
            .reason
            .ends_with("ops wants a say; sec wants a say"),
        "{}",
        approval.reason
    );
    // One person may count for both, and counts once in each.
    for vote in [
        ("ann", &["ops", "security"][..], 1),
        ("cy", &["ops"], 2),
        ("dot", &[], 3),
    ] {
        let after = counted(yes(&world, &approval, vote).await);
        assert_eq!(after.state, State::Pending, "{}", vote.0);
        assert!(matches!(
            world.ask(&ask.clone().at(at(4))).await,
            countersign_core::ledger::Settled::Pending(_)
        ));
    }
    let after = counted(yes(&world, &approval, ("bob", &["security"], 5)).await);
    assert_eq!(after.state, State::Approved);
    // At its use, ann and bob are in no group any more: a vote keeps the groups of its time.
    token(world.ask(&ask.at(at(6))).await);
    world.end().await;
}

#[tokio::test]
async fn a_pending_request_takes_on_what_the_policies_ask_for_by_now() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = pending(world.ask(&ask).await);
    let stricter = Ask {
        ruling: gate_by(vec![of(1, "security")]),
        ..ask.clone()
    };
    let again = pending(world.ask(&stricter.clone().at(at(1))).await);
    assert_eq!(again.id, approval.id, "repeating is the same approval");
    assert_eq!(again.terms.quorums, [people(1), of(1, "security")]);
    let kept = world.approval(approval.id).await;
    assert_eq!(kept.terms.quorums, again.terms.quorums);
    assert_eq!(world.audited("approval_tightened").await, 1);
    // Once, and it stays when they loosen again.
    pending(
        world
            .ask(&stricter.clone().naming(approval.id).at(at(2)))
            .await,
    );
    pending(world.ask(&ask.clone().at(at(2))).await);
    assert_eq!(world.audited("approval_tightened").await, 1);
    let after = counted(yes(&world, &approval, ("ann", &[], 3)).await);
    assert_eq!(after.state, State::Pending);
    let after = counted(yes(&world, &approval, ("bob", &["security"], 4)).await);
    assert_eq!(after.state, State::Approved);
    token(world.ask(&stricter.at(at(5))).await);
    world.end().await;
}

#[tokio::test]
async fn a_grant_that_is_too_little_by_now_is_asked_for_anew_and_ends() {
    let world = World::new().await;
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let approval = world.approved(&ask).await;
    let stricter = Ask {
        ruling: gate_by(vec![people(2)]),
        ..ask.clone()
    };
    let anew = pending(
        world
            .ask(&stricter.clone().naming(approval.id).at(at(3)))
            .await,
    );
    assert_ne!(anew.id, approval.id);
    assert!(
        anew.votes.is_empty(),
        "people see it as it is by now, and vote on that"
    );
    assert_eq!(world.approval(approval.id).await.state, State::Lapsed);
    assert_eq!(world.audited("approval_lapsed").await, 1);
    for (user, when) in [("ann", 4), ("bob", 5)] {
        counted(yes(&world, &anew, (user, &[], when)).await);
    }
    token(world.ask(&stricter.at(at(6))).await);
    // When they loosen again, there is no second grant for one deed.
    pending(world.ask(&ask.at(at(7))).await);
    assert_eq!(world.live_tokens(at(8)).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_minters_vote_does_not_count_once_several_must_decide() {
    let world = World::new().await;
    let agent = world.minted(&session_of("ann"), "agent", at(0)).await;
    // Where one is enough, it may be the minter, who is not of the group that is asked for.
    let one = gate_by(vec![of(1, "security")]);
    let ask = |name: &str, ruling| Ask::new(&bearer(&agent), mint(name), ruling, at(1));
    let two = || gate_by(vec![people(2)]);

    let pending_one = pending(world.ask(&ask("pending", one.clone())).await);
    counted(yes(&world, &pending_one, ("ann", &[], 2)).await);
    pending(world.ask(&ask("pending", two()).at(at(3))).await);
    let after = counted(yes(&world, &pending_one, ("eve", &["security"], 4)).await);
    assert_eq!(after.state, State::Pending, "ann does not count any more");

    let granted = pending(world.ask(&ask("granted", one)).await);
    counted(yes(&world, &granted, ("ann", &[], 2)).await);
    let after = counted(yes(&world, &granted, ("eve", &["security"], 3)).await);
    assert_eq!((after.state, after.votes.len()), (State::Approved, 2));
    let anew = pending(world.ask(&ask("granted", two()).at(at(4))).await);
    assert_ne!(anew.id, granted.id);
    world.end().await;
}
