//! What is said of an address that is no route.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};

use crate::problem::Problem;

/// To a program the API's words; to a person, who came by typing an address, a page that leads to the console.
pub fn missing(method: &Method, headers: &HeaderMap) -> Response<Body> {
    if method == Method::GET && is_for_reading(headers) {
        let problem = Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "this host has no page at this address: those for people begin at `/console`",
        );
        crate::console::problem_page(problem)
    } else {
        Problem::no_route().into_json()
    }
}

/// Browsers name HTML where they go to an address; programs take whatever comes.
fn is_for_reading(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|accept| accept.split(','))
        .any(|kind| kind.trim().to_ascii_lowercase().starts_with("text/html"))
}
