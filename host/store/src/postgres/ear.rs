//! What hears the announcements of all hosts that share the database.

use std::time::Duration;

use countersign_core::ledger::Change;
use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::Mutex;

/// What `ANNOUNCEMENT` notifies.
const CHANNEL: &str = "countersign";

/// What `ANNOUNCEMENT_OF_TOKENS` says.
const TOKENS: &str = "tokens";

/// How soon a connection that cannot be had is tried again. Whoever waits looks as often by itself.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// A connection that listens. It is a hint and no more: nothing hangs on it but how soon others hear.
#[derive(Debug)]
pub(super) struct Ear {
    /// One connection, kept for as long as it lasts.
    pool: PgPool,
    listener: Mutex<Option<PgListener>>,
}

impl Ear {
    pub(super) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            listener: Mutex::default(),
        }
    }

    /// Waits for an announcement, or for a connection: while there was none, some may have been missed.
    pub(super) async fn hear(&self) -> Change {
        let mut listener = self.listener.lock().await;
        loop {
            let heard = match listener.as_mut() {
                Some(listener) => listener.try_recv().await.map(|heard| match heard {
                    Some(heard) if heard.payload() != TOKENS => Change::Awaited,
                    _ => Change::Tokens,
                }),
                None => self.listen().await.map(|begun| {
                    *listener = Some(begun);
                    Change::Tokens
                }),
            };
            if let Ok(change) = heard {
                return change;
            }
            *listener = None;
            tokio::time::sleep(LISTEN_AGAIN).await;
        }
    }

    async fn listen(&self) -> Result<PgListener, sqlx::Error> {
        let mut listener = PgListener::connect_with(&self.pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(listener)
    }

    pub(super) async fn close(&self) {
        // Whoever hears at the moment lets go when the pool closes.
        if let Ok(mut listener) = self.listener.try_lock() {
            *listener = None;
        }
        self.pool.close().await;
    }
}
