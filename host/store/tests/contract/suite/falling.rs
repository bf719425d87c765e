//! What falls with a workspace, by name: all of it in its order, as far as it is read, and to whom it may be told.

use countersign_core::action::Action;
use countersign_core::holdings::{
    Fall, Falling, HoldingsLedger as _, Lists, MAX_NAMED, Named, NamedSecret, NamedToken,
};
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::OrgToken;
use countersign_core::permit::Permit;
use countersign_core::secret::{SecretKey, SecretScope};
use countersign_core::workspace::WorkspaceToken;

use super::workspaces::by_ann;
use super::world::*;

/// Reads what falls with `workspace` for whoever may list everything.
async fn read(world: &World, workspace: WorkspaceId, seconds: i64) -> Falling {
    let all = world.standing().await;
    let all: Vec<WorkspaceId> = all.iter().map(|one| one.id).collect();
    let (tokens, secrets) = permits(world, &all).await;
    let lists = Lists {
        tokens: Some(&tokens),
        secrets: &secrets,
    };
    read_by(world, lists, workspace, seconds).await
}

async fn read_by(world: &World, lists: Lists<'_>, workspace: WorkspaceId, seconds: i64) -> Falling {
    let permit = world.permit(Action::WorkspaceRead { workspace }).await;
    let falling = world
        .ledger
        .falling(&permit, lists, workspace, at(seconds))
        .await;
    falling.expect("the ledger answers").expect("it stands")
}

/// To list tokens, and the secrets of each of `workspaces`.
async fn permits(world: &World, workspaces: &[WorkspaceId]) -> (Permit, Vec<Permit>) {
    let mut secrets = Vec::new();
    for workspace in workspaces {
        let scope = SecretScope::Workspace(*workspace);
        secrets.push(world.permit(Action::SecretList { scope }).await);
    }
    (world.permit(list()).await, secrets)
}

/// A workspace that was created then: those that are as old as each other have no order of their own.
async fn created(world: &World, name: &str, parent: WorkspaceId, seconds: i64) -> WorkspaceId {
    saved(
        world
            .ask(&by_ann(create(name, Some(parent)), seconds))
            .await,
    )
    .id
}

async fn written(world: &World, scope: SecretScope, key: &str, seconds: i64) {
    let write = write(secret_in(scope, key), "v");
    done(world.ask(&by_ann(write, seconds)).await);
}

fn own(token: &WorkspaceToken) -> NamedToken {
    NamedToken {
        id: token.id,
        prefix: token.prefix.clone(),
        name: None,
        workspace: token.workspace,
    }
}

fn bound(token: &OrgToken) -> NamedToken {
    NamedToken {
        id: token.id,
        prefix: token.prefix.clone(),
        name: token.name.clone(),
        workspace: token.workspace.expect("it is bound"),
    }
}

fn secret(key: &str, workspace: WorkspaceId) -> NamedSecret {
    let key = SecretKey::parse(key).expect("a key");
    NamedSecret { key, workspace }
}

// Guard: the order of `parts` in `gather` in host/store/src/portable/falling.rs.
#[tokio::test]
async fn what_falls_is_named_workspace_by_workspace_and_nothing_else_is() {
    let world = World::new().await;
    let ann = session_of("ann");
    let root = world.workspace("root", None).await;
    let elsewhere = world.workspace("elsewhere", None).await;
    let first = created(&world, "first", root, 1).await;
    let second = created(&world, "second", first, 2).await;

    let of_second = world.workspace_token(&ann, second, at(3)).await;
    let of_root = world.workspace_token(&ann, root, at(4)).await;
    let later_of_root = world.workspace_token(&ann, root, at(5)).await;
    let of_first = world.workspace_token(&ann, first, at(6)).await;
    let mut bound_ones = Vec::new();
    for (name, workspace, seconds) in [("z", first, 7), ("b", root, 8), ("a", root, 9)] {
        let ask = by_ann(mint_bound(name, workspace), seconds);
        bound_ones.push(bound(&token(world.ask(&ask).await)));
    }
    for (key, workspace) in [
        ("b", first),
        ("Z", first),
        ("a", first),
        ("KEY", second),
        ("KEY", root),
    ] {
        written(&world, SecretScope::Workspace(workspace), key, 10).await;
    }

    // Nor is what stays, what has ended, and what is nobody's.
    world.workspace_token(&ann, elsewhere, at(11)).await;
    token(world.ask(&by_ann(mint_bound("stays", elsewhere), 11)).await);
    token(world.ask(&by_ann(mint("free"), 11)).await);
    written(&world, SecretScope::Workspace(elsewhere), "STAYS", 11).await;
    written(&world, SecretScope::Global, "OF_ALL", 11).await;
    let brief = Action::WorkspaceTokenMint {
        workspace: root,
        expires_at: Some(at(20)),
    };
    done(world.ask(&by_ann(brief, 12)).await);
    let gone = token(world.ask(&by_ann(mint_bound("gone", root), 12)).await);
    done(world.ask(&by_ann(revoke_token(gone.id), 13)).await);

    let expected = Named {
        tokens: vec![
            own(&of_root),
            own(&later_of_root),
            own(&of_first),
            own(&of_second),
        ],
        bound_tokens: vec![
            bound_ones[1].clone(),
            bound_ones[2].clone(),
            bound_ones[0].clone(),
        ],
        secrets: vec![
            secret("KEY", root),
            secret("Z", first),
            secret("a", first),
            secret("b", first),
            secret("KEY", second),
        ],
    };
    let falling = read(&world, root, 30).await;
    assert_eq!(falling.named, expected);
    let counts = (falling.tokens, falling.bound_tokens, falling.secrets);
    assert_eq!(counts, (4, 3, 5));

    // Whoever is asked to agree to it reads the same.
    let asked = Ask::new(&admin(), remove(root), gate(), at(31));
    let asked = pending(world.ask(&asked).await);
    let permit = world.permit(Action::ApprovalList).await;
    let below = read(&world, root, 32).await.workspaces;
    let below: Vec<WorkspaceId> = below.iter().map(|one| one.id).collect();
    let (tokens, secrets) = permits(&world, &below).await;
    let lists = Lists {
        tokens: Some(&tokens),
        secrets: &secrets,
    };
    let fall = world.ledger.fall(&permit, lists, &asked, at(32)).await;
    match fall.expect("the ledger answers") {
        Some(Fall::Workspace(falling)) => assert_eq!(falling.named, expected),
        other => panic!("{other:?}"),
    }
    world.end().await;
}

// Guard: `first` in host/store/src/portable/falling.rs.
#[tokio::test]
async fn of_very_many_the_first_are_named_and_all_are_counted() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = created(&world, "child", root, 1).await;
    let key = |number: usize| format!("KEY_{number:03}");
    let of_child = MAX_NAMED - 150 + 3;
    for (workspace, count) in [(child, of_child), (root, 150)] {
        for number in (0..count).rev() {
            written(&world, SecretScope::Workspace(workspace), &key(number), 2).await;
        }
    }
    let falling = read(&world, root, 3).await;
    assert_eq!(falling.secrets, 203);
    let expected: Vec<NamedSecret> = (0..150)
        .map(|number| secret(&key(number), root))
        .chain((0..50).map(|number| secret(&key(number), child)))
        .collect();
    assert_eq!(falling.named.secrets, expected);
    world.end().await;
}

// Guards: `named_by`, and what `falling` asks of `lists`, in host/store/src/portable/holdings.rs.
#[tokio::test]
async fn what_falls_is_named_by_permits_to_list_it_and_counted_without() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let other = world.workspace("other", None).await;
    let ann = session_of("ann");
    world.workspace_token(&ann, root, at(1)).await;
    token(world.ask(&by_ann(mint_bound("bound", root), 2)).await);
    written(&world, SecretScope::Workspace(root), "KEY", 3).await;
    let below = world.workspace("below", Some(root)).await;
    written(&world, SecretScope::Workspace(below), "BELOW", 3).await;
    let (tokens, secrets) = permits(&world, &[root]).await;
    let (_, of_other) = permits(&world, &[other]).await;
    let (_, of_both) = permits(&world, &[root, below]).await;
    let all = read(&world, root, 4).await;
    for (tokens, secrets, expected) in [
        (None, &[][..], [0, 0, 0]),
        (Some(&tokens), &[], [1, 1, 0]),
        (None, &secrets, [0, 0, 1]),
        (None, &of_other, [0, 0, 0]),
        (None, &of_both, [0, 0, 2]),
        (Some(&tokens), &of_both, [1, 1, 2]),
    ] {
        let lists = Lists { tokens, secrets };
        let falling = read_by(&world, lists, root, 4).await;
        assert_eq!(falling.digest, all.digest);
        let counts = (falling.tokens, falling.bound_tokens, falling.secrets);
        assert_eq!(counts, (1, 1, 2));
        let named = falling.named;
        let named = [
            named.tokens.len(),
            named.bound_tokens.len(),
            named.secrets.len(),
        ];
        assert_eq!(named, expected);
    }
    let permit = world
        .permit(Action::WorkspaceRead { workspace: root })
        .await;
    let of_tokens = [world.permit(list()).await];
    for (tokens, secrets) in [(Some(&secrets[0]), &[][..]), (None, &of_tokens)] {
        let lists = Lists { tokens, secrets };
        let refused = world.ledger.falling(&permit, lists, root, at(4)).await;
        refused.expect_err("a permit for something else");
        let asked = pending(
            world
                .ask(&Ask::new(&admin(), remove(root), gate(), at(5)))
                .await,
        );
        let listing = world.permit(Action::ApprovalList).await;
        let refused = world.ledger.fall(&listing, lists, &asked, at(5)).await;
        refused.expect_err("a permit for something else");
    }
    world.end().await;
}
