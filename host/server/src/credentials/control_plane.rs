//! Sessions that the control plane verifies.
//!
//! The host never believes a Cookie header: it asks the control plane whose session it is, and
//! remembers the answer for moments, under a hash of the cookie.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use countersign_core::time::Clock;
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::MissedTickBehavior;

use super::known::{Evidence, KnownSessions};
use super::memberships::{Membership, Memberships};
use super::{Freshness, is_usable_name};
use crate::config::Members;
use crate::connections::neighbourhood;
use crate::rates::Buckets;

/// The control plane has so long to answer, from connecting to the last byte.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Questions to the control plane at one time. A flood of made-up cookies becomes a queue, not a flood.
const IN_FLIGHT: usize = 32;
/// Of these, so many for cookies that were never verified here: whatever strangers present, people whom
/// the host knows are asked about at once.
const FOR_STRANGERS: usize = 24;
/// Cookies a minute from one address that turn out to be nobody's. People have a few that are out of date;
/// made-up ones are not asked about any more, and what stands beside them counts alone.
const STRANGERS: u32 = 60;
/// Addresses that presented such cookies, at most.
const MOST_ADDRESSES: usize = 10_000;
/// The longest answer that is read; a real one is below 200 bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// Answers whose time is over are thrown away so often, where nobody comes who would do it.
const SWEEP_EVERY: Duration = Duration::from_secs(2 * 60);

/// Nobody knows whose session it is. Nothing is remembered of that.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unverifiable {
    /// The control plane did not say.
    #[error("the control plane could not verify the session — retry shortly")]
    Unanswered,
    /// It was not asked: too many from this address were nobody's.
    #[error("too many sessions from one address proved to be nobody's")]
    TooMany {
        /// It is asked again in so many seconds.
        next_in: u64,
    },
}

/// Verifies cookies at the control plane.
pub struct ControlPlaneSessions {
    members: Members,
    client: reqwest::Client,
    memberships: Memberships,
    known: KnownSessions,
    in_flight: Semaphore,
    for_strangers: Semaphore,
    strangers: Buckets<IpAddr>,
    clock: Arc<dyn Clock>,
}

impl ControlPlaneSessions {
    /// A verifier that asks about `members`.
    pub fn new(members: Members, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self {
            memberships: Memberships::new(&members.slug),
            members,
            client,
            known: KnownSessions::default(),
            in_flight: Semaphore::new(IN_FLIGHT),
            for_strangers: Semaphore::new(FOR_STRANGERS),
            strangers: Buckets::new(STRANGERS, MOST_ADDRESSES),
            clock,
        })
    }

    /// Throws away what is over, until told to stop.
    pub async fn sweep(&self, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            self.memberships.sweep().await;
        }
    }

    /// The member whose session `cookies`, received from `from`, is, if the control plane says so.
    /// Concurrent checks of one cookie share one question, but for those that must be fresh.
    pub async fn verify(
        &self,
        cookies: &str,
        freshness: Freshness,
        from: IpAddr,
    ) -> Result<Option<String>, Unverifiable> {
        if cookies.is_empty() {
            return Ok(None);
        }
        let key = self.memberships.key(cookies);
        let answer = match freshness {
            Freshness::Remembered => {
                let question = self.ask(cookies, from);
                self.memberships.get_or_ask(key, question).await?
            }
            // Not shared: a question that is under way may have been answered before the person left.
            Freshness::Fresh => {
                self.memberships.forget(&key).await;
                let answer = self.ask(cookies, from).await?;
                self.memberships.remember(key, answer.clone()).await;
                answer
            }
        };
        Ok(match answer {
            Membership::Member(user) => Some(user),
            Membership::Stranger => None,
        })
    }

    /// What tells the session of `cookies` from others, if it was verified here before.
    pub async fn known(&self, cookies: &str) -> Option<Evidence> {
        let key = self.memberships.key(cookies);
        self.known.has(&key).await.then_some(key)
    }

    /// Asks about a cookie. One that was never verified here costs its address a place until it was.
    async fn ask(&self, cookies: &str, from: IpAddr) -> Result<Membership, Unverifiable> {
        let key = self.memberships.key(cookies);
        let from = neighbourhood(from);
        let is_stranger = !self.known.has(&key).await;
        if is_stranger && let Some(Err(empty)) = self.strangers.take(&from, self.clock.now()) {
            let next_in = empty.next_in;
            return Err(Unverifiable::TooMany { next_in });
        }
        let answer = tokio::time::timeout(TIMEOUT, async {
            let _for_strangers = match is_stranger {
                true => Some(place(&self.for_strangers).await),
                false => None,
            };
            let _place = place(&self.in_flight).await;
            self.ask_now(cookies).await
        })
        .await
        .unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let answer = answer.map_err(|cause| {
            tracing::warn!(%cause, "the control plane could not verify a session");
            Unverifiable::Unanswered
        })?;
        match answer {
            Membership::Member(_) if is_stranger => {
                self.strangers.put_back(&from);
                self.known.remember(key).await;
            }
            Membership::Member(_) => self.known.remember(key).await,
            Membership::Stranger => self.known.forget(&key).await,
        }
        Ok(answer)
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
            .get(self.members.url.clone())
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
        let named = is_usable_name(&answer.user_id);
        match answer {
            Answer {
                member: true,
                user_id,
            } if named => Ok(Membership::Member(user_id)),
            Answer { member: true, .. } => Err("it names no usable user".to_owned()),
            Answer { member: false, .. } => Ok(Membership::Stranger),
        }
    }
}

async fn place(semaphore: &Semaphore) -> SemaphorePermit<'_> {
    let place = semaphore.acquire().await;
    place.expect("INVARIANT: the semaphore is never closed")
}
