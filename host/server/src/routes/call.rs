//! One request for a verb: its caller, verified, and its way to the gate.

mod beside;
mod head;
mod lives;
mod proof;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method};
use countersign_core::action::Action;
use countersign_core::approval::Approval;
use countersign_core::caller::{Caller, Door};
use countersign_core::gate::{self, GateError, Passed, Stopped};
use countersign_core::id::{ApprovalId, DecisionId};
use countersign_core::ledger::{Ahead, Page, Refusal, Whose};
use countersign_core::permit::Permit;
use countersign_core::verb::Verb;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, timeout_at};

use self::head::named_approval;
pub(super) use self::head::query;
pub use self::proof::PROOF_MISSING;
use self::proof::proved;
use super::draining::Draining;
use super::{MAX_BODY, Occasion, ahead, body, door, freshness, longest_body, read_body};
use crate::app::App;
use crate::credentials::Freshness;
use crate::problem::{self, Problem};
use crate::rates::{Lane, Meter};

/// Items of a list where the caller does not say, and at most.
pub(super) const PAGE: u32 = 50;
pub(super) const MAX_PAGE: u32 = 200;
/// So many seconds a caller can wait for an answer, at most.
pub(super) const MAX_WAIT: u64 = 55;
/// How long a request waits for policies that are recorded and not live here yet. A host takes them over
/// in less, unless it cannot.
const TAKE_OVER: Duration = Duration::from_secs(2);

/// The decision behind an answer, for its headers.
#[derive(Clone, Default)]
pub struct Judged(Arc<OnceLock<(DecisionId, u64)>>);

impl Judged {
    /// Writes the headers, if something was judged.
    pub fn stamp(&self, headers: &mut HeaderMap) {
        if let Some((decision, generation)) = self.0.get() {
            let id = HeaderValue::from_str(&decision.to_string())
                .expect("INVARIANT: a UUID is fit for a header");
            headers.insert("x-decision-id", id);
            headers.insert("x-policy-generation", (*generation).into());
        }
    }
}

/// What a list goes on after.
#[derive(Clone, Copy, Debug)]
pub enum Cursor {
    /// The id of an item.
    Id,
    /// The number of an item.
    Number,
}

/// A request of a verified caller for one verb.
pub struct Call {
    /// The host.
    pub app: App,
    /// Who asks.
    pub caller: Caller,
    /// Which approval the caller wants to use.
    pub named: Option<ApprovalId>,
    /// The query.
    pub query: HashMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
    pub(super) verb: Verb,
    pub(super) path: HashMap<String, String>,
    pub(super) source: Source,
    pub(super) headers: HeaderMap,
    peer: IpAddr,
    judged: Judged,
}

/// Which verb a route serves.
#[derive(Clone, Copy)]
pub(super) enum Naming {
    /// The route's own.
    Route(Verb),
    /// The one that the body names, of those that can be asked ahead.
    Body(fn(&[u8]) -> Result<Verb, Problem>),
}

/// Where the arguments of a call are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// In the request's path, query and body.
    Request,
    /// All in the body's member `context`: it is asked ahead, and such a call does nothing.
    Context,
}

/// What a call wants of its action.
#[derive(Clone)]
enum Want {
    /// That it is done.
    Deed(Option<ApprovalId>),
    /// That people are asked.
    Asked(Ahead),
    /// That it may be read beside what the route is for.
    Glance,
}

impl Call {
    /// Verifies the caller, then reads the request.
    pub(super) async fn admit(
        app: App,
        peer: SocketAddr,
        path: HashMap<String, String>,
        request: Request,
        naming: Naming,
        judged: Judged,
    ) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let meter = parts.extensions.get::<Meter>().cloned().unwrap_or_default();
        let lane = Lane::of(&parts.method, parts.uri.path()).unwrap_or(Lane::General);
        let door = door(parts.uri.path());
        let of_route = match naming {
            Naming::Route(verb) => Some(verb),
            Naming::Body(_) => None,
        };
        // Whoever asks ahead decides nothing and changes nothing.
        let freshness = of_route.map_or(Freshness::Remembered, freshness);
        let occasion = parts.extensions.get::<Occasion>().cloned();
        let occasion = occasion.unwrap_or_default();
        let credentials = &app.credentials;
        let verified = credentials.verify(&parts.headers, peer.ip(), door, freshness);
        let verified = verified.await;
        occasion.verified(&verified);
        let caller = match verified {
            Ok(Some(caller)) => caller,
            refused => {
                occasion.keep_unread(body).await;
                refused?;
                return Err(Problem::unauthenticated("this needs a credential"));
            }
        };
        if let Some(draining) = parts.extensions.get::<Draining>() {
            draining.note(&caller);
        }
        if caller.person().is_some() && changes_state(&parts.method) {
            match lane == Lane::Deciding || is_for_own_pages(of_route, door) {
                true => app.origins.same_origin(&parts.headers)?,
                false => app.origins.known_origin(&parts.headers)?,
            }
        }
        if lane != Lane::Deciding
            && let Err(problem) = app.rates.by_credential(lane, &caller, &meter)
        {
            occasion.keep_unread(body).await;
            return Err(problem);
        }
        let named = named_approval(&parts.headers)?;
        let query = query(&parts.uri)?;
        let longest = longest_body(&app, &caller, of_route);
        if longest > MAX_BODY {
            // It is in the head, or not there: what is long is not read from who cannot change anything.
            proved(&app, &caller, &parts, &[]).await?;
        }
        let body = read_body(body, longest).await?;
        occasion.keep(&body);
        proved(&app, &caller, &parts, &body).await?;
        // After the proof: who has nothing but a person's cookie does not exhaust what the person decides by.
        if lane == Lane::Deciding {
            app.rates.by_credential(lane, &caller, &meter)?;
        }
        let (verb, source) = match naming {
            Naming::Route(verb) => (verb, Source::Request),
            Naming::Body(read) => (read(&body)?, Source::Context),
        };
        Ok(Self {
            named,
            query,
            body,
            app,
            caller,
            verb,
            path,
            source,
            headers: parts.headers,
            peer: peer.ip(),
            judged,
        })
    }

    /// Takes `action` to the gate, in a task that outlives the connection.
    pub async fn submit(&self, action: Action) -> Result<Passed, Problem> {
        if self.source != Source::Request {
            tracing::error!(verb = %self.verb, "a route does what is asked ahead");
            return Err(Problem::internal());
        }
        self.judged(action, Want::Deed(self.named)).await
    }

    /// Has people asked for `action`, and does nothing: the approval, which is pending, or has been
    /// approved already.
    pub(super) async fn ask(&self, action: Action, ahead: Ahead) -> Result<Approval, Problem> {
        match self.judged(action, Want::Asked(ahead)).await? {
            Passed::Asked(approval) => Ok(*approval),
            _ => Err(Problem::internal()),
        }
    }

    async fn judged(&self, action: Action, want: Want) -> Result<Passed, Problem> {
        if action.verb() != self.verb {
            tracing::error!(route = %self.verb, action = %action.verb(), "a route submits a foreign verb");
            return Err(Problem::internal());
        }
        self.judge(action, want).await
    }

    async fn judge(&self, action: Action, want: Want) -> Result<Passed, Problem> {
        let verb = action.verb();
        let app = self.app.clone();
        let caller = self.caller.clone();
        let answer = self
            .app
            .finish(async move {
                let ends_tokens = verb.ends_tokens();
                let answer = judged_by_the_newest(&app, &caller, action, want).await;
                // Before anybody is told, whether or not somebody still listens; and whatever came of it:
                // of a commit that broke down nobody can say whether it was done.
                if ends_tokens {
                    app.credentials.forget_tokens();
                }
                answer
            })
            .await
            .ok_or_else(Problem::internal)??;
        let _ = self.judged.0.set((answer.decision, answer.generation));
        self.app.metrics.decided(verb, &answer.result);
        // A refusal and a permit to read change no approval.
        if matches!(
            answer.result,
            Ok(Passed::Minted(..)
                | Passed::WorkspaceTokenMinted(..)
                | Passed::Done(_)
                | Passed::Asked(_))
                | Err(Stopped::Pending(_))
        ) {
            self.app.changed();
        }
        answer.result.map_err(|stopped: Stopped| match stopped {
            Stopped::Refused(Refusal::CredentialGone) => self.gone(),
            stopped => {
                problem::stopped(stopped, verb, &self.app.base_url).gated_by(answer.gated_by)
            }
        })
    }

    /// Whether the core lets the caller do what this route is for.
    pub fn is_let(&self) -> bool {
        self.app.gate.lets(&self.caller, self.verb)
    }

    /// The permit to read what `action` names.
    pub async fn permit(&self, action: Action) -> Result<Permit, Problem> {
        match self.submit(action).await? {
            Passed::Read(permit) => Ok(permit),
            _ => Err(Problem::internal()),
        }
    }

    /// The body as `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        match self.source {
            Source::Request => body::parse(&self.body),
            Source::Context => body::parse_context(&self.body),
        }
    }

    /// The body as a form.
    pub fn form(&self) -> Result<HashMap<String, String>, Problem> {
        body::parse_form(&self.body)
    }

    /// A piece of the path, as what `parse` makes of it.
    pub fn path<T>(&self, name: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        match (self.path.get(name), self.source) {
            (Some(text), Source::Request) => {
                parse(text).ok_or_else(|| Problem::bad_field(name, "in the path is not a UUID"))
            }
            (Some(text), Source::Context) => {
                parse(text).ok_or_else(|| Problem::bad_field(ahead::member(name), "is not a UUID"))
            }
            (None, Source::Request) => Err(Problem::internal()),
            (None, Source::Context) => Err(Problem::bad_field(ahead::member(name), "is missing")),
        }
    }

    /// A piece of the path, as it is.
    pub fn path_text(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// How long the caller waits for an answer, as its `wait` says; so many seconds where it says nothing.
    pub fn wait(&self, unsaid: u64) -> Result<Duration, Problem> {
        let wait = match self.query.get("wait") {
            None => unsaid,
            Some(wait) => {
                let wait = wait.parse().ok().filter(|wait| *wait <= MAX_WAIT);
                let why = "is not a number of seconds from 0 to 55";
                wait.ok_or_else(|| Problem::bad_field("wait", why))?
            }
        };
        Ok(Duration::from_secs(wait))
    }

    /// Which part of a list the caller wants.
    pub fn page(&self, cursor: Cursor) -> Result<Page, Problem> {
        let limit = match self.query.get("limit") {
            None => PAGE,
            Some(limit) => limit
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_PAGE).contains(limit))
                .ok_or_else(|| Problem::bad_field("limit", "is not a number from 1 to 200"))?,
        };
        let after = self.query.get("cursor").cloned();
        // One that leads nowhere would look like the end of the list.
        let is_cursor = |after: &String| match cursor {
            Cursor::Id => ApprovalId::parse(after).is_some(),
            Cursor::Number => after.parse::<i64>().is_ok_and(|number| number >= 0),
        };
        if !after.as_ref().is_none_or(is_cursor) {
            return Err(Problem::bad_field(
                "cursor",
                "is not one that this host gave",
            ));
        }
        Ok(Page { after, limit })
    }

    /// People see all approvals, other callers their own.
    pub fn whose(&self) -> Whose {
        match self.caller.person() {
            Some(_) => Whose::All,
            None => Whose::Requester(self.caller.credential_key()),
        }
    }
}

/// Takes `action` to the gate, again where later policies than those that judged are recorded: this host
/// makes them live in a moment, whoever recorded them.
async fn judged_by_the_newest(
    app: &App,
    caller: &Caller,
    action: Action,
    want: Want,
) -> Result<gate::Answer, GateError> {
    let patience = Instant::now() + TAKE_OVER;
    let mut numbers = app.policies.numbers();
    loop {
        numbers.mark_unchanged();
        let answer = match &want {
            Want::Deed(named) => app.gate.submit(caller, action.clone(), *named).await,
            Want::Asked(ahead) => app.gate.ask(caller, action.clone(), ahead).await,
            Want::Glance => app.gate.glance(caller, action.clone()).await,
        };
        if !matches!(answer, Err(GateError::Outdated)) {
            return answer;
        }
        app.policies.look();
        if !matches!(timeout_at(patience, numbers.changed()).await, Ok(Ok(()))) {
            return answer;
        }
    }
}

/// Whether a session may ask this from this host's own pages alone, and not from those of `CORS_ORIGINS`: to
/// decide, to change the rules, and all that is done in the console.
fn is_for_own_pages(of_route: Option<Verb>, door: Door) -> bool {
    door == Door::Console
        || matches!(
            of_route,
            Some(Verb::PolicyPush | Verb::PolicyActivate | Verb::PolicyRollback)
        )
}

fn changes_state(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

#[cfg(test)]
mod tests;
