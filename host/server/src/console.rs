//! The console: pages for the people who approve and who look after the organisation's keys.
//!
//! Every page is drawn here, from a template, for one request. The browser keeps two things: the session
//! cookie, and the session's proof, which one small script stores and sends along with forms. A page that reads is a verb like any other and goes through the
//! gate. A form posts to the page that shows it, and its answer sends the browser back to read what
//! changed: so reloading repeats nothing, and a page that shows a key once can only be had by minting.

mod approval_page;
mod approvals;
mod asked;
mod assets;
mod audit;
mod audit_entry;
mod audit_export;
mod chart;
mod closing;
mod decision_page;
mod decisions;
mod fallen;
mod falls;
mod finish;
mod frame;
mod inside;
mod key_page;
mod keys;
mod mint_form;
mod moment;
mod narrow;
mod parts;
mod people;
mod policies;
mod policy_change;
mod problem;
mod removal;
mod secrets;
mod sessions;
mod sight;
mod sign_in;
mod tree;
mod typed;
mod waiting;
mod workspaces;

#[cfg(test)]
mod examples;

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};

pub use self::audit_export::Exports;
use self::inside::Inside;
pub use self::moment::Moment;
use self::problem::{ADDRESS, NO_SUCH_PAGE};
pub use self::problem::{Around, Reader, problem_page};
pub use self::sign_in::LINK_IS_DEAD;
pub use self::typed::{Typed, typed};
use crate::problem::Problem;
use crate::routes::{Answer, Routes, Visit};

/// The console's routes.
pub fn add(routes: Routes) -> Routes {
    let routes = sign_in::add(routes);
    let routes = approvals::add(routes);
    let routes = keys::add(routes);
    let routes = key_page::add(routes);
    let routes = workspaces::add(routes);
    let routes = removal::add(routes);
    let routes = secrets::add(routes);
    let routes = sessions::add(routes);
    let routes = policies::add(routes);
    let routes = decisions::add(routes);
    let routes = audit::add(routes);
    let routes = assets::add(routes);
    routes.open(
        Method::GET,
        "/console/{*elsewhere}",
        "says to a person, in a page, that there is no such page",
        elsewhere,
    )
}

/// An address of no page. One that a page has without its last slash leads there.
async fn elsewhere(visit: Visit) -> Answer {
    let path = visit.uri.path().strip_suffix('/');
    let Some(path) = path.and_then(Inside::parse) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, NO_SUCH_PAGE, ADDRESS));
    };
    // What is no ASCII is in no address that a browser made.
    let location = match visit.uri.query().filter(|query| query.is_ascii()) {
        Some(query) => format!("{path}?{query}"),
        None => path.to_string(),
    };
    let mut response = see_other(&location);
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    Ok(response)
}

/// `template` as a page.
fn page(status: StatusCode, template: &impl Template) -> Response<Body> {
    let text = match template.render() {
        Ok(text) => text,
        // Nothing but a formatter that errs can bring this about, and ours do not.
        Err(error) => {
            tracing::error!(%error, "a page cannot be drawn");
            return plain_failure();
        }
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    // Under `no-referrer` a browser sends `Origin: null` with a form, and over plain http to another
    // machine it sends no `Sec-Fetch-Site` either: people there could not post at all.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    response
}

fn plain_failure() -> Response<Body> {
    let mut response = Response::new(Body::from(
        "The page cannot be drawn; the host's log says why.",
    ));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// Sends the browser on to read `path`, after a form or in place of a page.
fn see_other(path: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    response.headers_mut().insert(
        header::LOCATION,
        HeaderValue::from_str(path).expect("INVARIANT: the console's paths are ASCII"),
    );
    response
}
