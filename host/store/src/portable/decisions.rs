//! Decisions: what was asked, what was judged, what came of it.

use countersign_core::action::{ActionDigest, Intent};
use countersign_core::caller::Caller;
use countersign_core::decision::{Decision, Outcome, RecordedDecision};
use countersign_core::generation::Asked;
use countersign_core::id::{ApprovalId, DecisionId};
use countersign_core::ledger::Page;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use countersign_core::verdict::{Judgement, Took};

use super::columns::{count, from_json, limit, parsed, parsed_option, to_json};
use super::{Connection, generations, people};
use crate::fault::Fault;

/// A row of the table.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    at: i64,
    actor: String,
    credential: String,
    verb: String,
    digest: String,
    question: Option<String>,
    judgement: String,
    outcome: String,
    approval: Option<String>,
    judged_in: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct AskedRow {
    id: String,
    at: i64,
    actor: String,
    question: String,
}

#[derive(sqlx::FromRow)]
struct RecordedRow {
    id: String,
    credential: String,
    verb: String,
    digest: String,
    outcome: String,
}

/// The generation of what the core judged alone.
pub(super) const BY_CORE: u64 = 0;

/// Records a decision with what came of it, unless later policies are recorded than those that judged:
/// whatever host made them live, nothing is done by older ones from then on. What a permit is made of is
/// what the database then holds.
pub(super) async fn record(
    connection: &mut Connection,
    (caller, intent, decision): (&Caller, &Intent, &Decision),
    outcome: Outcome,
    approval: Option<ApprovalId>,
) -> Result<Option<RecordedDecision>, Fault> {
    let is_deed = outcome.permits() && decision.verb.is_counted();
    let judged_by = match decision.judgement.generation {
        // The core is of no generation.
        BY_CORE => i64::MAX,
        generation => generations::signed(generation),
    };
    let row: Option<RecordedRow> = sqlx::query_as(
        "INSERT INTO decisions
             (id, at, actor, credential, verb, digest, question, judgement, outcome, approval,
              lineage, workspace, deed_at, judged_in, effect, class, rule, notable,
              resource)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12, $13, $14, $15, $16, $17, $18, $19,
                $20
         WHERE NOT EXISTS (SELECT number FROM generations WHERE number > $11)
         RETURNING id, credential, verb, digest, outcome",
    )
    .bind(decision.id.to_string())
    .bind(decision.at.as_micros())
    .bind(&decision.actor)
    .bind(&decision.credential)
    .bind(decision.verb.as_str())
    .bind(decision.digest.as_str())
    .bind(decision.question.as_ref().map(to_json))
    .bind(to_json(&decision.judgement))
    .bind(outcome.as_str())
    .bind(approval.map(|id| id.to_string()))
    .bind(judged_by)
    .bind(caller.lineage())
    .bind(
        caller
            .filed_under()
            .map_or_else(String::new, |workspace| workspace.to_string()),
    )
    .bind(is_deed.then_some(decision.at.as_micros()))
    .bind(decision.judgement.took.micros().map(generations::signed))
    .bind(decision.judgement.ruling.effect())
    .bind(decision.judgement.class.as_str())
    .bind(&decision.judgement.ruling.ground().rule)
    .bind(Decision::is_notable(decision.verb, outcome).then_some(1_i64))
    // Not the question's, which is absent where no policy was asked.
    .bind(&intent.resource_id)
    .fetch_optional(&mut *connection)
    .await?;
    if let (Some(_), Some(person)) = (&row, caller.person()) {
        people::note(connection, person, decision.at).await?;
    }
    row.map(recorded).transpose()
}

fn recorded(row: RecordedRow) -> Result<RecordedDecision, Fault> {
    Ok(RecordedDecision {
        id: parsed("decisions.id", &row.id, DecisionId::parse)?,
        credential: row.credential,
        verb: parsed("decisions.verb", &row.verb, Verb::parse)?,
        digest: ActionDigest::from_text(row.digest),
        outcome: parsed("decisions.outcome", &row.outcome, Outcome::parse)?,
    })
}

/// One decision.
pub(super) async fn load(
    connection: &mut Connection,
    id: DecisionId,
) -> Result<Option<Decision>, Fault> {
    let row: Option<Row> = sqlx::query_as("SELECT * FROM decisions WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.map(decision).transpose()
}

/// Decisions before the one in the page, newest first.
pub(super) async fn list(connection: &mut Connection, page: &Page) -> Result<Vec<Decision>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT * FROM decisions WHERE $1 IS NULL OR id < $1 ORDER BY id DESC LIMIT $2",
    )
    .bind(&page.after)
    .bind(limit(page))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(decision).collect()
}

#[derive(sqlx::FromRow)]
struct TimesRow {
    last: String,
    times: i64,
}

/// Among so many of a credential's latest decisions of note: whoever asks for one thing again and again hides
/// nothing else that it did for as long.
const RECENT_OF_ONE: i64 = 500;

/// What a credential did, asked for or was refused, `limit` different things at most, newest first, with how
/// often; but for what `approval` is about. Reading is not of note, unless it was refused.
pub(super) async fn of_note(
    connection: &mut Connection,
    credential: &str,
    approval: ApprovalId,
    limit: u32,
) -> Result<Vec<(Decision, u64)>, Fault> {
    let found: Vec<TimesRow> = sqlx::query_as(
        "SELECT MAX(recent.id) AS last, COUNT(*) AS times FROM
             (SELECT id, digest, outcome, approval FROM decisions
              WHERE credential = $1 AND (outcome <> 'allowed' OR deed_at IS NOT NULL)
              ORDER BY id DESC LIMIT $4) AS recent
         WHERE recent.approval IS NULL OR recent.approval <> $2
         GROUP BY recent.digest, recent.outcome
         ORDER BY MAX(recent.id) DESC LIMIT $3",
    )
    .bind(credential)
    .bind(approval.to_string())
    .bind(i64::from(limit))
    .bind(RECENT_OF_ONE)
    .fetch_all(&mut *connection)
    .await?;
    let mut lately = Vec::with_capacity(found.len());
    for TimesRow { last, times } in found {
        let id = parsed("decisions.id", &last, DecisionId::parse)?;
        if let Some(decision) = load(connection, id).await? {
            lately.push((decision, count(times)));
        }
    }
    Ok(lately)
}

/// Among so many of the latest decisions: whoever asks the same again and again displaces nobody else.
const RECENT: i64 = 200_000;

/// What the policies were asked, newest first, and each once that one credential asked.
pub(super) async fn asked_lately(
    connection: &mut Connection,
    limit: u32,
) -> Result<Vec<Asked>, Fault> {
    let rows: Vec<AskedRow> = sqlx::query_as(
        "SELECT id, at, actor, question FROM decisions
         WHERE id IN (SELECT MAX(recent.id) FROM
                          (SELECT id, credential, digest FROM decisions
                           WHERE question IS NOT NULL ORDER BY id DESC LIMIT $2) AS recent
                      GROUP BY recent.credential, recent.digest)
         ORDER BY id DESC LIMIT $1",
    )
    .bind(i64::from(limit))
    .bind(RECENT)
    .fetch_all(connection)
    .await?;
    let asked = |row: AskedRow| {
        Ok(Asked {
            decision: parsed("decisions.id", &row.id, DecisionId::parse)?,
            at: Timestamp::from_micros(row.at),
            actor: row.actor,
            question: from_json("decisions.question", &row.question)?,
        })
    };
    rows.into_iter().map(asked).collect()
}

/// What a row says.
pub(super) fn decision(row: Row) -> Result<Decision, Fault> {
    Ok(Decision {
        id: parsed("decisions.id", &row.id, DecisionId::parse)?,
        at: Timestamp::from_micros(row.at),
        actor: row.actor,
        credential: row.credential,
        verb: parsed("decisions.verb", &row.verb, Verb::parse)?,
        digest: ActionDigest::from_text(row.digest),
        question: row
            .question
            .map(|text| from_json("decisions.question", &text))
            .transpose()?,
        judgement: Judgement {
            took: row
                .judged_in
                .map_or(Took::UNKNOWN, |micros| Took::of_micros(count(micros))),
            ..from_json("decisions.judgement", &row.judgement)?
        },
        outcome: parsed("decisions.outcome", &row.outcome, Outcome::parse)?,
        approval: parsed_option(
            "decisions.approval",
            row.approval.as_deref(),
            ApprovalId::parse,
        )?,
    })
}
