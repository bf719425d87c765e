//! A module's failure, in one sentence that tells its author what happened and an attacker nothing.

use std::str::Utf8Error;

use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::limits::Limits;
use crate::text::tame;

/// Why a module has no answer, to follow "the policy could not decide: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

/// It had more to do than time for it.
const TOO_LONG: &str = "it ran for longer than it may";
/// More decisions at one moment than instances.
const TOO_MANY: &str = "too many policies are running at this moment";
/// Who asks has kept the policies busy.
pub(crate) const TOO_BUSY: &str =
    "its answers to this caller took so long that it is not asked for some seconds";

/// Whether a failure says more about the host at that moment than about the module: under less load it could
/// have answered. What is recorded is a sentence, so sentences are what is compared.
pub fn depends_on_the_moment(failure: &str) -> bool {
    [TOO_LONG, TOO_MANY, TOO_BUSY].contains(&failure)
}

/// Whether a failure says nothing of the module at all, because it was not asked.
pub fn was_not_asked(failure: &str) -> bool {
    [TOO_MANY, TOO_BUSY].contains(&failure)
}

impl Failure {
    /// A failure in the words of `sentence`, which may quote what the guest said.
    pub(crate) fn new(sentence: impl AsRef<str>) -> Self {
        Self(tame(sentence.as_ref(), 512))
    }

    /// What wasmtime reports, in words of our own. `refused_memory` says whether the guest was denied
    /// memory before it failed, which is then the likely cause.
    pub(crate) fn of_call(error: &wasmtime::Error, refused_memory: bool, limits: &Limits) -> Self {
        tracing::debug!(error = format!("{error:#}"), "a policy module failed");
        let sentence = match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => TOO_LONG.to_owned(),
            Some(Trap::StackOverflow) => "its calls are nested too deeply".to_owned(),
            _ if refused_memory => {
                format!("it needs more memory than {} bytes", limits.memory_bytes)
            }
            Some(Trap::UnreachableCodeReached) => "it gave up (unreachable)".to_owned(),
            Some(trap) => {
                let trap = trap.to_string();
                format!("it trapped: {}", trap.trim_start_matches("wasm trap: "))
            }
            None if error.is::<PoolConcurrencyLimitError>() => TOO_MANY.to_owned(),
            None if error.is::<Utf8Error>() => "it answered text that is not UTF-8".to_owned(),
            None if error.is::<Forbidden>() => Forbidden.to_string(),
            // wasmtime has no type for this error; a test holds its words.
            None if error.root_cause().to_string().contains("hostcalls") => format!(
                "it handed over more than {} bytes in one call",
                limits.answer_bytes
            ),
            None => "it answered what the contract does not allow".to_owned(),
        };
        Self::new(sentence)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// A call of `log` while being configured.
#[derive(Debug, thiserror::Error)]
#[error("it wrote to the log while being configured")]
pub(crate) struct Forbidden;
