//! The recorded generations, as far as their seals hold: what was written into the database by somebody else
//! decides nothing.

use countersign_core::generation::{GenerationKey, GenerationRecord, Genuine, SealError};
use countersign_core::ports::{Ledger, LedgerError};

use super::Policies;

/// How many generations are looked at for one whose seal holds. Each is a look into the database.
const BACK: usize = 1_000;

/// The ledger's generations, and the key that they are sealed with.
#[derive(Clone, Copy)]
pub(super) struct Book<'b> {
    pub ledger: &'b dyn Ledger,
    pub key: &'b GenerationKey,
}

/// Why a recorded generation cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum BookError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// It is not as it was recorded.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// What of the record can decide.
pub(super) struct Standing {
    /// The newest generation whose seal holds.
    pub genuine: Option<Genuine>,
    /// The newest one that is recorded, where its seal does not.
    pub refused: Option<(u64, SealError)>,
}

impl Policies {
    /// Whether a generation is as a host recorded it, and so can be live.
    pub fn is_genuine(&self, record: &GenerationRecord) -> bool {
        self.key.genuine(record.clone()).is_ok()
    }
}

impl Book<'_> {
    /// The newest generation.
    pub async fn newest(self) -> Result<Option<Genuine>, BookError> {
        let newest = self.ledger.latest_generation().await?;
        self.genuine(newest)
    }

    /// The one under `number`.
    pub async fn numbered(self, number: u64) -> Result<Option<Genuine>, BookError> {
        let record = self.ledger.generation(number).await?;
        self.genuine(record)
    }

    /// The newest one whose seal holds, for a host that starts.
    pub async fn standing(self) -> Result<Standing, LedgerError> {
        let mut record = self.ledger.latest_generation().await?;
        let mut refused = None;
        for _ in 0..BACK {
            let Some(one) = record else { break };
            let number = one.number;
            match self.key.genuine(one) {
                Ok(genuine) => {
                    return Ok(Standing {
                        genuine: Some(genuine),
                        refused,
                    });
                }
                Err(error) => {
                    refused.get_or_insert((number, error));
                }
            }
            record = self.ledger.generation_before(number).await?;
        }
        Ok(Standing {
            genuine: None,
            refused,
        })
    }

    fn genuine(self, record: Option<GenerationRecord>) -> Result<Option<Genuine>, BookError> {
        Ok(record.map(|record| self.key.genuine(record)).transpose()?)
    }
}
