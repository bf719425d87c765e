//! A stream of server-sent events, read as it comes.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::Value;

/// An event has so long to come, or the stream to end.
const EVENT: Duration = Duration::from_secs(20);

/// An answer whose body goes on.
#[derive(Debug)]
pub struct Stream {
    /// The headers.
    pub headers: HeaderMap,
    response: reqwest::Response,
    unread: String,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// What it is.
    pub name: String,
    /// What it says.
    pub data: Value,
}

impl Stream {
    pub(crate) fn new(response: reqwest::Response) -> Self {
        Self {
            headers: response.headers().clone(),
            response,
            unread: String::new(),
        }
    }

    /// The next event; none where the stream has ended, as it should.
    ///
    /// # Panics
    ///
    /// If neither comes, or if the stream breaks off.
    pub async fn next(&mut self) -> Option<Event> {
        let next = tokio::time::timeout(EVENT, self.read());
        next.await.expect("an event, or the end of the stream")
    }

    /// All that still comes, as text, and whether it comes to its end.
    ///
    /// # Panics
    ///
    /// If nothing comes, and no end either.
    pub async fn rest(mut self) -> (String, bool) {
        let mut bytes = std::mem::take(&mut self.unread).into_bytes();
        loop {
            let piece = tokio::time::timeout(EVENT, self.response.chunk());
            match piece.await.expect("a piece, or the end of the stream") {
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                end => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    return (text, end.is_ok());
                }
            }
        }
    }

    async fn read(&mut self) -> Option<Event> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let event = event(block);
                self.unread = rest.to_owned();
                match event {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let piece = self.response.chunk().await.expect("a whole stream")?;
            self.unread.push_str(&String::from_utf8_lossy(&piece));
        }
    }
}

/// What a block of lines says, if it is not only there to be heard.
fn event(block: &str) -> Option<Event> {
    let line = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .map(str::to_owned)
    };
    Some(Event {
        data: serde_json::from_str(&line("data: ")?).expect("JSON"),
        id: line("id: ").expect("an id"),
        name: line("event: ").expect("a name"),
    })
}
