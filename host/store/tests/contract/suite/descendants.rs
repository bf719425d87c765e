//! A token and all that it minted, revoked together.

use countersign_core::approval::State;
use countersign_core::ledger::{OrgToken, Refusal, Revoked};
use countersign_core::policy::Value;
use countersign_core::ports::Ledger as _;
use countersign_core::workspace::WorkspaceToken;

use super::draining::{revoked, sorted};
use super::world::*;

/// A token, its child and grandchild, a workspace's token of each, and strangers beside them.
struct Family {
    world: World,
    root: OrgToken,
    child: OrgToken,
    grandchild: OrgToken,
    of_root: WorkspaceToken,
    of_grandchild: WorkspaceToken,
    stranger: OrgToken,
    of_stranger: WorkspaceToken,
}

impl Family {
    async fn new() -> Self {
        let world = World::new().await;
        let home = world.workspace("home", None).await;
        let root = world.minted(&session_of("ann"), "root", at(0)).await;
        let child = world.minted(&bearer(&root), "child", at(1)).await;
        let grandchild = world.minted(&bearer(&child), "grandchild", at(2)).await;
        let stranger = world.minted(&session_of("ann"), "stranger", at(3)).await;
        Self {
            of_root: world.workspace_token(&bearer(&root), home, at(4)).await,
            of_grandchild: world
                .workspace_token(&bearer(&grandchild), home, at(5))
                .await,
            of_stranger: world.workspace_token(&bearer(&stranger), home, at(6)).await,
            world,
            root,
            child,
            grandchild,
            stranger,
        }
    }

    async fn revoke_tree(&self, token: &OrgToken, seconds: i64) -> Revoked {
        let ask = Ask::new(
            &session_of("ann"),
            revoke_tree(token.id),
            allow(),
            at(seconds),
        );
        revoked(self.world.ask(&ask).await)
    }

    /// The names of the organisation tokens that live, and how many of the workspace's do.
    async fn live(&self, seconds: i64) -> (Vec<String>, usize) {
        let org = self.world.live_tokens(at(seconds)).await;
        let names = org.into_iter().filter_map(|token| token.name).collect();
        let home = self.of_root.workspace;
        let tokens = self.world.workspace_tokens(home, at(seconds)).await;
        (names, tokens.len())
    }
}

fn ids(revoked: &Revoked) -> Vec<countersign_core::id::TokenId> {
    revoked
        .descendants
        .iter()
        .map(|fallen| fallen.token)
        .collect()
}

#[tokio::test]
async fn all_that_a_token_minted_falls_with_it_and_nothing_else_does() {
    let family = Family::new().await;
    let (world, root) = (&family.world, &family.root);
    let ask = |token: &OrgToken| Ask::new(&bearer(token), mint("x"), gate(), at(7));
    let waits = pending(world.ask(&ask(&family.grandchild)).await);
    let granted = world.approved(&ask(root)).await;
    let stays = pending(world.ask(&ask(&family.stranger)).await);

    let revoked = family.revoke_tree(root, 10).await;
    assert_eq!(
        ids(&revoked),
        [
            family.child.id,
            family.grandchild.id,
            family.of_root.id,
            family.of_grandchild.id
        ]
    );
    let workspaces: Vec<_> = revoked.descendants.iter().map(|d| d.workspace).collect();
    let home = Some(family.of_root.workspace);
    assert_eq!(workspaces, [None, None, home, home]);
    assert_eq!(revoked.descendants[0].prefix, family.child.prefix);
    assert_eq!(family.live(10).await, (vec!["stranger".to_owned()], 1));
    assert_eq!(
        world
            .workspace_tokens(family.of_stranger.workspace, at(10))
            .await[0]
            .id,
        family.of_stranger.id
    );

    let ended = sorted(revoked.approvals.clone());
    assert_eq!(ended, sorted(vec![waits.id, granted.id]));
    assert_eq!(world.approval(waits.id).await.state, State::Withdrawn);
    assert_eq!(world.approval(granted.id).await.state, State::Lapsed);
    assert_eq!(world.approval(stays.id).await.state, State::Pending);
    let audit = world.audit().await;
    let fell_with: Vec<_> = audit
        .iter()
        .filter(|entry| entry.kind.ends_with("_token_revoked"))
        .map(|entry| entry.detail["fell_with"].as_str().map(str::to_owned))
        .collect();
    let with_root = Some(root.id.to_string());
    assert_eq!(
        fell_with,
        [
            None,
            with_root.clone(),
            with_root.clone(),
            with_root.clone(),
            with_root
        ]
    );
    family.world.end().await;
}

#[tokio::test]
async fn a_token_falls_alone_where_nobody_says_otherwise() {
    let family = Family::new().await;
    let ask = Ask::new(
        &session_of("ann"),
        revoke_token(family.root.id),
        allow(),
        at(10),
    );
    let revoked = revoked(family.world.ask(&ask).await);
    assert_eq!(ids(&revoked), []);
    let (names, of_home) = family.live(10).await;
    assert_eq!(names, ["stranger", "grandchild", "child"]);
    assert_eq!(of_home, 3);
    family.world.end().await;
}

#[tokio::test]
async fn one_in_between_that_is_gone_protects_nobody_and_nor_does_the_root() {
    let family = Family::new().await;
    let alone = |token: &OrgToken, seconds| {
        let action = revoke_token(token.id);
        Ask::new(&session_of("ann"), action, allow(), at(seconds))
    };
    revoked(family.world.ask(&alone(&family.child, 10)).await);
    revoked(family.world.ask(&alone(&family.root, 11)).await);
    let revoked = family.revoke_tree(&family.root, 12).await;
    assert_eq!(
        ids(&revoked),
        [
            family.grandchild.id,
            family.of_root.id,
            family.of_grandchild.id
        ]
    );
    let again = Ask::new(
        &session_of("ann"),
        revoke_tree(family.root.id),
        allow(),
        at(13),
    );
    assert_eq!(refused(family.world.ask(&again).await), Refusal::TargetGone);
    family.world.end().await;
}

#[tokio::test]
async fn what_takes_the_place_of_a_minted_token_falls_too() {
    let family = Family::new().await;
    let world = &family.world;
    let home = family.of_root.workspace;
    let rotate = Ask::new(
        &bearer_of_workspace(&family.of_root),
        token_of(home),
        allow(),
        at(10),
    );
    let rotated = workspace_token(world.ask(&rotate).await);
    let revoked = family.revoke_tree(&family.root, 11).await;
    assert!(ids(&revoked).contains(&rotated.id));
    assert!(!ids(&revoked).contains(&family.of_root.id));
    family.world.end().await;
}

#[tokio::test]
async fn descendants_drain_as_the_token_does() {
    let family = Family::new().await;
    let action = countersign_core::action::Action::OrgTokenRevoke {
        token: family.root.id,
        drain_seconds: 60,
        descendants: true,
        shown: None,
    };
    let ask = Ask::new(&session_of("ann"), action, allow(), at(10));
    let revoked = revoked(family.world.ask(&ask).await);
    assert_eq!(revoked.draining_until, Some(at(70)));
    assert!(
        revoked
            .descendants
            .iter()
            .all(|fallen| fallen.draining_until == Some(at(70)))
    );
    assert_eq!(family.live(69).await.0.len(), 4);
    assert_eq!(family.live(70).await, (vec!["stranger".to_owned()], 1));
    family.world.end().await;
}

#[tokio::test]
async fn an_approval_of_a_fall_is_stale_once_something_else_would_fall() {
    let family = Family::new().await;
    let (world, home) = (&family.world, family.of_root.workspace);
    let ask = Ask::new(&admin(), revoke_tree(family.root.id), gate(), at(20));
    for (minter, action, seconds) in [
        (&family.grandchild, mint("late"), 20),
        (&family.root, token_of(home), 30),
    ] {
        let ask = ask.clone().at(at(seconds));
        world.approved(&ask).await;
        let late = Ask::new(&bearer(minter), action, allow(), at(seconds + 3));
        done(world.ask(&late).await);
        let settled = world.ask(&ask.at(at(seconds + 5))).await;
        assert_eq!(refused(settled), Refusal::ApprovalStale);
    }
    assert_eq!(family.live(36).await.0.len(), 5, "nothing fell");
    // What others mint is no matter, nor is what ends by itself.
    let brief = Ask::new(
        &bearer(&family.root),
        mint_until("brief", Some(at(45))),
        allow(),
        at(37),
    );
    done(world.ask(&brief).await);
    let ask = ask.at(at(40));
    world.approved(&ask).await;
    world.minted(&bearer(&family.stranger), "x", at(43)).await;
    let revoked = revoked(world.ask(&ask.at(at(50))).await);
    assert_eq!(revoked.descendants.len(), 6);
    family.world.end().await;
}

#[tokio::test]
async fn what_was_approved_for_one_token_is_not_approved_for_all_below_it() {
    let family = Family::new().await;
    let world = &family.world;
    let alone = Ask::new(&admin(), revoke_token(family.root.id), gate(), at(10));
    let id = world.approved(&alone).await.id;
    for action in [revoke_tree(family.root.id), drain(family.root.id, 60)] {
        let wider = Ask::new(&admin(), action, gate(), at(12)).naming(id);
        assert_eq!(refused(world.ask(&wider).await), Refusal::ApprovalMismatch);
    }
    let told =
        |action: countersign_core::action::Action, name| action.arguments().get(name).cloned();
    let tree = revoke_tree(family.root.id);
    assert_eq!(told(tree, "descendants"), Some(Value::Boolean(true)));
    let drain = drain(family.root.id, 60);
    assert_eq!(told(drain, "drain-seconds"), Some(Value::Integer(60)));
    assert_eq!(told(revoke_token(family.root.id), "drain-seconds"), None);
    family.world.end().await;
}

#[tokio::test]
async fn nobody_is_found_by_a_token_that_fell() {
    let family = Family::new().await;
    family.revoke_tree(&family.root, 10).await;
    let read = Ask::new(&bearer(&family.grandchild), list(), allow(), at(10));
    assert_eq!(
        refused(family.world.ask(&read).await),
        Refusal::CredentialGone
    );
    let facts = family
        .world
        .ledger
        .facts(
            &admin(),
            &revoke_tree(family.root.id),
            family.world.org,
            at(11),
        )
        .await;
    assert_eq!(facts.expect("facts").precondition, "absent");
    family.world.end().await;
}
