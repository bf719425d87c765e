//! Which generation was live at this host last, kept in the data folder: so a database from which generations
//! were taken away shows, in which each seal that is left holds.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::generation::Seal;

use super::book::Book;
use crate::data_dir::DataDir;
use crate::report;

const FILE: &str = "policy-generation.seen";

/// The mark of the generation that was live last.
#[derive(Debug)]
pub(super) struct GenerationMark(Arc<DataDir>);

impl GenerationMark {
    /// The mark in this data folder.
    pub fn new(data: Arc<DataDir>) -> Self {
        Self(data)
    }

    /// Refuses a ledger that has lost what was live here, or has another generation in its place.
    pub async fn check(&self, book: Book<'_>) -> anyhow::Result<()> {
        let Some((number, seal)) = self.last()? else {
            return Ok(());
        };
        let what = match book.ledger.generation(number).await? {
            // Whether it holds is looked at wherever it is to decide.
            Some(record) if record.seal.as_ref().is_none_or(|found| *found == seal) => {
                return Ok(());
            }
            Some(record) => match book.key.genuine(record) {
                Ok(_) => "has another in its place",
                Err(_) => return Ok(()),
            },
            None => "has lost it",
        };
        anyhow::bail!(
            "generation {number} of the policies was live at this host, and the database {what}: somebody took generations away, or it is an older copy; put the newest copy there, or, if you put the older one there yourself, delete `{FILE}` in the data folder, and start again"
        )
    }

    /// Notes that the generation with this seal is live here.
    pub fn keep(&self, number: u64, seal: &Seal) {
        let text = format!("{number} {}\n", seal.as_str());
        // Without it the next start knows of one before this.
        if let Err(error) = self.0.write_private(FILE, text.as_bytes()) {
            tracing::warn!(error = %report(&error), "which policies are live cannot be noted");
        }
    }

    fn last(&self) -> anyhow::Result<Option<(u64, Seal)>> {
        let Some(bytes) = self.0.read(FILE)? else {
            return Ok(None);
        };
        let read = || {
            let text = std::str::from_utf8(&bytes).ok()?;
            let (number, seal) = text.trim_end().split_once(' ')?;
            Some((number.parse().ok()?, Seal::from_text(seal.to_owned())))
        };
        let last = read().with_context(|| {
            let path = self.0.file(FILE);
            format!(
                "`{}` is damaged: restore it, or delete it if the database is whole",
                path.display()
            )
        })?;
        Ok(Some(last))
    }
}
