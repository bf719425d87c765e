//! Decisions in a database, and what decided, which it keeps.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use countersign_core::decision::Decision;
use countersign_core::ledger::Page;
use countersign_core::verdict::ModuleId;
use countersign_engine::Settings;
use countersign_lab::replay::{Kept, KeptModule, Record};
use countersign_store::{Address, Records};
use tokio::runtime::Runtime;

use crate::config::{Config, Flags};
use crate::data_dir::{DataDir, DataDirError};

/// The most that the store hands out at once.
const PAGE: u32 = 500;

/// A database, opened to be read.
pub struct Database {
    runtime: Runtime,
    records: Mutex<Box<dyn Records>>,
    /// No host starts on a file while it is read.
    _folder: Option<DataDir>,
}

impl Database {
    pub fn open(flags: Flags) -> anyhow::Result<Self> {
        let config = Config::load(flags)?;
        let folder = match &config.database {
            Address::Postgres(_) => None,
            Address::Sqlite(path) => {
                anyhow::ensure!(
                    path.exists(),
                    "there is no database `{}`: name the host's --data-dir or --database-url, or an export",
                    path.display()
                );
                Some(alone(&config)?)
            }
        };
        // A TLS connection to a server needs it, and another part of the program may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start")?;
        let records = runtime.block_on(countersign_store::records(&config.database))?;
        let records = records.with_context(|| {
            format!(
                "the database `{}` is not of this version: the next start of the host brings it there",
                config.database
            )
        })?;
        Ok(Self {
            runtime,
            records: Mutex::new(records),
            _folder: folder,
        })
    }

    /// Every decision, the newest first, read page by page.
    pub fn decisions(&self) -> impl Iterator<Item = anyhow::Result<Record>> {
        let mut page = Some(Page {
            after: None,
            limit: PAGE,
        });
        let mut read: VecDeque<Decision> = VecDeque::new();
        std::iter::from_fn(move || {
            if read.is_empty() {
                let asked = page.take()?;
                match self.page(&asked) {
                    Ok(decisions) => read = decisions.into(),
                    Err(error) => return Some(Err(error)),
                }
                page = read.back().map(|last| Page {
                    after: Some(last.id.to_string()),
                    limit: PAGE,
                });
            }
            read.pop_front().map(|decision| Ok(Record::from(decision)))
        })
    }

    fn page(&self, page: &Page) -> anyhow::Result<Vec<Decision>> {
        let mut records = self.records();
        Ok(self.runtime.block_on(records.decisions(page))?)
    }

    fn records(&self) -> MutexGuard<'_, Box<dyn Records>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn modules(&self, number: u64) -> anyhow::Result<Vec<KeptModule>> {
        let mut records = self.records();
        let generation = self.runtime.block_on(records.generation(number))?;
        let generation =
            generation.with_context(|| format!("generation {number} is not recorded"))?;
        let modules = generation.modules.into_iter().map(|module| KeptModule {
            id: module.id,
            settings: module
                .settings
                .into_iter()
                .fold(Settings::new(), |all, (name, values)| {
                    all.with(&name, values)
                }),
        });
        Ok(modules.collect())
    }

    fn component(&self, id: &ModuleId) -> anyhow::Result<Vec<u8>> {
        let mut records = self.records();
        let bytes = self.runtime.block_on(records.component(&id.digest))?;
        bytes.with_context(|| format!("the bytes of `{id}` are not kept"))
    }
}

impl Kept for Database {
    fn generation(&self, number: u64) -> Result<Vec<KeptModule>, String> {
        self.modules(number).map_err(|error| format!("{error:#}"))
    }

    fn bytes(&self, id: &ModuleId) -> Result<Vec<u8>, String> {
        self.component(id).map_err(|error| format!("{error:#}"))
    }
}

/// A file is read while no host writes it.
fn alone(config: &Config) -> anyhow::Result<DataDir> {
    DataDir::take(&config.data_dir).map_err(|error| match error {
        DataDirError::Held(path) => anyhow::anyhow!(
            "a host runs on `{}`, and its file is not read behind its back: stop it, or write an export by `countersign decision export` and name that",
            path.display()
        ),
        other => other.into(),
    })
}
