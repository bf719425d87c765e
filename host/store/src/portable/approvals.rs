//! Approvals: kept, read, and moved from state to state.

use countersign_core::action::ActionDigest;
use countersign_core::approval::{Approval, Choice, Claim, End, Requester, State, Vote};
use countersign_core::caller::{Issuer, Person};
use countersign_core::id::{ApprovalId, DecisionId, WorkspaceId};
use countersign_core::ledger::{Page, Whose};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::Connection;
use super::columns::{from_json, instant, limit, parsed, to_json};
use crate::fault::Fault;

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    workspace: String,
    workspace_name: Option<String>,
    requester_credential: String,
    requester_actor: String,
    requester_lineage: String,
    verb: String,
    resource_kind: String,
    resource_id: String,
    resource_name: Option<String>,
    digest: String,
    payload: String,
    reason: String,
    claimed_reason: Option<String>,
    claimed_task: Option<String>,
    terms: String,
    policy: String,
    decision: String,
    precondition: String,
    state: String,
    created_at: i64,
    expires_at: i64,
    grant_expires_at: Option<i64>,
    decided_at: Option<i64>,
    revoke_reason: Option<String>,
    ended_at: Option<i64>,
    ended_by: Option<String>,
    ended_by_user: Option<String>,
    ended_because: Option<String>,
}

/// All of an approval, with the name of the workspace under which it is filed, and of what it is about.
macro_rules! select {
    () => {
        concat!(
            "SELECT approvals.*, ",
            super::names::of_approval!(),
            " FROM approvals "
        )
    };
}
pub(super) use select;

/// How an approval ends at `$at`: by whom (`$3`, `$4`) and why (`$5`).
macro_rules! ends {
    ($at:literal) => {
        concat!(
            "ended_at = ",
            $at,
            ", ended_by = $3, ended_by_user = $4, ended_because = $5"
        )
    };
}
pub(super) use ends;

#[derive(sqlx::FromRow)]
struct VoteRow {
    voter_issuer: String,
    voter_user: String,
    voter_groups: String,
    choice: String,
    reason: Option<String>,
    at: i64,
}

/// Keeps a new approval.
pub(super) async fn insert(connection: &mut Connection, approval: &Approval) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO approvals
             (id, workspace, requester_credential, requester_actor, requester_lineage,
              verb, resource_kind, resource_id, digest, payload, reason, terms, policy,
              decision, precondition, state, created_at, expires_at, claimed_reason, claimed_task)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 $19, $20)",
    )
    .bind(approval.id.to_string())
    .bind(approval.workspace.to_string())
    .bind(&approval.requester.credential)
    .bind(&approval.requester.actor)
    .bind(&approval.requester.lineage)
    .bind(approval.verb.as_str())
    .bind(&approval.resource_kind)
    .bind(&approval.resource_id)
    .bind(approval.digest.as_str())
    .bind(to_json(&approval.payload))
    .bind(&approval.reason)
    .bind(to_json(&approval.terms))
    .bind(&approval.policy)
    .bind(approval.decision.to_string())
    .bind(&approval.precondition)
    .bind(approval.state.as_str())
    .bind(approval.created_at.as_micros())
    .bind(approval.expires_at.as_micros())
    .bind(&approval.claim.reason)
    .bind(&approval.claim.task)
    .execute(connection)
    .await?;
    Ok(())
}

/// The approval whose row a query found, with its votes.
pub(super) async fn found(
    connection: &mut Connection,
    row: Option<Row>,
) -> Result<Option<Approval>, Fault> {
    match row {
        Some(row) => Ok(Some(with_votes(connection, row).await?)),
        None => Ok(None),
    }
}

/// One approval with its votes.
pub(super) async fn load(
    connection: &mut Connection,
    id: ApprovalId,
) -> Result<Option<Approval>, Fault> {
    let row: Option<Row> = sqlx::query_as(concat!(select!(), "WHERE id = $1"))
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    found(connection, row).await
}

/// Approvals that are pending at `now`, after the one in the page, oldest first.
pub(super) async fn pending(
    connection: &mut Connection,
    whose: &Whose,
    page: &Page,
    now: Timestamp,
) -> Result<Vec<Approval>, Fault> {
    let requester = match whose {
        Whose::All => None,
        Whose::Requester(credential) => Some(credential),
    };
    let rows: Vec<Row> = sqlx::query_as(concat!(
        select!(),
        "WHERE state = 'pending' AND expires_at > $1
           AND ($2 IS NULL OR requester_credential = $2)
           AND ($3 IS NULL OR id > $3)
         ORDER BY id LIMIT $4"
    ))
    .bind(now.as_micros())
    .bind(requester)
    .bind(&page.after)
    .bind(limit(page))
    .fetch_all(&mut *connection)
    .await?;
    with_all_votes(connection, rows).await
}

/// The approvals that are filed under a workspace, before the one in the page, newest first.
pub(super) async fn filed(
    connection: &mut Connection,
    whose: &Whose,
    workspace: WorkspaceId,
    page: &Page,
) -> Result<Vec<Approval>, Fault> {
    let requester = match whose {
        Whose::All => None,
        Whose::Requester(credential) => Some(credential),
    };
    let rows: Vec<Row> = sqlx::query_as(concat!(
        select!(),
        "WHERE workspace = $1
           AND ($2 IS NULL OR requester_credential = $2)
           AND ($3 IS NULL OR id < $3)
         ORDER BY id DESC LIMIT $4"
    ))
    .bind(workspace.to_string())
    .bind(requester)
    .bind(&page.after)
    .bind(limit(page))
    .fetch_all(&mut *connection)
    .await?;
    with_all_votes(connection, rows).await
}

/// Pending → approved, with a grant that can be used until `grant_expires_at`. False where it was not
/// pending any more.
pub(super) async fn approve(
    connection: &mut Connection,
    id: ApprovalId,
    grant_expires_at: Timestamp,
    now: Timestamp,
) -> Result<bool, Fault> {
    let approved = sqlx::query(
        "UPDATE approvals SET state = 'approved', decided_at = $1, grant_expires_at = $2
         WHERE id = $3 AND state = 'pending' AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(grant_expires_at.as_micros())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(approved.rows_affected() > 0)
}

/// Pending → denied. False where it was not pending any more.
pub(super) async fn deny(
    connection: &mut Connection,
    id: ApprovalId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let denied = sqlx::query(
        "UPDATE approvals SET state = 'denied', decided_at = $1
         WHERE id = $2 AND state = 'pending' AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(denied.rows_affected() > 0)
}

/// Approved → used, by the requester, for the same request, under the same precondition, in time.
/// False where any of that does not hold.
pub(super) async fn spend(
    connection: &mut Connection,
    grant: &Approval,
    now: Timestamp,
) -> Result<bool, Fault> {
    let used = sqlx::query(
        "UPDATE approvals SET state = 'used'
         WHERE id = $2 AND state = 'approved' AND grant_expires_at > $1
           AND requester_credential = $3 AND verb = $4
           AND resource_kind = $5 AND resource_id = $6
           AND digest = $7 AND precondition = $8",
    )
    .bind(now.as_micros())
    .bind(grant.id.to_string())
    .bind(&grant.requester.credential)
    .bind(grant.verb.as_str())
    .bind(&grant.resource_kind)
    .bind(&grant.resource_id)
    .bind(grant.digest.as_str())
    .bind(&grant.precondition)
    .execute(connection)
    .await?;
    Ok(used.rows_affected() > 0)
}

/// Ends an approval by `statement`, which says in which state it has to be. False where it was not.
async fn close(
    connection: &mut Connection,
    statement: &'static str,
    (id, end): (ApprovalId, &End),
) -> Result<bool, Fault> {
    let (id, at) = (id.to_string(), end.at.as_micros());
    let closing = sqlx::query(statement).bind(at).bind(id);
    let closing = closing.bind(&end.by).bind(&end.user).bind(&end.because);
    Ok(closing.execute(connection).await?.rows_affected() > 0)
}

/// Pending → withdrawn. False where it was not pending any more.
pub(super) async fn withdraw(
    connection: &mut Connection,
    id: ApprovalId,
    end: &End,
) -> Result<bool, Fault> {
    let statement = concat!(
        "UPDATE approvals SET state = 'withdrawn', ",
        ends!("$1"),
        " WHERE id = $2 AND state = 'pending' AND expires_at > $1"
    );
    close(connection, statement, (id, end)).await
}

/// Approved → lapsed, no later than its time was over. False where it was not approved any more.
pub(super) async fn lapse(
    connection: &mut Connection,
    id: ApprovalId,
    end: &End,
) -> Result<bool, Fault> {
    let statement = concat!(
        "UPDATE approvals SET state = 'lapsed', ",
        ends!("CASE WHEN grant_expires_at < $1 THEN grant_expires_at ELSE $1 END"),
        " WHERE id = $2 AND state = 'approved'"
    );
    close(connection, statement, (id, end)).await
}

/// Pending → expired, once its time is over. False before that, or where it was not pending any more.
pub(super) async fn expire(
    connection: &mut Connection,
    id: ApprovalId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let expired = sqlx::query(
        "UPDATE approvals SET state = 'expired'
         WHERE id = $2 AND state = 'pending' AND expires_at <= $1",
    )
    .bind(now.as_micros())
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(expired.rows_affected() > 0)
}

/// The approvals whose rows a query found, with their votes.
pub(super) async fn with_all_votes(
    connection: &mut Connection,
    rows: Vec<Row>,
) -> Result<Vec<Approval>, Fault> {
    let mut approvals = Vec::with_capacity(rows.len());
    for row in rows {
        approvals.push(with_votes(connection, row).await?);
    }
    Ok(approvals)
}

async fn with_votes(connection: &mut Connection, row: Row) -> Result<Approval, Fault> {
    let votes: Vec<VoteRow> = sqlx::query_as(
        "SELECT * FROM votes WHERE approval = $1 ORDER BY at, voter_issuer, voter_user",
    )
    .bind(&row.id)
    .fetch_all(connection)
    .await?;
    let votes = votes.into_iter().map(vote).collect::<Result<_, _>>()?;
    approval(row, votes)
}

fn approval(row: Row, votes: Vec<Vote>) -> Result<Approval, Fault> {
    Ok(Approval {
        id: parsed("approvals.id", &row.id, ApprovalId::parse)?,
        workspace: parsed("approvals.workspace", &row.workspace, WorkspaceId::parse)?,
        workspace_name: row.workspace_name,
        requester: Requester {
            credential: row.requester_credential,
            actor: row.requester_actor,
            lineage: row.requester_lineage,
        },
        verb: parsed("approvals.verb", &row.verb, Verb::parse)?,
        resource_kind: row.resource_kind,
        resource_id: row.resource_id,
        resource_name: row.resource_name,
        digest: ActionDigest::from_text(row.digest),
        payload: from_json("approvals.payload", &row.payload)?,
        reason: row.reason,
        claim: Claim {
            reason: row.claimed_reason,
            task: row.claimed_task,
        },
        terms: from_json("approvals.terms", &row.terms)?,
        policy: row.policy,
        decision: parsed("approvals.decision", &row.decision, DecisionId::parse)?,
        precondition: row.precondition,
        state: parsed("approvals.state", &row.state, State::parse)?,
        created_at: Timestamp::from_micros(row.created_at),
        expires_at: Timestamp::from_micros(row.expires_at),
        grant_expires_at: instant(row.grant_expires_at),
        decided_at: instant(row.decided_at),
        revoke_reason: row.revoke_reason,
        end: end(
            (row.ended_at, row.ended_because),
            (row.ended_by, row.ended_by_user),
        ),
        votes,
    })
}

fn end(
    (at, because): (Option<i64>, Option<String>),
    (by, user): (Option<String>, Option<String>),
) -> Option<End> {
    Some(End {
        at: instant(at)?,
        by,
        user,
        because: because?,
    })
}

fn vote(row: VoteRow) -> Result<Vote, Fault> {
    Ok(Vote {
        person: Person {
            issuer: parsed("votes.voter_issuer", &row.voter_issuer, Issuer::parse)?,
            user: row.voter_user,
        },
        groups: from_json("votes.voter_groups", &row.voter_groups)?,
        choice: parsed("votes.choice", &row.choice, Choice::parse)?,
        reason: row.reason,
        at: Timestamp::from_micros(row.at),
    })
}
