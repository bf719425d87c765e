//! What goes wrong, as a page: what happened, and what to do next.

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};

use super::assets;
use super::frame::{Frame, Place};
use super::{page, waiting};
use crate::problem::{OTHER_THAN_SHOWN, Problem};

/// A problem.
#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    headline: &'static str,
    says: Vec<Span>,
    particulars: Vec<(&'static str, String)>,
    is_unauthenticated: bool,
    /// Whether the same address may answer otherwise later.
    may_pass: bool,
    /// Whether it may be about a field of a form that the reader filled in.
    may_be_typed: bool,
}

/// A piece of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    /// What it says.
    pub text: String,
    /// Whether it is shown letter by letter.
    pub is_code: bool,
}

/// `problem` as a page, with its status and its headers.
pub fn problem_page(problem: Problem) -> Response<Body> {
    let mut response = if problem.status == StatusCode::ACCEPTED {
        waiting::page_of(&problem, Frame::without_viewer(Place::Elsewhere), None)
    } else {
        trouble(&problem)
    };
    response.headers_mut().extend(problem.headers);
    response
}

fn trouble(problem: &Problem) -> Response<Body> {
    let code = problem.code();
    let is_unauthenticated = problem.status == StatusCode::UNAUTHORIZED;
    let place = if is_unauthenticated || code == super::sign_in::LINK_IS_DEAD {
        Place::Outside
    } else {
        Place::Elsewhere
    };
    let particulars = [("rule", "Rule"), ("policy", "Policy")]
        .into_iter()
        .filter_map(|(member, label)| {
            let value = problem.body.get(member)?.as_str()?;
            Some((label, value.to_owned()))
        })
        .collect();
    let trouble = ProblemPage {
        frame: Frame::without_viewer(place),
        headline: headline(problem.status, code),
        says: spans(&sentence(if is_unauthenticated {
            for_people(problem.error())
        } else {
            problem.error()
        })),
        particulars,
        is_unauthenticated,
        may_be_typed: problem.body.contains_key("field")
            && !problem.error().contains(" in the path "),
        may_pass: problem.status != StatusCode::BAD_REQUEST && code != "not_found",
    };
    page(problem.status, &trouble)
}

fn headline(status: StatusCode, code: &str) -> &'static str {
    match code {
        "approver_must_be_human" => "Only a person decides",
        "requester_cannot_approve" | "minter_cannot_approve" => "Somebody else must decide this",
        "digest_mismatch" => "What you read is not what is waiting",
        "not_pending" => "This is not waiting any more",
        "not_approved" => "There is nothing to take back",
        "denied_by_policy" => "A policy denies this",
        "approval_denied" => "A person denied this",
        "approval_stale" => "What was approved has changed",
        "cross_site" => "This came from another site",
        crate::routes::PROOF_MISSING => "This browser cannot sign for this session",
        OTHER_THAN_SHOWN => "Something else would fall by now",
        "policies_outdated" => "Other policies are coming in",
        "platform_unavailable" => "The records cannot be reached",
        "control_plane_unavailable" => "Your session cannot be checked now",
        super::sign_in::LINK_IS_DEAD => "This link does not work any more",
        _ => match status {
            StatusCode::UNAUTHORIZED => "Sign in first",
            StatusCode::FORBIDDEN => "This is not allowed",
            StatusCode::NOT_FOUND => "Nothing is here",
            StatusCode::CONFLICT => "Something has changed meanwhile",
            StatusCode::TOO_MANY_REQUESTS => "Too much at once",
            status if status.is_client_error() => "This cannot be taken as it is",
            _ => "The host could not do this",
        },
    }
}

/// What is wrong with a credential, without the headers that a program would send.
fn for_people(error: &str) -> &str {
    match error.split_once(": send ") {
        Some(("this needs a credential", _)) => "this page is for people who are signed in",
        Some((what, _)) => what,
        None => error,
    }
}

/// `text`, which follows the API's style, as a sentence.
pub fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    let mut sentence: String = first.to_uppercase().chain(characters).collect();
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

/// The pieces between backticks are code.
pub fn spans(text: &str) -> Vec<Span> {
    text.split('`')
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(at, piece)| Span {
            text: piece.to_owned(),
            is_code: at % 2 == 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::examples::{body_of, is_whole};
    use super::*;

    #[tokio::test]
    async fn a_problem_keeps_its_status_and_headers_and_is_no_json() {
        let response = problem_page(Problem::unauthenticated("this needs a credential"));
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers().contains_key("www-authenticate"));
        let html = body_of(response).await;
        is_whole(&html);
        assert!(html.contains("Sign in first"), "{html}");
        assert!(html.contains(r#"href="/console/sign-in""#), "{html}");
        assert!(
            !html.contains("Bearer"),
            "people are not told of bearers: {html}"
        );
    }

    #[tokio::test]
    async fn whoever_typed_what_cannot_be_taken_is_led_back_to_it() {
        let back = "way back leads to it";
        let typed = Problem::bad_field("reason", "is longer than 500 characters");
        let html = body_of(problem_page(typed)).await;
        is_whole(&html);
        assert!(html.contains(back), "{html}");
        let address = Problem::bad_field("id", "in the path is not a UUID");
        let html = body_of(problem_page(address)).await;
        assert!(!html.contains(back), "{html}");
    }

    #[tokio::test]
    async fn whoever_presents_two_sessions_can_sign_out_of_one() {
        let twice = "two sessions of different people were presented: sign out of one";
        let html = body_of(problem_page(Problem::unauthenticated(twice))).await;
        assert!(html.contains("Two sessions of different people"), "{html}");
        assert!(html.contains(r#"action="/console/sign-out""#), "{html}");
        assert!(!html.contains("Bearer"), "{html}");
    }

    #[tokio::test]
    async fn what_a_policy_says_is_shown_and_cannot_be_markup() {
        let denied = Problem::new(
            StatusCode::FORBIDDEN,
            "denied_by_policy",
            "no `org_token_mint` <script>alert(1)</script>",
        )
        .with("rule", "<b>rule</b>")
        .with("policy", "baseline@0.1.0");
        let html = body_of(problem_page(denied)).await;
        is_whole(&html);
        assert!(html.contains("A policy denies this"), "{html}");
        assert!(html.contains("<code>org_token_mint</code>"), "{html}");
        assert!(html.contains("baseline@0.1.0"), "{html}");
        assert!(
            !html.contains("<script>") && !html.contains("<b>"),
            "{html}"
        );
    }

    #[tokio::test]
    async fn a_request_that_waits_says_so_and_leads_to_its_approval() {
        let mut pending = Problem::new(StatusCode::ACCEPTED, "", "");
        pending.body = serde_json::from_value(serde_json::json!({
            "status": "pending_approval",
            "approval_id": "0197a3f2-6c00-7000-8000-000000000001",
            "reason": "mint organisation token `<ci>`: people need a second person",
            "expires_at": "2026-01-01T00:00:00Z",
        }))
        .expect("an object");
        let response = problem_page(pending);
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        let html = body_of(response).await;
        is_whole(&html);
        assert!(
            html.contains(r#"href="/console/approvals/0197a3f2-6c00-7000-8000-000000000001""#),
            "{html}"
        );
        assert!(html.contains("<code>&#60;ci&#62;</code>"), "{html}");
    }

    #[tokio::test]
    async fn an_approval_id_that_is_none_never_becomes_an_address() {
        let mut pending = Problem::new(StatusCode::ACCEPTED, "", "");
        pending
            .body
            .insert("approval_id".to_owned(), "//elsewhere".into());
        let html = body_of(problem_page(pending)).await;
        assert!(!html.contains("elsewhere"), "{html}");
    }

    #[test]
    fn the_apis_words_become_a_sentence() {
        assert_eq!(sentence("retry shortly"), "Retry shortly.");
        assert_eq!(sentence(""), "");
        assert_eq!(
            spans("`a` b"),
            [
                Span {
                    text: "a".to_owned(),
                    is_code: true
                },
                Span {
                    text: " b".to_owned(),
                    is_code: false
                },
            ]
        );
    }
}
