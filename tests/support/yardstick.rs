//! What a promise of time is held against on a machine that also does other things.
//!
//! A promise is made for a machine that is idle. On one whose processors are wanted by others, each piece of
//! work waits for its turns, and how long is no property of the host. The kernel tells a thread how long it
//! waited; so a thread that only computes shows how many times longer work takes at the moment.

use std::fs;
use std::hint::black_box;
use std::time::Duration;

use tokio::task::JoinSet;

/// So much computing is enough to see how turns are given: several turns' worth.
const WORK: Duration = Duration::from_millis(30);

/// How many times longer than on an idle machine work took when this was made.
#[derive(Clone, Copy, Debug)]
pub struct Yardstick(f64);

impl Yardstick {
    /// Before what is to be measured.
    pub async fn new() -> Self {
        let mut measured = JoinSet::new();
        measured.spawn_blocking(slowdown);
        let slowdown = measured.join_next().await.expect("one");
        Self(slowdown.expect("no panic"))
    }

    /// After it: what `promise` comes to, by the busier of the two moments.
    pub async fn stretches(self, promise: Duration) -> Duration {
        let Self(after) = Self::new().await;
        promise.mul_f64(self.0.max(after))
    }
}

/// One on an idle machine.
fn slowdown() -> f64 {
    let (computed_before, waited_before) = turns();
    loop {
        black_box((0..100_000_u64).fold(0, |sum: u64, n| black_box(sum.wrapping_add(n))));
        let (computed, waited) = turns();
        let computed = computed.saturating_sub(computed_before);
        if computed >= WORK {
            let waited = waited.saturating_sub(waited_before);
            return 1.0 + waited.as_secs_f64() / computed.as_secs_f64();
        }
    }
}

/// How long this thread has computed, and waited to (proc(5), `schedstat`).
fn turns() -> (Duration, Duration) {
    let told = fs::read_to_string("/proc/thread-self/schedstat").expect("the kernel tells");
    let mut told = told.split_whitespace().map(|nanos| {
        let nanos = nanos.parse().expect("a number");
        Duration::from_nanos(nanos)
    });
    let mut next = || told.next().expect("three numbers");
    (next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_promise_is_never_shortened() {
        let yardstick = Yardstick::new().await;
        let stretched = yardstick.stretches(Duration::from_secs(1)).await;
        assert!(stretched >= Duration::from_secs(1), "{stretched:?}");
    }
}
