use countersign_core::action::Action;
use countersign_core::approval::Choice;
use countersign_core::caller::Caller;
use countersign_core::id::{TokenId, WorkspaceId};
use countersign_core::ledger::{Deed, Done, Refusal, Voted};
use countersign_core::policy::Value;
use countersign_core::ports::Ledger;
use countersign_core::time::Timestamp;
use countersign_core::workspace::{Slice, TOKEN_LIMIT, WorkspaceToken};

use super::world::*;

fn revoke(workspace: WorkspaceId, token: TokenId) -> Action {
    Action::WorkspaceTokenRevoke { workspace, token }
}

/// Mints a token whose plaintext is `plain`.
async fn minted_as(world: &World, plain: &str, ask: Ask) -> WorkspaceToken {
    let facts = world
        .ledger
        .facts(&ask.caller, &ask.action, world.org, ask.at);
    let facts = facts.await.expect("facts");
    let intent = world.intent(&ask);
    let mut submission = world.submission(&ask, &intent, &facts);
    if let Deed::MintWorkspaceToken { hash: kept, .. } = &mut submission.deed {
        *kept = hash(plain);
    }
    workspace_token(world.ledger.settle(submission).await.expect("it settles"))
}

#[tokio::test]
async fn a_workspace_token_is_found_by_its_hash_while_it_lives_and_not_after() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let until = |expires_at: Option<Timestamp>| Action::WorkspaceTokenMint {
        workspace: home,
        expires_at,
    };
    let ann = session_of("ann");
    let brief = Ask::new(&ann, until(Some(at(60))), allow(), at(0));
    minted_as(&world, "brief", brief).await;
    let known = minted_as(&world, "known", Ask::new(&ann, until(None), allow(), at(1))).await;
    let find = async |plain: &str, now| {
        let found = world.ledger.workspace_token_by_hash(hash(plain), now).await;
        found.expect("an answer").map(|token| token.id)
    };
    assert!(find("brief", at(59)).await.is_some());
    assert_eq!(find("brief", at(60)).await, None);
    assert_eq!(find("known", at(60)).await, Some(known.id));
    assert_eq!(find("a guess", at(1)).await, None);
    // Nor is it an organisation's token.
    let other = world.ledger.org_token_by_hash(hash("known"), at(1)).await;
    assert!(other.expect("an answer").is_none());

    let ask = Ask::new(&ann, revoke(home, known.id), allow(), at(2));
    let done = done(world.ask(&ask).await);
    assert!(matches!(done, Done::WorkspaceTokenRevoked(id) if id == known.id));
    assert_eq!(find("known", at(3)).await, None);
    assert_eq!(refused(world.ask(&ask).await), Refusal::TargetGone);
    assert_eq!(world.audited("workspace_token_revoked").await, 1);
    assert_eq!(world.audited("workspace_token_minted").await, 2);
    world.end().await;
}

#[tokio::test]
async fn tokens_are_listed_newest_first_in_slices_and_for_one_workspace_alone() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let other = world.workspace("other", None).await;
    let mut minted = Vec::new();
    for seconds in 0..5 {
        let token = world.workspace_token(&admin(), home, at(seconds)).await;
        minted.insert(0, token.id);
    }
    world.workspace_token(&admin(), other, at(9)).await;
    let permit = world
        .permit(Action::WorkspaceRead { workspace: home })
        .await;
    let list = async |workspace, limit, offset| {
        let slice = Slice { limit, offset };
        world
            .ledger
            .workspace_tokens(&permit, workspace, slice, at(10))
            .await
    };
    let ids = |tokens: Vec<WorkspaceToken>| tokens.iter().map(|t| t.id).collect::<Vec<_>>();
    assert_eq!(ids(list(home, 200, 0).await.expect("a list")), minted);
    assert_eq!(ids(list(home, 2, 1).await.expect("a list")), minted[1..3]);
    assert!(list(home, 200, 5).await.expect("a list").is_empty());
    assert!(
        list(other, 200, 0).await.is_err(),
        "the permit is for one workspace"
    );
    world.end().await;
}

#[tokio::test]
async fn a_token_is_revoked_under_its_own_workspace_only() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let other = world.workspace("other", None).await;
    let token = world.workspace_token(&admin(), home, at(0)).await;
    for ruling in [allow(), gate()] {
        let ask = Ask::new(&session_of("ann"), revoke(other, token.id), ruling, at(1));
        assert_eq!(refused(world.ask(&ask).await), Refusal::TargetGone);
    }
    assert_eq!(world.workspace_tokens(home, at(2)).await.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_rotation_ends_the_token_that_was_presented() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let first = world.workspace_token(&session_of("ann"), home, at(0)).await;
    let presented = bearer_of_workspace(&first);
    let second = world.workspace_token(&presented, home, at(1)).await;
    let live = world.workspace_tokens(home, at(2)).await;
    assert_eq!(live.iter().map(|t| t.id).collect::<Vec<_>>(), [second.id]);
    assert_eq!(second.lineage, first.lineage);
    assert_eq!(second.created_by, presented.actor());
    let again = world
        .ask(&Ask::new(&presented, token_of(home), allow(), at(2)))
        .await;
    assert_eq!(refused(again), Refusal::CredentialGone);
    assert_eq!(world.workspace_tokens(home, at(3)).await.len(), 1);
    assert_eq!(world.audited("workspace_token_revoked").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_full_workspace_can_still_rotate_and_takes_no_more() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let first = world.workspace_token(&admin(), home, at(0)).await;
    for _ in 1..TOKEN_LIMIT {
        world.workspace_token(&admin(), home, at(0)).await;
    }
    for ruling in [allow(), gate()] {
        let ask = Ask::new(&session_of("ann"), token_of(home), ruling, at(1));
        assert_eq!(
            refused(world.ask(&ask).await),
            Refusal::TooManyWorkspaceTokens
        );
    }
    world
        .workspace_token(&bearer_of_workspace(&first), home, at(2))
        .await;
    assert_eq!(
        world.workspace_tokens(home, at(3)).await.len() as i64,
        TOKEN_LIMIT
    );
    world.end().await;
}

#[tokio::test]
async fn who_minted_towards_a_workspaces_token_is_known_after_rotations() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let anns = world.minted(&session_of("ann"), "agent", at(0)).await;
    let below = world.minted(&bearer(&anns), "below", at(0)).await;
    let first = world.workspace_token(&bearer(&below), home, at(1)).await;
    let second = world
        .workspace_token(&bearer_of_workspace(&first), home, at(2))
        .await;
    assert_eq!(second.lineage, anns.lineage);

    // Where more than one must decide, ann, who minted towards it, is not one of them.
    let ruling = gate_by(vec![people(2)]);
    let ask = Ask::new(
        &bearer_of_workspace(&second),
        rename(home, "x"),
        ruling,
        at(3),
    );
    let approval = pending(world.ask(&ask).await);
    assert_eq!(approval.workspace, home);
    let vote = |user| ballot(approval.id, user, Choice::Approve, at(4));
    assert!(matches!(world.vote(&vote("ann")).await, Voted::IsMinter));
    assert!(matches!(world.vote(&vote("bob")).await, Voted::Counted(_)));
    world.end().await;
}

#[tokio::test]
async fn only_the_latest_use_of_a_workspace_token_is_kept() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let minted = world.workspace_token(&admin(), home, at(0)).await;
    assert_eq!(minted.last_used_at, None);
    for seconds in [5, 9, 7] {
        world.note_uses(&[uses(minted.id, seconds, 1)]).await;
    }
    let listed = world.workspace_tokens(home, at(10)).await;
    assert_eq!(listed[0].last_used_at, Some(at(9)));
    world.end().await;
}

#[tokio::test]
async fn the_facts_of_workspace_tokens_say_whose_they_are() {
    let world = World::new().await;
    let home = world.workspace("home", None).await;
    let own = world.workspace_token(&admin(), home, at(0)).await;
    let other = world.workspace_token(&admin(), home, at(0)).await;
    let facts = async |caller: &Caller, action| {
        let facts = world.ledger.facts(caller, &action, world.org, at(1)).await;
        let properties = facts.expect("facts").resource.properties;
        assert_eq!(properties.get("live-tokens"), Some(&Value::Integer(2)));
        properties.get("own") == Some(&Value::Boolean(true))
    };
    let bearer = bearer_of_workspace(&own);
    assert!(facts(&bearer, token_of(home)).await);
    assert!(!facts(&admin(), token_of(home)).await);
    assert!(facts(&bearer, revoke(home, own.id)).await);
    assert!(!facts(&bearer, revoke(home, other.id)).await);
    world.end().await;
}
