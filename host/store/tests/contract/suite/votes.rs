use countersign_core::action::ActionDigest;
use countersign_core::approval::{Choice, State};
use countersign_core::chance::OsChance;
use countersign_core::id::{ApprovalId, SessionId};
use countersign_core::ledger::{Ballot, Voted};
use countersign_core::policy::Quorum;

use super::world::*;

#[tokio::test]
async fn one_person_decides_where_one_is_asked_for() {
    let world = World::new().await;
    let approval = pending(
        world
            .ask(&Ask::new(&admin(), mint("ci"), gate(), at(0)))
            .await,
    );
    let yes = Ballot {
        groups: vec!["ops".to_owned()],
        reason: Some("it is due".to_owned()),
        workspace: Some(approval.workspace),
        digest: Some(approval.digest.clone()),
        ..ballot(approval.id, "ann", Choice::Approve, at(1))
    };
    let decided = counted(world.vote(&yes).await);
    assert_eq!(decided.state, State::Approved);
    assert_eq!(decided.decided_at, Some(at(1)));
    assert_eq!(decided.votes[0].groups, ["ops"]);
    let stored = world.approval(approval.id).await;
    assert_eq!(format!("{stored:?}"), format!("{decided:?}"));
    let entry = world.audit().await.pop().expect("an entry");
    assert_eq!(entry.kind, "approval_approved");
    assert_eq!(entry.actor, person("ann").label());
    assert_eq!(entry.detail["user"], "ann");
    assert_eq!(entry.detail["issuer"], "control-plane");
    world.end().await;
}

#[tokio::test]
async fn one_no_decides_however_many_must_agree() {
    let world = World::new().await;
    let ruling = gate_by(vec![people(3)]);
    let approval = pending(
        world
            .ask(&Ask::new(&admin(), mint("ci"), ruling, at(0)))
            .await,
    );
    let yes = ballot(approval.id, "ann", Choice::Approve, at(1));
    assert_eq!(counted(world.vote(&yes).await).state, State::Pending);
    let no = ballot(approval.id, "bob", Choice::Deny, at(2));
    assert_eq!(counted(world.vote(&no).await).state, State::Denied);
    world.end().await;
}

#[tokio::test]
async fn every_quorum_must_be_met_by_different_people_of_its_groups() {
    let world = World::new().await;
    let quorums = vec![
        people(2),
        Quorum {
            people: 1,
            groups: vec!["security".to_owned()],
        },
    ];
    let ask = Ask::new(&admin(), mint("ci"), gate_by(quorums), at(0));
    let approval = pending(world.ask(&ask).await);
    let yes = |user, groups: &[&str], seconds| Ballot {
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..ballot(approval.id, user, Choice::Approve, at(seconds))
    };
    for vote in [
        yes("ann", &["ops"], 1),
        yes("ann", &["security"], 2),
        yes("bob", &[], 3),
    ] {
        assert_eq!(counted(world.vote(&vote).await).state, State::Pending);
    }
    let decided = counted(world.vote(&yes("eve", &["security"], 4)).await);
    assert_eq!(decided.state, State::Approved);
    assert_eq!(decided.votes.len(), 3);
    world.end().await;
}

#[tokio::test]
async fn a_person_votes_once() {
    let world = World::new().await;
    let ruling = gate_by(vec![people(2)]);
    let approval = pending(
        world
            .ask(&Ask::new(&admin(), mint("ci"), ruling, at(0)))
            .await,
    );
    for seconds in 1..4 {
        let yes = ballot(approval.id, "ann", Choice::Approve, at(seconds));
        let after = counted(world.vote(&yes).await);
        assert_eq!((after.state, after.votes.len()), (State::Pending, 1));
    }
    assert_eq!(world.audited("approval_voted").await, 1);
    world.end().await;
}

#[tokio::test]
async fn whoever_approved_can_still_stop_it_while_others_have_yet_to_vote() {
    let world = World::new().await;
    let ruling = gate_by(vec![people(2)]);
    let approval = pending(
        world
            .ask(&Ask::new(&admin(), mint("ci"), ruling, at(0)))
            .await,
    );
    let yes = ballot(approval.id, "ann", Choice::Approve, at(1));
    assert_eq!(counted(world.vote(&yes).await).state, State::Pending);
    let no = ballot(approval.id, "ann", Choice::Deny, at(2));
    let after = counted(world.vote(&no).await);
    assert_eq!((after.state, after.votes.len()), (State::Denied, 1));
    assert_eq!(after.votes[0].choice, Choice::Deny);
    assert_eq!(world.audited("approval_denied").await, 1);
    world.end().await;
}

#[tokio::test]
async fn nobody_approves_their_own_request() {
    let world = World::new().await;
    let ask = Ask::new(&session_of("ann"), mint("ci"), gate(), at(0));
    let approval = pending(world.ask(&ask).await);
    for choice in [Choice::Approve, Choice::Deny] {
        let own = ballot(approval.id, "ann", choice, at(1));
        assert!(matches!(world.vote(&own).await, Voted::IsRequester));
    }
    let other = ballot(approval.id, "bob", Choice::Approve, at(1));
    assert_eq!(counted(world.vote(&other).await).state, State::Approved);
    world.end().await;
}

#[tokio::test]
async fn who_minted_towards_the_requester_is_not_one_of_several_approvers() {
    let world = World::new().await;
    let parent = world.minted(&session_of("ann"), "parent", at(0)).await;
    let child = world.minted(&bearer(&parent), "child", at(0)).await;
    let ask = |name, people_needed| {
        let ruling = gate_by(vec![people(people_needed)]);
        Ask::new(&bearer(&child), mint(name), ruling, at(1))
    };
    let two = pending(world.ask(&ask("two", 2)).await);
    let by_minter = ballot(two.id, "ann", Choice::Approve, at(2));
    assert!(matches!(world.vote(&by_minter).await, Voted::IsMinter));
    let by_other = ballot(two.id, "bob", Choice::Approve, at(2));
    assert_eq!(counted(world.vote(&by_other).await).state, State::Pending);
    // Two people of different groups are several as well.
    let group = |name: &str| Quorum {
        people: 1,
        groups: vec![name.to_owned()],
    };
    let groups = gate_by(vec![group("operations"), group("security")]);
    let groups = Ask::new(&bearer(&child), mint("groups"), groups, at(1));
    let groups = pending(world.ask(&groups).await);
    let by_minter = ballot(groups.id, "ann", Choice::Approve, at(2));
    assert!(matches!(world.vote(&by_minter).await, Voted::IsMinter));
    let one = pending(world.ask(&ask("one", 1)).await);
    let by_minter = ballot(one.id, "ann", Choice::Approve, at(2));
    assert_eq!(counted(world.vote(&by_minter).await).state, State::Approved);
    world.end().await;
}

#[tokio::test]
async fn a_vote_counts_only_for_what_was_shown_and_where_it_is() {
    let world = World::new().await;
    let approval = pending(
        world
            .ask(&Ask::new(&admin(), mint("ci"), gate(), at(0)))
            .await,
    );
    let yes = ballot(approval.id, "ann", Choice::Approve, at(1));
    let elsewhere = Ballot {
        workspace: Some(workspace(1)),
        ..yes.clone()
    };
    assert!(matches!(world.vote(&elsewhere).await, Voted::NotPending(_)));
    let other = ActionDigest::from_text("0".repeat(64));
    let misled = Ballot {
        digest: Some(other),
        ..yes.clone()
    };
    assert!(matches!(world.vote(&misled).await, Voted::OtherDigest(_)));
    let nothing = Ballot {
        approval: ApprovalId::new(at(1), &OsChance),
        ..yes.clone()
    };
    assert!(matches!(world.vote(&nothing).await, Voted::NotPending(_)));
    let dead = Ballot {
        session: Some(SessionId::new(at(1), &OsChance)),
        ..yes.clone()
    };
    assert!(matches!(world.vote(&dead).await, Voted::CredentialGone));
    let late = Ballot {
        at: approval.expires_at,
        ..yes.clone()
    };
    assert!(matches!(world.vote(&late).await, Voted::NotPending(_)));
    assert!(world.approval(approval.id).await.votes.is_empty());
    assert_eq!(counted(world.vote(&yes).await).state, State::Approved);
    let again = Ballot {
        choice: Choice::Deny,
        ..ballot(approval.id, "bob", Choice::Deny, at(2))
    };
    assert!(matches!(world.vote(&again).await, Voted::NotPending(_)));
    world.end().await;
}
