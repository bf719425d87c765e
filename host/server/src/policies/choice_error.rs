//! Why what a person chooses cannot be made ready.

use countersign_core::generation::{Mode, Pin, SealError};
use countersign_core::ports::LedgerError;

use super::book::BookError;
use super::review::ReviewError;

/// Why a choice cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// No generation was recorded under this number.
    #[error("no generation {0} was recorded: GET /policies/generations lists them")]
    NoGeneration(u64),
    /// It is what decides now.
    #[error("generation {0} has the modules and settings that decide now")]
    NoChange(u64),
    /// It is in neither mode.
    #[error(
        "no policy `{0}` is live: name the digest or version that is meant, of GET /policies/{0}/versions"
    )]
    NotLive(String),
    /// It is in both modes.
    #[error(
        "`{0}` decides, and another version of it is in shadow: name the digest or version that is meant"
    )]
    Both(String),
    /// A set names it twice.
    #[error("names `{name}` more than once in the mode `{mode}`")]
    Twice {
        /// The policy.
        name: String,
        /// In which mode.
        mode: Mode,
    },
    /// No such version is kept.
    #[error("no version `{which}` of `{name}` is kept: GET /policies/{name}/versions lists them")]
    NoVersion {
        /// The policy.
        name: String,
        /// What was asked for.
        which: String,
    },
    /// Several components have this version.
    #[error("`{name}` is kept under the version `{which}` more than once: name the digest")]
    Ambiguous {
        /// The policy.
        name: String,
        /// What was asked for.
        which: String,
    },
    /// It stays as it is.
    #[error(
        "`{name}` is pinned at {version} by {} since generation {}: let go of it first, with `countersign policy unpin {name}` (DELETE /policies/{name}/pin)", pin.by, pin.since
    )]
    Pinned {
        /// The policy.
        name: String,
        /// Its version.
        version: String,
        /// By whom, and since when.
        pin: Pin,
    },
    /// It is not pinned.
    #[error("`{0}` is not pinned: GET /policies says what is")]
    NotPinned(String),
    /// It decides nothing.
    #[error(
        "`{0}` is in shadow, and only what decides is pinned: name the version that is to decide, or have it decide first (PUT /policies/{0}/mode)"
    )]
    InShadow(String),
    /// What is recorded is not as a host recorded it.
    #[error(transparent)]
    Unsealed(#[from] SealError),
    /// It does not work, or not together.
    #[error("{0}")]
    Refused(String),
    /// Nothing is known of what it would change.
    #[error(transparent)]
    Unreviewed(#[from] ReviewError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl From<BookError> for ChoiceError {
    fn from(error: BookError) -> Self {
        match error {
            BookError::Ledger(error) => Self::Ledger(error),
            BookError::Seal(error) => Self::Unsealed(error),
        }
    }
}
