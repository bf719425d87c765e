//! What goes wrong, as a caller is told: what happened, and what to do next.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use countersign_core::gate::{GateError, Stopped};
use countersign_core::ledger::Refusal;
use countersign_core::ports::LedgerError;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use countersign_core::workspace::{self, Workspace};
use serde_json::{Map, Value, json};

use crate::credentials::{CredentialError, Unverifiable};
use crate::rates;

/// An error answer, or the 202 of a request that waits.
#[derive(Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// Members of the JSON answer; `error` and `code` are among them.
    pub body: Map<String, Value>,
    /// Further headers.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// `{"error": …, "code": …}` with `status`.
    pub fn new(status: StatusCode, code: &str, error: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("error".to_owned(), error.into().into());
        body.insert("code".to_owned(), code.into());
        Self {
            status,
            body,
            headers: Vec::new(),
        }
    }

    /// With a further member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.body.insert(name.to_owned(), value.into());
        self
    }

    /// With a further header.
    pub fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// 400 for a field of the request.
    pub fn bad_field(field: &str, why: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            format!("`{field}` {why}"),
        )
        .with("field", field)
    }

    /// 404 for a route that does not exist.
    pub fn no_route() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such route: see the API's documentation",
        )
    }

    /// 401: what would do.
    pub fn unauthenticated(error: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthenticated",
            format!(
                "{error}: send a session cookie of a signed-in person, or `Authorization: Bearer` with an organisation token, ADMIN_TOKEN, or for its own workspace's routes a workspace token; provisioning takes `X-Provision-Token`"
            ),
        )
        .with_header(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static("Bearer realm=\"countersign\""),
        )
    }

    /// 503 where the ledger cannot be read or written, in the platform's words and never the database's.
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "platform_unavailable",
            "platform datastore unavailable — retry shortly",
        )
        .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
    }

    /// 500 for what should never happen; what it was is in the log.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the host made a mistake; nothing was done — its log says what, under this answer's X-Request-Id",
        )
    }

    /// The sentence.
    pub fn error(&self) -> &str {
        self.body
            .get("error")
            .or_else(|| self.body.get("reason"))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// As an HTTP answer.
    pub fn into_json(self) -> Response<Body> {
        let mut response = json_response(self.status, &Value::Object(self.body));
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A JSON answer.
pub fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        tracing::error!(error = %crate::report(&error), "the ledger failed");
        match error {
            LedgerError::Unavailable(_) => Self::unavailable(),
            LedgerError::Corrupt(_) | LedgerError::WrongPermit(_) => Self::internal(),
        }
    }
}

impl From<GateError> for Problem {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Ledger(error) => error.into(),
            GateError::Contended => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "contended",
                format!("{error}: retry shortly"),
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1")),
            GateError::Keys(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "keys_replaced",
                format!("{error}: whoever runs it must give it the new key and start it again"),
            ),
            GateError::Outdated => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "policies_outdated",
                format!("{error}: retry shortly; if it lasts, GET /policies says why"),
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1")),
        }
    }
}

impl From<CredentialError> for Problem {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Bearer
            | CredentialError::Provisioner
            | CredentialError::Disagreement => Self::unauthenticated(&error.to_string()),
            CredentialError::Unverifiable(Unverifiable::TooMany { next_in }) => {
                rates::exhausted(next_in)
            }
            CredentialError::Unverifiable(why) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "control_plane_unavailable",
                why.to_string(),
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("3")),
            CredentialError::Ledger(error) => error.into(),
        }
    }
}

/// The answer to a stopped request for `verb`. `base_url` is where people reach the host.
pub fn stopped(stopped: Stopped, verb: Verb, base_url: &str) -> Problem {
    match stopped {
        Stopped::Pending(approval) => {
            let poll = format!("/approvals/{}", approval.id);
            let body = json!({
                "status": "pending_approval",
                "approval_id": approval.id,
                "action": approval.verb,
                "reason": approval.reason,
                "expires_at": approval.expires_at,
                "poll": poll,
                "approve_url": format!("{base_url}/console/approvals/{}", approval.id),
            });
            let Value::Object(body) = body else {
                unreachable!("INVARIANT: an object was just made")
            };
            Problem {
                status: StatusCode::ACCEPTED,
                body,
                headers: Vec::new(),
            }
            .with_header(
                header::LOCATION,
                HeaderValue::from_str(&poll).expect("INVARIANT: a path of ASCII"),
            )
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
        }
        Stopped::Refused(refusal) => refused(refusal, verb),
    }
}

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

fn refused(refusal: Refusal, verb: Verb) -> Problem {
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
            "the request was taken back, or what it was about is gone: repeat it without Approval-Id to ask again",
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
