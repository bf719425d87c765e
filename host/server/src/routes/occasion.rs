//! What a page that says what went wrong keeps of its request: who asks, where, and the words of a form.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Response};
use countersign_core::caller::{Caller, Door};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::{is_page, read_body};
use crate::app::App;
use crate::console::{Around, Reader, Typed, problem_page, typed};
use crate::credentials::{CredentialError, Freshness};
use crate::problem::Problem;

/// The longest form whose words are kept: a reason and a name, each letter percent-encoded, are half of it.
const MOST_WORDS: usize = 16 * 1024;
/// So long is waited for words that are only to be handed back.
const BRIEFLY: Duration = Duration::from_secs(2);

/// The number under which the log has a request, among the extensions of its head.
#[derive(Clone)]
pub struct RequestId(pub String);

/// A request of somebody who looks at a page; by default, one of a program.
#[derive(Clone, Default)]
pub struct Occasion(Option<Arc<Inner>>);

struct Inner {
    app: App,
    peer: IpAddr,
    request: Option<RequestId>,
    method: Method,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    reader: OnceCell<Reader>,
    words: OnceLock<Vec<Typed>>,
}

impl Occasion {
    /// Of a request with this head, from `peer`.
    pub fn of(app: &App, peer: IpAddr, head: &Parts) -> Self {
        match is_page(head.uri.path()) {
            true => Self::of_page(app, peer, head),
            false => Self::default(),
        }
    }

    /// The same of a request that a page answers, wherever it goes.
    pub fn of_page(app: &App, peer: IpAddr, head: &Parts) -> Self {
        Self(Some(Arc::new(Inner {
            app: app.clone(),
            peer,
            request: head.extensions.get().cloned(),
            method: head.method.clone(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers.clone(),
            reader: OnceCell::new(),
            words: OnceLock::new(),
        })))
    }

    /// Of a request that [`super::surround`] has looked at.
    pub fn within(request: &Request) -> Self {
        let kept = request.extensions().get::<Self>();
        kept.cloned().unwrap_or_default()
    }

    /// It was verified who asks.
    pub fn verified(&self, caller: &Result<Option<Caller>, CredentialError>) {
        if let Some(inner) = &self.0 {
            let _ = inner.reader.set(reader(caller));
        }
    }

    /// Nobody is asked who it is: what is known of the session by heart has to do, for whoever asks too much
    /// shall not have the ledger read for a page that says so.
    pub async fn by_heart(&self) {
        let Some(inner) = &self.0 else { return };
        let credentials = &inner.app.credentials;
        let is_own = credentials.operator().known(&inner.headers).await.is_some();
        let reader = if is_own {
            Reader::operator()
        } else {
            let known = credentials.known_session(inner.peer, &inner.headers);
            match known.await {
                Some(_) => Reader::Unknown,
                None => Reader::Nobody,
            }
        };
        let _ = inner.reader.set(reader);
    }

    /// Keeps the words of a form that was read.
    pub fn keep(&self, body: &[u8]) {
        let Some(inner) = self.0.as_ref().filter(|inner| inner.keeps_words()) else {
            return;
        };
        if body.len() <= MOST_WORDS {
            let _ = inner.words.set(typed(&inner.headers, body));
        }
    }

    /// Keeps the words of a form that nothing is done with.
    pub async fn keep_unread(&self, body: Body) {
        let keeps = self.0.as_ref().is_some_and(|inner| inner.keeps_words());
        if keeps && let Ok(Ok(body)) = timeout(BRIEFLY, read_body(body, MOST_WORDS)).await {
            self.keep(&body);
        }
    }

    /// `problem`, as whoever asked reads it.
    pub async fn answer(&self, problem: Problem) -> Response<Body> {
        let Some(inner) = &self.0 else {
            return problem.into_json();
        };
        let around = Around {
            reader: inner.reader.get_or_init(|| inner.look()).await.clone(),
            request: inner.request.as_ref().map(|id| id.0.clone()),
            path: inner.path.clone(),
            query: inner.query.clone(),
            is_form: inner.method == Method::POST,
            words: inner.words.get().cloned().unwrap_or_default(),
        };
        problem_page(problem, around)
    }
}

impl Inner {
    /// What another site makes a browser send is no word of the person's, and is not shown to them as theirs.
    fn keeps_words(&self) -> bool {
        self.method == Method::POST && self.app.origins.same_origin(&self.headers).is_ok()
    }

    async fn look(&self) -> Reader {
        let credentials = &self.app.credentials;
        let (door, freshness) = (Door::Console, Freshness::Remembered);
        let verified = credentials.verify(&self.headers, self.peer, door, freshness);
        reader(&verified.await)
    }
}

fn reader(verified: &Result<Option<Caller>, CredentialError>) -> Reader {
    match verified {
        Ok(Some(caller)) => Reader::of(caller),
        Ok(None)
        | Err(
            CredentialError::Bearer | CredentialError::Provisioner | CredentialError::Disagreement,
        ) => Reader::Nobody,
        Err(CredentialError::Unverifiable(_) | CredentialError::Ledger(_)) => Reader::Unknown,
    }
}
