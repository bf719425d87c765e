//! What happens to approvals, as server-sent events (WHATWG HTML, section 9.2).
//!
//! An event's id is the number of its audit entry. So `Last-Event-ID` resumes where a stream broke off, at
//! whichever host of a fleet and after any restart, and there is no second record that could differ.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use countersign_core::action::Action;
use countersign_core::ledger::ApprovalEvent;
use countersign_core::permit::Permit;
use countersign_core::verb::Verb;
use hyper::body::{Bytes, Frame};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Answer, Call, Routes};
use crate::problem::Problem;
use crate::streams::{MOST_STREAMS, Place};

/// How many events are read at once, and so how many are in memory for one stream.
const PAGE: u32 = 100;
/// How many pieces may wait for a client that reads slowly.
const PIECES: usize = 4;
/// A client that takes none of them for so long is given up. It resumes where it was.
const READ_PATIENCE: Duration = Duration::from_secs(30);
/// A change that another host made is seen so soon, even if its announcement is not heard: the death of a
/// credential among them.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Proxies cut a line on which nothing is heard, most of them after a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

pub(super) fn add(routes: Routes) -> Routes {
    routes.verb(Method::GET, "/events", Verb::ApprovalList, stream)
}

async fn stream(call: Call) -> Answer {
    let last = last_event(&call.headers)?;
    let permit = call.permit(Action::ApprovalList).await?;
    let standing = call.standing().await?;
    let streams = &call.app.streams;
    let place = streams
        .take(&call.caller.credential_key(), standing)
        .ok_or_else(too_many)?;
    let told = match last {
        Some(last) => last,
        // Before the answer begins: what happens from now on is told, whoever reads the lists meanwhile.
        None => {
            let whose = call.whose();
            let now = call.app.ledger.approval_events(&permit, &whose, None, 0);
            now.await?.up_to
        }
    };
    let (pieces, rest) = mpsc::channel(PIECES);
    let app = call.app.clone();
    let teller = Teller {
        stop: app.stop.clone(),
        call,
        permit,
        pieces,
        told,
        lost: place.lost(),
        _place: place,
    };
    app.tasks.spawn(teller.tell());

    let mut response = Response::new(Body::new(Pieces(rest)));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    // Some proxies would collect the events until there are many.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    Ok(response)
}

/// The last event that the client has heard of, if it has heard any.
fn last_event(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let refuse = || Problem::bad_field("Last-Event-ID", "is not one that this host gave");
    let mut named = headers.get_all("last-event-id").iter();
    let Some(last) = named.next() else {
        return Ok(None);
    };
    let last = last.to_str().ok().and_then(|last| last.parse().ok());
    match (last, named.next()) {
        (Some(last @ 0..), None) => Ok(Some(last)),
        _ => Err(refuse()),
    }
}

fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_streams",
        format!("{MOST_STREAMS} streams of this credential are open: close one first"),
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from_static("5"))
}

/// Tells one client what happens, for as long as both are there and the credential lives.
struct Teller {
    call: Call,
    permit: Permit,
    pieces: mpsc::Sender<Bytes>,
    stop: watch::Receiver<bool>,
    /// The number up to which all is told.
    told: i64,
    /// Cancelled when the stream has to give way to another.
    lost: CancellationToken,
    _place: Place,
}

impl Teller {
    async fn tell(mut self) {
        let mut changes = self.call.app.changes.subscribe();
        // At once, so that whoever is between the two knows that the answer has begun.
        let mut is_heard = self.say("retry: 2000\n\n".to_owned()).await;
        let mut spoke = Instant::now();
        while is_heard {
            changes.mark_unchanged();
            let told = self.told;
            is_heard = self.catch_up().await;
            if self.told != told {
                spoke = Instant::now();
            } else if spoke.elapsed() >= HEARTBEAT {
                is_heard = is_heard && self.say(":\n\n".to_owned()).await;
                spoke = Instant::now();
            }
            tokio::select! {
                _ = timeout(LOOK_AGAIN, changes.changed()) => {}
                () = self.pieces.closed() => return,
                () = self.lost.cancelled() => return,
                _ = self.stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Tells all that has happened since; false where that is not to be, or nobody listens any more.
    async fn catch_up(&mut self) -> bool {
        loop {
            let whose = self.call.whose();
            let ledger = &self.call.app.ledger;
            let found = ledger
                .approval_events(&self.permit, &whose, Some(self.told), PAGE)
                .await;
            let found = match found {
                Ok(found) => found,
                Err(error) => {
                    // The client comes back, and is told then what is wrong.
                    tracing::warn!(error = %crate::report(&error), "cannot read what happened");
                    return false;
                }
            };
            // After it was read: so it is only told what happened while the credential lived, however much
            // there is to catch up on, and however long whoever reads it takes.
            if !self.call.lives().await.unwrap_or(false) {
                return false;
            }
            let is_all = found.events.len() < PAGE as usize;
            self.told = found.up_to;
            if !found.events.is_empty() && !self.say(written(&found.events)).await {
                return false;
            }
            if is_all {
                return true;
            }
        }
    }

    async fn say(&mut self, text: String) -> bool {
        let said = timeout(READ_PATIENCE, self.pieces.send(text.into()));
        tokio::select! {
            biased;
            () = self.lost.cancelled() => false,
            _ = self.stop.wait_for(|stop| *stop) => false,
            said = said => matches!(said, Ok(Ok(()))),
        }
    }
}

fn written(events: &[ApprovalEvent]) -> String {
    let mut text = String::new();
    for event in events {
        let data = json!({
            "approval_id": event.approval,
            "workspace_id": event.workspace,
            "action": event.verb,
            "reason": event.reason,
            "status": event.kind.leaves_approval(),
            "event": event.kind,
            "at": event.at,
        });
        // JSON has no line break outside of its strings' escapes.
        let _ = write!(text, "id: {}\nevent: approval\ndata: {data}\n\n", event.seq);
    }
    text
}

/// A body that comes piece by piece, and ends when nobody is left who could add one.
struct Pieces(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.0.poll_recv(context);
        piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}
