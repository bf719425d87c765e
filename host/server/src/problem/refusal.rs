//! A refusal, in words: why, and what to do next.

use axum::http::{HeaderValue, StatusCode, header};
use countersign_core::ledger::Refusal;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use countersign_core::workspace::{self, Workspace};
use serde_json::{Value, json};

use super::Problem;

/// The code of the problem that people would have to be asked for what was only glanced at.
pub const ASKED_FIRST: &str = "asked_first";
/// The code of the problem that something else would fall than was shown.
pub const OTHER_THAN_SHOWN: &str = "other_than_shown";

/// What would fall with a workspace, at its first level; nothing was removed.
fn confirmation_required(children: &[Workspace]) -> Problem {
    let named: Vec<Value> = children
        .iter()
        .map(|child| json!({ "id": child.id, "name": child.name }))
        .collect();
    Problem::new(
        StatusCode::CONFLICT,
        "confirmation_required",
        "workspaces are below this one and would be removed with it: repeat with `?confirm=true`",
    )
    .with("status", "confirmation_required")
    .with("children_count", named.len())
    .with("children", named)
}

fn too_many_mints(again_at: Timestamp, at: Timestamp) -> Problem {
    let micros = again_at.as_micros().saturating_sub(at.as_micros());
    let seconds = u64::try_from(micros)
        .unwrap_or(0)
        .div_ceil(1_000_000)
        .max(1);
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_mints",
        format!(
            "as many organisation tokens were minted from this address within an hour as MINT_LIMIT allows: mint again after {again_at}"
        ),
    )
    .with("again_at", again_at.to_string())
    .with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}

/// What a refusal of `verb` is to whoever asked.
pub(super) fn refused(refusal: Refusal, verb: Verb) -> Problem {
    let forbidden = |code, error: &str| Problem::new(StatusCode::FORBIDDEN, code, error);
    match refusal {
        Refusal::Denied {
            rule,
            reason,
            policy,
            advice,
        } => {
            let error = match &advice {
                Some(advice) => format!("{reason} — {advice}"),
                None => reason,
            };
            forbidden("denied_by_policy", &error)
                .with("rule", rule)
                .with("policy", policy)
        }
        Refusal::CredentialGone => {
            Problem::unauthenticated("the credential was revoked or has expired")
        }
        Refusal::AskedFirst => forbidden(
            ASKED_FIRST,
            "the policies ask a person before you may see this, and nobody was asked: open the page that is about it to ask",
        ),
        Refusal::NoAnchor => Problem::new(
            StatusCode::BAD_REQUEST,
            "no_approval_anchor",
            "no approval anchor for this caller class — set MOLECULE_PLATFORM_WORKSPACE_ID for admin-token callers, or call via a session / org-token with a valid org",
        ),
        Refusal::TooManyPending => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_pending",
            "20 of your requests wait for people: withdraw some, or wait until they are decided",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("60")),
        Refusal::TooManyTokens => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_tokens",
            "as many organisation tokens are live as LIVE_TOKEN_LIMIT allows: revoke one first",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("60")),
        Refusal::TooManyMints { again_at, at } => too_many_mints(again_at, at),
        Refusal::TargetGone => Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            match verb {
                Verb::OrgTokenRevoke | Verb::WorkspaceTokenRevoke => {
                    "token not found or already revoked"
                }
                Verb::SecretDelete => "there is no such secret",
                Verb::SecretWrite
                | Verb::SecretList
                | Verb::SecretRead
                | Verb::WorkspaceUpdate
                | Verb::WorkspaceRead
                | Verb::DeleteWorkspace
                | Verb::WorkspaceTokenMint => "there is no such workspace, or it was removed",
                _ => "what this is about is not there",
            },
        ),
        Refusal::UnknownWorkspace => Problem::bad_field(
            match verb {
                Verb::OrgTokenMint => "workspace_id",
                _ => "parent_id",
            },
            "names no workspace of this organisation, or one that was removed",
        ),
        Refusal::BelowItself => Problem::bad_field(
            "parent_id",
            "is the workspace itself or one below it: nothing can be below itself",
        ),
        Refusal::TooDeep => Problem::bad_field(
            "parent_id",
            format!(
                "is too deep: a workspace has at most {} others above it",
                workspace::MAX_DEPTH - 1
            ),
        ),
        Refusal::TooManyWorkspaces => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_workspaces",
            format!(
                "{} workspaces stand, and more cannot: remove one first",
                workspace::LIVE_LIMIT
            ),
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("60")),
        Refusal::TooManyWorkspaceTokens => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_tokens",
            format!(
                "{} tokens of this workspace are live, and more cannot be: revoke one first",
                workspace::TOKEN_LIMIT
            ),
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("60")),
        Refusal::AnchorWouldFall => Problem::new(
            StatusCode::FORBIDDEN,
            "approval_anchor",
            "the approval anchor, under which requests are filed, is below this workspace and would fall with it: move the anchor's branch away first, or name another workspace in MOLECULE_PLATFORM_WORKSPACE_ID",
        ),
        Refusal::ConfirmationRequired { children } => confirmation_required(&children),
        Refusal::OtherThanShown => Problem::new(
            StatusCode::CONFLICT,
            OTHER_THAN_SHOWN,
            "something else would fall by now than was shown, and nothing was done: look again",
        ),
        Refusal::ApprovalMismatch => forbidden(
            "approval_mismatch",
            "the approval that Approval-Id names is not there, is not yours, or was for another request: repeat the very request that was approved, with the same credential",
        ),
        Refusal::ApprovalNotNeeded => Problem::new(
            StatusCode::CONFLICT,
            "approval_not_needed",
            "the policies let you do this without a person: make the request itself, on its own route",
        ),
        Refusal::FiledNowhere => Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such workspace, or it was removed: requests are filed under one that stands",
        ),
        Refusal::ApprovalDenied { reason, again_at } => {
            let error = match &reason {
                Some(reason) => format!("a person denied this: {reason}"),
                None => "a person denied this".to_owned(),
            };
            forbidden(
                "approval_denied",
                &format!("{error} — it may be asked again, without Approval-Id, after {again_at}"),
            )
            .with("denial_reason", reason)
            .with("again_at", again_at.to_string())
        }
        Refusal::ApprovalExpired => forbidden(
            "approval_expired",
            "nobody decided in time: repeat the request without Approval-Id to ask again",
        ),
        Refusal::ApprovalWithdrawn => forbidden(
            "approval_withdrawn",
            "the request was taken back, or what it was about is gone or has moved: repeat it without Approval-Id to ask again",
        ),
        Refusal::ApprovalRevoked { reason } => {
            let error = match &reason {
                Some(reason) => format!("a person took the approval back: {reason}"),
                None => "a person took the approval back".to_owned(),
            };
            forbidden(
                "approval_revoked",
                &format!("{error} — repeat the request without Approval-Id to ask again"),
            )
            .with("revoke_reason", reason)
        }
        Refusal::GrantExpired => forbidden(
            "grant_expired",
            "the grant was not used in time, or what it was for has changed: repeat the request without Approval-Id to ask again",
        ),
        Refusal::GrantUsed => forbidden(
            "grant_used",
            "the grant was used, and works once: repeat the request without Approval-Id to ask again",
        ),
        Refusal::PoliciesMoved => Problem::new(
            StatusCode::CONFLICT,
            "policies_moved",
            "other policies were made live meanwhile: read GET /policies, and repeat what still holds",
        ),
        Refusal::VersionTaken => Problem::new(
            StatusCode::CONFLICT,
            "version_taken",
            "this policy has another component under this version: give what you push a version of its own",
        ),
        Refusal::ApprovalStale => Problem::new(
            StatusCode::CONFLICT,
            "approval_stale",
            "what was approved has changed since: repeat the request to ask again",
        ),
    }
}
