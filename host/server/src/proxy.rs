//! The control plane behind this host's own address: what the platform's pages ask of it goes through here.
//!
//! It is another's program that speaks under our origin, to browsers that trust that origin with a person's
//! session. So its pages are shown as those of no origin, and its answers say nothing about ours. See
//! `docs/decisions/0013-people-agents-and-the-control-plane-share-an-edge.md`.

mod bounded;
mod headers;
mod path;

use std::net::IpAddr;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Uri, header};

use self::bounded::{BodyError, Bounded};
use crate::problem::Problem;

/// The longest body that is forwarded. It is passed on as it comes, and never kept; what people send to a
/// control plane is forms and small files.
const MAX_REQUEST: u64 = 8 << 20;
/// The longest body that is brought back.
const MAX_ANSWER: u64 = 64 << 20;
/// To connect takes no longer, or the control plane is down.
const CONNECT: Duration = Duration::from_secs(5);
/// The head of an answer has so long, what is sent before it included. Within the time that a request has.
const HEAD: Duration = Duration::from_secs(60);
/// Headers of an answer, at most.
const MAX_HEADERS: usize = 100;

/// What a page of the control plane may do under our origin: be read, and send a form. It has no origin, so
/// that it neither reads what ours keeps nor asks as ours; and no script runs in it.
const PAGES: &str = "sandbox allow-forms allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Forwards requests to the control plane.
pub struct ControlPlaneProxy {
    /// Scheme, authority and perhaps a path, without a slash at the end.
    base: String,
    client: reqwest::Client,
    scheme: HeaderValue,
    authority: HeaderValue,
    withheld: Vec<HeaderName>,
}

impl ControlPlaneProxy {
    /// For the control plane at `base`, of a host that people reach at `public_url`. Headers that are
    /// credentials here, and that not every host has, are `withheld`.
    pub fn new(
        base: &reqwest::Url,
        public_url: &str,
        withheld: Vec<HeaderName>,
    ) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .http1_only()
            .http1_max_headers(MAX_HEADERS)
            // A connection for each request: whatever the other side takes for the end of one, the next
            // person's answer does not come out of it.
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never())
            .build()?;
        let (scheme, authority) = public_url.split_once("://").unwrap_or(("http", public_url));
        let value = |text| HeaderValue::from_str(text).expect("INVARIANT: an origin is ASCII");
        Ok(Self {
            base: base.as_str().trim_end_matches('/').to_owned(),
            client,
            scheme: value(scheme),
            authority: value(authority),
            withheld,
        })
    }

    /// The control plane's answer to `request`, which comes from `from`. Authorization goes along where
    /// `is_ours` does not know it.
    pub async fn forward(
        &self,
        request: Request,
        from: IpAddr,
        is_ours: impl Fn(&HeaderValue) -> bool,
    ) -> Result<Response<Body>, Problem> {
        let (parts, body) = request.into_parts();
        if !path::is_forwarded(parts.uri.path()) {
            return Err(Problem::no_route());
        }
        admit(&parts.method, &parts.headers)?;
        let url = self.url(&parts.uri)?;
        let mut headers = headers::to_upstream(&parts.headers, &self.withheld);
        if let Some(authorization) = only_authorization(&parts.headers)
            && !is_ours(authorization)
        {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        let from = HeaderValue::from_str(&from.to_string()).expect("INVARIANT: ASCII");
        headers.insert("x-forwarded-for", from);
        headers.insert("x-forwarded-proto", self.scheme.clone());
        headers.insert("x-forwarded-host", self.authority.clone());
        let body = Bounded::new(body, MAX_REQUEST).ok_or_else(too_long)?;
        let mut outgoing = self
            .client
            .request(parts.method.clone(), url)
            .headers(headers);
        if body.size_hint().exact() != Some(0) {
            outgoing = outgoing.body(reqwest::Body::wrap(body));
        }
        let answer = tokio::time::timeout(HEAD, outgoing.send())
            .await
            .map_err(|_| unavailable("it did not answer in time"))?
            .map_err(|error| failed(&error))?;
        answered(answer, &parts.method)
    }

    fn url(&self, uri: &Uri) -> Result<reqwest::Url, Problem> {
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        let url = reqwest::Url::parse(&format!("{}{target}", self.base));
        url.map_err(|_| Problem::no_route())
    }
}

/// What is not forwarded, whatever its path.
fn admit(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    const FORWARDED: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    if !FORWARDED.contains(method) {
        return Err(Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this method is not forwarded to the control plane",
        ));
    }
    if headers.contains_key(header::UPGRADE) {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "upgrade_refused",
            "connections to the control plane are not upgraded through this host: ask for it in plain HTTP",
        ));
    }
    // It would stand between our pages and us. Browsers say so with each script that is to become one.
    if headers.contains_key("service-worker") {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "service_worker_refused",
            "the control plane's scripts do not become service workers of this host",
        ));
    }
    Ok(())
}

/// The one Authorization header. Of two, nobody knows which counts.
fn only_authorization(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    all.next().filter(|_| all.next().is_none())
}

fn answered(answer: reqwest::Response, method: &Method) -> Result<Response<Body>, Problem> {
    let (parts, body) = axum::http::Response::<reqwest::Body>::from(answer).into_parts();
    if parts.status.is_informational() {
        return Err(unavailable("it answered what nobody asked"));
    }
    let body = Bounded::new(Body::new(body), MAX_ANSWER);
    let body = body.ok_or_else(|| unavailable("its answer is too long"))?;
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = parts.status;
    let headers = response.headers_mut();
    *headers = headers::to_client(&parts.headers);
    // Of what was not asked for, the length is all that can be told.
    if *method == Method::HEAD
        && let Some(length) = parts.headers.get(header::CONTENT_LENGTH)
    {
        headers.insert(header::CONTENT_LENGTH, length.clone());
    }
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(PAGES),
    );
    Ok(response)
}

/// What a failure to send means: the caller's own body may be at fault.
fn failed(error: &reqwest::Error) -> Problem {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref() {
            Some(BodyError::TooLong) => return too_long(),
            Some(BodyError::TooSlow | BodyError::Torn(_)) => {
                return Problem::new(
                    StatusCode::REQUEST_TIMEOUT,
                    "body_too_slow",
                    "the body did not arrive whole and in time",
                );
            }
            None => cause = error.source(),
        }
    }
    // Without the address, which holds the query.
    unavailable(&crate::report(error))
}

fn too_long() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_long",
        format!("the body is longer than {MAX_REQUEST} bytes"),
    )
}

fn unavailable(cause: &str) -> Problem {
    tracing::warn!(
        cause,
        "the control plane did not answer a request that was forwarded"
    );
    Problem::new(
        StatusCode::BAD_GATEWAY,
        "control_plane_unavailable",
        "control plane unavailable",
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}
