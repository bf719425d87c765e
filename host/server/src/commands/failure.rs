//! Why a command was not done, and how scripts can tell.

/// How a command ends. The numbers are a promise to scripts: `countersign --help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// The host refused, or something failed.
    Failed = 1,
    /// The command makes no sense.
    Usage = 2,
    /// It waits for a person.
    Pending = 3,
    /// A policy or a person said no.
    Denied = 4,
    /// There is no valid credential.
    NotSignedIn = 5,
    /// The host cannot be reached, or cannot work.
    Unreachable = 6,
    /// The approval has ended without a yes or a no.
    Ended = 7,
}

/// A command that was not done.
#[derive(Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct Failure {
    /// How it ends.
    pub exit: Exit,
    /// What happened and what to do next, fit for a terminal; empty where all is said.
    pub sentence: String,
}

impl Failure {
    /// It ends so, for this reason.
    pub fn new(exit: Exit, sentence: impl Into<String>) -> Self {
        Self {
            exit,
            sentence: sentence.into(),
        }
    }

    /// Something failed.
    pub fn failed(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Failed, sentence)
    }

    /// The command makes no sense.
    pub fn usage(sentence: impl Into<String>) -> Self {
        Self::new(Exit::Usage, sentence)
    }

    /// All is said already.
    pub fn said(exit: Exit) -> Self {
        Self::new(exit, "")
    }
}
