//! What surrounds every route: how many requests a minute, the host and the tenant that are meant, a request
//! id, a time limit, and headers that keep a browser from doing what nobody asked for.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use axum::middleware::Next;
use countersign_core::chance;
use countersign_core::keys::hex;

use super::{Draining, Occasion, RequestId, TIMEOUT};
use crate::app::App;
use crate::cors;
use crate::problem::Problem;
use crate::rates::{Lane, Meter};

/// Answers one request, whatever it is.
pub async fn surround(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    let id = hex(&chance::bytes::<8>(&*app.gate.chance));
    let started = std::time::Instant::now();
    let (mut head, body) = request.into_parts();
    let (method, path) = (head.method.clone(), head.uri.path().to_owned());
    let reader = cors::reader(&app.origins, &head);
    let is_chunked = head.headers.contains_key(header::TRANSFER_ENCODING);
    let may_be_unread = has_long_body(&head.headers);
    let from = address(&app, &head);
    let meter = Meter::default();
    let draining = Draining::default();
    head.extensions.insert(RequestId(id.clone()));
    let occasion = Occasion::of(&app, peer(&head), &head);
    let route = head.extensions.get::<MatchedPath>().cloned();
    let answer = match admit(&app, &head, from, &meter).await {
        Ok(None) => {
            head.extensions.insert(meter.clone());
            head.extensions.insert(draining.clone());
            head.extensions.insert(occasion.clone());
            let request = Request::from_parts(head, body);
            tokio::time::timeout(TIMEOUT, next.run(request))
                .await
                .map_err(|_| too_long())
        }
        Ok(Some(response)) => Ok(response),
        Err(problem) => Err(problem),
    };
    let mut response = match answer {
        Ok(response) => response,
        Err(problem) => {
            occasion.by_heart().await;
            occasion.answer(problem).await
        }
    };
    let took = started.elapsed();
    app.metrics
        .answered(&method, route.as_ref(), response.status(), took);
    // The path is the caller's text: `?` escapes what could forge a line. The query may hold secrets.
    tracing::info!(
        request = %id,
        %from,
        %method,
        path = ?path.chars().take(200).collect::<String>(),
        status = response.status().as_u16(),
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    let is_refused = response.status().is_client_error() || response.status().is_server_error();
    let headers = response.headers_mut();
    headers.insert(
        "x-request-id",
        HeaderValue::from_str(&id).expect("INVARIANT: hex"),
    );
    // A request that was refused unread is still on its way: the connection cannot serve another one, and
    // must say so, or the next one gets no answer. And of a chunked one somebody in front of us may have
    // seen another end (RFC 9112, section 6.1): what follows it here is not taken for a request.
    if is_chunked || (may_be_unread && is_refused) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    draining.stamp(headers);
    meter.stamp(headers);
    cors::stamp(&app.origins, reader, headers);
    for (name, value) in GUARDING_HEADERS {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Whether a request goes on to its route; else what is answered in its place.
async fn admit(
    app: &App,
    head: &Parts,
    from: IpAddr,
    meter: &Meter,
) -> Result<Option<Response<Body>>, Problem> {
    count(app, head, from, meter).await?;
    if !is_meant(app, &head.headers) {
        return Err(wrong_host());
    }
    // Before the tenant: a preflight names none.
    if let Some(response) = cors::preflight(&app.origins, head) {
        return Ok(Some(response));
    }
    let is_for_us = app
        .tenant
        .is_meant(head.uri.path(), &head.headers, &app.origins);
    Ok((!is_for_us).then(|| Problem::no_route().into_json()))
}

/// Counts a request by its address; where that has used up its bucket, by its session, if the host knows it.
/// What was made up is never asked about for this.
async fn count(app: &App, head: &Parts, from: IpAddr, meter: &Meter) -> Result<(), Problem> {
    let lane = Lane::of(&head.method, head.uri.path());
    let counted = app.rates.by_address(lane, from, meter);
    let (Err(_), Some(lane)) = (&counted, lane) else {
        return counted;
    };
    let known = app.credentials.known_session(peer(head), &head.headers);
    match known.await {
        Some(session) => app.rates.by_session(lane, from, session, meter),
        None => counted,
    }
}

fn address(app: &App, head: &Parts) -> IpAddr {
    app.credentials.client_address(peer(head), &head.headers)
}

fn peer(head: &Parts) -> IpAddr {
    let ConnectInfo(peer) = head
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .expect("INVARIANT: every connection says who its peer is");
    peer.ip()
}

/// Whether the body may not have arrived with the head.
fn has_long_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length > 4096)
}

fn too_long() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "timeout",
        "the host took too long: whether it was done can be seen in the audit log — retry shortly",
    )
}

fn wrong_host() -> Problem {
    Problem::new(
        StatusCode::MISDIRECTED_REQUEST,
        "wrong_host",
        "this Host is not served here: use the listen address, or set COUNTERSIGN_PUBLIC_URL",
    )
}

const GUARDING_HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "content-security-policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
];

/// A name that somebody pointed at this address is not this host (DNS rebinding).
fn is_meant(app: &App, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    host.to_str().is_ok_and(|host| {
        app.hosts
            .iter()
            .any(|known| known.eq_ignore_ascii_case(host))
    })
}
