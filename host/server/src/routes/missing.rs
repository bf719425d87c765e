//! What is said of an address that is no route.

use std::net::SocketAddr;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};

use super::Occasion;
use crate::app::App;
use crate::problem::Problem;

/// To a program the API's words; to a person, who came by typing an address, a page that leads to the console.
pub async fn missing(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let (head, _) = request.into_parts();
    if head.method != Method::GET || !is_for_reading(&head.headers) {
        return Problem::no_route().into_json();
    }
    let problem = Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "this host has no page at this address: those for people begin at `/console`",
    );
    let occasion = Occasion::of_page(&app, peer.ip(), &head);
    occasion.answer(problem).await
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
