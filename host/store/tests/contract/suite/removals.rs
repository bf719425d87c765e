//! Removal: what falls, what hangs on it, and what was agreed to.

use countersign_core::action::Action;
use countersign_core::approval::{Choice, End, MOVED, State};
use countersign_core::caller::Caller;
use countersign_core::holdings::{Fall, HoldingsLedger as _, Lists};
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::{Done, Refusal, Settled, Voted};
use countersign_core::secret::SecretScope;
use countersign_core::workspace::Status;

use super::workspaces::{by_ann, tree};
use super::world::*;

pub(super) fn removed(settled: Settled) -> Vec<WorkspaceId> {
    match settled {
        Settled::Done(Done::WorkspacesRemoved(removed)) => {
            assert!(
                removed
                    .iter()
                    .all(|workspace| workspace.status == Status::Removed)
            );
            removed.iter().map(|workspace| workspace.id).collect()
        }
        other => panic!("a removal, not {other:?}"),
    }
}

#[tokio::test]
async fn a_removal_that_was_approved_is_stale_once_something_else_would_fall() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    let other = world.workspace("other", None).await;
    let ask = Ask::new(&admin(), remove(root), gate(), at(1));
    for (change, seconds) in [
        (create("late", Some(child)), 10),
        (rename(child, "renamed"), 20),
        (place(other, Some(child)), 30),
        (place(other, None), 40),
    ] {
        let ask = ask.clone().at(at(seconds));
        world.approved(&ask).await;
        saved(world.ask(&by_ann(change, seconds + 3)).await);
        let settled = world.ask(&ask.at(at(seconds + 5))).await;
        assert_eq!(refused(settled), Refusal::ApprovalStale);
    }
    assert_eq!(tree(&world).await.len(), 4, "nothing fell");
    // What happens elsewhere is no matter.
    let ask = ask.at(at(50));
    world.approved(&ask).await;
    saved(world.ask(&by_ann(rename(other, "elsewhere"), 53)).await);
    assert_eq!(removed(world.ask(&ask.at(at(55))).await)[0], root);
    assert_eq!(tree(&world).await, [("elsewhere".to_owned(), None)]);
    world.end().await;
}

// Guard: the keys and secrets in `whole` in host/store/src/portable/falling.rs.
#[tokio::test]
async fn a_removal_that_was_approved_is_stale_once_other_keys_or_secrets_would_fall() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    let other = world.workspace("other", None).await;
    let ann = session_of("ann");
    let token = world.workspace_token(&ann, child, at(1)).await;
    let brief = Action::WorkspaceTokenMint {
        workspace: root,
        expires_at: Some(at(75)),
    };
    done(world.ask(&by_ann(brief, 2)).await);
    let ask = Ask::new(&admin(), remove(root), gate(), at(3));
    let secret = || secret_in(SecretScope::Workspace(child), "KEY");
    for (change, seconds) in [
        (token_of(child), 10),
        (mint_bound("bound", root), 20),
        (write(secret(), "one"), 30),
        (write(secret(), "two"), 40),
        (Action::SecretDelete { address: secret() }, 50),
    ] {
        let ask = ask.clone().at(at(seconds));
        world.approved(&ask).await;
        done(world.ask(&by_ann(change, seconds + 3)).await);
        let settled = world.ask(&ask.at(at(seconds + 5))).await;
        assert_eq!(refused(settled), Refusal::ApprovalStale);
    }
    assert_eq!(tree(&world).await.len(), 3, "nothing fell");
    // What is elsewhere is no matter, nor is a key that ends by itself or is changed for its successor.
    let ask = ask.at(at(70));
    world.approved(&ask).await;
    done(world.ask(&by_ann(token_of(other), 73)).await);
    done(world.ask(&by_ann(write(global("KEY"), "one"), 73)).await);
    let rotation = Ask::new(
        &bearer_of_workspace(&token),
        token_of(child),
        allow(),
        at(76),
    );
    done(world.ask(&rotation).await);
    assert_eq!(removed(world.ask(&ask.at(at(78))).await), [root, child]);
    world.end().await;
}

// Guards: the comparison in `read`, and `end_moved`, in host/store/src/portable/fall.rs.
#[tokio::test]
async fn nobody_reads_or_agrees_to_a_removal_of_something_else_than_was_asked_for() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    let ask = Ask::new(&admin(), remove(root), gate(), at(1));
    let asked = pending(world.ask(&ask).await);
    let permit = world.permit(Action::ApprovalList).await;
    let fall = async |seconds| {
        let fall = world
            .ledger
            .fall(&permit, Lists::default(), &asked, at(seconds))
            .await;
        fall.expect("the ledger answers").expect("something falls")
    };
    match fall(2).await {
        Fall::Workspace(falling) => assert_eq!(falling.workspaces.len(), 2),
        other => panic!("{other:?}"),
    }
    saved(world.ask(&by_ann(create("late", Some(child)), 3)).await);
    assert!(matches!(fall(4).await, Fall::Moved));
    let yes = ballot(asked.id, "ann", Choice::Approve, at(5));
    match world.vote(&yes).await {
        Voted::Stale(ended) => assert_eq!(ended.end, Some(End::by_nobody(at(5), MOVED))),
        other => panic!("{other:?}"),
    }
    let ended = world.approval(asked.id).await;
    assert_eq!((ended.state, ended.votes), (State::Withdrawn, Vec::new()));
    let anew = pending(world.ask(&ask.at(at(6))).await);
    assert_ne!(anew.id, asked.id);
    world.end().await;
}

#[tokio::test]
async fn others_fall_along_only_when_the_request_says_so() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    let below = world.workspace("below", Some(child)).await;
    let unconfirmed = |workspace| Action::DeleteWorkspace {
        workspace,
        confirm: false,
        shown: None,
    };
    for ruling in [allow(), gate()] {
        let ask = Ask::new(&session_of("ann"), unconfirmed(root), ruling, at(1));
        match refused(world.ask(&ask).await) {
            Refusal::ConfirmationRequired { children } => {
                let named: Vec<_> = children.iter().map(|w| (w.id, w.name.as_str())).collect();
                assert_eq!(named, [(child, "child")]);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        removed(world.ask(&by_ann(unconfirmed(below), 2)).await),
        [below]
    );
    assert_eq!(
        removed(world.ask(&by_ann(remove(root), 3)).await),
        [root, child]
    );
    assert!(tree(&world).await.is_empty());
    let again = world.ask(&by_ann(remove(root), 4)).await;
    assert_eq!(refused(again), Refusal::TargetGone);
    assert_eq!(world.audited("workspace_removed").await, 3);
    world.end().await;
}

#[tokio::test]
async fn nothing_takes_the_anchor_along() {
    let world = World::new().await;
    let above = world.workspace("above", None).await;
    let anchored = Caller {
        anchor: Some(world.workspace("anchor", Some(above)).await),
        ..session_of("ann")
    };
    for ruling in [allow(), gate()] {
        let ask = Ask::new(&anchored, remove(above), ruling, at(1));
        assert_eq!(refused(world.ask(&ask).await), Refusal::AnchorWouldFall);
    }
    assert_eq!(tree(&world).await.len(), 2);
    world.end().await;
}

#[tokio::test]
async fn what_hangs_on_a_removed_workspace_goes_with_it_in_one_transaction() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    let other = world.workspace("other", None).await;
    let mut fallen_tokens = Vec::new();
    for (workspace, name) in [(root, "r"), (child, "c"), (other, "o")] {
        let ann = session_of("ann");
        fallen_tokens.push(world.workspace_token(&ann, workspace, at(1)).await);
        token(world.ask(&by_ann(mint_bound(name, workspace), 1)).await);
        for key in ["A", "B"] {
            let address = secret_in(SecretScope::Workspace(workspace), key);
            done(world.ask(&by_ann(write(address, "v"), 1)).await);
        }
    }
    removed(world.ask(&by_ann(remove(root), 2)).await);

    let names: Vec<_> = world
        .live_tokens(at(3))
        .await
        .into_iter()
        .map(|t| t.name)
        .collect();
    assert_eq!(names, [Some("o".to_owned())]);
    assert_eq!(world.workspace_tokens(other, at(3)).await.len(), 1);
    for token in &fallen_tokens {
        let read = Action::SecretList {
            scope: SecretScope::Workspace(token.workspace),
        };
        let ask = Ask::new(&bearer_of_workspace(token), read, allow(), at(3));
        match (token.workspace == other, world.ask(&ask).await) {
            (true, Settled::Done(Done::Read(_))) => {}
            (false, Settled::Refused(Refusal::CredentialGone)) => {}
            (_, settled) => panic!("{settled:?}"),
        }
    }
    let audit = world.audit().await;
    let entries: Vec<_> = audit
        .iter()
        .filter(|entry| entry.kind == "workspace_removed")
        .map(|entry| &entry.detail)
        .collect();
    assert_eq!(entries.len(), 2);
    for (entry, id, name, own) in [
        (entries[0], root, "root", &fallen_tokens[0]),
        (entries[1], child, "child", &fallen_tokens[1]),
    ] {
        assert_eq!(entry["workspace"], id.to_string(), "{entry}");
        assert_eq!(entry["name"], name, "{entry}");
        assert_eq!(entry["tokens_revoked"][0], own.id.to_string(), "{entry}");
        assert_eq!(
            entry["organisation_tokens_revoked"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
        assert_eq!(entry["secrets_deleted"], serde_json::json!(["A", "B"]));
    }
    assert_eq!(entries[1]["fell_with"], root.to_string());
    world.end().await;
}

#[tokio::test]
async fn no_request_and_no_grant_outlives_the_workspace_that_it_is_about() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    let other = world.workspace("other", None).await;
    let bound = token(world.ask(&by_ann(mint_bound("bound", child), 1)).await);
    let in_child = secret_in(SecretScope::Workspace(child), "KEY");
    let about = [
        rename(child, "x"),
        place(other, Some(child)),
        create("x", Some(root)),
        remove(child),
        token_of(child),
        write(in_child, "v"),
        mint_bound("x", root),
    ];
    let mut ended = Vec::new();
    for (n, action) in about.iter().enumerate() {
        let ask = Ask::new(&admin(), action.clone(), gate(), at(2));
        match n % 2 {
            0 => ended.push((pending(world.ask(&ask).await).id, State::Withdrawn)),
            _ => ended.push((world.approved(&ask).await.id, State::Lapsed)),
        }
    }
    // Filed under it, whatever it is about.
    let ask = Ask::new(&bearer(&bound), mint("y"), gate(), at(2));
    ended.push((pending(world.ask(&ask).await).id, State::Withdrawn));
    let mut kept = Vec::new();
    // A name that looks like the id is no reason.
    for action in [
        rename(other, "x"),
        mint(&child.to_string()),
        mint_bound("z", other),
    ] {
        let ask = Ask::new(&admin(), action, gate(), at(2));
        kept.push(pending(world.ask(&ask).await).id);
    }
    // The removal's own grant is used, and not ended.
    let ask = Ask::new(&admin(), remove(root), gate(), at(2));
    let own = world.approved(&ask).await;
    removed(world.ask(&ask.at(at(4))).await);

    for (id, state) in &ended {
        let approval = world.approval(*id).await;
        assert_eq!(approval.state, *state, "{}", approval.reason);
    }
    for id in kept {
        assert_eq!(world.approval(id).await.state, State::Pending);
    }
    assert_eq!(world.approval(own.id).await.state, State::Used);
    let withdrawn = ended
        .iter()
        .filter(|(_, state)| *state == State::Withdrawn)
        .count();
    assert_eq!(world.audited("approval_withdrawn").await, withdrawn);
    assert_eq!(
        world.audited("approval_lapsed").await,
        ended.len() - withdrawn
    );
    world.end().await;
}

#[tokio::test]
async fn an_overdue_request_about_a_removed_workspace_has_expired() {
    let world = World::new().await;
    let id = world.workspace("root", None).await;
    let ask = Ask::new(&admin(), rename(id, "x"), gate(), at(1));
    let approval = pending(world.ask(&ask).await);
    removed(world.ask(&by_ann(remove(id), 2 * 3_600)).await);
    assert_eq!(world.approval(approval.id).await.state, State::Expired);
    world.end().await;
}
