//! How the benchmarks measure: by the time that the calling thread is given by a processor, the kernel's
//! share included, so that others on the machine disturb it little.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// How long one call takes, on average over `calls`.
pub fn nanoseconds(calls: u32, mut call: impl FnMut() -> bool) -> f64 {
    let start = thread_time();
    for _ in 0..calls {
        assert!(black_box(call()));
    }
    (thread_time() - start).as_nanos() as f64 / f64::from(calls)
}

/// How long this thread has had a processor; where the system does not say, how long it has run.
pub fn thread_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let elapsed = START.elapsed();
    // The kernel adds up when it switches threads, so let it.
    std::thread::sleep(Duration::from_nanos(1));
    let on_processor = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|line| line.split_whitespace().next()?.parse().ok());
    on_processor.map_or(elapsed, Duration::from_nanos)
}

/// The medians of many batches of each, after some that warm up. The batches take turns, so that what
/// slows the machine for a while slows them all.
pub fn medians<'a, const N: usize>(mut batches: [Box<dyn FnMut() -> f64 + 'a>; N]) -> [f64; N] {
    const ROUNDS: usize = 101;
    let mut rounds: Vec<[f64; N]> = Vec::new();
    for _ in 0..ROUNDS + ROUNDS / 10 {
        rounds.push(batches.each_mut().map(|batch| batch()));
    }
    rounds.drain(..ROUNDS / 10);
    std::array::from_fn(|at| {
        let mut times: Vec<f64> = rounds.iter().map(|round| round[at]).collect();
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}

/// Calls per second of `threads` together, each given a processor of its own: the best of some rounds.
pub fn throughput(threads: u32, calls: u32, call: &(impl Fn() -> bool + Sync)) -> f64 {
    let rate = || 1e9 / nanoseconds(calls, call);
    let round = || {
        std::thread::scope(|scope| {
            let rates: Vec<_> = (0..threads).map(|_| scope.spawn(rate)).collect();
            let rates = rates.into_iter().map(|rate| rate.join().unwrap_or(0.0));
            rates.sum::<f64>()
        })
    };
    (0..7).map(|_| round()).fold(0.0, f64::max)
}
