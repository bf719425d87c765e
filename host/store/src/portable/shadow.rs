//! What policies in shadow would have changed: counted, and as far as there is room for it kept.

use async_trait::async_trait;
use countersign_core::id::DecisionId;
use countersign_core::ledger::Page;
use countersign_core::permit::Permit;
use countersign_core::ports::LedgerError;
use countersign_core::shadow::{Counts, Difference, Round, ShadowLedger};
use countersign_core::strictness::Change;
use countersign_core::verb::Verb;

use super::columns::{count, from_json, limit, parsed, to_json};
use super::generations::signed;
use super::{Connection, Store, covers};
use crate::fault::Fault;

/// How many differences of one generation are kept. Beyond that they are counted.
const KEPT: i64 = 10_000;

#[derive(sqlx::FromRow)]
struct CountsRow {
    asked: i64,
    looser: i64,
    mixed: i64,
    tighter: i64,
    reworded: i64,
    missed: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    decision: String,
    change: String,
    would_be: String,
}

#[async_trait]
impl ShadowLedger for Store {
    async fn record_shadow(&self, round: &Round) -> Result<(), LedgerError> {
        let mut turn = self.turn().await?;
        let recorded = record(turn.connection(), round).await;
        Ok(turn.end(recorded).await?)
    }

    async fn shadow_counts(&self, generation: u64) -> Result<Counts, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(counts(&mut connection, generation).await?)
    }

    async fn shadow_differences(
        &self,
        permit: &Permit,
        generation: u64,
        page: &Page,
    ) -> Result<Vec<Difference>, LedgerError> {
        covers(permit, Verb::DecisionRead)?;
        let mut connection = self.glance().await?;
        Ok(differences(&mut connection, generation, page).await?)
    }
}

async fn record(connection: &mut Connection, round: &Round) -> Result<(), Fault> {
    let counts = &round.counts;
    let before: i64 = sqlx::query_scalar(
        "INSERT INTO shadow_counts AS c
             (generation, asked, looser, mixed, tighter, reworded, missed, kept)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 0)
         ON CONFLICT (generation) DO UPDATE SET
             asked = c.asked + excluded.asked,
             looser = c.looser + excluded.looser,
             mixed = c.mixed + excluded.mixed,
             tighter = c.tighter + excluded.tighter,
             reworded = c.reworded + excluded.reworded,
             missed = c.missed + excluded.missed
         RETURNING kept",
    )
    .bind(signed(round.generation))
    .bind(signed(counts.asked))
    .bind(signed(counts.looser))
    .bind(signed(counts.mixed))
    .bind(signed(counts.tighter))
    .bind(signed(counts.reworded))
    .bind(signed(counts.missed))
    .fetch_one(&mut *connection)
    .await?;
    let room = usize::try_from(KEPT - before).unwrap_or(0);
    let mut kept = before;
    for difference in round.differences.iter().take(room) {
        sqlx::query(
            "INSERT INTO shadow_differences (generation, decision, change, would_be)
             VALUES ($1, $2, $3, $4)",
        )
        .bind(signed(round.generation))
        .bind(difference.decision.to_string())
        .bind(difference.change.as_str())
        .bind(to_json(&difference.would_be))
        .execute(&mut *connection)
        .await?;
        kept += 1;
    }
    if kept > before {
        sqlx::query("UPDATE shadow_counts SET kept = $1 WHERE generation = $2")
            .bind(kept)
            .bind(signed(round.generation))
            .execute(connection)
            .await?;
    }
    Ok(())
}

async fn counts(connection: &mut Connection, generation: u64) -> Result<Counts, Fault> {
    let row: Option<CountsRow> = sqlx::query_as(
        "SELECT asked, looser, mixed, tighter, reworded, missed
         FROM shadow_counts WHERE generation = $1",
    )
    .bind(signed(generation))
    .fetch_optional(connection)
    .await?;
    Ok(row.map_or_else(Counts::default, |row| Counts {
        asked: count(row.asked),
        looser: count(row.looser),
        mixed: count(row.mixed),
        tighter: count(row.tighter),
        reworded: count(row.reworded),
        missed: count(row.missed),
    }))
}

async fn differences(
    connection: &mut Connection,
    generation: u64,
    page: &Page,
) -> Result<Vec<Difference>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT decision, change, would_be FROM shadow_differences
         WHERE generation = $1 AND ($2 IS NULL OR decision < $2)
         ORDER BY decision DESC LIMIT $3",
    )
    .bind(signed(generation))
    .bind(&page.after)
    .bind(limit(page))
    .fetch_all(connection)
    .await?;
    let difference = |row: Row| {
        Ok(Difference {
            decision: parsed(
                "shadow_differences.decision",
                &row.decision,
                DecisionId::parse,
            )?,
            change: parsed("shadow_differences.change", &row.change, Change::parse)?,
            would_be: from_json("shadow_differences.would_be", &row.would_be)?,
        })
    };
    rows.into_iter().map(difference).collect()
}
