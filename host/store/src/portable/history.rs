//! What happened, looked for. A search has two statements in one transaction: how far back it may look, by
//! the index alone, and what is wanted of that. So the rows that are looked at are bounded in any ledger.

use async_trait::async_trait;
use countersign_core::audit::Entry;
use countersign_core::decision::Decision;
use countersign_core::history::{
    AuditFilter, DecisionFilter, Found, HistoryLedger, Rest, SCAN, Span, Stretch,
};
use countersign_core::id::DecisionId;
use countersign_core::ledger::Page;
use countersign_core::permit::Permit;
use countersign_core::ports::LedgerError;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::columns::limit;
use super::people::called;
use super::{Connection, PAGE_LIMIT, Store, audit, covers, decisions};
use crate::fault::Fault;

/// A decision's id tells when it was asked, and the decision when it was settled: after that by what the
/// requests before it took, and before it by what the clocks of a fleet differ.
pub(super) const SLACK: std::time::Duration = std::time::Duration::from_secs(600);
/// After every id.
const AFTER_ALL_IDS: &str = "g";
/// No decision writes more.
const ENTRIES_OF_ONE: i64 = 50;

/// An actor's label that begins with `$n`, or has it after a colon, or is that of a person whose name begins
/// with `$called`.
macro_rules! of_actor {
    ($n:literal, $called:literal) => {
        concat!(
            "(",
            $n,
            " IS NULL OR substr(actor, 1, length(",
            $n,
            ")) = ",
            $n,
            " OR replace(actor, ':' || ",
            $n,
            ", '') <> actor OR actor IN (",
            called!($called),
            "))"
        )
    };
}

/// The decisions before `$1` and from `$2` on, of which the index knows as many as are to be looked at.
macro_rules! bound {
    ($which:literal) => {
        concat!(
            "SELECT id, at FROM decisions WHERE ",
            $which,
            "id < $1 AND id >= $2
             ORDER BY id DESC LIMIT 1 OFFSET $3"
        )
    };
}

macro_rules! wanted {
    ($which:literal) => {
        concat!(
            "SELECT * FROM decisions WHERE ",
            $which,
            "id < $1 AND id >= $2
             AND at >= $3 AND at < $4
             AND ($5 IS NULL OR effect = $5) AND ($6 IS NULL OR verb = $6)
             AND ($7 IS NULL OR class = $7) AND ($8 IS NULL OR rule = $8)
             AND ($12 IS NULL OR outcome = $12)
             AND ($13 IS NULL OR replace(COALESCE(resource, question), $13, '') <> COALESCE(resource, question)
                  OR approval = $13 OR id = $13) AND ",
            of_actor!("$9", "$11"),
            " ORDER BY id DESC LIMIT $10"
        )
    };
}

const NOTABLE: [&str; 2] = [
    bound!("notable IS NOT NULL AND "),
    wanted!("notable IS NOT NULL AND "),
];
const ALL: [&str; 2] = [bound!(""), wanted!("")];

/// By the numbers, which are bounded, and never by an index of the time, which is not: hence the sum.
const WANTED_ENTRIES: &str = concat!(
    "SELECT * FROM audit WHERE seq >= $1 AND seq <= $2 AND at + 0 >= $3 AND at + 0 < $4
     AND ($5 IS NULL OR kind = $5)
     AND ($6 IS NULL OR replace(detail, $6, '') <> detail) AND ",
    of_actor!("$7", "$9"),
    " ORDER BY seq DESC LIMIT $8"
);

#[derive(sqlx::FromRow)]
struct Bound {
    id: String,
    at: i64,
}

#[derive(sqlx::FromRow)]
struct EntryOf {
    seq: i64,
    kind: String,
}

#[async_trait]
impl HistoryLedger for Store {
    async fn find_decisions(
        &self,
        permit: &Permit,
        filter: &DecisionFilter,
        page: &Page,
    ) -> Result<Found<Decision>, LedgerError> {
        covers(permit, Verb::DecisionRead)?;
        let mut tx = self.begin_reading().await?;
        Ok(find_decisions(&mut tx, filter, page).await?)
    }

    async fn entries_of(
        &self,
        permit: &Permit,
        decision: (DecisionId, Timestamp),
    ) -> Result<Vec<(i64, String)>, LedgerError> {
        covers(permit, Verb::DecisionRead)?;
        let mut connection = self.glance().await?;
        Ok(entries_of(&mut connection, decision).await?)
    }

    async fn find_entries(
        &self,
        permit: &Permit,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<Found<Entry>, LedgerError> {
        covers(permit, Verb::AuditRead)?;
        let mut tx = self.begin_reading().await?;
        Ok(find_entries(&mut tx, filter, page).await?)
    }

    async fn stretch(&self, permit: &Permit, span: Span) -> Result<Stretch, LedgerError> {
        covers(permit, Verb::AuditRead)?;
        let mut tx = self.begin_reading().await?;
        Ok(stretch(&mut tx, span).await?)
    }
}

async fn find_decisions(
    connection: &mut Connection,
    filter: &DecisionFilter,
    page: &Page,
) -> Result<Found<Decision>, Fault> {
    let [bound, wanted] = if filter.reads { ALL } else { NOTABLE };
    let Span { since, until } = filter.span;
    let mut before = until.map_or_else(|| AFTER_ALL_IDS.to_owned(), |at| first_id(at.plus(SLACK)));
    if let Some(after) = page.after.as_ref().filter(|after| **after < before) {
        before.clone_from(after);
    }
    let from = since.map_or_else(String::new, |at| first_id(at.minus(SLACK)));
    let bound: Option<Bound> = match filter.skips() {
        false => None,
        true => {
            sqlx::query_as(bound)
                .bind(&before)
                .bind(&from)
                .bind(i64::from(SCAN) - 1)
                .fetch_optional(&mut *connection)
                .await?
        }
    };
    let rows: Vec<decisions::Row> = sqlx::query_as(wanted)
        .bind(&before)
        .bind(bound.as_ref().map_or(&from, |bound| &bound.id))
        .bind(since.map_or(i64::MIN, Timestamp::as_micros))
        .bind(until.map_or(i64::MAX, Timestamp::as_micros))
        .bind(filter.effect.map(|effect| effect.as_str()))
        .bind(filter.verb.map(|verb| verb.as_str()))
        .bind(filter.class.map(|class| class.as_str()))
        .bind(&filter.rule)
        .bind(&filter.actor)
        .bind(limit(page) + 1)
        .bind(&filter.called)
        .bind(filter.outcome.map(|outcome| outcome.as_str()))
        .bind(&filter.about)
        .fetch_all(connection)
        .await?;
    let items = rows.into_iter().map(decisions::decision);
    let bound = bound.map(|bound| (bound.id, Timestamp::from_micros(bound.at)));
    let id = |decision: &Decision| decision.id.to_string();
    Ok(found(items.collect::<Result<_, _>>()?, page, bound, id))
}

async fn entries_of(
    connection: &mut Connection,
    (decision, at): (DecisionId, Timestamp),
) -> Result<Vec<(i64, String)>, Fault> {
    let rows: Vec<EntryOf> = sqlx::query_as(
        "SELECT seq, kind FROM audit WHERE at = $1 AND replace(detail, $2, '') <> detail
         ORDER BY seq LIMIT $3",
    )
    .bind(at.as_micros())
    .bind(decision.to_string())
    .bind(ENTRIES_OF_ONE)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.seq, row.kind)).collect())
}

async fn find_entries(
    connection: &mut Connection,
    filter: &AuditFilter,
    page: &Page,
) -> Result<Found<Entry>, Fault> {
    let Span { since, until } = filter.span;
    // A cursor that is no number was never given out and leads nowhere.
    let before = page
        .after
        .as_deref()
        .map_or(i64::MAX, |after| after.parse().unwrap_or(0));
    let around = Span {
        since: since.map(|at| at.minus(SLACK)),
        until: until.map(|at| at.plus(SLACK)),
    };
    let Stretch { first, last } = stretch(connection, around).await?;
    let last = last.min(before.saturating_sub(1));
    // Numbers have no gaps.
    let floor = last - i64::from(SCAN) + 1;
    let back_to = match filter.skips() && floor > first {
        false => None,
        true => {
            sqlx::query_scalar("SELECT at FROM audit WHERE seq = $1")
                .bind(floor)
                .fetch_optional(&mut *connection)
                .await?
        }
    };
    let bound = back_to.map(|at| (floor.to_string(), Timestamp::from_micros(at)));
    let rows: Vec<audit::Row> = sqlx::query_as(WANTED_ENTRIES)
        .bind(if bound.is_some() { floor } else { first })
        .bind(last)
        .bind(since.map_or(i64::MIN, Timestamp::as_micros))
        .bind(until.map_or(i64::MAX, Timestamp::as_micros))
        .bind(filter.kind.map(|kind| kind.as_str()))
        .bind(&filter.about)
        .bind(&filter.actor)
        .bind(limit(page) + 1)
        .bind(&filter.called)
        .fetch_all(connection)
        .await?;
    let items = rows.into_iter().map(audit::entry);
    let number = |entry: &Entry| entry.seq.to_string();
    Ok(found(items.collect::<Result<_, _>>()?, page, bound, number))
}

/// What is shown of `items`, of which one more was read than that; `bound` is the last that was looked at,
/// where the search ended before everything was.
fn found<T>(
    mut items: Vec<T>,
    page: &Page,
    bound: Option<(String, Timestamp)>,
    id: impl Fn(&T) -> String,
) -> Found<T> {
    let most = page.limit.min(PAGE_LIMIT) as usize;
    let goes_on = items.len() > most;
    items.truncate(most);
    let rest = match (items.last().filter(|_| goes_on), bound) {
        (Some(last), _) => Rest::More(id(last)),
        (None, Some((after, back_to))) => Rest::Unsearched { after, back_to },
        (None, None) => Rest::Nothing,
    };
    Found { items, rest }
}

async fn stretch(connection: &mut Connection, span: Span) -> Result<Stretch, Fault> {
    let first = match span.since {
        None => Some(1),
        Some(since) => {
            sqlx::query_scalar("SELECT seq FROM audit WHERE at >= $1 ORDER BY at, seq LIMIT 1")
                .bind(since.as_micros())
                .fetch_optional(&mut *connection)
                .await?
        }
    };
    let last = match span.until {
        None => {
            sqlx::query_scalar("SELECT seq FROM audit ORDER BY seq DESC LIMIT 1")
                .fetch_optional(connection)
                .await?
        }
        Some(until) => {
            sqlx::query_scalar(
                "SELECT seq FROM audit WHERE at < $1 ORDER BY at DESC, seq DESC LIMIT 1",
            )
            .bind(until.as_micros())
            .fetch_optional(connection)
            .await?
        }
    };
    Ok(match (first, last) {
        (Some(first), Some(last)) => Stretch { first, last },
        _ => Stretch { first: 1, last: 0 },
    })
}

/// Before every id that is made at `at` or later: those are UUIDs of version 7, which begin with the
/// milliseconds.
pub(super) fn first_id(at: Timestamp) -> String {
    let millis = u64::try_from(at.as_millis()).unwrap_or(0);
    format!("{:08x}-{:04x}", millis >> 16, millis & 0xffff)
}
