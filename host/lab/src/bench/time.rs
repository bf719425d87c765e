//! Time as a thread has it: what others do on the machine disturbs it little.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How long this thread has had a processor, the kernel's share included; where the system does not say, how
/// long it has run.
pub(super) fn of_this_thread() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let elapsed = START.elapsed();
    // The kernel adds up when it switches threads, so let it.
    std::thread::sleep(Duration::from_nanos(1));
    let on_processor = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|line| line.split_whitespace().next()?.parse().ok());
    on_processor.map_or(elapsed, Duration::from_nanos)
}

/// What one of `calls` calls takes, in nanoseconds.
pub(super) fn each(calls: u32, mut call: impl FnMut()) -> f64 {
    let began = of_this_thread();
    for _ in 0..calls {
        call();
    }
    (of_this_thread() - began).as_nanos() as f64 / f64::from(calls.max(1))
}
