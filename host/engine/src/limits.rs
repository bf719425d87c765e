//! What a policy module may use up, each limit with its reason and its bounds.

use std::time::Duration;

use crate::EngineError;

/// A Wasm page.
pub(crate) const PAGE: usize = 64 * KIB;
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What one module may use up. [`Limits::default`] is meant to be left alone; whatever is changed must
/// stay within its bounds, which [`crate::Engine::new`] checks.
///
/// A limit turns an answer into a failure, which denies; it never turns one verdict into another.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long one decision may take in one module, instantiation included; 1 ms to 10 s.
    ///
    /// Our own modules take 10 µs and an interpreter in a module 100 µs, so 100 ms is not for them: it
    /// is for a host so loaded that a thread waits its turn, which must not deny what is allowed. An
    /// endless loop costs this long, once for each decision until the module is replaced.
    pub decide_time: Duration,
    /// How long all modules together may take for one judgement; 1 ms to 60 s.
    ///
    /// A judgement holds up a thread that serves requests, so a set of many slow modules must not add up
    /// to seconds. What is left of it is what the next module has.
    pub judge_time: Duration,
    /// How long `describe`, and how long `configure` may take while a module is proven; 1 ms to 60 s.
    ///
    /// No request waits for it. Interpreters start up in here, which takes them up to a second.
    pub configure_time: Duration,
    /// How often the clock behind both times ticks; 1 ms to 1 h.
    ///
    /// A deadline is noticed up to two ticks late. Each tick wakes a thread, so an idle host should not
    /// tick more often than its deadlines need.
    pub tick: Duration,
    /// Linear memory of one instance, all its memories together, in bytes; 64 KiB to 1 GiB.
    ///
    /// Our own modules use 128 KiB, JavaScript 4 MiB, Python 40 MiB.
    pub memory_bytes: usize,
    /// Elements of all tables of one instance; 1 to 1,000,000. Python needs about 10,000.
    pub table_elements: usize,
    /// The native stack that a guest may use, in bytes; 64 KiB to 1 MiB.
    ///
    /// It is part of the calling thread's stack, of which Rust and tokio give 2 MiB.
    pub stack_bytes: usize,
    /// Instances alive at one moment, which is about the number of threads that judge at one moment;
    /// 4 to 4,096. One more fails, which denies.
    ///
    /// Each reserves address space, not memory, until it is first used.
    pub instances: u32,
    /// What a guest may hand over in one call, in bytes of the host's memory; 1 KiB to 16 MiB.
    ///
    /// A verdict is under 1 KiB. Without a limit, a guest makes the host copy all its memory.
    pub answer_bytes: usize,
    /// One string that a guest hands over, in bytes; 64 to 64 KiB. It is shown to people and kept with
    /// every decision.
    pub text_bytes: usize,
    /// One list that a guest hands over; 4 to 1,024 items.
    pub list_items: usize,
    /// Notes kept of one call of one module in one decision; 0 to 1,024. Further ones are dropped.
    pub notes: usize,
    /// One note, in bytes; 16 to 64 KiB. A longer one is cut.
    pub note_bytes: usize,
    /// A module's file, in bytes; 1 KiB to 256 MiB.
    ///
    /// C and Rust modules are under 100 KiB, JavaScript 1.6 MB, Python 18 MB. Compiling takes time and
    /// memory in proportion.
    pub component_bytes: usize,
    /// A processor's time for compiling one component, where that is done in a process of its own; 1 s to
    /// 600 s. By the clock it may take twice as long.
    ///
    /// C and Rust modules take 0.1 s, and an optimised build of this host a second or two for each
    /// megabyte.
    pub compile_time: Duration,
    /// The memory that the compiler's process may have, in bytes; 64 MiB to 16 GiB.
    pub compile_bytes: usize,
    /// What the compiler may make of one component, its memory image included, in bytes; 1 MiB to 1 GiB.
    ///
    /// It is three to five times the component.
    pub code_bytes: usize,
    /// A module's settings, names and values together, in bytes; 0 to 1 MiB.
    pub settings_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decide_time: Duration::from_millis(100),
            judge_time: Duration::from_millis(250),
            configure_time: Duration::from_secs(5),
            tick: Duration::from_millis(5),
            memory_bytes: 64 * MIB,
            table_elements: 20_000,
            stack_bytes: 512 * KIB,
            instances: 256,
            answer_bytes: 256 * KIB,
            text_bytes: 2 * KIB,
            list_items: 64,
            notes: 32,
            note_bytes: KIB,
            component_bytes: 32 * MIB,
            compile_time: Duration::from_secs(60),
            compile_bytes: 1024 * MIB,
            code_bytes: 256 * MIB,
            settings_bytes: 64 * KIB,
        }
    }
}

impl Limits {
    pub(crate) fn check(&self) -> Result<(), EngineError> {
        const SECOND: u128 = 1_000;
        let bounds = [
            ("decide_time", self.decide_time.as_millis(), 1, 10 * SECOND),
            ("judge_time", self.judge_time.as_millis(), 1, 60 * SECOND),
            (
                "configure_time",
                self.configure_time.as_millis(),
                1,
                60 * SECOND,
            ),
            ("tick", self.tick.as_millis(), 1, 3_600 * SECOND),
            bound("memory_bytes", self.memory_bytes, PAGE, 1024 * MIB),
            bound("table_elements", self.table_elements, 1, 1_000_000),
            bound("stack_bytes", self.stack_bytes, 64 * KIB, MIB),
            ("instances", u128::from(self.instances), 4, 4_096),
            bound("answer_bytes", self.answer_bytes, KIB, 16 * MIB),
            bound("text_bytes", self.text_bytes, 64, 64 * KIB),
            bound("list_items", self.list_items, 4, 1_024),
            bound("notes", self.notes, 0, 1_024),
            bound("note_bytes", self.note_bytes, 16, 64 * KIB),
            bound("component_bytes", self.component_bytes, KIB, 256 * MIB),
            (
                "compile_time",
                self.compile_time.as_millis(),
                SECOND,
                600 * SECOND,
            ),
            bound("compile_bytes", self.compile_bytes, 64 * MIB, 16 << 30),
            bound("code_bytes", self.code_bytes, MIB, 1024 * MIB),
            bound("settings_bytes", self.settings_bytes, 0, MIB),
        ];
        match bounds
            .into_iter()
            .find(|(_, value, least, most)| value < least || value > most)
        {
            None => Ok(()),
            Some((limit, value, least, most)) => Err(EngineError::OutOfBounds {
                limit,
                value,
                least,
                most,
            }),
        }
    }

    /// How many ticks from now are surely no less than `time`: the first can come at once.
    pub(crate) fn ticks(&self, time: Duration) -> u64 {
        let ticks = time.as_nanos().div_ceil(self.tick.as_nanos().max(1));
        u64::try_from(ticks).unwrap_or(u64::MAX / 2) + 1
    }
}

fn bound(
    limit: &'static str,
    value: usize,
    least: usize,
    most: usize,
) -> (&'static str, u128, u128, u128) {
    (limit, value as u128, least as u128, most as u128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_limits_are_within_their_bounds() {
        assert!(Limits::default().check().is_ok());
    }

    #[test]
    fn a_limit_out_of_bounds_is_named_with_its_bounds() {
        let limits = Limits {
            memory_bytes: 1,
            ..Limits::default()
        };
        let error = limits.check().expect_err("it is below the least");
        assert_eq!(
            error.to_string(),
            "limit `memory_bytes` is 1, and must be from 65536 to 1073741824"
        );
    }

    #[test]
    fn a_deadline_in_ticks_is_never_sooner_than_the_time() {
        let limits = Limits {
            tick: Duration::from_millis(5),
            ..Limits::default()
        };
        assert_eq!(limits.ticks(Duration::from_millis(5)), 2);
        assert_eq!(limits.ticks(Duration::from_millis(6)), 3);
    }
}
