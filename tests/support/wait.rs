//! Waiting for a condition, within a bound.

use std::time::{Duration, Instant};

/// How soon a condition is looked at again, at first and at last: what comes at once is seen at once, and
/// what takes half a minute is not asked for a thousand times.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
const LOOK_AGAIN_AT_LAST: Duration = Duration::from_millis(100);

/// What `look` finds, as soon as it finds something.
///
/// # Panics
///
/// If it finds nothing within `limit`; `what` says what was awaited.
pub async fn until<T>(what: &str, limit: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + limit;
    let mut pause = LOOK_AGAIN;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "waited {limit:?} in vain: {what}");
        tokio::time::sleep(pause).await;
        pause = LOOK_AGAIN_AT_LAST.min(pause * 2);
    }
}
