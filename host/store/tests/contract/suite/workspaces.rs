use countersign_core::action::Action;
use countersign_core::approval::State;
use countersign_core::caller::Caller;
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::Refusal;
use countersign_core::policy::Value;
use countersign_core::ports::Ledger;
use countersign_core::secret::SecretScope;
use countersign_core::workspace::{LIVE_LIMIT, MAX_DEPTH, Status};

use super::removals::removed;
use super::world::*;

pub(super) fn by_ann(action: Action, seconds: i64) -> Ask {
    Ask::new(&session_of("ann"), action, allow(), at(seconds))
}

/// The parents of those that stand, by name.
pub(super) async fn tree(world: &World) -> Vec<(String, Option<WorkspaceId>)> {
    let mut tree: Vec<_> = world
        .standing()
        .await
        .into_iter()
        .filter(|workspace| workspace.id != anchor())
        .map(|workspace| (workspace.name, workspace.parent))
        .collect();
    tree.sort();
    tree
}

#[tokio::test]
async fn a_created_workspace_is_read_and_listed_with_who_created_it() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = saved(
        world
            .ask(&Ask::new(
                &admin(),
                create("child", Some(root)),
                allow(),
                at(1),
            ))
            .await,
    );
    assert_eq!(child.parent, Some(root));
    assert_eq!(child.status, Status::Provisioning);
    assert_eq!(child.created_by, "admin-token");
    assert_eq!((child.created_at, child.updated_at), (at(1), at(1)));
    let permit = world
        .permit(Action::WorkspaceRead {
            workspace: child.id,
        })
        .await;
    let read = world.ledger.workspace(&permit, child.id).await;
    assert_eq!(read.expect("an answer"), Some(child.clone()));
    let other = world.ledger.workspace(&permit, root).await;
    assert!(
        other.is_err(),
        "a permit for one workspace is none for another"
    );
    let listed: Vec<_> = world.standing().await.iter().map(|w| w.id).collect();
    assert_eq!(listed, [anchor(), root, child.id]);
    assert_eq!(world.audited("workspace_created").await, 2);
    world.end().await;
}

#[tokio::test]
async fn the_anchor_stands_from_the_start_and_is_made_once() {
    let world = World::new().await;
    for seconds in 1..3 {
        let stands = world.ledger.keep_anchor(anchor(), at(seconds)).await;
        assert!(stands.expect("an answer"));
    }
    let standing = world.standing().await;
    assert_eq!(standing.len(), 1);
    assert_eq!(standing[0].created_at, at(0));
    assert_eq!(
        world.audited("workspace_created").await,
        0,
        "no second time"
    );

    // What was removed is no anchor any more, whoever names it.
    let gone = world.workspace("gone", None).await;
    world.ask(&by_ann(remove(gone), 3)).await;
    let stands = world.ledger.keep_anchor(gone, at(4)).await;
    assert!(!stands.expect("an answer"));
    world.end().await;
}

#[tokio::test]
async fn whose_workspace_is_gone_cannot_ask_people() {
    let world = World::new().await;
    let nowhere = Caller {
        anchor: Some(workspace(1)),
        ..admin()
    };
    let ask = Ask::new(&nowhere, mint("ci"), gate(), at(1));
    assert_eq!(refused(world.ask(&ask).await), Refusal::NoAnchor);

    let home = world.workspace("home", None).await;
    let bound = world.ask(&by_ann(mint_bound("bound", home), 1)).await;
    let bound = token(bound);
    let delete = Action::SecretDelete {
        address: secret_in(SecretScope::Workspace(home), "KEY"),
    };
    let ask = Ask::new(&bearer(&bound), delete, gate(), at(2));
    world
        .database
        .tamper(&format!(
            "UPDATE workspaces SET status = 'removed', removed_at = 1 WHERE id = '{home}'"
        ))
        .await;
    assert_eq!(refused(world.ask(&ask).await), Refusal::NoAnchor);
    world.end().await;
}

#[tokio::test]
async fn nothing_is_created_or_moved_below_what_does_not_stand() {
    let world = World::new().await;
    let gone = world.workspace("gone", None).await;
    let here = world.workspace("here", None).await;
    removed(world.ask(&by_ann(remove(gone), 1)).await);
    for nowhere in [gone, workspace(1)] {
        for action in [create("x", Some(nowhere)), place(here, Some(nowhere))] {
            for ruling in [allow(), gate()] {
                let ask = Ask::new(&session_of("ann"), action.clone(), ruling, at(2));
                assert_eq!(refused(world.ask(&ask).await), Refusal::UnknownWorkspace);
            }
        }
        for action in [rename(nowhere, "x"), remove(nowhere), token_of(nowhere)] {
            for ruling in [allow(), gate()] {
                let ask = Ask::new(&session_of("ann"), action.clone(), ruling, at(2));
                assert_eq!(refused(world.ask(&ask).await), Refusal::TargetGone);
            }
        }
        let bound = world.ask(&by_ann(mint_bound("x", nowhere), 2)).await;
        assert_eq!(refused(bound), Refusal::UnknownWorkspace);
        let address = secret_in(SecretScope::Workspace(nowhere), "KEY");
        let written = world.ask(&by_ann(write(address, "v"), 2)).await;
        assert_eq!(refused(written), Refusal::TargetGone);
        let read = Action::WorkspaceRead { workspace: nowhere };
        assert_eq!(
            refused(world.ask(&by_ann(read, 2)).await),
            Refusal::TargetGone
        );
    }
    assert_eq!(tree(&world).await, [("here".to_owned(), None)]);
    assert!(world.pending_at(at(3)).await.is_empty(), "nobody is asked");
    world.end().await;
}

#[tokio::test]
async fn no_workspace_comes_below_itself() {
    let world = World::new().await;
    let a = world.workspace("a", None).await;
    let b = world.workspace("b", Some(a)).await;
    let c = world.workspace("c", Some(b)).await;
    for below in [a, b, c] {
        for ruling in [allow(), gate()] {
            let ask = Ask::new(&session_of("ann"), place(a, Some(below)), ruling, at(1));
            assert_eq!(refused(world.ask(&ask).await), Refusal::BelowItself);
        }
    }
    let moved = saved(world.ask(&by_ann(place(c, Some(a)), 2)).await);
    assert_eq!((moved.parent, moved.updated_at), (Some(a), at(2)));
    let root = saved(world.ask(&by_ann(place(c, None), 3)).await);
    assert_eq!(root.parent, None);
    world.end().await;
}

#[tokio::test]
async fn the_tree_has_a_deepest_level() {
    let world = World::new().await;
    let mut deepest = None;
    for level in 0..MAX_DEPTH {
        deepest = Some(world.workspace(&format!("level {level}"), deepest).await);
    }
    let ask = by_ann(create("too deep", deepest), 1);
    assert_eq!(refused(world.ask(&ask).await), Refusal::TooDeep);
    // Nor by moving something that has a level below it to the last but one.
    let top = world.workspace("top", None).await;
    world.workspace("below", Some(top)).await;
    let last = deepest.expect("there are levels");
    let standing = world.standing().await;
    let place_of = |id| standing.iter().find(|w| w.id == id).and_then(|w| w.parent);
    let (last_but_one, two_before) = (place_of(last), place_of(place_of(last).expect("a parent")));
    let ask = by_ann(place(top, last_but_one), 1);
    assert_eq!(refused(world.ask(&ask).await), Refusal::TooDeep);
    saved(world.ask(&by_ann(place(top, two_before), 2)).await);
    world.end().await;
}

#[tokio::test]
async fn no_more_workspaces_stand_than_the_limit() {
    let world = World::new().await;
    world
        .database
        .tamper(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {LIVE_LIMIT})
             INSERT INTO workspaces (id, name, status, version, created_by, created_at, updated_at)
             SELECT '00000000-0000-4000-9000-' || CAST(100000000000 + i AS TEXT), 'n',
                    'provisioning', 'v', 'host', 1, 1 FROM n"
        ))
        .await;
    assert_eq!(world.standing().await.len() as i64, LIVE_LIMIT);
    let ask = by_ann(create("one more", None), 1);
    assert_eq!(refused(world.ask(&ask).await), Refusal::TooManyWorkspaces);
    world.end().await;
}

#[tokio::test]
async fn a_change_of_nothing_changes_nothing() {
    let world = World::new().await;
    let id = world.workspace("same", None).await;
    let nothing = Action::WorkspaceUpdate {
        workspace: id,
        name: None,
        parent: None,
    };
    let same = saved(world.ask(&by_ann(nothing, 9)).await);
    assert_eq!((same.name.as_str(), same.updated_at), ("same", at(0)));
    assert_eq!(world.audited("workspace_updated").await, 0);
    world.end().await;
}

#[tokio::test]
async fn a_move_that_was_approved_is_stale_once_either_end_has_changed() {
    for change_target in [true, false] {
        let world = World::new().await;
        let here = world.workspace("here", None).await;
        let there = world.workspace("there", None).await;
        let ask = Ask::new(&admin(), place(here, Some(there)), gate(), at(1));
        let approval = world.approved(&ask).await;
        let changed = if change_target { here } else { there };
        saved(world.ask(&by_ann(rename(changed, "renamed"), 3)).await);
        // The old name again is not the old state.
        let old = if change_target { "here" } else { "there" };
        saved(world.ask(&by_ann(rename(changed, old), 4)).await);
        let settled = world.ask(&ask.clone().at(at(5))).await;
        assert_eq!(refused(settled), Refusal::ApprovalStale);
        assert_eq!(world.approval(approval.id).await.state, State::Lapsed);
        // Asked anew, it can be approved and done.
        let ask = ask.at(at(6));
        world.approved(&ask).await;
        let moved = saved(world.ask(&ask.at(at(8))).await);
        assert_eq!(moved.parent, Some(there));
        world.end().await;
    }
}

#[tokio::test]
async fn an_approval_says_what_its_workspace_is_called() {
    let world = World::new().await;
    let id = world.workspace("research", None).await;
    let ask = Ask::new(&admin(), remove(id), gate(), at(1));
    let approval = pending(world.ask(&ask).await);
    assert_eq!(approval.workspace, anchor());
    assert_eq!(approval.workspace_name.as_deref(), Some("Platform agent"));
    assert!(
        approval
            .reason
            .starts_with(&format!("remove workspace `research` ({id})")),
        "{}",
        approval.reason
    );
    let read = world.approval(approval.id).await;
    assert_eq!(read.workspace_name, approval.workspace_name);
    assert_eq!(
        world.pending_at(at(2)).await[0].workspace_name,
        approval.workspace_name
    );
    world.end().await;
}

#[tokio::test]
async fn the_facts_of_a_workspace_say_what_the_vocabulary_says() {
    let world = World::new().await;
    let root = world.workspace("root", None).await;
    let child = world.workspace("child", Some(root)).await;
    world.workspace("below", Some(child)).await;
    let facts = async |action: Action| {
        let facts = world
            .ledger
            .facts(&admin(), &action, world.org, at(1))
            .await;
        facts.expect("facts").resource
    };
    for action in [
        rename(child, "x"),
        Action::WorkspaceRead { workspace: child },
    ] {
        let resource = facts(action).await;
        assert_eq!(
            (resource.kind.as_str(), resource.id),
            ("workspace", child.to_string())
        );
        let names: Vec<&str> = resource
            .properties
            .iter()
            .map(|p| p.name.as_str())
            .collect();
        assert_eq!(names, ["created-by", "name", "parent"]);
        assert_eq!(resource.properties.text("name"), Some("child"));
        assert_eq!(
            resource.properties.text("parent"),
            Some(root.to_string().as_str())
        );
    }
    let resource = facts(remove(root)).await;
    assert_eq!(
        resource.properties.get("descendants"),
        Some(&Value::Integer(2))
    );
    assert_eq!(resource.properties.get("parent"), None);
    let resource = facts(create("x", Some(root))).await;
    assert_eq!(resource.kind, "organisation");
    assert!(resource.properties.is_empty());
    let resource = facts(Action::SecretRead { workspace: root }).await;
    assert_eq!(
        resource.properties.text("workspace"),
        Some(root.to_string().as_str())
    );
    let resource = facts(rename(workspace(1), "x")).await;
    assert!(
        resource.properties.is_empty(),
        "nothing is known of what is not there"
    );
    world.end().await;
}
