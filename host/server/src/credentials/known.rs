//! Sessions that were verified before. It proves nothing any more, but who made it up does not have it: such
//! a session is worth verifying again, however much others at its address ask.

use std::time::Duration;

use moka::future::Cache;

/// What tells one session from another: a hash of what its browser presents.
pub type Evidence = [u8; 32];

/// A session is known for so long after it was last verified: as long as one of the host's own lasts.
const KNOWN_FOR: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions that are known, at most.
const MOST: u64 = 10_000;

/// The sessions that are known.
pub struct KnownSessions(Cache<Evidence, ()>);

impl Default for KnownSessions {
    fn default() -> Self {
        Self(
            Cache::builder()
                .max_capacity(MOST)
                .time_to_live(KNOWN_FOR)
                .build(),
        )
    }
}

impl KnownSessions {
    /// Whether a session is known.
    pub async fn has(&self, session: &Evidence) -> bool {
        self.0.get(session).await.is_some()
    }

    /// It was verified.
    pub async fn remember(&self, session: Evidence) {
        self.0.insert(session, ()).await;
    }

    /// It is nobody's any more.
    pub async fn forget(&self, session: &Evidence) {
        self.0.invalidate(session).await;
    }
}
