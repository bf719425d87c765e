//! A file on its way to who reads it, piece by piece and in time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::commands::terminal::plain_json;

/// How many pieces may wait for a client that reads slowly.
const PIECES: usize = 2;
/// What is said last has so long to be sent: breaking a connection off throws away what waits in it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// How long a reader may take.
#[derive(Clone, Copy)]
pub struct Patience {
    /// For a piece. Who takes none for so long is given up.
    piece: Duration,
    /// For all of them.
    file: Duration,
}

/// Half an hour is enough for a million entries over a line of a few megabits, and few enough hold a place
/// for so long; a longer record is taken along in some days at a time.
pub const PATIENCE: Patience = Patience {
    piece: Duration::from_secs(30),
    file: Duration::from_secs(30 * 60),
};

/// Why a file ends before its end.
#[derive(Debug)]
pub enum Cut {
    /// Nobody reads it any more.
    Unread,
    /// For a reason that its reader is told.
    Because(String),
}

impl Cut {
    /// For that reason.
    pub fn because(why: impl Into<String>) -> Self {
        Self::Because(why.into())
    }
}

/// A part of a file.
enum Piece {
    Lines(Bytes),
    /// There is no more. Without it the writer was stopped, by whatever it was.
    End,
}

/// The writer's side.
pub struct Delivery {
    pieces: mpsc::Sender<Piece>,
    patience: Patience,
    ends: Instant,
    stop: watch::Receiver<bool>,
}

/// The reader's side: the pieces, as a body, which breaks off where the end is missing.
pub struct Pieces {
    rest: mpsc::Receiver<Piece>,
    is_whole: bool,
}

/// The file could not be written to its end, so its connection breaks: a browser says that the download
/// failed, and nobody takes a part for the whole.
#[derive(Debug, thiserror::Error)]
#[error("the export ended early")]
pub struct CutShort;

impl Delivery {
    /// Of a file that begins now, until the host's `stop`.
    pub fn new(patience: Patience, stop: watch::Receiver<bool>) -> (Self, Pieces) {
        let (pieces, rest) = mpsc::channel(PIECES);
        let delivery = Self {
            pieces,
            patience,
            ends: Instant::now() + patience.file,
            stop,
        };
        let is_whole = false;
        (delivery, Pieces { rest, is_whole })
    }

    /// Whether there is time for another piece.
    pub fn is_in_time(&self) -> Result<(), Cut> {
        if *self.stop.borrow() {
            return Err(stopping());
        }
        match Instant::now() < self.ends {
            true => Ok(()),
            false => Err(Cut::Because(format!(
                "it took longer than {} minutes: take fewer days at a time",
                self.patience.file.as_secs().div_ceil(60)
            ))),
        }
    }

    /// Hands `lines` over.
    pub async fn hand(&mut self, lines: Bytes) -> Result<(), Cut> {
        let given_up = self.ends.min(Instant::now() + self.patience.piece);
        let sent = timeout_at(given_up, self.pieces.send(Piece::Lines(lines)));
        tokio::select! {
            biased;
            sent = sent => match sent {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(_)) => return Err(Cut::Unread),
                Err(_) => {}
            },
            _ = self.stop.wait_for(|stop| *stop) => return Err(stopping()),
        }
        self.is_in_time()?;
        Err(Cut::Unread)
    }

    /// There is no more.
    pub async fn end(self) {
        let _ = timeout(self.patience.piece, self.pieces.send(Piece::End)).await;
    }

    /// There is more, which is not handed over: the last line says why, and is no entry.
    pub async fn break_off(self, why: &str) {
        let line = plain_json(&json!({ "broken_off": why }).to_string());
        let last = Piece::Lines(format!("{line}\n").into());
        let taken = async {
            if self.pieces.send(last).await.is_ok() {
                let _ = self.pieces.reserve_many(PIECES).await;
                let _ = timeout(LAST_WORDS, self.pieces.closed()).await;
            }
        };
        // A host that stops waits for no reader.
        let patience = match *self.stop.borrow() {
            true => LAST_WORDS,
            false => self.patience.piece,
        };
        let _ = timeout(patience, taken).await;
    }
}

fn stopping() -> Cut {
    Cut::because("the host is stopping: try again in a moment")
}

impl Body for Pieces {
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

    /// Longer than a test runs.
    const LONG: Duration = Duration::from_secs(600);
    /// Shorter than anybody notices.
    const SHORT: Duration = Duration::from_millis(20);

    fn within(piece: Duration, file: Duration) -> (Delivery, Pieces, watch::Sender<bool>) {
        let (stops, stop) = watch::channel(false);
        let (delivery, pieces) = Delivery::new(Patience { piece, file }, stop);
        (delivery, pieces, stops)
    }

    fn lines() -> Bytes {
        Bytes::from_static(b"{}\n")
    }

    /// All that comes, and whether it is whole.
    async fn read(mut pieces: Pieces) -> (String, bool) {
        let mut text = String::new();
        while let Some(frame) = pieces.frame().await {
            match frame {
                Ok(frame) => {
                    let data = frame.into_data().expect("there are no trailers");
                    text.push_str(&String::from_utf8_lossy(&data));
                }
                Err(CutShort) => return (text, false),
            }
        }
        (text, true)
    }

    #[tokio::test]
    async fn an_export_without_its_end_breaks_off_and_is_not_taken_for_whole() {
        let (mut delivery, pieces, _stops) = within(LONG, LONG);
        delivery.hand(lines()).await.expect("there is room");
        delivery.end().await;
        assert_eq!(read(pieces).await, ("{}\n".to_owned(), true));
        let (mut delivery, pieces, _stops) = within(LONG, LONG);
        delivery.hand(lines()).await.expect("there is room");
        drop(delivery);
        assert_eq!(read(pieces).await, ("{}\n".to_owned(), false));
        let (delivery, pieces, _stops) = within(LONG, LONG);
        drop(delivery);
        assert_eq!(read(pieces).await, (String::new(), false));
    }

    #[tokio::test]
    async fn what_is_broken_off_says_why_in_its_last_line() {
        let (mut delivery, pieces, _stops) = within(LONG, LONG);
        delivery.hand(lines()).await.expect("there is room");
        let (said, ()) = tokio::join!(read(pieces), delivery.break_off("it \"ended\""));
        let last = "{}\n{\"broken_off\":\"it \\\"ended\\\"\"}\n";
        assert_eq!(said, (last.to_owned(), false));
    }

    #[tokio::test]
    async fn a_reader_that_stalls_is_given_up() {
        let (mut delivery, pieces, _stops) = within(SHORT, LONG);
        for _ in 0..PIECES {
            delivery.hand(lines()).await.expect("there is room");
        }
        assert!(matches!(delivery.hand(lines()).await, Err(Cut::Unread)));
        drop(pieces);
        let (mut delivery, pieces, _stops) = within(LONG, LONG);
        drop(pieces);
        assert!(matches!(delivery.hand(lines()).await, Err(Cut::Unread)));
    }

    #[tokio::test]
    async fn a_file_that_takes_too_long_is_broken_off_however_it_is_read() {
        let (mut delivery, _pieces, _stops) = within(LONG, SHORT);
        for _ in 0..PIECES {
            delivery.hand(lines()).await.expect("there is room");
        }
        let Err(Cut::Because(why)) = delivery.hand(lines()).await else {
            panic!("it goes on");
        };
        assert!(why.contains("fewer days"), "{why}");
        assert!(delivery.is_in_time().is_err());
    }

    #[tokio::test]
    async fn a_host_that_stops_waits_for_no_reader() {
        let (mut delivery, _pieces, stops) = within(LONG, LONG);
        for _ in 0..PIECES {
            delivery.hand(lines()).await.expect("there is room");
        }
        stops.send_replace(true);
        for cut in [delivery.hand(lines()).await, delivery.is_in_time()] {
            let Err(Cut::Because(why)) = cut else {
                panic!("it goes on");
            };
            assert!(why.contains("stopping"), "{why}");
        }
    }
}
