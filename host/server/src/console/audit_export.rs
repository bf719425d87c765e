//! The audit of some days as a file: an entry a line, as `countersign audit export` writes them, from the
//! first to the last with all between, so that the chain can be checked.

mod delivery;
mod reader;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use countersign_core::action::Action;
use countersign_core::history::Stretch;
use tokio::sync::OwnedSemaphorePermit;

use self::delivery::{Cut, Delivery};
use self::reader::Reader;
use super::narrow::Narrow;
use crate::problem::Problem;
use crate::routes::{Answer, Call};

pub(super) const PATH: &str = "/console/audit/export";
/// So many are under way at once, whoever asked: each reads the ledger as fast as it is read, and people take
/// one along now and then.
pub const MOST_EXPORTS: usize = 4;

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
    let permit = call.permit(Action::AuditRead).await?;
    let place = Arc::clone(&call.app.exports).try_acquire_owned();
    let place = place.map_err(|_| too_many())?;
    let stretch = call.app.ledger.stretch(&permit, span).await?;
    let name = match stretch.last < stretch.first {
        true => "audit-empty.jsonl".to_owned(),
        false => format!("audit-{}-{}.jsonl", stretch.first, stretch.last),
    };
    let app = call.app.clone();
    let (delivery, pieces) = Delivery::new(delivery::PATIENCE, app.stop.clone());
    let reader = Reader::new(call, permit, numbers);
    app.tasks.spawn(write(reader, stretch, delivery, place));
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

fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_exports",
        format!(
            "{MOST_EXPORTS} files of the audit are being taken along: wait until one is whole, then try again"
        ),
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from_static("10"))
}

/// Writes the entries for as long as somebody reads them and may.
async fn write(
    mut reader: Reader,
    stretch: Stretch,
    mut delivery: Delivery,
    _place: OwnedSemaphorePermit,
) {
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
