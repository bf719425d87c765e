//! Deeds done and approvals pending, counted within a sliding window.

use std::collections::btree_map::{BTreeMap, Entry};

use async_trait::async_trait;
use countersign_core::ledger::Submission;
use countersign_core::ports::LedgerError;
use countersign_core::tally::{Counted, Tally, TallyKind, TallyLedger, TallyOf, TallyScope};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::{Connection, Store};
use crate::fault::Fault;

/// Deeds that are counted one by one. More of them count as more than any limit, so that nobody waits for long,
/// and no budget is left open.
const MOST: i64 = 100_000;

#[derive(sqlx::FromRow)]
struct Row {
    verb: String,
    count: i64,
}

#[async_trait]
impl TallyLedger for Store {
    async fn tallies(
        &self,
        counted: &Counted<'_>,
        now: Timestamp,
    ) -> Result<Vec<Tally>, LedgerError> {
        let mut connection = self.glance().await?;
        Ok(count(&mut connection, counted, now).await?)
    }
}

/// The counts at `now`.
pub(super) async fn count(
    connection: &mut Connection,
    counted: &Counted<'_>,
    now: Timestamp,
) -> Result<Vec<Tally>, Fault> {
    // What differs only in its verbs is looked for once.
    let mut found: BTreeMap<(TallyScope, u32), Vec<(Verb, u32)>> = BTreeMap::new();
    let mut tallies = Vec::new();
    for kind in counted.kinds {
        let group = (kind.scope, kind.window_seconds);
        let of_group = match found.entry(group) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => free.insert(look(connection, counted, kind, now).await?),
        };
        let of_verbs = of_group.iter().filter(|(verb, _)| kind.counts(*verb));
        tallies.push(Tally {
            of: TallyOf::Kind(kind.clone()),
            count: of_verbs.fold(0, |sum: u32, (_, count)| sum.saturating_add(*count)),
        });
    }
    Ok(tallies)
}

/// Whether what was counted is still so many.
pub(super) async fn hold(
    connection: &mut Connection,
    submission: &Submission<'_>,
    now: Timestamp,
) -> Result<bool, Fault> {
    if submission.tallies.is_empty() {
        return Ok(true);
    }
    let kinds = submission
        .tallies
        .iter()
        .filter_map(|tally| match &tally.of {
            TallyOf::Kind(kind) => Some(kind.clone()),
            TallyOf::Name { .. } => None,
        });
    let counted = Counted {
        caller: submission.caller,
        digest: &submission.intent.digest,
        kinds: &kinds.collect::<Vec<_>>(),
    };
    let tallies = count(connection, &counted, now).await?;
    Ok(tallies == submission.tallies)
}

/// How many there are of each verb.
async fn look(
    connection: &mut Connection,
    counted: &Counted<'_>,
    kind: &TallyKind,
    now: Timestamp,
) -> Result<Vec<(Verb, u32)>, Fault> {
    macro_rules! sql {
        ($deeds:literal, $approvals:literal) => {
            concat!(
                "SELECT verb, COUNT(*) AS count FROM (
                     SELECT verb FROM (
                         SELECT verb FROM decisions WHERE deed_at > $1 AND ",
                $deeds,
                " LIMIT $2
                     ) AS deeds
                     UNION ALL
                     SELECT verb FROM approvals
                     WHERE state = 'pending' AND created_at > $1 AND expires_at > $3
                       AND NOT (requester_credential = $4 AND digest = $5) AND ",
                $approvals,
                "
                 ) AS counted GROUP BY verb"
            )
        };
    }
    let caller = counted.caller;
    let credential = caller.credential_key();
    let (statement, key) = match kind.scope {
        TallyScope::Actor => (
            sql!("credential = $6", "requester_credential = $6"),
            credential.clone(),
        ),
        TallyScope::User => (
            sql!("lineage = $6", "requester_lineage = $6"),
            caller.lineage(),
        ),
        TallyScope::Workspace => (
            sql!("workspace = $6", "workspace = $6"),
            caller
                .filed_under()
                .map_or_else(String::new, |workspace| workspace.to_string()),
        ),
        TallyScope::Organisation => (sql!("$6 = $6", "$6 = $6"), String::new()),
    };
    let window = std::time::Duration::from_secs(kind.window_seconds.into());
    let rows: Vec<Row> = sqlx::query_as(statement)
        .bind(now.minus(window).as_micros())
        .bind(MOST)
        .bind(now.as_micros())
        .bind(&credential)
        .bind(counted.digest.as_str())
        .bind(key)
        .fetch_all(connection)
        .await?;
    let all: i64 = rows.iter().map(|row| row.count).sum();
    let counts = rows.into_iter().map(|row| {
        let verb = Verb::parse(&row.verb)
            .ok_or_else(|| Fault::Corrupt(format!("`decisions.verb` is `{}`", row.verb)))?;
        let count = match all >= MOST {
            true => u32::MAX,
            false => u32::try_from(row.count).unwrap_or(u32::MAX),
        };
        Ok((verb, count))
    });
    counts.collect()
}
