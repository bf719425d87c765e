//! What is recorded of decisions, for whoever reads it without a host.

use async_trait::async_trait;
use countersign_core::decision::Decision;
use countersign_core::generation::GenerationRecord;
use countersign_core::ledger::Page;
use countersign_core::ports::LedgerError;

use super::{Connection, decisions, generations};

/// A connection that reads.
pub struct Reader(pub Connection);

#[async_trait]
impl crate::records::Records for Reader {
    async fn decisions(&mut self, page: &Page) -> Result<Vec<Decision>, LedgerError> {
        Ok(decisions::list(&mut self.0, page).await?)
    }

    async fn generation(&mut self, number: u64) -> Result<Option<GenerationRecord>, LedgerError> {
        Ok(generations::load(&mut self.0, number).await?)
    }

    async fn component(&mut self, digest: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        Ok(generations::component(&mut self.0, digest).await?)
    }
}
