//! The audit of some days as a file: an entry a line, as `countersign audit export` writes them, from the
//! first to the last with all between, so that the chain can be checked.

mod delivery;
mod reader;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use countersign_core::action::Action;
use countersign_core::caller::Caller;
use countersign_core::history::Stretch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::delivery::{Cut, Delivery};
use self::reader::Reader;
use super::narrow::Narrow;
use crate::problem::{ASKED_FIRST, Problem};
use crate::routes::{Answer, Call};
use crate::streams::{self, Streams};

pub(super) const PATH: &str = "/console/audit/export";
/// So many are under way at once, whoever asked: each reads the ledger as fast as it is read, and people take
/// one along now and then.
const MOST_EXPORTS: usize = 4;

/// What is under way: one for each credential, so that nobody keeps the others out.
#[derive(Clone)]
pub struct Exports {
    all: Arc<Semaphore>,
    each: Streams,
}

/// Room for one more.
struct Room {
    _of_all: OwnedSemaphorePermit,
    _of_credential: streams::Place,
}

impl Exports {
    /// Nothing is.
    pub fn none() -> Self {
        Self {
            all: Arc::new(Semaphore::new(MOST_EXPORTS)),
            each: Streams::new(1),
        }
    }

    fn room(&self, caller: &Caller) -> Result<Room, Problem> {
        // A browser takes files along without the proof of a session, so all stand alike here.
        let alike = streams::Standing::CookieAlone;
        let own = self.each.take(&caller.credential_key(), alike);
        let own = own.ok_or_else(|| too_many("an export of yours is under way"))?;
        let of_all = Arc::clone(&self.all).try_acquire_owned();
        let of_all =
            of_all.map_err(|_| too_many("as many exports are under way as a host has room for"))?;
        Ok(Room {
            _of_all: of_all,
            _of_credential: own,
        })
    }
}

/// Hands the file over, piece by piece.
pub(super) async fn export(call: Call) -> Answer {
    let mut narrow = Narrow::of(&call.query, &["since", "until"]);
    let span = narrow.span();
    for name in ["since", "until"] {
        if let Some(why) = narrow.wrong(name) {
            let why = why.trim_start_matches("This ").trim_end_matches('.');
            return Err(Problem::bad_field(name, why));
        }
    }
    // Before it is permitted: what comes in between is asked about.
    let numbers = call.app.policies.numbers();
    // And room before that: a grant is not used up for nothing.
    let room = call.app.exports.room(&call.caller)?;
    let (permit, is_granted) = match call.permit_beside(Action::AuditRead).await {
        Err(problem) if problem.code() == ASKED_FIRST => {
            (call.permit(Action::AuditRead).await?, true)
        }
        allowed => (allowed?, false),
    };
    let stretch = call.app.ledger.stretch(&permit, span).await?;
    let name = match stretch.last < stretch.first {
        true => "audit-empty.jsonl".to_owned(),
        false => format!("audit-{}-{}.jsonl", stretch.first, stretch.last),
    };
    let app = call.app.clone();
    let (delivery, pieces) = Delivery::new(delivery::PATIENCE, app.stop.clone());
    let reader = Reader::new(call, (permit, is_granted), numbers);
    app.tasks.spawn(write(reader, stretch, delivery, room));
    let mut response = Response::new(Body::new(pieces));
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/jsonl; charset=utf-8"),
    );
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_str(&format!("attachment; filename=\"{name}\""))
            .expect("INVARIANT: words of ours and numbers"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn too_many(why: &str) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_exports",
        format!("{why}: wait until one is whole, then try again"),
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from_static("10"))
}

/// Writes the entries for as long as somebody reads them and may.
async fn write(mut reader: Reader, stretch: Stretch, mut delivery: Delivery, _room: Room) {
    match hand_over(&mut reader, stretch, &mut delivery).await {
        Ok(()) => delivery.end().await,
        Err(Cut::Unread) => tracing::info!("nobody reads an export of the audit to its end"),
        Err(Cut::Because(why)) => {
            tracing::info!(why, "an export of the audit ended early");
            delivery.break_off(&why).await;
        }
    }
}

async fn hand_over(
    reader: &mut Reader,
    stretch: Stretch,
    delivery: &mut Delivery,
) -> Result<(), Cut> {
    let mut after = stretch.first - 1;
    while after < stretch.last {
        delivery.is_in_time()?;
        let (lines, end) = reader.part(after, stretch.last).await?;
        delivery.hand(lines).await?;
        after = end;
    }
    Ok(())
}
