//! Which policies were live, and their bytes.

mod record;

use std::collections::HashMap;

use async_trait::async_trait;
use countersign_core::generation::{
    Asked, GenerationChange, GenerationLedger, GenerationRecord, ModuleRecord, Pin, Seal,
    VersionRecord,
};
use countersign_core::id::ApprovalId;
use countersign_core::keys::WrappedKey;
use countersign_core::ledger::Page;
use countersign_core::permit::Permit;
use countersign_core::ports::LedgerError;
use countersign_core::review::Review;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use countersign_core::verdict::ModuleId;

pub(super) use self::record::record;
use super::columns::{from_json, limit, parsed_option};
use super::{Connection, Store, covers, decisions, requests, seals, versions};
use crate::fault::Fault;

#[derive(sqlx::FromRow)]
struct Row {
    number: i64,
    at: i64,
    changed_by: String,
    summary: String,
    approval: Option<String>,
    seal: Option<String>,
}

#[derive(sqlx::FromRow)]
struct ModuleRow {
    generation: i64,
    name: String,
    version: String,
    digest: String,
    settings: String,
    file: Option<String>,
    // What is in shadow is not pinned.
    #[sqlx(default)]
    pinned_by: Option<String>,
    #[sqlx(default)]
    pinned_since: Option<i64>,
}

#[async_trait]
impl GenerationLedger for Store {
    async fn record_generation(
        &self,
        change: &GenerationChange,
    ) -> Result<Option<u64>, LedgerError> {
        let mut turn = self.turn().await?;
        let number = record(turn.connection(), change).await;
        Ok(turn.end(number).await?)
    }

    async fn open_review(&self, change: &GenerationChange) -> Result<Option<Review>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(requests::open_review(&mut connection, change).await?)
    }

    async fn unaccepted_review(
        &self,
        change: &GenerationChange,
    ) -> Result<Option<Review>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(requests::unaccepted_review(&mut connection, change).await?)
    }

    async fn asked_lately(&self, limit: u32) -> Result<Vec<Asked>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(decisions::asked_lately(&mut connection, limit).await?)
    }

    async fn newest_generation(&self) -> Result<u64, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(newest(&mut connection).await?)
    }

    async fn latest_generation(&self) -> Result<Option<GenerationRecord>, LedgerError> {
        let newest = Page {
            after: None,
            limit: 1,
        };
        let mut tx = self.begin_reading().await?;
        Ok(list(&mut tx, &newest).await?.pop())
    }

    async fn generation(&self, number: u64) -> Result<Option<GenerationRecord>, LedgerError> {
        let mut tx = self.begin_reading().await?;
        Ok(load(&mut tx, number).await?)
    }

    async fn generation_before(
        &self,
        number: u64,
    ) -> Result<Option<GenerationRecord>, LedgerError> {
        let mut tx = self.begin_reading().await?;
        Ok(list(&mut tx, &one_before(number)).await?.pop())
    }

    async fn seal_generations(
        &self,
        sealed: &[(u64, Seal)],
        wrapped: &[WrappedKey],
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let mut turn = self.turn().await?;
        let is_sealed = seals::seal(turn.connection(), (sealed, wrapped), now).await;
        Ok(turn.end(is_sealed).await?)
    }

    async fn policy_versions(&self, name: &str) -> Result<Vec<VersionRecord>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(versions::list(&mut connection, name).await?)
    }

    async fn generations(
        &self,
        permit: &Permit,
        page: &Page,
    ) -> Result<Vec<GenerationRecord>, LedgerError> {
        covers(permit, Verb::PolicyRead)?;
        let mut tx = self.begin_reading().await?;
        Ok(list(&mut tx, page).await?)
    }

    async fn policy_bytes(
        &self,
        permit: &Permit,
        name: &str,
        digest: &str,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        covers(permit, Verb::PolicyRead)?;
        let mut connection = self.glance().await?;
        Ok(versions::bytes(&mut connection, name, digest).await?)
    }

    async fn component(&self, digest: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(component(&mut connection, digest).await?)
    }
}

/// Where a generation's modules are kept.
#[derive(Clone, Copy)]
struct Table {
    insert: &'static str,
    select: &'static str,
    settings: &'static str,
}

macro_rules! table {
    ($name:literal) => {
        Table {
            insert: concat!(
                "INSERT INTO ",
                $name,
                " (generation, name, version, digest, settings, file)
                 VALUES ($1, $2, $3, $4, $5, $6)"
            ),
            select: concat!(
                "SELECT * FROM ",
                $name,
                " WHERE generation BETWEEN $1 AND $2 ORDER BY generation, name"
            ),
            settings: concat!($name, ".settings"),
        }
    };
}

/// Those that decide, and those that are only asked.
const DECIDE: Table = table!("generation_modules");
const SHADOW: Table = table!("generation_shadows");

/// The number of the newest; 0 where there is none.
pub(super) async fn newest(connection: &mut Connection) -> Result<u64, Fault> {
    let number = sqlx::query_scalar("SELECT COALESCE(MAX(number), 0) FROM generations")
        .fetch_one(connection)
        .await?;
    numbered(number)
}

/// Recorded generations before the number in the page, newest first. A cursor that is no number was
/// never given out and leads nowhere.
pub(super) async fn list(
    connection: &mut Connection,
    page: &Page,
) -> Result<Vec<GenerationRecord>, Fault> {
    let before = page
        .after
        .as_deref()
        .map_or(i64::MAX, |after| after.parse().unwrap_or(0));
    let rows: Vec<Row> =
        sqlx::query_as("SELECT * FROM generations WHERE number < $1 ORDER BY number DESC LIMIT $2")
            .bind(before)
            .bind(limit(page))
            .fetch_all(&mut *connection)
            .await?;
    let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else {
        return Ok(Vec::new());
    };
    let span = (oldest.number, newest.number);
    let mut decide = modules(connection, DECIDE, span).await?;
    let mut shadow = modules(connection, SHADOW, span).await?;
    rows.into_iter()
        .map(|row| {
            Ok(GenerationRecord {
                number: numbered(row.number)?,
                at: Timestamp::from_micros(row.at),
                by: row.changed_by,
                summary: row.summary,
                approval: parsed_option(
                    "generations.approval",
                    row.approval.as_deref(),
                    ApprovalId::parse,
                )?,
                modules: decide.remove(&row.number).unwrap_or_default(),
                shadow: shadow.remove(&row.number).unwrap_or_default(),
                seal: row.seal.map(Seal::from_text),
            })
        })
        .collect()
}

/// The one under `number`.
pub(super) async fn load(
    connection: &mut Connection,
    number: u64,
) -> Result<Option<GenerationRecord>, Fault> {
    let page = one_before(number.saturating_add(1));
    let newest = list(connection, &page).await?.pop();
    Ok(newest.filter(|record| record.number == number))
}

fn one_before(number: u64) -> Page {
    Page {
        after: Some(signed(number).to_string()),
        limit: 1,
    }
}

/// The bytes with this digest.
pub(super) async fn component(
    connection: &mut Connection,
    digest: &str,
) -> Result<Option<Vec<u8>>, Fault> {
    Ok(
        sqlx::query_scalar("SELECT bytes FROM components WHERE digest = $1")
            .bind(digest)
            .fetch_optional(connection)
            .await?,
    )
}

async fn modules(
    connection: &mut Connection,
    table: Table,
    (oldest, newest): (i64, i64),
) -> Result<HashMap<i64, Vec<ModuleRecord>>, Fault> {
    let rows: Vec<ModuleRow> = sqlx::query_as(table.select)
        .bind(oldest)
        .bind(newest)
        .fetch_all(connection)
        .await?;
    let mut modules: HashMap<i64, Vec<ModuleRecord>> = HashMap::new();
    for row in rows {
        modules
            .entry(row.generation)
            .or_default()
            .push(ModuleRecord {
                id: ModuleId {
                    name: row.name,
                    version: row.version,
                    digest: row.digest,
                },
                settings: from_json(table.settings, &row.settings)?,
                file: row.file,
                pinned: pin(row.pinned_by, row.pinned_since)?,
            });
    }
    Ok(modules)
}

fn pin(by: Option<String>, since: Option<i64>) -> Result<Option<Pin>, Fault> {
    let pin = |(by, since)| {
        Ok(Pin {
            by,
            since: numbered(since)?,
        })
    };
    by.zip(since).map(pin).transpose()
}

/// As the database holds it. None is as large as what this cannot hold, and so none is equal to it.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn numbered(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Corrupt(format!("generation {number}")))
}
