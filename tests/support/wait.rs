//! Waiting for a condition, within a bound.

use std::pin::pin;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use crate::Yardstick;

/// How soon a condition is looked at again, at first and at last: what comes at once is seen at once, and
/// what takes half a minute is not asked for a thousand times.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const LOOK_AGAIN_AT_LAST: Duration = Duration::from_millis(100);

/// What `look` finds, as soon as it finds something. The limit is that of an idle machine.
///
/// # Panics
///
/// If it finds nothing within `limit`; `what` says what was awaited.
pub async fn until<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    let looking = async {
        let mut pause = LOOK_AGAIN;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(pause).await;
            pause = LOOK_AGAIN_AT_LAST.min(pause * 2);
        }
    };
    let found = within(limit, looking).await;
    found.unwrap_or_else(|| panic!("waited {:?} in vain: {what}", begun.elapsed()))
}

/// What comes of `work` within `limit`, or on a machine that is busy within what that stretches to.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    if let Ok(done) = timeout(limit, &mut work).await {
        return Some(done);
    }
    let stretched = Yardstick::new().await.stretches(limit).await;
    timeout(stretched.saturating_sub(limit), work).await.ok()
}
