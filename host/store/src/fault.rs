//! What can go wrong between the ledger and its database.

use std::sync::Arc;

use countersign_core::ports::LedgerError;

/// The inside of a [`LedgerError`]: what the driver says converts into it, and it stays on this side.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The driver failed.
    Driver(sqlx::Error),
    /// The driver failed all who were to be committed together.
    Together(Arc<sqlx::Error>),
    /// A row makes no sense; which one, and why.
    Corrupt(String),
    /// The permit is for another verb.
    WrongPermit(&'static str),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Driver(error)
    }
}

impl From<Fault> for LedgerError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Driver(error) => Self::Unavailable(Box::new(error)),
            Fault::Together(error) => Self::Unavailable(Box::new(error)),
            Fault::Corrupt(what) => Self::Corrupt(what),
            Fault::WrongPermit(verb) => Self::WrongPermit(verb),
        }
    }
}
