//! An issuer's JWKS: fetched or read, kept, and looked at again.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jsonwebtoken::Algorithm;
use reqwest::Url;
use tokio::io::AsyncReadExt as _;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::keys::{Key, KeySet, KeysError};
use crate::config::KeySource;

/// A fetch has so long, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest JWKS that is taken. Real ones are below 20 KiB, certificates and all.
const MAX_JWKS: usize = 256 * 1024;
/// A URL is fetched again so often: as long as a key that was withdrawn may still be believed.
const FETCH_EVERY: Duration = Duration::from_secs(5 * 60);
/// A fetch that failed is tried again so soon, and one for the sake of an unknown key is made so often at
/// most: whoever makes keys up does not have the host ask for each.
const FETCH_AGAIN: Duration = Duration::from_secs(30);
/// A file is looked at so often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Keys are believed for so long after they were last seen where they are published. An issuer that
/// cannot be reached for a moment locks nobody out, and one that is kept from withdrawing a key is not
/// believed for ever.
const BELIEVED_FOR: Duration = Duration::from_secs(60 * 60);
/// Whoever presents an unknown key waits for so long to see whether it is a new one.
const PATIENCE: Duration = Duration::from_secs(4);

/// Why there is no JWKS.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// A client cannot be made.
    #[error("cannot make a client for the JWKS")]
    Client(#[source] reqwest::Error),
    /// The URL does not answer, or not with a JWKS.
    #[error("cannot fetch the JWKS: {0}")]
    Fetch(String),
    /// The file cannot be read.
    #[error("cannot read the JWKS file")]
    File(#[source] std::io::Error),
    /// What is there is no JWKS.
    #[error("cannot use the JWKS")]
    Keys(#[source] KeysError),
}

/// What tells a file from what it was.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    inode: u64,
    changed_at: Option<SystemTime>,
    length: u64,
}

enum Source {
    Url(Url, reqwest::Client),
    File(PathBuf),
}

struct Held {
    keys: Arc<KeySet>,
    until: Instant,
    mark: Option<Mark>,
}

/// The keys, as they were last seen.
pub(super) struct Jwks {
    source: Source,
    /// Sent with each look, whatever it saw.
    held: watch::Sender<Held>,
    wanted: Notify,
}

impl Jwks {
    pub(super) async fn start(source: KeySource) -> Result<Self, JwksError> {
        let source = match source {
            KeySource::Url(url) => Source::Url(url, client().map_err(JwksError::Client)?),
            KeySource::File(path) => Source::File(path),
        };
        let jwks = Self {
            source,
            held: watch::Sender::new(Held {
                keys: Arc::default(),
                until: Instant::now(),
                mark: None,
            }),
            wanted: Notify::new(),
        };
        if let Source::File(path) = &jwks.source {
            jwks.read(path).await?;
        }
        Ok(jwks)
    }

    /// The key `id` for `algorithm`. One that is not known may be a new one: it is looked for where keys
    /// are published, once for all who ask meanwhile.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Key> {
        let mut looks = self.held.subscribe();
        if let Some(key) = self.known(id, algorithm) {
            return Some(key);
        }
        self.wanted.notify_one();
        // Whether it was in time or not, what is known is what counts.
        let _ = timeout(PATIENCE, looks.changed()).await;
        self.known(id, algorithm)
    }

    fn known(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Key> {
        let held = self.held.borrow();
        if held.until <= Instant::now() {
            return None;
        }
        held.keys.find(id, algorithm).cloned()
    }

    /// Looks at the published keys now and then, and when somebody wants one that is not known.
    pub(super) async fn follow(&self, mut stop: watch::Receiver<bool>) {
        let mut next = Instant::now();
        let mut asked_at: Option<Instant> = None;
        let mut said = String::new();
        loop {
            let is_wanted = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.wanted.notified() => true,
                () = sleep_until(next) => false,
            };
            if is_wanted {
                if asked_at.is_some_and(|at| at.elapsed() < self.pause()) {
                    self.held.send_modify(|_| {});
                    continue;
                }
                asked_at = Some(Instant::now());
            }
            let looked = match &self.source {
                Source::Url(url, client) => self.fetch(url, client).await,
                Source::File(path) => self.read(path).await,
            };
            next = Instant::now()
                + match &looked {
                    Ok(()) => self.every(),
                    Err(_) => self.pause(),
                };
            let outcome = looked.map_or_else(|error| crate::report(&error), |()| String::new());
            if !outcome.is_empty() && outcome != said {
                tracing::warn!(
                    cause = outcome,
                    "the keys of the identity assertions cannot be had: those that are known count for an hour at most"
                );
            }
            said = outcome;
            // Whoever asked while it was looked has been answered by it.
            tokio::select! {
                biased;
                () = self.wanted.notified() => {}
                () = std::future::ready(()) => {}
            }
            self.held.send_modify(|_| {});
        }
    }

    fn every(&self) -> Duration {
        match self.source {
            Source::Url(..) => FETCH_EVERY,
            Source::File(_) => LOOK_EVERY,
        }
    }

    fn pause(&self) -> Duration {
        match self.source {
            Source::Url(..) => FETCH_AGAIN,
            Source::File(_) => LOOK_EVERY,
        }
    }

    async fn fetch(&self, url: &Url, client: &reqwest::Client) -> Result<(), JwksError> {
        let json = fetched(url, client).await.map_err(JwksError::Fetch)?;
        self.hold(&json, None)
    }

    async fn read(&self, path: &Path) -> Result<(), JwksError> {
        let metadata = tokio::fs::metadata(path).await.map_err(JwksError::File)?;
        let mark = Mark {
            inode: metadata.ino(),
            changed_at: metadata.modified().ok(),
            length: metadata.len(),
        };
        if self.held.borrow().mark == Some(mark) {
            self.held
                .send_modify(|held| held.until = Instant::now() + BELIEVED_FOR);
            return Ok(());
        }
        let file = tokio::fs::File::open(path).await.map_err(JwksError::File)?;
        let mut json = Vec::new();
        // One byte more than can be taken shows that there is more.
        let bound = MAX_JWKS as u64 + 1;
        let read = file.take(bound).read_to_end(&mut json).await;
        read.map_err(JwksError::File)?;
        if json.len() > MAX_JWKS {
            return Err(JwksError::Fetch("it is too long".to_owned()));
        }
        self.hold(&json, Some(mark))
    }

    fn hold(&self, json: &[u8], mark: Option<Mark>) -> Result<(), JwksError> {
        let keys = KeySet::parse(json).map_err(JwksError::Keys)?;
        let known = Arc::clone(&self.held.borrow().keys);
        if keys.ignored() != known.ignored() || keys.len() != known.len() {
            tracing::info!(
                usable = keys.len(),
                ignored = ?keys.ignored(),
                "the keys of the identity assertions were read"
            );
        }
        self.held.send_modify(|held| {
            *held = Held {
                keys: Arc::new(keys),
                until: Instant::now() + BELIEVED_FOR,
                mark,
            };
        });
        Ok(())
    }
}

fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        .build()
}

async fn fetched(url: &Url, client: &reqwest::Client) -> Result<Vec<u8>, String> {
    let said = |error: reqwest::Error| crate::report(&error.without_url());
    let mut response = client
        .get(url.clone())
        .header(reqwest::header::ACCEPT, "application/json")
        .send()
        .await
        .map_err(said)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(format!("it answered {}", response.status()));
    }
    let mut json = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(said)? {
        if json.len() + chunk.len() > MAX_JWKS {
            return Err("it is too long".to_owned());
        }
        json.extend_from_slice(&chunk);
    }
    Ok(json)
}
