//! What a person asked for and others must approve: told in words, and finished from the same page.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use countersign_core::action::{Action, Intent};
use countersign_core::gate::Passed;
use countersign_core::id::ApprovalId;
use countersign_core::time::Timestamp;
use serde_json::Value;

use super::finish::Finish;
use super::frame::{Frame, Place};
use super::moment::Moment;
use super::problem::{Span, sentence, spans};
use super::{assets, page};
use crate::problem::Problem;
use crate::routes::Call;

/// A request that waits for people.
#[derive(Template)]
#[template(path = "waiting.html")]
struct WaitingPage {
    frame: Frame,
    approval: String,
    says: Vec<Span>,
    expires: String,
    finish: Option<Finish>,
}

/// What came of what a person sent.
pub enum Sent {
    /// It is done.
    Done(Passed),
    /// Others must approve it: the page that says so.
    Waits(Response<Body>),
}

/// Takes `action`, which a person sent from `place`, to the gate.
pub async fn submit(call: &Call, place: Place, action: Action) -> Result<Sent, Problem> {
    submit_with(call, place, action, |finish| finish).await
}

/// [`submit`], where what finishes it says more than what is approved.
pub async fn submit_with(
    call: &Call,
    place: Place,
    action: Action,
    more: impl FnOnce(Finish) -> Finish,
) -> Result<Sent, Problem> {
    let gate = &call.app.gate;
    let payload = Intent::new(action.clone(), &call.caller, gate.org, &gate.keys).payload;
    match call.submit(action).await {
        Ok(passed) => Ok(Sent::Done(passed)),
        Err(problem) if problem.status == StatusCode::ACCEPTED => {
            let frame = Frame::of(&call.caller, place);
            let finish = Finish::of(&payload).map(more);
            let mut response = page_of(&problem, frame, finish);
            response.headers_mut().extend(problem.headers);
            Ok(Sent::Waits(response))
        }
        Err(problem) => Err(problem),
    }
}

/// The page of a 202.
pub fn page_of(problem: &Problem, frame: Frame, finish: Option<Finish>) -> Response<Body> {
    let text = |name| {
        let member = problem.body.get(name).and_then(Value::as_str);
        member.unwrap_or_default()
    };
    // Parsed, because it becomes part of an address.
    let approval =
        ApprovalId::parse(text("approval_id")).map_or_else(String::new, |id| id.to_string());
    let waiting = WaitingPage {
        frame,
        says: spans(&sentence(text("reason"))),
        expires: Timestamp::parse(text("expires_at"))
            .map_or_else(String::new, |at| Moment::new(at, at).exact),
        finish: finish
            .filter(|_| !approval.is_empty())
            .map(|finish| finish.waiting_for(&approval)),
        approval,
    };
    page(problem.status, &waiting)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::examples::{body_of, is_whole, person, secret_approval};
    use super::*;

    const ID: &str = "0197a3f2-6c00-7000-8000-000000000001";

    async fn drawn(payload: &Value) -> String {
        let mut pending = Problem::new(StatusCode::ACCEPTED, "", "");
        pending.body = serde_json::from_value(json!({
            "status": "pending_approval",
            "approval_id": ID,
            "reason": "mint organisation token `<ci>`: people need a second person",
            "expires_at": "2026-01-01T00:00:00Z",
        }))
        .expect("an object");
        let frame = Frame::of(&person("ada"), Place::Keys);
        let html = body_of(page_of(&pending, frame, Finish::of(payload))).await;
        is_whole(&html);
        html
    }

    #[tokio::test]
    async fn what_waits_leads_to_its_approval_and_can_be_finished_from_where_it_is() {
        let html = drawn(&super::super::examples::approval().payload).await;
        assert!(
            html.contains(&format!(r#"href="/console/approvals/{ID}""#)),
            "{html}"
        );
        assert!(
            html.contains(&format!(r#"data-waits="/approvals/{ID}""#)),
            "{html}"
        );
        assert!(html.contains("data-by-itself"), "{html}");
        assert!(html.contains("Mint the key now"), "{html}");
        assert!(html.contains("/console/assets/waiting.js?v="), "{html}");
        let shown = "<code><bdi>&#60;ci&#62;</bdi></code>";
        assert!(html.contains(shown), "{html}");
    }

    #[tokio::test]
    async fn a_secret_does_not_finish_by_itself() {
        let html = drawn(&secret_approval().payload).await;
        assert!(
            html.contains("data-waits") && !html.contains("data-by-itself"),
            "{html}"
        );
        assert!(html.contains("The value, again"), "{html}");
    }
}
