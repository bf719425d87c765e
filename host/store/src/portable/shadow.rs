//! What policies in shadow would have changed: counted, kind by kind, and as far as there is room for it kept.

use std::collections::BTreeMap;

use async_trait::async_trait;
use countersign_core::id::DecisionId;
use countersign_core::ledger::Page;
use countersign_core::permit::Permit;
use countersign_core::ports::LedgerError;
use countersign_core::shadow::{
    Beside, Counts, Difference, Differing, Kind, KindOfDifference, MAX_KINDS, Round, ShadowLedger,
    Which,
};
use countersign_core::strictness::Change;
use countersign_core::verb::Verb;

use super::columns::{count, from_json, limit, parsed, to_json};
use super::generations::signed;
use super::{Connection, Store, covers, decisions};
use crate::fault::Fault;

/// How many differences of one generation are kept. All are counted.
const KEPT: i64 = 10_000;
/// The number of no kind: there was no room for one more.
const UNTOLD: i64 = 0;

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
struct KindRow {
    kind: i64,
    what: String,
    seen: i64,
    last: String,
}

#[derive(sqlx::FromRow)]
struct BesideRow {
    change: String,
    would_be: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    decision: decisions::Row,
    #[sqlx(flatten)]
    beside: BesideRow,
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

    async fn shadow_kinds(
        &self,
        permit: &Permit,
        generation: u64,
    ) -> Result<Vec<KindOfDifference>, LedgerError> {
        covers(permit, Verb::DecisionRead)?;
        let mut connection = self.glance().await?;
        Ok(kinds(&mut connection, generation).await?)
    }

    async fn shadow_differences(
        &self,
        permit: &Permit,
        which: Which,
        page: &Page,
    ) -> Result<Vec<Differing>, LedgerError> {
        covers(permit, Verb::DecisionRead)?;
        let mut connection = self.glance().await?;
        Ok(differences(&mut connection, which, page).await?)
    }

    async fn shadow_beside(
        &self,
        permit: &Permit,
        generation: u64,
        decision: DecisionId,
    ) -> Result<Option<Beside>, LedgerError> {
        covers(permit, Verb::DecisionRead)?;
        let mut connection = self.glance().await?;
        Ok(beside(&mut connection, generation, decision).await?)
    }
}

async fn record(connection: &mut Connection, round: &Round) -> Result<(), Fault> {
    let kept = add(connection, round).await?;
    let mut of_kinds: BTreeMap<&Kind, Vec<&Difference>> = BTreeMap::new();
    for difference in &round.differences {
        of_kinds
            .entry(&difference.kind)
            .or_default()
            .push(difference);
    }
    for (kind, differences) in of_kinds {
        let number = add_to_kind(connection, round.generation, (kind, &differences)).await?;
        for difference in differences {
            keep(connection, round.generation, (number, difference)).await?;
        }
    }
    let added = i64::try_from(round.differences.len()).unwrap_or(i64::MAX);
    if added > 0 {
        let removed = make_room(connection, round.generation, kept + added - KEPT).await?;
        sqlx::query("UPDATE shadow_counts SET kept = $1 WHERE generation = $2")
            .bind(kept + added - removed)
            .bind(signed(round.generation))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Adds to the generation's counts. How many differences are kept of it, before these.
async fn add(connection: &mut Connection, round: &Round) -> Result<i64, Fault> {
    let counts = &round.counts;
    Ok(sqlx::query_scalar(
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
    .fetch_one(connection)
    .await?)
}

/// Adds to a kind of which there are some already, or begins one, if there is room for it. Its number.
async fn add_to_kind(
    connection: &mut Connection,
    generation: u64,
    (kind, differences): (&Kind, &[&Difference]),
) -> Result<i64, Fault> {
    let what = to_json(kind);
    let seen = i64::try_from(differences.len()).unwrap_or(i64::MAX);
    let last = differences.iter().map(|one| one.decision).max();
    let last = last.map_or_else(String::new, |last| last.to_string());
    let known: Option<i64> = sqlx::query_scalar(
        "UPDATE shadow_kinds
         SET seen = seen + $3, last = CASE WHEN last < $4 THEN $4 ELSE last END
         WHERE generation = $1 AND what = $2 RETURNING kind",
    )
    .bind(signed(generation))
    .bind(&what)
    .bind(seen)
    .bind(&last)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(number) = known {
        return Ok(number);
    }
    let begun: Option<i64> = sqlx::query_scalar(
        "INSERT INTO shadow_kinds (generation, kind, what, seen, last)
         SELECT $1, there.kinds + 1, $2, $3, $4
         FROM (SELECT COUNT(*) AS kinds FROM shadow_kinds WHERE generation = $1) AS there
         WHERE there.kinds < $5 RETURNING kind",
    )
    .bind(signed(generation))
    .bind(&what)
    .bind(seen)
    .bind(&last)
    .bind(i64::from(MAX_KINDS))
    .fetch_optional(connection)
    .await?;
    Ok(begun.unwrap_or(UNTOLD))
}

async fn keep(
    connection: &mut Connection,
    generation: u64,
    (kind, difference): (i64, &Difference),
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO shadow_differences (generation, decision, change, would_be, kind)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(signed(generation))
    .bind(difference.decision.to_string())
    .bind(difference.kind.change.as_str())
    .bind(to_json(&difference.would_be))
    .bind(kind)
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes so many of the oldest of that kind of which most are kept: what is rare can always be looked at, and of
/// what is not, the latest. How many were removed.
async fn make_room(
    connection: &mut Connection,
    generation: u64,
    excess: i64,
) -> Result<i64, Fault> {
    if excess <= 0 {
        return Ok(0);
    }
    let removed = sqlx::query(
        "DELETE FROM shadow_differences
         WHERE generation = $1 AND decision IN (
             SELECT decision FROM shadow_differences
             WHERE generation = $1 AND kind = (
                 SELECT kind FROM shadow_differences WHERE generation = $1
                 GROUP BY kind ORDER BY COUNT(*) DESC, kind LIMIT 1
             )
             ORDER BY decision LIMIT $2
         )",
    )
    .bind(signed(generation))
    .bind(excess)
    .execute(connection)
    .await?;
    Ok(i64::try_from(removed.rows_affected()).unwrap_or(i64::MAX))
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

async fn kinds(
    connection: &mut Connection,
    generation: u64,
) -> Result<Vec<KindOfDifference>, Fault> {
    let rows: Vec<KindRow> = sqlx::query_as(
        "SELECT kind, what, seen, last FROM shadow_kinds
         WHERE generation = $1 ORDER BY kind LIMIT $2",
    )
    .bind(signed(generation))
    .bind(i64::from(MAX_KINDS))
    .fetch_all(connection)
    .await?;
    let kind = |row: KindRow| {
        Ok(KindOfDifference {
            number: u32::try_from(row.kind).unwrap_or(u32::MAX),
            kind: from_json("shadow_kinds.what", &row.what)?,
            seen: count(row.seen),
            last: parsed("shadow_kinds.last", &row.last, DecisionId::parse)?,
        })
    };
    rows.into_iter().map(kind).collect()
}

async fn differences(
    connection: &mut Connection,
    which: Which,
    page: &Page,
) -> Result<Vec<Differing>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT decisions.*, kept.change, kept.would_be
         FROM shadow_differences AS kept JOIN decisions ON decisions.id = kept.decision
         WHERE kept.generation = $1 AND ($2 IS NULL OR kept.decision < $2)
           AND (CAST($3 AS BIGINT) IS NULL OR kept.kind = $3)
         ORDER BY kept.decision DESC LIMIT $4",
    )
    .bind(signed(which.generation))
    .bind(&page.after)
    .bind(which.kind.map(i64::from))
    .bind(limit(page))
    .fetch_all(connection)
    .await?;
    let differing = |row: Row| {
        Ok(Differing {
            decision: decisions::decision(row.decision)?,
            beside: row.beside.try_into()?,
        })
    };
    rows.into_iter().map(differing).collect()
}

async fn beside(
    connection: &mut Connection,
    generation: u64,
    decision: DecisionId,
) -> Result<Option<Beside>, Fault> {
    let row: Option<BesideRow> = sqlx::query_as(
        "SELECT change, would_be FROM shadow_differences WHERE generation = $1 AND decision = $2",
    )
    .bind(signed(generation))
    .bind(decision.to_string())
    .fetch_optional(connection)
    .await?;
    row.map(Beside::try_from).transpose()
}

impl TryFrom<BesideRow> for Beside {
    type Error = Fault;

    fn try_from(row: BesideRow) -> Result<Self, Fault> {
        Ok(Self {
            change: parsed("shadow_differences.change", &row.change, Change::parse)?,
            would_be: from_json("shadow_differences.would_be", &row.would_be)?,
        })
    }
}
