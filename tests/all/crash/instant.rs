//! When a process is killed, and on which side of a transaction that falls.

use std::fs;
use std::time::Duration;

use countersign_tests::Database;
use rustix::process::{Pid, Signal, kill_process};

/// The longest that a burst of deeds takes, before anything is known of it.
const FIRST_REACH: Duration = Duration::from_millis(60);
/// It is learnt within these bounds.
const LEAST_REACH: Duration = Duration::from_millis(3);
const MOST_REACH: Duration = Duration::from_millis(600);
/// The byte of `-shm` that whoever writes in WAL mode holds a lock on (SQLite, `WAL_WRITE_LOCK`).
const WRITE_LOCK: &str = "120 120";

/// Random instants within a burst, whose length is learnt: about half of the kills should find it over.
pub struct Instants {
    random: fastrand::Rng,
    reach: Duration,
}

impl Instants {
    /// From the seed in `COUNTERSIGN_SEED`, else from one that is always the same.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how a run is told the seed of another"
    )]
    pub fn seeded() -> Self {
        let seed = match std::env::var("COUNTERSIGN_SEED") {
            Ok(seed) => seed.parse().expect("COUNTERSIGN_SEED is a number"),
            Err(_) => 20_260_101,
        };
        Self {
            random: fastrand::Rng::with_seed(seed),
            reach: FIRST_REACH,
        }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.random.get_seed()
    }

    /// How long after the beginning of the burst the next kill is.
    pub fn next(&mut self) -> Duration {
        self.reach.mul_f64(self.random.f64())
    }

    /// Whether the burst was over when the kill came.
    pub fn learn(&mut self, was_over: bool) {
        let factor = if was_over { 0.8 } else { 1.15 };
        self.reach = self.reach.mul_f64(factor).clamp(LEAST_REACH, MOST_REACH);
    }
}

/// Stops a process where it is, and waits until it stands.
pub fn stop(process: u32) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    kill_process(pid.expect("a process id"), Signal::STOP).expect("it can be signalled");
    loop {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("it is there");
        // The state follows the name, which is in parentheses.
        let (_, state) = stat.rsplit_once(") ").expect("a state");
        if state.starts_with('T') {
            return;
        }
        std::thread::yield_now();
    }
}

/// Whether the process, which stands, is between the begin and the commit of a writing transaction.
pub fn is_writing(process: u32, database: &Database) -> bool {
    match database {
        Database::Sqlite => {
            let locks = fs::read_to_string("/proc/locks").expect("the kernel tells its locks");
            locks.lines().any(|lock| {
                let fields: Vec<_> = lock.split_whitespace().collect();
                let owner = fields.get(4).and_then(|pid| pid.parse().ok());
                owner == Some(process) && lock.contains("WRITE") && lock.ends_with(WRITE_LOCK)
            })
        }
        Database::Postgres { .. } => {
            let locked = database.ask(
                "SELECT COUNT(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
                 WHERE datname = current_database() AND locktype = 'advisory' AND granted",
            );
            locked != "0"
        }
    }
}
