//! Whether the host can work.

use std::time::{Duration, Instant};

use countersign_core::ports::Ledger;
use countersign_core::time::Timestamp;
use tokio::sync::Mutex;

/// One look stands for so long: it costs a write, and anybody may ask.
const STANDS: Duration = Duration::from_secs(1);

/// The last look at whether the ledger can be written. To read it is not enough: what cannot be recorded
/// is not done.
#[derive(Default)]
pub struct Readiness(Mutex<Option<(Instant, bool)>>);

impl Readiness {
    /// Whether the ledger can be written. Whoever asks during a look waits for its answer.
    pub async fn look(&self, ledger: &dyn Ledger, now: Timestamp) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, is_ready)) = *last
            && at.elapsed() < STANDS
        {
            return is_ready;
        }
        let marked = ledger.mark(now).await;
        if let Err(error) = &marked {
            tracing::error!(error = %crate::report(error), "the host is not ready");
        }
        *last = Some((Instant::now(), marked.is_ok()));
        marked.is_ok()
    }
}
