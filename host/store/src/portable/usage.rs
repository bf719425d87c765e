//! How often tokens are presented, by the hour, and when last: of the organisation and of workspaces alike.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_core::id::TokenId;
use countersign_core::ledger::{HourOfUse, TokenUses};
use countersign_core::time::Timestamp;
use sqlx::QueryBuilder;

use super::columns::{count, live, parsed};
use super::{Connection, Driver};
use crate::fault::Fault;

/// What a list of tokens counts.
pub(super) const A_DAY: Duration = Duration::from_secs(86_400);

/// For so long what was counted is kept: a month, so that one can be compared with the one before.
const KEPT_FOR: Duration = Duration::from_secs(31 * 86_400);

/// At most so many rows in one statement: SQLite takes 32,766 parameters.
const ROWS: usize = 2_000;

/// At most so many hours of all tokens are read: a day of as many as a list shows, and as many again.
const MOST_HOURS: i64 = 2 * 500 * 24;

/// Adds `uses` to what is kept. It is the same few statements for any number of tokens.
pub(super) async fn note(connection: &mut Connection, uses: &[TokenUses]) -> Result<(), Fault> {
    let (mut by_hour, mut last) = (BTreeMap::new(), BTreeMap::new());
    for uses in uses {
        let token = uses.token.to_string();
        let kept: &mut i64 = by_hour
            .entry((token.clone(), uses.hour.as_micros()))
            .or_default();
        *kept = kept.saturating_add(i64::try_from(uses.uses).unwrap_or(i64::MAX));
        let kept = last.entry(token).or_insert(i64::MIN);
        *kept = uses.last_at.as_micros().max(*kept);
    }
    let by_hour: Vec<_> = by_hour.into_iter().filter(|(_, uses)| *uses > 0).collect();
    for rows in by_hour.chunks(ROWS) {
        add(connection, rows).await?;
    }
    let last: Vec<_> = last.into_iter().collect();
    for rows in last.chunks(ROWS) {
        for table in ["org_tokens", "workspace_tokens"] {
            touch(connection, table, rows).await?;
        }
    }
    Ok(())
}

async fn add(connection: &mut Connection, rows: &[((String, i64), i64)]) -> Result<(), Fault> {
    let mut insert = QueryBuilder::<Driver>::new("INSERT INTO token_usage (token, hour, uses) ");
    insert.push_values(rows, |mut row, ((token, hour), uses)| {
        row.push_bind(token).push_bind(hour).push_bind(uses);
    });
    insert.push(" ON CONFLICT (token, hour) DO UPDATE SET uses = token_usage.uses + excluded.uses");
    insert.build().execute(connection).await?;
    Ok(())
}

/// An instant of last use never replaces a later one. A token is in one of the tables, and no other has its
/// id.
async fn touch(
    connection: &mut Connection,
    table: &'static str,
    rows: &[(String, i64)],
) -> Result<(), Fault> {
    let mut update = QueryBuilder::<Driver>::new("UPDATE ");
    update
        .push(table)
        .push(" SET last_used_at = noted.column2 FROM (");
    update.push_values(rows, |mut row, (token, at)| {
        row.push_bind(token).push_bind(at);
    });
    update.push(
        ") AS noted
         WHERE id = noted.column1 AND (last_used_at IS NULL OR last_used_at < noted.column2)",
    );
    update.build().execute(connection).await?;
    Ok(())
}

/// Whether there is, or was, such a token, of the workspace where one is named.
pub(super) async fn is_known(
    connection: &mut Connection,
    token: TokenId,
    workspace: Option<&str>,
) -> Result<bool, Fault> {
    let known: i64 = sqlx::query_scalar(
        "SELECT CASE WHEN CAST($2 AS TEXT) IS NULL
                THEN (SELECT COUNT(*) FROM org_tokens WHERE id = $1)
                ELSE (SELECT COUNT(*) FROM workspace_tokens WHERE id = $1 AND workspace = $2) END",
    )
    .bind(token.to_string())
    .bind(workspace)
    .fetch_one(connection)
    .await?;
    Ok(known > 0)
}

/// The hours since `since` in which a token was presented.
pub(super) async fn by_hour(
    connection: &mut Connection,
    token: TokenId,
    since: Timestamp,
) -> Result<Vec<HourOfUse>, Fault> {
    let rows: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT hour, uses FROM token_usage WHERE token = $1 AND hour > $2 ORDER BY hour",
    )
    .bind(token.to_string())
    .bind(since.as_micros())
    .fetch_all(connection)
    .await?;
    let hour = |(hour, uses)| HourOfUse {
        hour: Timestamp::from_micros(hour),
        uses: count(uses),
    };
    Ok(rows.into_iter().map(hour).collect())
}

/// The hours since `since` in which each token of the organisation that lives at `now` was presented.
pub(super) async fn of_all(
    connection: &mut Connection,
    since: Timestamp,
    now: Timestamp,
) -> Result<Vec<(TokenId, HourOfUse)>, Fault> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(concat!(
        "SELECT token, hour, uses FROM token_usage
         WHERE hour > $2 AND token IN (SELECT id FROM org_tokens WHERE ",
        live!(),
        ") ORDER BY token, hour LIMIT $3"
    ))
    .bind(now.as_micros())
    .bind(since.as_micros())
    .bind(MOST_HOURS)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(token, hour, uses)| {
            let hour = HourOfUse {
                hour: Timestamp::from_micros(hour),
                uses: count(uses),
            };
            Ok((parsed("token_usage.token", &token, TokenId::parse)?, hour))
        })
        .collect()
}

/// Forgets what is too old.
pub(super) async fn forget(connection: &mut Connection, now: Timestamp) -> Result<(), Fault> {
    sqlx::query("DELETE FROM token_usage WHERE hour < $1")
        .bind(now.minus(KEPT_FOR).as_micros())
        .execute(connection)
        .await?;
    Ok(())
}
