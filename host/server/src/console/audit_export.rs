//! The audit of some days as a file: an entry a line, as `countersign audit export` writes them, from the
//! first to the last with all between, so that the chain can be checked.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use countersign_core::action::Action;
use countersign_core::history::Stretch;
use countersign_core::ledger::Page;
use countersign_core::permit::Permit;
use hyper::body::{Bytes, Frame};
use tokio::sync::mpsc;

use super::narrow::Narrow;
use crate::commands::terminal::plain_json;
use crate::problem::Problem;
use crate::report;
use crate::routes::{Answer, Call};

pub(super) const PATH: &str = "/console/audit/export";
/// Entries that are read at once.
const PAGE: u32 = 200;
/// How many pieces may wait for a client that reads slowly.
const PIECES: usize = 2;
/// A client that takes none of them for so long is given up.
const READ_PATIENCE: Duration = Duration::from_secs(30);

/// The file could not be written to its end, so its connection breaks: a browser says that the download
/// failed, and nobody takes a part for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the export ended early")]
struct CutShort;

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
    let permit = call.permit(Action::AuditRead).await?;
    let stretch = call.app.ledger.stretch(&permit, span).await?;
    let name = match stretch.last < stretch.first {
        true => "audit-empty.jsonl".to_owned(),
        false => format!("audit-{}-{}.jsonl", stretch.first, stretch.last),
    };
    let (pieces, rest) = mpsc::channel(PIECES);
    let app = call.app.clone();
    app.tasks.spawn(write(call, permit, stretch, pieces));
    let mut response = Response::new(Body::new(Pieces {
        rest,
        is_whole: false,
    }));
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

/// Writes the entries for as long as somebody reads them and may.
async fn write(call: Call, permit: Permit, stretch: Stretch, pieces: mpsc::Sender<Piece>) {
    let app = &call.app;
    let mut after = stretch.first - 1;
    while after < stretch.last {
        let is_stopping = *app.stop.borrow();
        let lines = match is_stopping {
            true => None,
            false => part(&call, &permit, after, stretch.last).await,
        };
        let Some((lines, last)) = lines else { return };
        after = last;
        let sent = pieces.send_timeout(Piece::Lines(lines), READ_PATIENCE);
        if sent.await.is_err() {
            return;
        }
    }
    let _ = pieces.send_timeout(Piece::End, READ_PATIENCE).await;
}

/// Some entries after the one of that number, and the number of the last of them. `None`: they cannot be
/// read, or not by this caller any more.
async fn part(call: &Call, permit: &Permit, after: i64, last: i64) -> Option<(Bytes, i64)> {
    let ledger = &call.app.ledger;
    let page = Page {
        after: Some(after.to_string()),
        limit: PAGE,
    };
    let read = async {
        if !ledger.lives(&call.caller, call.app.clock.now()).await? {
            return Ok(Vec::new());
        }
        ledger.audit(permit, &page).await
    };
    let mut entries = match read.await {
        Ok(entries) => entries,
        Err(error) => {
            tracing::error!(error = %report(&error), "the audit cannot be exported");
            return None;
        }
    };
    entries.retain(|entry| entry.seq <= last);
    let end = entries.last()?.seq;
    let mut lines = String::new();
    for entry in &entries {
        let line = serde_json::to_string(entry).expect("INVARIANT: an entry is fit for JSON");
        lines.push_str(&plain_json(&line));
        lines.push('\n');
    }
    Some((lines.into(), end))
}

/// A part of an export.
enum Piece {
    Lines(Bytes),
    /// There is no more. Without it the writer was stopped, by whatever it was.
    End,
}

/// The pieces, as a body, which breaks off where the end is missing.
struct Pieces {
    rest: mpsc::Receiver<Piece>,
    is_whole: bool,
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        if self.is_whole {
            return Poll::Ready(None);
        }
        let piece = std::task::ready!(self.rest.poll_recv(context));
        Poll::Ready(match piece {
            Some(Piece::Lines(lines)) => Some(Ok(Frame::data(lines))),
            Some(Piece::End) => {
                self.is_whole = true;
                None
            }
            None => Some(Err(CutShort)),
        })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    async fn read(sent: Vec<Piece>) -> Result<Bytes, CutShort> {
        let (pieces, rest) = mpsc::channel(PIECES);
        for piece in sent {
            assert!(pieces.try_send(piece).is_ok(), "there is room");
        }
        drop(pieces);
        let body = Pieces {
            rest,
            is_whole: false,
        };
        Ok(body.collect().await?.to_bytes())
    }

    #[tokio::test]
    async fn an_export_without_its_end_breaks_off_and_is_not_taken_for_whole() {
        let lines = || Piece::Lines(Bytes::from_static(b"{}\n"));
        let whole = read(vec![lines(), Piece::End]).await;
        assert_eq!(whole.ok().as_deref(), Some(&b"{}\n"[..]));
        assert!(read(vec![lines()]).await.is_err());
        assert!(read(Vec::new()).await.is_err());
    }
}
