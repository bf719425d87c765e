//! Many at once.

use std::sync::Arc;

use countersign_core::approval::{Choice, State};
use countersign_core::ledger::{Settled, Voted};
use tokio::task::JoinSet;

use super::world::*;

pub(super) async fn rush(world: &Arc<World>, asks: Vec<Ask>) -> Vec<Settled> {
    let mut tasks = JoinSet::new();
    for ask in asks {
        let world = Arc::clone(world);
        tasks.spawn(async move { world.ask(&ask).await });
    }
    tasks.join_all().await
}

pub(super) async fn end(world: Arc<World>) {
    Arc::into_inner(world)
        .expect("nobody else has it")
        .end()
        .await;
}

async fn one_winner_among(users: usize) {
    for named in [false, true] {
        let world = Arc::new(World::new().await);
        // A mint that is named again is a lost answer's, and done again: what is not, is done once.
        let action = match named {
            true => write(global("KEY"), "a"),
            false => mint("ci"),
        };
        let ask = Ask::new(&admin(), action, gate(), at(0));
        let approval = world.approved(&ask).await;
        let mut ask = ask.at(at(3));
        ask.named = named.then_some(approval.id);
        let settled = rush(&world, vec![ask; users]).await;
        let done = settled
            .iter()
            .filter(|settled| matches!(settled, Settled::Done(_)))
            .count();
        assert_eq!(done, 1, "of {users}, named: {named}");
        assert_eq!(world.audited("approval_used").await, 1);
        let minted = world.audited("org_token_minted").await;
        let written = world.audited("secret_written").await;
        assert_eq!((minted, written), if named { (0, 1) } else { (1, 0) });
        assert_eq!(world.approval(approval.id).await.state, State::Used);
        // The others asked for one more, together.
        let opened = usize::from(!named);
        assert_eq!(world.pending_at(at(4)).await.len(), opened);
        end(world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_sixteen_users_of_a_grant_wins() {
    one_winner_among(16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_thirty_two_users_of_a_grant_wins() {
    one_winner_among(32).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_sixty_four_users_of_a_grant_wins() {
    one_winner_among(64).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_from_many_at_once_is_one_approval() {
    let world = Arc::new(World::new().await);
    let ask = Ask::new(&admin(), mint("ci"), gate(), at(0));
    let settled = rush(&world, vec![ask; 32]).await;
    let first = world.pending_at(at(1)).await;
    assert_eq!(first.len(), 1);
    for settled in settled {
        assert_eq!(pending(settled).id, first[0].id);
    }
    end(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_live_tokens_holds_against_many_at_once() {
    let world = Arc::new(World::new().await);
    let asks = (0..24).map(|n| Ask {
        live_limit: 5,
        ..Ask::new(&session_of("ann"), mint(&format!("t{n}")), allow(), at(0))
    });
    rush(&world, asks.collect()).await;
    assert_eq!(world.live_tokens(at(1)).await.len(), 5);
    end(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_voters_at_once_decide_once() {
    let world = Arc::new(World::new().await);
    let ruling = gate_by(vec![people(3)]);
    let approval = pending(
        world
            .ask(&Ask::new(&admin(), mint("ci"), ruling, at(0)))
            .await,
    );
    let mut tasks = JoinSet::new();
    for n in 0..16 {
        let world = Arc::clone(&world);
        let ballot = ballot(approval.id, &format!("p{n}"), Choice::Approve, at(1));
        tasks.spawn(async move { world.vote(&ballot).await });
    }
    let voted = tasks.join_all().await;
    let counted = voted
        .iter()
        .filter(|v| matches!(v, Voted::Counted(_)))
        .count();
    let too_late = voted
        .iter()
        .filter(|v| matches!(v, Voted::NotPending(_)))
        .count();
    assert_eq!((counted, too_late), (3, 13));
    assert_eq!(world.approval(approval.id).await.votes.len(), 3);
    assert_eq!(world.audited("approval_voted").await, 2);
    assert_eq!(world.audited("approval_approved").await, 1);
    end(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_yes_and_one_no_at_once_the_first_decides() {
    for n in 0..8 {
        let world = Arc::new(World::new().await);
        let ask = Ask::new(&admin(), mint(&format!("t{n}")), gate(), at(0));
        let approval = pending(world.ask(&ask).await);
        let mut tasks = JoinSet::new();
        for (user, choice) in [("ann", Choice::Approve), ("bob", Choice::Deny)] {
            let world = Arc::clone(&world);
            let ballot = ballot(approval.id, user, choice, at(1));
            tasks.spawn(async move { world.vote(&ballot).await });
        }
        let voted = tasks.join_all().await;
        let counted = voted
            .iter()
            .filter(|v| matches!(v, Voted::Counted(_)))
            .count();
        assert_eq!(counted, 1);
        assert_eq!(world.approval(approval.id).await.votes.len(), 1);
        end(world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_movers_towards_each_other_one_is_refused() {
    for _ in 0..8 {
        let world = Arc::new(World::new().await);
        let a = world.workspace("a", None).await;
        let b = world.workspace("b", None).await;
        let ann = session_of("ann");
        let moves = [place(a, Some(b)), place(b, Some(a))];
        let asks = moves.map(|action| Ask::new(&ann, action, allow(), at(1)));
        let settled = rush(&world, asks.into()).await;
        let moved = settled
            .iter()
            .filter(|settled| matches!(settled, Settled::Done(_)))
            .count();
        assert_eq!(moved, 1, "{settled:?}");
        let roots = world
            .standing()
            .await
            .iter()
            .filter(|workspace| workspace.parent.is_none())
            .count();
        assert_eq!(roots, 2, "the anchor, and one of the two");
        end(world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_child_that_is_created_while_its_parent_is_removed_falls_or_is_never_there() {
    for n in 0..8 {
        let world = Arc::new(World::new().await);
        let root = world.workspace("root", None).await;
        let removal = Ask::new(&admin(), remove(root), gate(), at(1));
        let approval = world.approved(&removal).await;
        let ann = session_of("ann");
        let mut asks = vec![
            removal.at(at(3)),
            Ask::new(&ann, create("child", Some(root)), allow(), at(3)),
        ];
        if n % 2 == 1 {
            asks.reverse();
        }
        rush(&world, asks).await;
        let standing = world.standing().await;
        let stands = |id| standing.iter().any(|workspace| workspace.id == id);
        match world.approval(approval.id).await.state {
            // What was approved was this workspace alone, and nothing else fell.
            State::Used => assert_eq!(standing.len(), 1, "the anchor: {standing:?}"),
            // The child was first, and made the approval stale.
            State::Lapsed => assert_eq!(standing.len(), 3, "{standing:?}"),
            other => panic!("{other}"),
        }
        for workspace in &standing {
            assert!(
                workspace.parent.is_none_or(stands),
                "an orphan: {workspace:?}"
            );
        }
        end(world).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_a_workspaces_tokens_holds_against_sixty_at_once() {
    let world = Arc::new(World::new().await);
    let home = world.workspace("home", None).await;
    let ask = Ask::new(&session_of("ann"), token_of(home), allow(), at(1));
    let settled = rush(&world, vec![ask; 60]).await;
    let minted = settled
        .iter()
        .filter(|settled| matches!(settled, Settled::Done(_)))
        .count();
    assert_eq!(minted, 50);
    assert_eq!(world.workspace_tokens(home, at(2)).await.len(), 50);
    end(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_rotations_of_one_token_one_happens() {
    let world = Arc::new(World::new().await);
    let home = world.workspace("home", None).await;
    let token = world.workspace_token(&admin(), home, at(0)).await;
    let presented = bearer_of_workspace(&token);
    let ask = Ask::new(&presented, token_of(home), allow(), at(1));
    let settled = rush(&world, vec![ask; 16]).await;
    let rotated = settled
        .iter()
        .filter(|settled| matches!(settled, Settled::Done(_)))
        .count();
    assert_eq!(rotated, 1);
    assert_eq!(world.workspace_tokens(home, at(2)).await.len(), 1);
    end(world).await;
}
