//! What is recorded of decisions, read where no host is asked.

use async_trait::async_trait;
use countersign_core::decision::Decision;
use countersign_core::generation::GenerationRecord;
use countersign_core::ledger::Page;
use countersign_core::ports::LedgerError;

use crate::open::{Address, OpenError};
use crate::postgres::PostgresLedger;
use crate::sqlite::SqliteLedger;

/// The decisions of a ledger, and what decided. It reads on a connection that cannot write.
///
/// No permit is asked for: whoever can open the database has all of it.
#[async_trait]
pub trait Records: Send {
    /// Decisions before the one in the page, newest first.
    async fn decisions(&mut self, page: &Page) -> Result<Vec<Decision>, LedgerError>;

    /// The generation of that number.
    async fn generation(&mut self, number: u64) -> Result<Option<GenerationRecord>, LedgerError>;

    /// The bytes with this digest.
    async fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, LedgerError>;
}

/// The records of the ledger at `address`, which no host may be using if it is a file; `None` where there is
/// none, or one of another version. Changes nothing in it.
pub async fn records(address: &Address) -> Result<Option<Box<dyn Records>>, OpenError> {
    match address {
        Address::Sqlite(path) => SqliteLedger::records(path).await,
        Address::Postgres(address) => PostgresLedger::records(address).await,
    }
}
