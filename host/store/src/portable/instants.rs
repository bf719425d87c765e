//! How late it was, so that a host that starts sees a clock that was set back.

use countersign_core::time::Timestamp;

use super::Connection;
use crate::fault::Fault;

/// Where the mark is kept, among the settings, as microseconds in decimal.
const MARK: &str = "latest_instant";

/// Keeps the later of `now` and what is kept. It writes in any case: whoever marks also asks whether that
/// is possible.
pub(super) async fn mark(connection: &mut Connection, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO settings (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = CASE
             WHEN CAST(settings.value AS BIGINT) < CAST(excluded.value AS BIGINT)
             THEN excluded.value ELSE settings.value END",
    )
    .bind(MARK)
    .bind(now.as_micros().to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// The latest of the mark, the newest audit entry and the newest decision: each is found by its key.
pub(super) async fn latest(connection: &mut Connection) -> Result<Option<Timestamp>, Fault> {
    let latest: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(at) FROM (
             SELECT CAST(value AS BIGINT) AS at FROM settings WHERE name = $1
             UNION ALL SELECT at FROM audit WHERE seq = (SELECT MAX(seq) FROM audit)
             UNION ALL SELECT at FROM decisions WHERE id = (SELECT MAX(id) FROM decisions)
         ) AS recorded",
    )
    .bind(MARK)
    .fetch_one(connection)
    .await?;
    Ok(latest.map(Timestamp::from_micros))
}
