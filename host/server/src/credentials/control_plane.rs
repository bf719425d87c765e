//! Sessions that the control plane verifies.
//!
//! The host never believes a Cookie header: it asks the control plane whose session it is, and
//! remembers the answer for moments, under a hash of the cookie.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::text;
use moka::Expiry;
use moka::future::Cache;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use super::Freshness;
use crate::config::ControlPlane;

/// The control plane has so long to answer, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(3);
/// A member is believed for so long after the control plane said so: as long as a removed member may
/// still be let in, but for what is verified afresh.
const MEMBER_FOR: Duration = Duration::from_secs(30);
/// A stranger is one for so long: short, because people sign in and come back.
const STRANGER_FOR: Duration = Duration::from_secs(5);
/// Remembered answers at most. Each is a hash and a name, so this is a few megabytes.
const REMEMBERED: u64 = 10_000;
/// Questions to the control plane at one time. A flood of made-up cookies becomes a queue, not a flood.
const IN_FLIGHT: usize = 32;
/// The longest answer that is read; a real one is below 200 bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The longest user id that is taken.
const MAX_USER: usize = 256;

/// What the control plane says of a cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It is the session of this user, who is a member of this tenant.
    Member(String),
    /// It is not the session of any member.
    Stranger,
}

impl Membership {
    fn remembered_for(&self) -> Duration {
        match self {
            Self::Member(_) => MEMBER_FOR,
            Self::Stranger => STRANGER_FOR,
        }
    }
}

/// The control plane did not say. Nothing is remembered of that.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the control plane could not verify the session — retry shortly")]
pub struct Unverifiable {
    /// For the log.
    pub cause: String,
}

struct ByAnswer;

impl Expiry<[u8; 32], Membership> for ByAnswer {
    fn expire_after_create(
        &self,
        _: &[u8; 32],
        answer: &Membership,
        _: Instant,
    ) -> Option<Duration> {
        Some(answer.remembered_for())
    }

    fn expire_after_update(
        &self,
        _: &[u8; 32],
        answer: &Membership,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(answer.remembered_for())
    }
}

/// Verifies cookies at the control plane.
pub struct ControlPlaneSessions {
    upstream: ControlPlane,
    client: reqwest::Client,
    remembered: Cache<[u8; 32], Membership>,
    in_flight: Semaphore,
}

impl ControlPlaneSessions {
    /// A verifier that asks `upstream`.
    pub fn new(upstream: ControlPlane) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self {
            upstream,
            client,
            remembered: Cache::builder()
                .max_capacity(REMEMBERED)
                .expire_after(ByAnswer)
                .build(),
            in_flight: Semaphore::new(IN_FLIGHT),
        })
    }

    /// The member whose session `cookies` is, if the control plane says so. Concurrent checks of one
    /// cookie share one question, but for those that must be fresh.
    pub async fn verify(
        &self,
        cookies: &str,
        freshness: Freshness,
    ) -> Result<Option<String>, Unverifiable> {
        if cookies.is_empty() {
            return Ok(None);
        }
        let key = self.key(cookies);
        let answer = match freshness {
            Freshness::Remembered => self
                .remembered
                .try_get_with(key, self.ask(cookies))
                .await
                .map_err(Arc::unwrap_or_clone)?,
            // Not shared: a question that is under way may have been answered before the person left.
            Freshness::Fresh => {
                self.remembered.invalidate(&key).await;
                let answer = self.ask(cookies).await?;
                self.remembered.insert(key, answer.clone()).await;
                answer
            }
        };
        Ok(match answer {
            Membership::Member(user) => Some(user),
            Membership::Stranger => None,
        })
    }

    fn key(&self, cookies: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(&self.upstream.slug);
        hash.update([0]);
        hash.update(cookies);
        hash.finalize().into()
    }

    async fn ask(&self, cookies: &str) -> Result<Membership, Unverifiable> {
        let answer = tokio::time::timeout(TIMEOUT, async {
            let _place = self
                .in_flight
                .acquire()
                .await
                .expect("INVARIANT: the semaphore is never closed");
            self.ask_now(cookies).await
        })
        .await
        .unwrap_or_else(|_| Err("no answer in time".to_owned()));
        answer.map_err(|cause| {
            tracing::warn!(%cause, "the control plane could not verify a session");
            Unverifiable { cause }
        })
    }

    async fn ask_now(&self, cookies: &str) -> Result<Membership, String> {
        #[derive(Deserialize)]
        struct Answer {
            member: bool,
            #[serde(default)]
            user_id: String,
        }

        let mut response = self
            .client
            .get(self.upstream.membership.clone())
            .header(reqwest::header::COOKIE, cookies)
            .header(reqwest::header::ACCEPT, "application/json")
            .send()
            .await
            .map_err(|error| crate::report(&error.without_url()))?;
        let status = response.status();
        if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
            return Err(format!("it answered {status}"));
        }
        if status != reqwest::StatusCode::OK {
            return Ok(Membership::Stranger);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| crate::report(&error.without_url()))?
        {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err("its answer is too long".to_owned());
            }
            body.extend_from_slice(&chunk);
        }
        // What it sent is not repeated: it may be anything, a page with a session in it included.
        let answer: Answer = serde_json::from_slice(&body)
            .map_err(|_| "its answer is not the JSON that was agreed".to_owned())?;
        let named =
            text::displayable(&answer.user_id, MAX_USER).is_ok_and(|user| user == answer.user_id);
        match answer {
            Answer {
                member: true,
                user_id,
            } if !user_id.is_empty() && named => Ok(Membership::Member(user_id)),
            Answer { member: true, .. } => Err("it names no usable user".to_owned()),
            Answer { member: false, .. } => Ok(Membership::Stranger),
        }
    }
}
