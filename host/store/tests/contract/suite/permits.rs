//! A permit reads what it is for: by that verb, of that workspace.

use countersign_core::action::Action;
use countersign_core::generation::GenerationLedger as _;
use countersign_core::holdings::{HoldingsLedger as _, Lists};
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::{Page, Whose};
use countersign_core::permit::Permit;
use countersign_core::ports::Ledger as _;
use countersign_core::secret::SecretScope;
use countersign_core::verb::Verb;
use countersign_core::workspace::Slice;

use super::world::*;

/// Each way to read something of a workspace: the verb that it takes, and whether `permit` will do.
async fn reads(world: &World, permit: &Permit, workspace: WorkspaceId) -> [(Verb, bool); 5] {
    let ledger = &world.ledger;
    let scope = SecretScope::Workspace(workspace);
    let (limit, offset) = (10, 0);
    let tokens = ledger.workspace_tokens(permit, workspace, Slice { limit, offset }, at(1));
    [
        (
            Verb::WorkspaceRead,
            ledger.workspace(permit, workspace).await.is_ok(),
        ),
        (Verb::WorkspaceRead, tokens.await.is_ok()),
        (
            Verb::WorkspaceRead,
            ledger
                .falling(permit, Lists::default(), workspace, at(1))
                .await
                .is_ok(),
        ),
        (
            Verb::SecretList,
            ledger.secrets(permit, scope).await.is_ok(),
        ),
        (
            Verb::SecretRead,
            ledger.sealed_secrets(permit, workspace).await.is_ok(),
        ),
    ]
}

// Guards: `covers` and `covers_workspace` in each of these methods.
#[tokio::test]
async fn a_permit_reads_of_its_own_workspace_by_its_own_verb_alone() {
    let world = World::new().await;
    let here = world.workspace("here", None).await;
    let there = world.workspace("there", None).await;
    for (workspace, is_here) in [(here, true), (there, false)] {
        let scope = SecretScope::Workspace(workspace);
        for action in [
            Action::WorkspaceRead { workspace },
            Action::SecretList { scope },
            Action::SecretRead { workspace },
        ] {
            let verb = action.verb();
            let permit = world.permit(action).await;
            for (at, (needed, is_read)) in reads(&world, &permit, here).await.iter().enumerate() {
                let may = is_here && verb == *needed;
                assert_eq!(*is_read, may, "{verb}, here: {is_here}, reads by way {at}");
            }
        }
    }
    world.end().await;
}

// Guards: `covers` in each of these methods.
#[tokio::test]
async fn a_permit_of_another_verb_reads_neither_approvals_nor_workspaces_nor_policies() {
    let world = World::new().await;
    let workspace = world.workspace("here", None).await;
    let ask = Ask::new(&admin(), Action::WorkspaceList, gate(), at(0));
    let waits = pending(world.ask(&ask).await);
    let ledger = &world.ledger;
    for action in [
        Action::ApprovalList,
        Action::WorkspaceList,
        Action::PolicyRead,
    ] {
        let verb = action.verb();
        let permit = world.permit(action).await;
        let page = Page {
            after: None,
            limit: 10,
        };
        let filed = ledger.approvals_of(&permit, &Whose::All, workspace, &page);
        let is_list = verb == Verb::ApprovalList;
        assert_eq!(filed.await.is_ok(), is_list, "{verb}");
        let one = ledger.approval(&permit, &Whose::All, waits.id).await;
        assert_eq!(one.is_ok(), is_list, "{verb}");
        let standing = ledger.workspaces(&permit).await;
        assert_eq!(standing.is_ok(), verb == Verb::WorkspaceList, "{verb}");
        let bytes = ledger.policy_bytes(&permit, "baseline", "none").await;
        assert_eq!(bytes.is_ok(), verb == Verb::PolicyRead, "{verb}");
    }
    world.end().await;
}
