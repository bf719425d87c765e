//! The proof of a session of the host's own login: see `docs/decisions/0004-a-session-proves-its-origin.md`.

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use countersign_core::caller::{Caller, Door, Identity};
use zeroize::Zeroizing;

use super::{Call, changes_state};
use crate::app::App;
use crate::problem::Problem;
use crate::streams::Standing;

/// The code of the problem that a session's cookie came without its proof.
pub const PROOF_MISSING: &str = "proof_missing";

/// What a request presents as its session's proof: the header, or on the console's routes the form's
/// field. What is there twice is not there.
pub(super) fn presented_proof(
    headers: &HeaderMap,
    door: Door,
    body: &[u8],
) -> Option<Zeroizing<String>> {
    let mut named = headers.get_all("x-countersign-proof").iter();
    match (named.next(), named.next()) {
        (Some(proof), None) => return proof.to_str().ok().map(|p| Zeroizing::new(p.to_owned())),
        (Some(_), Some(_)) => return None,
        (None, _) => {}
    }
    let is_form = headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if door != Door::Console || !is_form {
        return None;
    }
    let mut fields = form_urlencoded::parse(body).filter(|(name, _)| name == "proof");
    match (fields.next(), fields.next()) {
        (Some((_, proof)), None) => Some(Zeroizing::new(proof.into_owned())),
        _ => None,
    }
}

/// A browser sends the cookie of the host's own login to every port of this host's name, and a program
/// that gets it there can claim any origin. So what changes state on such a session carries its proof.
pub(super) async fn proved(
    app: &App,
    caller: &Caller,
    head: &Parts,
    body: &[u8],
) -> Result<(), Problem> {
    if !changes_state(&head.method)
        || standing(app, caller, &head.headers, body).await? == Standing::Whole
    {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        PROOF_MISSING,
        "the session's signing key is not with this request, and its cookie alone changes nothing: sign in again by a new link, in the browser and at the address that you use; programs use a token instead",
    ))
}

impl Call {
    /// What the request shows of its credential. Only a request in whose head the proof is shows it: what
    /// goes on for long is a GET.
    pub(in crate::routes) async fn standing(&self) -> Result<Standing, Problem> {
        standing(&self.app, &self.caller, &self.headers, &[]).await
    }
}

async fn standing(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Standing, Problem> {
    let Identity::Session {
        session: Some(session),
        ..
    } = caller.identity
    else {
        return Ok(Standing::Whole);
    };
    let Some(presented) = presented_proof(headers, caller.door, body) else {
        return Ok(Standing::CookieAlone);
    };
    let operator = app.credentials.operator();
    Ok(match operator.is_proved(session, &presented).await? {
        true => Standing::Whole,
        false => Standing::CookieAlone,
    })
}
