//! What is in a deed's way, so that people are not asked for what could not be done if they agreed, and
//! so that a deed that its statement refused can say why.

use countersign_core::action::Action;
use countersign_core::caller::{Caller, Identity};
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::{Deed, Refusal, Submission};
use countersign_core::workspace::{LIVE_LIMIT, MAX_DEPTH, TOKEN_LIMIT};

use super::facts::ABSENT;
use super::{Connection, removal, revocation, workspace_tokens, workspaces};
use crate::fault::Fault;

/// The first obstacle, if there is one.
pub(super) async fn find(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Option<Refusal>, Fault> {
    let action = &submission.intent.action;
    if needs_target(&submission.deed) && submission.facts.precondition == ABSENT {
        return Ok(Some(Refusal::TargetGone));
    }
    if let Some(workspace) = action.workspace()
        && !stands(connection, workspace).await?
    {
        return Ok(Some(Refusal::TargetGone));
    }
    if let Some(named) = action.named_workspace()
        && !stands(connection, named).await?
    {
        return Ok(Some(Refusal::UnknownWorkspace));
    }
    match action {
        Action::WorkspaceCreate { parent, .. } => of_creation(connection, *parent).await,
        Action::WorkspaceUpdate {
            workspace,
            parent: Some(Some(parent)),
            ..
        } => of_move(connection, *workspace, *parent).await,
        Action::DeleteWorkspace {
            workspace,
            confirm,
            shown,
        } => {
            if let Some(shown) = shown
                && !removal::is_all_that_falls(connection, submission, *workspace, shown).await?
            {
                return Ok(Some(Refusal::OtherThanShown));
            }
            of_removal(connection, submission, *workspace, *confirm).await
        }
        Action::OrgTokenRevoke {
            token,
            descendants: true,
            shown: Some(shown),
            ..
        } => {
            let descent = revocation::descent(connection, *token, submission.decision.at).await?;
            Ok((descent != *shown).then_some(Refusal::OtherThanShown))
        }
        // One that replaces itself is one less before it is one more.
        Action::WorkspaceTokenMint { .. } if is_rotation(submission.caller) => Ok(None),
        Action::WorkspaceTokenMint { workspace, .. } => {
            let live = workspace_tokens::count_live(connection, *workspace, submission.decision.at)
                .await?;
            Ok((live >= TOKEN_LIMIT).then_some(Refusal::TooManyWorkspaceTokens))
        }
        _ => Ok(None),
    }
}

/// Whether the deed is done to something that must be there.
fn needs_target(deed: &Deed) -> bool {
    match deed {
        Deed::RevokeOrgToken
        | Deed::DeleteSecret
        | Deed::UpdateWorkspace
        | Deed::RemoveWorkspace
        | Deed::MintWorkspaceToken { .. }
        | Deed::RevokeWorkspaceToken => true,
        Deed::Deprovision
        | Deed::Read
        | Deed::MintOrgToken { .. }
        | Deed::WriteSecret(_)
        | Deed::CreateWorkspace { .. }
        | Deed::KeepPolicy
        | Deed::ChangePolicies => false,
    }
}

/// Whether a minted workspace token takes the place of the one that was presented.
pub(super) fn is_rotation(caller: &Caller) -> bool {
    matches!(caller.identity, Identity::WorkspaceToken { .. })
}

async fn stands(connection: &mut Connection, id: WorkspaceId) -> Result<bool, Fault> {
    Ok(workspaces::load(connection, id).await?.is_some())
}

async fn of_creation(
    connection: &mut Connection,
    parent: Option<WorkspaceId>,
) -> Result<Option<Refusal>, Fault> {
    if let Some(parent) = parent
        && workspaces::depth(connection, parent).await? >= MAX_DEPTH
    {
        return Ok(Some(Refusal::TooDeep));
    }
    let are_many = workspaces::count(connection).await? >= LIVE_LIMIT;
    Ok(are_many.then_some(Refusal::TooManyWorkspaces))
}

async fn of_move(
    connection: &mut Connection,
    workspace: WorkspaceId,
    parent: WorkspaceId,
) -> Result<Option<Refusal>, Fault> {
    if workspaces::takes_along(connection, workspace, parent).await? {
        return Ok(Some(Refusal::BelowItself));
    }
    let depth = workspaces::depth(connection, parent).await?
        + workspaces::height(connection, workspace).await?;
    Ok((depth > MAX_DEPTH).then_some(Refusal::TooDeep))
}

async fn of_removal(
    connection: &mut Connection,
    submission: &Submission<'_>,
    workspace: WorkspaceId,
    confirm: bool,
) -> Result<Option<Refusal>, Fault> {
    if let Some(anchor) = submission.caller.anchor
        && workspaces::takes_along(connection, workspace, anchor).await?
    {
        return Ok(Some(Refusal::AnchorWouldFall));
    }
    if confirm {
        return Ok(None);
    }
    let children = workspaces::children(connection, workspace).await?;
    Ok((!children.is_empty()).then_some(Refusal::ConfirmationRequired { children }))
}
