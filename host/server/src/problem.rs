//! What goes wrong, as a caller is told: what happened, and what to do next.

mod refusal;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use countersign_core::gate::{GateError, Stopped};
use countersign_core::ports::LedgerError;
use countersign_core::verb::Verb;
use serde_json::{Map, Value, json};

use self::refusal::refused;
pub use self::refusal::{ASKED_FIRST, OTHER_THAN_SHOWN};
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

    /// Where an approval that was needed does not let it pass: the rule that asks for one, and whose it is.
    pub fn gated_by(self, gate: Option<(String, String)>) -> Self {
        match gate {
            Some((rule, policy)) if self.status == StatusCode::FORBIDDEN => {
                self.with("rule", rule).with("policy", policy)
            }
            _ => self,
        }
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

    /// The code.
    pub fn code(&self) -> &str {
        let code = self.body.get("code").and_then(Value::as_str);
        code.unwrap_or_default()
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
