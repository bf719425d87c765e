//! How much a verdict lets through, as the host reads it.

use countersign_core::policy::Verdict;

/// What becomes of a request on which this module alone has something to say. An abstention leaves it to
/// the others, as an allowance does; a failure denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// This module stops nothing.
    Passes,
    /// People are asked.
    Waits,
    /// It is refused.
    Refused,
}

impl Rank {
    /// That of an answer.
    pub fn of(verdict: &Result<Verdict, String>) -> Self {
        match verdict {
            Ok(Verdict::Abstain | Verdict::Allow(_)) => Self::Passes,
            Ok(Verdict::Gate(_)) => Self::Waits,
            Ok(Verdict::Deny(_)) | Err(_) => Self::Refused,
        }
    }
}
