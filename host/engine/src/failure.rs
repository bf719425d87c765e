//! A module's failure, in one sentence that tells its author what happened and an attacker nothing.

use std::str::Utf8Error;

use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::limits::Limits;
use crate::text::tame;

/// Why a module has no answer, to follow "the policy could not decide: ".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: FailureKind,
    sentence: String,
}

/// What kind of failure, in words of ours alone: a failure's own sentence may quote what the module was told,
/// and is for those who may read decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// Its time was over.
    TooLong,
    /// It needs more memory than it may have.
    Memory,
    /// It trapped, or gave up.
    Trap,
    /// It answered what the contract does not allow.
    Answer,
    /// It refuses the settings that it took when it was proven.
    Settings,
    /// It was not asked.
    Unasked,
}

impl FailureKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::TooLong,
        Self::Memory,
        Self::Trap,
        Self::Answer,
        Self::Settings,
        Self::Unasked,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Memory => "memory",
            Self::Trap => "trap",
            Self::Answer => "answer",
            Self::Settings => "settings",
            Self::Unasked => "unasked",
        }
    }

    /// What happened, in a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::TooLong => TOO_LONG,
            Self::Memory => "it needs more memory than it may have",
            Self::Trap => "it trapped, or gave up",
            Self::Answer => "it answered what the contract does not allow",
            Self::Settings => "it refuses the settings that it took when it was loaded",
            Self::Unasked => "it was not asked: there was no time or no room for it",
        }
    }
}

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
    /// An answer that the contract does not allow, in the words of `sentence`, which may quote what the guest
    /// said.
    pub(crate) fn new(sentence: impl AsRef<str>) -> Self {
        Self::of(FailureKind::Answer, sentence)
    }

    /// A failure of `kind`, likewise.
    pub(crate) fn of(kind: FailureKind, sentence: impl AsRef<str>) -> Self {
        let sentence = tame(sentence.as_ref(), 512);
        Self { kind, sentence }
    }

    pub(crate) fn kind(&self) -> FailureKind {
        self.kind
    }

    /// What wasmtime reports, in words of our own. `refused_memory` says whether the guest was denied
    /// memory before it failed, which is then the likely cause.
    pub(crate) fn of_call(error: &wasmtime::Error, refused_memory: bool, limits: &Limits) -> Self {
        tracing::debug!(error = format!("{error:#}"), "a policy module failed");
        use FailureKind::{Answer, Memory, TooLong, Trap as Trapped, Unasked};
        let (kind, sentence) = match error.downcast_ref::<Trap>() {
            Some(Trap::Interrupt) => (TooLong, TOO_LONG.to_owned()),
            Some(Trap::StackOverflow) => (Trapped, "its calls are nested too deeply".to_owned()),
            _ if refused_memory => {
                let most = limits.memory_bytes;
                (Memory, format!("it needs more memory than {most} bytes"))
            }
            Some(Trap::UnreachableCodeReached) => (Trapped, "it gave up (unreachable)".to_owned()),
            Some(trap) => {
                let trap = trap.to_string();
                let trap = trap.trim_start_matches("wasm trap: ");
                (Trapped, format!("it trapped: {trap}"))
            }
            None if error.is::<PoolConcurrencyLimitError>() => (Unasked, TOO_MANY.to_owned()),
            None if error.is::<Utf8Error>() => {
                (Answer, "it answered text that is not UTF-8".to_owned())
            }
            None if error.is::<Forbidden>() => (Answer, Forbidden.to_string()),
            // wasmtime has no type for this error; a test holds its words.
            None if error.root_cause().to_string().contains("hostcalls") => {
                let most = limits.answer_bytes;
                let sentence = format!("it handed over more than {most} bytes in one call");
                (Answer, sentence)
            }
            None => {
                let sentence = "it answered what the contract does not allow";
                (Answer, sentence.to_owned())
            }
        };
        Self::of(kind, sentence)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl From<Failure> for String {
    fn from(failure: Failure) -> Self {
        failure.sentence
    }
}

/// A call of `log` while being configured.
#[derive(Debug, thiserror::Error)]
#[error("it wrote to the log while being configured")]
pub(crate) struct Forbidden;
