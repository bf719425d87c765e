//! The routes. Each is made by [`Routes::verb`], which takes the verb that it serves, or by
//! [`Routes::open`], which takes the reason why it needs none; on the one that [`Routes::ahead`] makes, the
//! body names the verb, and nothing is done. The router's own methods are banned elsewhere, so a route
//! without a verb cannot be written by oversight.

mod ahead;
pub mod approvals;
mod body;
mod call;
mod deprovision;
mod draining;
pub mod endings;
mod events;
pub mod history;
mod missing;
mod occasion;
mod openapi;
pub mod org_tokens;
mod policies;
mod policy_bytes;
pub mod policy_differences;
mod policy_pins;
pub mod policy_signature;
pub mod rollback;
pub mod secrets;
mod sign_in;
mod surround;
mod usage;
mod watching;
mod workspace_tokens;
pub mod workspaces;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use axum::routing::MethodFilter;
use countersign_core::caller::{Caller, Door};
use countersign_core::verb::Verb;

pub use self::body::parse_form;
use self::call::Naming;
pub use self::call::{Call, Cursor, Judged, PROOF_MISSING};
use self::draining::Draining;
use self::occasion::{Occasion, RequestId};
use self::openapi::{Made, Purpose};
use crate::app::App;
use crate::credentials::{CredentialError, Freshness};
use crate::problem::Problem;

/// The code of the problem that a body is longer than is read.
pub const BODY_TOO_LONG: &str = "body_too_long";
/// The longest body that is read. A secret is the largest thing that is sent: 256 KiB of it.
pub const MAX_BODY: usize = 320 * 1024;
/// The longest component that is read, and only from whoever may push one: what compilers of large
/// languages make has some 20 MiB.
const MAX_COMPONENT: usize = 32 * 1024 * 1024;
/// A request has so long. A long poll takes at most 55 seconds of it.
const TIMEOUT: Duration = Duration::from_secs(65);
/// A body has so long to arrive, so that slow senders do not hold what the others need.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// What a handler of a verb answers.
pub type Answer = Result<Response<Body>, Problem>;

/// A request on an open route: no verb, no caller.
pub struct Visit {
    /// The host.
    pub app: App,
    /// The headers.
    pub headers: HeaderMap,
    /// Where it goes.
    pub uri: Uri,
    /// The query.
    pub query: HashMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    peer: IpAddr,
}

impl Visit {
    /// The person who is signed in, if it can be said who it is.
    pub async fn reader(&self) -> Result<Option<Caller>, Problem> {
        let credentials = &self.app.credentials;
        let (door, freshness) = (Door::Console, Freshness::Remembered);
        let verified = credentials.verify(&self.headers, self.peer, door, freshness);
        match verified.await {
            Ok(caller) => Ok(caller.filter(|caller| caller.person().is_some())),
            Err(CredentialError::Ledger(error)) => Err(error.into()),
            Err(_) => Ok(None),
        }
    }
}

/// A router in the making.
#[derive(Default)]
pub struct Routes {
    router: Router<App>,
    made: Vec<Made>,
}

impl Routes {
    /// A route that serves `verb`: only a verified caller reaches `handler`, and what the handler
    /// submits must be of that verb.
    pub fn verb<H, F>(self, method: Method, path: &'static str, verb: Verb, handler: H) -> Self
    where
        H: Fn(Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send,
    {
        self.note(Some(&method), path, Purpose::Verb(verb)).named(
            (method, path),
            Naming::Route(verb),
            handler,
        )
    }

    /// A route on which callers ask ahead, for the verb that `read` finds in the body. Nothing is done on
    /// it: what its handler has people asked for must be of that verb.
    fn ahead<H, F>(
        self,
        path: &'static str,
        read: fn(&[u8]) -> Result<Verb, Problem>,
        handler: H,
    ) -> Self
    where
        H: Fn(Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send,
    {
        self.note(Some(&Method::POST), path, Purpose::Ahead).named(
            (Method::POST, path),
            Naming::Body(read),
            handler,
        )
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that makes routes of verbs"
    )]
    fn named<H, F>(self, (method, path): (Method, &'static str), naming: Naming, handler: H) -> Self
    where
        H: Fn(Call) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send,
    {
        let endpoint = move |State(app): State<App>,
                             ConnectInfo(peer): ConnectInfo<SocketAddr>,
                             path: Result<Path<HashMap<String, String>>, PathRejection>,
                             request: Request| {
            let handler = handler.clone();
            async move {
                let occasion = Occasion::within(&request);
                let judged = Judged::default();
                let Ok(Path(path)) = path else {
                    return occasion.answer(bad_path()).await;
                };
                let answer =
                    match Call::admit(app, peer, path, request, naming, judged.clone()).await {
                        Ok(call) => handler(call).await,
                        Err(problem) => Err(problem),
                    };
                let mut response = match answer {
                    Ok(response) => response,
                    Err(problem) => occasion.answer(problem).await,
                };
                judged.stamp(response.headers_mut());
                response
            }
        };
        Self {
            router: self
                .router
                .route(path, axum::routing::on(filter(&method), endpoint)),
            ..self
        }
    }

    /// Keeps what is made, to be described.
    fn note(mut self, method: Option<&Method>, path: &'static str, purpose: Purpose) -> Self {
        let method = method.cloned();
        self.made.push(Made {
            method,
            path,
            purpose,
        });
        self
    }

    /// A route that needs no verb and no caller, for the reason `why`.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that makes routes without a verb"
    )]
    pub fn open<H, F>(
        self,
        method: Method,
        path: &'static str,
        why: &'static str,
        handler: H,
    ) -> Self
    where
        H: Fn(Visit) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Answer> + Send,
    {
        debug_assert!(!why.is_empty(), "an open route needs a reason");
        let endpoint = move |State(app): State<App>,
                             ConnectInfo(peer): ConnectInfo<SocketAddr>,
                             request: Request| {
            let handler = handler.clone();
            async move {
                let occasion = Occasion::within(&request);
                let answer = async {
                    let (parts, body) = request.into_parts();
                    let query = call::query(&parts.uri)?;
                    let body = read_body(body, MAX_BODY).await?;
                    handler(Visit {
                        app,
                        headers: parts.headers,
                        uri: parts.uri,
                        query,
                        body,
                        peer: peer.ip(),
                    })
                    .await
                };
                match answer.await {
                    Ok(response) => response,
                    Err(problem) => occasion.answer(problem).await,
                }
            }
        };
        let noted = self.note(Some(&method), path, Purpose::Open(why));
        Self {
            router: noted
                .router
                .route(path, axum::routing::on(filter(&method), endpoint)),
            ..noted
        }
    }

    /// The control plane's paths, which this host forwards as they are.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that makes routes without a verb"
    )]
    fn control_plane(self) -> Self {
        let endpoint = |State(app): State<App>,
                        ConnectInfo(peer): ConnectInfo<SocketAddr>,
                        request: Request| async move {
            let Some(proxy) = &app.proxy else {
                return Problem::no_route().into_json();
            };
            let credentials = &app.credentials;
            let from = credentials.client_address(peer.ip(), request.headers());
            let is_ours = |authorization: &_| credentials.is_ours(authorization);
            let answer = proxy.forward(request, from, is_ours).await;
            answer.unwrap_or_else(Problem::into_json)
        };
        let path = "/cp/{*path}";
        let noted = self.note(None, path, Purpose::Forwarded);
        Self {
            router: noted.router.route(path, axum::routing::any(endpoint)),
            ..noted
        }
    }

    /// The router, with what holds for every route.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one fallback: what is not a route is 404"
    )]
    fn finish(self, app: App) -> Router {
        self.router
            .fallback(missing::missing)
            .method_not_allowed_fallback(|request: Request| async move {
                let problem = Problem::new(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "method_not_allowed",
                    "this route does not take this method",
                );
                Occasion::within(&request).answer(problem).await
            })
            .layer(axum::middleware::from_fn_with_state(
                app.clone(),
                surround::surround,
            ))
            .with_state(app)
    }
}

/// The host's router.
pub fn router(app: App) -> Router {
    all().finish(app)
}

/// Every route.
fn all() -> Routes {
    let routes = watching::add(Routes::default());
    let routes = sign_in::add(routes);
    let routes = org_tokens::add(routes);
    let routes = secrets::add(routes);
    let routes = workspaces::add(routes);
    let routes = workspace_tokens::add(routes);
    let routes = deprovision::add(routes);
    let routes = approvals::add(routes);
    let routes = ahead::add(routes);
    let routes = endings::add(routes);
    let routes = events::add(routes);
    let routes = policies::add(routes);
    let routes = rollback::add(routes);
    let routes = policy_bytes::add(routes);
    let routes = policy_differences::add(routes);
    let routes = policy_pins::add(routes);
    let routes = history::add(routes);
    let routes = crate::console::add(routes);
    let routes = openapi::add(routes);
    routes.control_plane()
}

fn bad_path() -> Problem {
    Problem::new(
        StatusCode::BAD_REQUEST,
        "bad_request",
        "the path is not UTF-8 where it is percent-encoded",
    )
}

fn filter(method: &Method) -> MethodFilter {
    MethodFilter::try_from(method.clone()).expect("INVARIANT: the methods of routes are known ones")
}

/// How long a body may be. What is long is read only from those who may do what it is for.
fn longest_body(app: &App, caller: &Caller, of_route: Option<Verb>) -> usize {
    match of_route {
        Some(Verb::PolicyPush) if app.gate.lets(caller, Verb::PolicyPush) => MAX_COMPONENT,
        _ => MAX_BODY,
    }
}

/// Which verification a verb needs: what decides, revokes or changes the rules is never done on a memory.
fn freshness(verb: Verb) -> Freshness {
    match verb {
        Verb::ApprovalDecide
        | Verb::OrgTokenRevoke
        | Verb::WorkspaceTokenRevoke
        | Verb::Deprovision
        | Verb::PolicyPush
        | Verb::PolicyActivate
        | Verb::PolicyRollback => Freshness::Fresh,
        _ => Freshness::Remembered,
    }
}

fn door(path: &str) -> Door {
    if is_page(path) {
        Door::Console
    } else {
        Door::Http
    }
}

/// Whether a person looks at what is at `path`: errors are pages there.
fn is_page(path: &str) -> bool {
    path == "/console" || path.starts_with("/console/")
}

async fn read_body(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let reading = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, most));
    match reading.await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(error)) if is_too_long(&error) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            BODY_TOO_LONG,
            format!("the body is longer than {most} bytes"),
        )),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "bad_request",
            "the body did not arrive whole",
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            "the body did not arrive in time",
        )),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>())
}
