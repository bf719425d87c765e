//! What a change of policies would change, looked for before it is made.

use std::sync::Arc;

use countersign_core::generation::GenerationChange;
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::review::{Review, Reviewed};
use countersign_engine::PolicySet;
use countersign_lab::review::review;
use countersign_lab::verify::Progress;
use tokio::sync::{Semaphore, oneshot};

use super::modules::Modules;

/// So many decisions, the latest, are asked again.
const RECORDED: u32 = 10_000;

/// How much it gives way to what serves callers, in the kernel's steps of niceness.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// Looks for what changes of policies would change, one at a time: each takes all processors for seconds.
#[derive(Debug)]
pub(super) struct Reviewer(Semaphore);

/// Why there is no review.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// It broke down; nothing is known of the change, so that it is not made.
    #[error("comparing the decisions broke down: nothing is changed; the log says more")]
    BrokeDown,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Stops the search when nobody waits for it any more.
struct Watched(Arc<Progress>);

impl Drop for Watched {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Default for Reviewer {
    fn default() -> Self {
        Self(Semaphore::new(1))
    }
}

impl Reviewer {
    /// `change` with what is known of it: from `live`, which is recorded, to `candidate`, both proven. What
    /// people are asked already is asked again as it is.
    pub async fn review(
        &self,
        ledger: &dyn Ledger,
        (live, before): (&Modules, PolicySet),
        (change, candidate): (GenerationChange, PolicySet),
    ) -> Result<Reviewed, ReviewError> {
        if live.decide_as(&change.modules) {
            let review = Review::default();
            return Ok(Reviewed { change, review });
        }
        let _one_at_a_time = self.0.acquire().await;
        if let Some(review) = ledger.open_review(&change).await? {
            return Ok(Reviewed { change, review });
        }
        let asked = ledger.asked_lately(RECORDED).await?;
        let watched = Watched(Arc::default());
        let progress = Arc::clone(&watched.0);
        let (done, result) = oneshot::channel();
        let look = move || {
            give_way();
            let found = review(&before, &candidate, &asked, &progress);
            // Whoever waited may have gone.
            let _ = done.send(found);
        };
        // A thread of its own: one of the pool would keep its low priority.
        let thread = std::thread::Builder::new().name("policy-review".to_owned());
        thread.spawn(look).map_err(|_| ReviewError::BrokeDown)?;
        let review = result.await.map_err(|_| ReviewError::BrokeDown)?;
        tracing::info!(
            summary = %change.summary,
            rows = review.looked.rows,
            searched = review.looked.searched,
            recorded = review.looked.recorded,
            loosens = review.loosens.len(),
            tightens = review.tightens.len(),
            broken = review.broken.len(),
            "the decisions of a change of policies are compared"
        );
        Ok(Reviewed { change, review })
    }
}

/// Callers come first.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICE);
}
