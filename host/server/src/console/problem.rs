//! What goes wrong, as a page: what happened, and what to do next. Around it the console stays as it was for
//! whoever is signed in, and what they typed into a form is not lost.

mod plain;
mod spans;

use askama::Template;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use countersign_core::caller::Caller;

pub use self::plain::{ADDRESS, NO_SUCH_PAGE};
use self::plain::{headline, in_words, is_about_the_address};
pub use self::spans::{Span, sentence, spans};
use super::assets;
use super::finish::Finish;
use super::frame::{Frame, Place, Viewer};
use super::inside::Inside;
use super::sign_in::LINK_IS_DEAD;
use super::typed::Typed;
use super::{page, waiting};
use crate::problem::Problem;

/// What is around a problem.
pub struct Around {
    /// Who reads of it.
    pub reader: Reader,
    /// The path of the request.
    pub path: String,
    /// Its query.
    pub query: Option<String>,
    /// Whether it sent a form.
    pub is_form: bool,
    /// What was typed into that.
    pub words: Vec<Typed>,
}

impl Around {
    /// A page that was narrowed is found again as it was; a form is not sent again.
    fn to_come_back_to(&self) -> Option<Inside> {
        let query = self.query.as_ref().filter(|_| !self.is_form);
        query
            .and_then(|query| Inside::to_come_back_to(&format!("{}?{query}", self.path)))
            .or_else(|| Inside::to_come_back_to(&self.path))
    }
}

/// Who reads.
#[derive(Clone)]
pub enum Reader {
    /// Somebody who is signed in.
    Known(Viewer),
    /// Nobody who is: links inside would lead nowhere.
    Nobody,
    /// It cannot be said now.
    Unknown,
}

impl Reader {
    /// `caller`.
    pub fn of(caller: &Caller) -> Self {
        Self::Known(Viewer::of(caller))
    }

    /// Whoever is signed in by the host's own link.
    pub fn operator() -> Self {
        Self::Known(Viewer::operator())
    }
}

/// A problem.
#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    headline: &'static str,
    says: Vec<Span>,
    particulars: Vec<(&'static str, String)>,
    is_unauthenticated: bool,
    /// Where one signs in, and comes back from to where one was.
    sign_in: String,
    is_dead_link: bool,
    is_form: bool,
    words: Vec<Typed>,
    /// Whether nothing can have been done.
    is_undone: bool,
    /// Where whoever is inside goes on.
    lead: Option<(&'static str, &'static str)>,
    /// Whether the same address may answer otherwise later.
    may_pass: bool,
    /// Whether it may be about a field of a form that the reader filled in.
    may_be_typed: bool,
}

/// `problem` as a page, with its status and its headers.
pub fn problem_page(problem: Problem, around: Around) -> Response<Body> {
    let mut response = if problem.status == StatusCode::ACCEPTED {
        // What a form asked for is finished by its own page, which knows what was asked.
        let page = around.to_come_back_to().filter(|_| !around.is_form);
        let again = page.as_ref().map(Finish::again);
        waiting::page_of(&problem, frame(&problem, &around), again)
    } else {
        page(problem.status, &ProblemPage::new(&problem, around))
    };
    response.headers_mut().extend(problem.headers);
    response
}

/// Whoever is not signed in gets no links to what they cannot open.
fn frame(problem: &Problem, around: &Around) -> Frame {
    let place = Place::of_path(&around.path);
    match &around.reader {
        _ if problem.status == StatusCode::UNAUTHORIZED => Frame::without_viewer(Place::Outside),
        Reader::Known(viewer) => Frame::for_viewer(Some(viewer.clone()), place),
        Reader::Unknown => Frame::without_viewer(place),
        Reader::Nobody => Frame::without_viewer(Place::Outside),
    }
}

impl ProblemPage {
    fn new(problem: &Problem, around: Around) -> Self {
        let frame = frame(problem, &around);
        let is_inside = !frame.nav().is_empty();
        let is_signed_in = frame.viewer.is_some();
        let is_dead_link = problem.code() == LINK_IS_DEAD;
        let lead = is_inside.then(|| lead(&around));
        // The way back is to the same address already.
        let is_lead = lead.is_some_and(|(path, _)| around.is_form && path == around.path);
        let is_final = (problem.status == StatusCode::BAD_REQUEST && !around.is_form)
            || problem.code() == "not_found"
            || is_about_the_address(problem)
            || is_dead_link
            || is_lead;
        let told = match is_dead_link && is_signed_in {
            true => format!(
                "this link does not work any more: {}. You need none to go on",
                problem.error()
            ),
            false => in_words(problem),
        };
        Self {
            headline: headline(problem, is_signed_in),
            says: spans(&sentence(&told)),
            particulars: [("rule", "Rule"), ("policy", "Policy")]
                .into_iter()
                .filter_map(|(member, label)| {
                    let value = problem.body.get(member)?.as_str()?;
                    Some((label, value.to_owned()))
                })
                .collect(),
            is_unauthenticated: problem.status == StatusCode::UNAUTHORIZED,
            sign_in: match around.to_come_back_to() {
                Some(inside) if !is_about_the_address(problem) => inside.sign_in(),
                _ => "/console/sign-in".to_owned(),
            },
            is_dead_link,
            is_form: around.is_form,
            is_undone: problem.status.is_client_error(),
            lead,
            may_pass: !is_final,
            may_be_typed: problem.body.contains_key("field") && !is_about_the_address(problem),
            words: around.words,
            frame,
        }
    }
}

/// Back to where the reader was; on to what waits, where that is what cannot be read.
fn lead(around: &Around) -> (&'static str, &'static str) {
    let (path, name) = Place::of_path(&around.path).way_back();
    match path == around.path && !around.is_form {
        true => Place::Elsewhere.way_back(),
        false => (path, name),
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{body_of, is_whole, person};
    use super::*;

    fn at(path: &str, reader: Reader) -> Around {
        Around {
            reader,
            path: path.to_owned(),
            query: None,
            is_form: false,
            words: Vec::new(),
        }
    }

    fn ada() -> Reader {
        Reader::of(&person("ada"))
    }

    /// What somebody who is signed in reads of `problem`.
    fn problem_page(problem: Problem) -> Response<Body> {
        super::problem_page(problem, at("/console/keys/x", ada()))
    }

    async fn drawn(problem: Problem, around: Around) -> String {
        let html = body_of(super::problem_page(problem, around)).await;
        is_whole(&html);
        html
    }

    #[tokio::test]
    async fn whoever_is_signed_in_stays_in_the_frame_and_is_led_back_to_where_they_were() {
        let gone = || Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such token");
        let html = drawn(gone(), at("/console/keys/x", ada())).await;
        for words in [
            "<bdi>ada</bdi>",
            r#"href="/console/keys" aria-current="page""#,
            "Back to the keys",
        ] {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert!(!html.contains("See what is waiting"), "{html}");
        let html = drawn(
            gone(),
            at("/console/policies/generations/7", Reader::Unknown),
        )
        .await;
        assert!(html.contains("Back to the policies"), "{html}");
        let html = drawn(gone(), at("/console/keys", ada())).await;
        assert!(html.contains("See what is waiting"), "{html}");
        let html = drawn(gone(), at("/console/keys/x", Reader::Nobody)).await;
        assert!(!html.contains("<nav"), "{html}");
        assert!(html.contains("How to sign in"), "{html}");
        let html = drawn(gone(), at("/console/keys/x", Reader::operator())).await;
        assert!(html.contains(r#"action="/console/sign-out""#), "{html}");
    }

    #[tokio::test]
    async fn words_are_kept_as_text_for_whoever_must_sign_in_again() {
        let words = |text: &str| Around {
            is_form: true,
            words: vec![Typed {
                field: "reason",
                label: "Your reason",
                text: text.to_owned(),
            }],
            ..at("/console/approvals/abc", Reader::Nobody)
        };
        let nobody = || Problem::unauthenticated("this needs a credential");
        let html = drawn(nobody(), words("</textarea><script>alert(1)</script>")).await;
        for words in [
            "Nothing was done with it",
            "readonly dir=\"auto\">\n&#60;/textarea&#62;&#60;script&#62;",
            r#"href="/console/sign-in?back=/console/approvals/abc""#,
        ] {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert!(!html.contains("<nav"), "{html}");
        // Of what broke down nobody can say that it was not done.
        let html = drawn(Problem::unavailable(), words("why")).await;
        assert!(html.contains("\nwhy</textarea>"), "{html}");
        assert!(!html.contains("Nothing was done"), "{html}");
    }

    #[tokio::test]
    async fn whoever_opens_a_dead_link_needs_none_if_they_are_signed_in() {
        let dead = || Problem::new(StatusCode::FORBIDDEN, LINK_IS_DEAD, "it was used");
        let html = drawn(dead(), at("/console/sign-in", Reader::operator())).await;
        for words in ["You are signed in already", "See what is waiting"] {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert!(!html.contains("How to get a link"), "{html}");
        let html = drawn(dead(), at("/console/sign-in", Reader::Nobody)).await;
        assert!(html.contains("How to get a link"), "{html}");
        assert!(!html.contains("back="), "{html}");
    }

    #[tokio::test]
    async fn a_problem_keeps_its_status_and_headers_and_is_no_json() {
        let response = problem_page(Problem::unauthenticated("this needs a credential"));
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert!(response.headers().contains_key("www-authenticate"));
        let html = body_of(response).await;
        is_whole(&html);
        assert!(html.contains("Sign in first"), "{html}");
        assert!(
            html.contains(r#"href="/console/sign-in?back=/console/keys/x""#),
            "{html}"
        );
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
}
