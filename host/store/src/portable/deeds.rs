//! Deeds: what a permit lets happen, each with its audit entry.

mod entries;
mod policies;

use countersign_core::action::Action;
use countersign_core::audit::EventKind;
use countersign_core::caller::Identity;
use countersign_core::id::{DecisionId, TokenId};
use countersign_core::ledger::{Deed, Done, Refusal, Submission};
use countersign_core::permit::Permit;
use countersign_core::secret::SecretAddress;
use countersign_core::workspace::Workspace;
use serde_json::{Value, json};

pub(super) use self::entries::Under;
use self::entries::{about_minted, about_revoked, about_secret, about_token, about_workspace};
use self::policies::of_policies;
use super::endings::Ending;
use super::removal::Removing;
use super::revocation::Revoking;
use super::workspaces::{Author, Changes, New};
use super::{
    Connection, audit, deprovision, endings, obstacles, removal, revocation, secrets, tokens,
    workspace_tokens, workspaces,
};
use crate::fault::Fault;

/// A deed that is done, with the entry that the audit gets for it; some have written theirs themselves.
type Outcome = Option<(Done, Option<(EventKind, Value)>)>;

/// Does the deed that `permit` is for. What it finds in its way is a refusal; the caller of this rolls
/// back whatever came before.
pub(super) async fn perform(
    connection: &mut Connection,
    permit: Permit,
    submission: &Submission<'_>,
    under: Under,
) -> Result<Result<Done, Refusal>, Fault> {
    if matches!(submission.deed, Deed::Read) {
        return read(connection, permit, submission).await;
    }
    let decision = permit.decision();
    let outcome = match &submission.intent.action {
        Action::WorkspaceCreate { .. }
        | Action::WorkspaceUpdate { .. }
        | Action::DeleteWorkspace { .. } => of_workspace(connection, decision, submission).await?,
        Action::WorkspaceTokenMint { .. } | Action::WorkspaceTokenRevoke { .. } => {
            of_workspace_token(connection, decision, submission, under).await?
        }
        Action::SecretWrite { .. } | Action::SecretDelete { .. } => {
            of_secret(connection, decision, submission).await?
        }
        Action::PolicyPush { .. }
        | Action::PolicyActivate { .. }
        | Action::PolicyRollback { .. } => {
            of_policies(connection, decision, submission, under).await?
        }
        Action::Deprovision => of_all(connection, decision, submission).await?,
        _ => of_org_token(connection, decision, submission, under).await?,
    };
    let Some((done, entry)) = outcome else {
        return Ok(Err(in_the_way(connection, submission).await?));
    };
    if let Some((event, detail)) = entry {
        record(connection, submission, event, detail).await?;
    }
    if let Done::SecretSaved(address) | Done::SecretDeleted(address) = &done {
        request_restarts(connection, submission, address, decision).await?;
    }
    Ok(Ok(done))
}

/// What the deed found.
async fn in_the_way(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Refusal, Fault> {
    if let Some(obstacle) = obstacles::find(connection, submission).await? {
        return Ok(obstacle);
    }
    let mint_limit = match submission.deed {
        Deed::MintOrgToken { mint_limit, .. } => mint_limit,
        Deed::KeepPolicy => return Ok(Refusal::VersionTaken),
        Deed::ChangePolicies => return Ok(Refusal::PoliciesMoved),
        _ => return Ok(Refusal::TargetGone),
    };
    let (minter, at) = (submission.caller, submission.decision.at);
    let again_at = tokens::mints_again_at(connection, minter, mint_limit, at).await?;
    Ok(match again_at {
        Some(again_at) => Refusal::TooManyMints { again_at, at },
        None => Refusal::TooManyTokens,
    })
}

/// What may be read is not in the way of anybody, but it must be there.
async fn read(
    connection: &mut Connection,
    permit: Permit,
    submission: &Submission<'_>,
) -> Result<Result<Done, Refusal>, Fault> {
    if !submission.intent.verb().is_read() {
        return Err(wrong(submission));
    }
    if let Some(workspace) = submission.intent.action.workspace()
        && workspaces::load(connection, workspace).await?.is_none()
    {
        return Ok(Err(Refusal::TargetGone));
    }
    Ok(Ok(Done::Read(permit)))
}

async fn of_org_token(
    connection: &mut Connection,
    decision: DecisionId,
    submission: &Submission<'_>,
    under: Under,
) -> Result<Outcome, Fault> {
    let now = submission.decision.at;
    match (&submission.deed, &submission.intent.action) {
        (
            Deed::MintOrgToken {
                id,
                hash,
                prefix,
                live_limit,
                mint_limit,
            },
            Action::OrgTokenMint {
                name,
                role,
                workspace,
                expires_at,
            },
        ) => {
            let minting = tokens::Minting {
                id: *id,
                hash: *hash,
                prefix,
                name: name.as_deref(),
                role: *role,
                workspace: *workspace,
                expires_at: *expires_at,
                live_limit: *live_limit,
                mint_limit: *mint_limit,
                approval: under.approval,
            };
            let minted = tokens::mint(connection, submission.caller, &minting, now).await?;
            Ok(minted.map(|token| {
                let detail = about_minted(&token, decision);
                let entry = under.entry(EventKind::OrgTokenMinted, detail);
                (Done::Minted(token), Some(entry))
            }))
        }
        (
            Deed::RevokeOrgToken,
            Action::OrgTokenRevoke {
                token,
                drain_seconds,
                descendants,
                shown,
            },
        ) => {
            let revoking = Revoking {
                submission,
                decision,
                token: *token,
                drain_seconds: *drain_seconds,
                descendants: *descendants,
                shown: shown.as_ref(),
            };
            let revoked = revocation::revoke(connection, &revoking).await?;
            Ok(revoked.map(|revoked| (Done::Revoked(revoked), None)))
        }
        _ => Err(wrong(submission)),
    }
}

async fn of_all(
    connection: &mut Connection,
    decision: DecisionId,
    submission: &Submission<'_>,
) -> Result<Outcome, Fault> {
    if !matches!(submission.deed, Deed::Deprovision) {
        return Err(wrong(submission));
    }
    let fallen = deprovision::deprovision(connection, decision, submission).await?;
    Ok(Some((Done::Deprovisioned(fallen), None)))
}

async fn of_secret(
    connection: &mut Connection,
    decision: DecisionId,
    submission: &Submission<'_>,
) -> Result<Outcome, Fault> {
    let now = submission.decision.at;
    match (&submission.deed, &submission.intent.action) {
        (Deed::WriteSecret(sealed), Action::SecretWrite { address, .. }) => {
            let saved = secrets::write(connection, address, sealed, decision, now).await?;
            let entry = (EventKind::SecretWritten, about_secret(address, decision));
            Ok(saved.then(|| (Done::SecretSaved(address.clone()), Some(entry))))
        }
        (Deed::DeleteSecret, Action::SecretDelete { address }) => {
            let deleted = secrets::delete(connection, address).await?;
            let entry = (EventKind::SecretDeleted, about_secret(address, decision));
            Ok(deleted.then(|| (Done::SecretDeleted(address.clone()), Some(entry))))
        }
        _ => Err(wrong(submission)),
    }
}

async fn of_workspace(
    connection: &mut Connection,
    decision: DecisionId,
    submission: &Submission<'_>,
) -> Result<Outcome, Fault> {
    let by = submission.caller.actor();
    let author = Author {
        decision,
        by: &by,
        at: submission.decision.at,
    };
    let saved = |kind, workspace: Option<Workspace>| {
        workspace.map(|workspace| {
            let detail = about_workspace(&workspace, decision);
            (Done::WorkspaceSaved(workspace), Some((kind, detail)))
        })
    };
    match (&submission.deed, &submission.intent.action) {
        (Deed::CreateWorkspace { id }, Action::WorkspaceCreate { name, parent }) => {
            let new = New {
                id: *id,
                name,
                parent: *parent,
            };
            let created = workspaces::create(connection, &new, &author).await?;
            Ok(saved(EventKind::WorkspaceCreated, created))
        }
        // Nothing that this host knows of is to change: it is not a change.
        (
            Deed::UpdateWorkspace,
            Action::WorkspaceUpdate {
                workspace,
                name: None,
                parent: None,
            },
        ) => {
            let workspace = workspaces::load(connection, *workspace).await?;
            Ok(workspace.map(|workspace| (Done::WorkspaceSaved(workspace), None)))
        }
        (
            Deed::UpdateWorkspace,
            Action::WorkspaceUpdate {
                workspace,
                name,
                parent,
            },
        ) => {
            let changes = Changes {
                id: *workspace,
                name: name.as_deref(),
                parent: *parent,
            };
            let updated = workspaces::update(connection, &changes, &author).await?;
            Ok(saved(EventKind::WorkspaceUpdated, updated))
        }
        (
            Deed::RemoveWorkspace,
            Action::DeleteWorkspace {
                workspace,
                confirm,
                shown,
            },
        ) => {
            let removing = Removing {
                submission,
                decision,
                workspace: *workspace,
                confirm: *confirm,
                shown: shown.as_ref(),
            };
            let removed = removal::remove(connection, &removing).await?;
            Ok((!removed.is_empty()).then_some((Done::WorkspacesRemoved(removed), None)))
        }
        _ => Err(wrong(submission)),
    }
}

async fn of_workspace_token(
    connection: &mut Connection,
    decision: DecisionId,
    submission: &Submission<'_>,
    under: Under,
) -> Result<Outcome, Fault> {
    let (caller, now) = (submission.caller, submission.decision.at);
    match (&submission.deed, &submission.intent.action) {
        (
            Deed::MintWorkspaceToken { id, hash, prefix },
            Action::WorkspaceTokenMint {
                workspace,
                expires_at,
            },
        ) => {
            if let Identity::WorkspaceToken { id, .. } = &caller.identity {
                let detail = about_revoked(*workspace, *id, decision, Some("rotated"));
                if !workspace_tokens::revoke(connection, *workspace, *id, now).await? {
                    return Ok(None);
                }
                let event = EventKind::WorkspaceTokenRevoked;
                record(connection, submission, event, detail).await?;
                end_requests(connection, decision, submission, *id).await?;
            }
            let minting = workspace_tokens::Minting {
                id: *id,
                hash: *hash,
                prefix,
                workspace: *workspace,
                expires_at: *expires_at,
                approval: under.approval,
            };
            let minted = workspace_tokens::mint(connection, caller, &minting, now).await?;
            Ok(minted.map(|token| {
                let detail = about_token(&token, decision);
                let entry = under.entry(EventKind::WorkspaceTokenMinted, detail);
                (Done::WorkspaceTokenMinted(token), Some(entry))
            }))
        }
        (Deed::RevokeWorkspaceToken, Action::WorkspaceTokenRevoke { workspace, token }) => {
            let revoked = workspace_tokens::revoke(connection, *workspace, *token, now).await?;
            if !revoked {
                return Ok(None);
            }
            end_requests(connection, decision, submission, *token).await?;
            let detail = about_revoked(*workspace, *token, decision, None);
            let entry = (EventKind::WorkspaceTokenRevoked, detail);
            Ok(Some((Done::WorkspaceTokenRevoked(*token), Some(entry))))
        }
        _ => Err(wrong(submission)),
    }
}

/// What a workspace's token that is revoked has asked for ends with it.
async fn end_requests(
    connection: &mut Connection,
    decision: DecisionId,
    submission: &Submission<'_>,
    token: TokenId,
) -> Result<(), Fault> {
    let (caller, at) = (submission.caller, submission.decision.at);
    let about = json!({ "decision": decision });
    let ending = Ending::by(caller, at, endings::TOKEN_REVOKED, about);
    let requester = workspace_tokens::credential_key(token);
    endings::end_of(connection, &requester, &ending).await?;
    Ok(())
}

/// Whoever runs in a workspace read its secrets when they began.
async fn request_restarts(
    connection: &mut Connection,
    submission: &Submission<'_>,
    address: &SecretAddress,
    decision: DecisionId,
) -> Result<(), Fault> {
    let reached = secrets::reached(connection, address).await?;
    if reached.is_empty() {
        return Ok(());
    }
    let detail = json!({
        "workspaces": reached,
        "secret": address.to_string(),
        "decision": decision,
    });
    let event = EventKind::WorkspaceRestartRequested;
    record(connection, submission, event, detail).await
}

async fn record(
    connection: &mut Connection,
    submission: &Submission<'_>,
    event: EventKind,
    detail: Value,
) -> Result<(), Fault> {
    let actor = submission.caller.actor();
    audit::append(connection, submission.decision.at, event, &actor, detail).await
}

/// The deed is not that of the action.
fn wrong(submission: &Submission<'_>) -> Fault {
    Fault::WrongPermit(submission.intent.verb().as_str())
}
