//! How many requests a minute: by address before anybody is authenticated, by credential after it.
//!
//! People and agents may share an address: a machine, an office, a proxy that nobody named as one. So an
//! address has a bucket for each kind of request, and where its bucket is empty, a session that was
//! verified before goes on out of a bucket of its own. See `docs/decisions/0013-people-agents-and-the-control-plane-share-an-edge.md`.

mod buckets;
mod lane;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use countersign_core::caller::Caller;
use countersign_core::time::Clock;

pub use self::buckets::{Buckets, Reading};
pub use self::lane::Lane;
use crate::connections::neighbourhood;
use crate::credentials::Evidence;
use crate::problem::Problem;

/// Buckets of each kind that are kept, a hundred bytes each at most: as many addresses as ask within the
/// seconds in which a bucket that was hardly used is full again.
const MOST: usize = 50_000;

/// All buckets of requests.
pub struct Rates {
    clock: Arc<dyn Clock>,
    addresses: Buckets<(Lane, IpAddr)>,
    sessions: Buckets<(Lane, IpAddr, Evidence)>,
    credentials: Buckets<(Lane, String)>,
}

impl Rates {
    /// Buckets of `limit` requests a minute; 0: no limit.
    pub fn new(limit: u32, clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            addresses: Buckets::new(limit, MOST),
            sessions: Buckets::new(limit, MOST),
            credentials: Buckets::new(limit, MOST),
        }
    }

    /// Counts a request by the address that it comes from.
    pub fn by_address(
        &self,
        lane: Option<Lane>,
        from: IpAddr,
        meter: &Meter,
    ) -> Result<(), Problem> {
        let from = neighbourhood(from);
        let now = self.clock.now();
        match lane {
            Some(lane) => meter.counted(self.addresses.take(&(lane, from), now)),
            None => {
                meter.show(self.addresses.look(&(Lane::General, from), now));
                Ok(())
            }
        }
    }

    /// Counts a request of a session that was verified before, whose address has used its bucket up.
    pub fn by_session(
        &self,
        lane: Lane,
        from: IpAddr,
        session: Evidence,
        meter: &Meter,
    ) -> Result<(), Problem> {
        // What was shown is of the bucket that this one stands in for.
        *meter.reading() = None;
        let key = (lane, neighbourhood(from), session);
        meter.counted(self.sessions.take(&key, self.clock.now()))
    }

    /// Counts a request by the credential that was verified: of a session, by the person.
    pub fn by_credential(&self, lane: Lane, caller: &Caller, meter: &Meter) -> Result<(), Problem> {
        let key = (lane, caller.credential_key());
        meter.counted(self.credentials.take(&key, self.clock.now()))
    }
}

/// The bucket that is told of in an answer: of those that counted the request, the one with the least in it.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Option<Reading>>>);

impl Meter {
    fn counted(&self, taken: Option<Result<Reading, Reading>>) -> Result<(), Problem> {
        match taken {
            None => Ok(()),
            Some(Ok(reading)) => {
                self.show(Some(reading));
                Ok(())
            }
            Some(Err(reading)) => {
                self.show(Some(reading));
                Err(exhausted(reading.next_in))
            }
        }
    }

    fn show(&self, reading: Option<Reading>) {
        let mut shown = self.reading();
        if let Some(reading) = reading
            && shown.is_none_or(|shown| reading.remaining < shown.remaining)
        {
            *shown = Some(reading);
        }
    }

    /// Writes the headers: how much the bucket holds, how much is left, and in how many seconds it is full.
    pub fn stamp(&self, headers: &mut HeaderMap) {
        if let Some(reading) = *self.reading() {
            headers.insert("x-ratelimit-limit", reading.limit.into());
            headers.insert("x-ratelimit-remaining", reading.remaining.into());
            headers.insert("x-ratelimit-reset", reading.full_in.into());
        }
    }

    fn reading(&self) -> std::sync::MutexGuard<'_, Option<Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 429, to be repeated in `next_in` seconds.
pub fn exhausted(next_in: u64) -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        format!("too many requests: repeat this in {} s", next_in.max(1)),
    )
    .with_header(header::RETRY_AFTER, HeaderValue::from(next_in.max(1)))
}
