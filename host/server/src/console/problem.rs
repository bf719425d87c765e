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
use crate::routes::BODY_TOO_LONG;

/// What is around a problem.
pub struct Around {
    /// Who reads of it.
    pub reader: Reader,
    /// The number under which the log has the request.
    pub request: Option<String>,
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
            particulars: particulars(problem, around.request.clone()),
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
            may_be_typed: may_be_typed(problem),
            words: around.words,
            frame,
        }
    }
}

/// What ruled so; where it is the host that failed, the number by which whoever runs it finds that in the log.
fn particulars(problem: &Problem, request: Option<String>) -> Vec<(&'static str, String)> {
    let of_body = |(member, label): (&'static str, &'static str)| {
        let value = problem.body.get(member)?.as_str()?;
        Some((label, value.to_owned()))
    };
    let request = request.filter(|_| problem.status.is_server_error());
    [("rule", "Rule"), ("policy", "Policy")]
        .into_iter()
        .filter_map(of_body)
        .chain(request.map(|id| ("In the host’s log as", id)))
        .collect()
}

fn may_be_typed(problem: &Problem) -> bool {
    let is_of_form = problem.body.contains_key("field") || problem.code() == BODY_TOO_LONG;
    is_of_form && !is_about_the_address(problem)
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
mod tests;
