//! Revocation: an organisation token, at once or when it has drained, alone or with all that it minted.

use std::time::Duration;

use countersign_core::audit::EventKind;
use countersign_core::caller::earlier;
use countersign_core::id::{DecisionId, TokenId, WorkspaceId};
use countersign_core::ledger::{Descendant, Revoked, Submission};
use countersign_core::time::Timestamp;
use countersign_core::workspace::{FallDigest, digest_of};
use serde_json::json;

use super::columns::{instant, live, parsed, parsed_option};
use super::endings::Ending;
use super::{Connection, audit, endings, tokens, workspace_tokens};
use crate::fault::Fault;

/// A token, whose parameter is given, and the organisation tokens that it minted, itself or through
/// others, live or not, as `tree (id)`. Of workspaces' tokens, those are in it whose `minter_key` is of one
/// of these: what takes the place of one keeps its minter.
macro_rules! with_tree {
    ($id:literal) => {
        concat!(
            "WITH RECURSIVE tree (id) AS (
                 SELECT id FROM org_tokens WHERE id = ",
            $id,
            " UNION
                 SELECT minted.id FROM org_tokens AS minted JOIN tree ON minted.minted_by_token = tree.id
             )"
        )
    };
}

pub(super) use with_tree;

/// Ends what is live at `$1`: then, or where it is to drain, at `$3`, and never later than it would have.
macro_rules! ends {
    () => {
        "SET revoked_at = CASE WHEN CAST($3 AS BIGINT) IS NULL THEN $1 END,
             draining_until = CASE WHEN $3 IS NULL THEN NULL
                                   WHEN draining_until < $3 THEN draining_until
                                   ELSE $3 END"
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    prefix: String,
    /// Whose token it is; of an organisation token nothing.
    workspace: Option<String>,
    expires_at: Option<i64>,
    draining_until: Option<i64>,
}

/// What is to be revoked, and by which request.
pub(super) struct Revoking<'a> {
    pub(super) submission: &'a Submission<'a>,
    pub(super) decision: DecisionId,
    pub(super) token: TokenId,
    /// 0: it stops at once.
    pub(super) drain_seconds: u32,
    pub(super) descendants: bool,
    /// What was shown of what it minted, where that is said.
    pub(super) shown: Option<&'a FallDigest>,
}

impl Revoking<'_> {
    fn at(&self) -> Timestamp {
        self.submission.decision.at
    }

    /// Until when what falls may still work, if at all.
    fn draining_until(&self) -> Option<Timestamp> {
        let drain = Duration::from_secs(self.drain_seconds.into());
        (self.drain_seconds > 0).then(|| self.at().plus(drain))
    }
}

/// Revokes it; nothing where nothing of it is live, or where other things would fall with it than were shown. What
/// stops at once takes along what it has asked for; of what drains, that ends when it has drained.
pub(super) async fn revoke(
    connection: &mut Connection,
    revoking: &Revoking<'_>,
) -> Result<Option<Revoked>, Fault> {
    if let Some(shown) = revoking.shown
        && revoking.descendants
        && descent(connection, revoking.token, revoking.at()).await? != *shown
    {
        return Ok(None);
    }
    let mut fallen = of_organisation(connection, revoking).await?;
    if revoking.descendants {
        fallen.extend(of_workspaces(connection, revoking).await?);
    }
    if fallen.is_empty() {
        return Ok(None);
    }
    let mut approvals = Vec::new();
    for token in &fallen {
        record(connection, revoking, token).await?;
        if token.draining_until.is_none() {
            let caller = revoking.submission.caller;
            let about = json!({ "decision": revoking.decision });
            let ending = Ending::by(caller, revoking.at(), endings::TOKEN_REVOKED, about);
            let requester = match token.workspace {
                Some(_) => workspace_tokens::credential_key(token.token),
                None => tokens::credential_key(token.token),
            };
            approvals.extend(endings::end_of(connection, &requester, &ending).await?);
        }
    }
    let meant = |token: &Descendant| token.token == revoking.token;
    let draining_until = fallen
        .iter()
        .find(|token| meant(token))
        .and_then(|token| token.draining_until);
    fallen.retain(|token| !meant(token));
    Ok(Some(Revoked {
        token: revoking.token,
        draining_until,
        descendants: fallen,
        approvals,
    }))
}

async fn of_organisation(
    connection: &mut Connection,
    revoking: &Revoking<'_>,
) -> Result<Vec<Descendant>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        with_tree!("$2"),
        " UPDATE org_tokens ",
        ends!(),
        " WHERE id IN (SELECT id FROM tree) AND ($4 = 1 OR id = $2) AND ",
        live!(),
        " RETURNING id, prefix, CAST(NULL AS TEXT) AS workspace, expires_at, draining_until"
    ))
    .bind(revoking.at().as_micros())
    .bind(revoking.token.to_string())
    .bind(revoking.draining_until().map(Timestamp::as_micros))
    .bind(i64::from(revoking.descendants))
    .fetch_all(connection)
    .await?;
    sorted(rows)
}

async fn of_workspaces(
    connection: &mut Connection,
    revoking: &Revoking<'_>,
) -> Result<Vec<Descendant>, Fault> {
    let rows: Vec<Row> = sqlx::query_as(concat!(
        with_tree!("$2"),
        " UPDATE workspace_tokens ",
        ends!(),
        " WHERE minter_key IN (SELECT 'org-token:' || id FROM tree) AND ",
        live!(),
        " RETURNING id, prefix, workspace, expires_at, draining_until"
    ))
    .bind(revoking.at().as_micros())
    .bind(revoking.token.to_string())
    .bind(revoking.draining_until().map(Timestamp::as_micros))
    .fetch_all(connection)
    .await?;
    sorted(rows)
}

/// Oldest first: ids of later tokens sort later.
fn sorted(mut rows: Vec<Row>) -> Result<Vec<Descendant>, Fault> {
    rows.sort_by(|one, other| one.id.cmp(&other.id));
    rows.into_iter().map(descendant).collect()
}

fn descendant(row: Row) -> Result<Descendant, Fault> {
    let draining_until = instant(row.draining_until);
    Ok(Descendant {
        token: parsed("tokens.id", &row.id, TokenId::parse)?,
        prefix: row.prefix,
        workspace: parsed_option(
            "workspace_tokens.workspace",
            row.workspace.as_deref(),
            WorkspaceId::parse,
        )?,
        draining_until: draining_until
            .and_then(|until| earlier(instant(row.expires_at), Some(until))),
    })
}

async fn record(
    connection: &mut Connection,
    revoking: &Revoking<'_>,
    token: &Descendant,
) -> Result<(), Fault> {
    let mut detail = json!({ "token": token.token, "decision": revoking.decision });
    if let Some(until) = token.draining_until {
        detail["draining_until"] = json!(until);
    }
    if token.token != revoking.token {
        detail["fell_with"] = json!(revoking.token);
    }
    let event = match token.workspace {
        Some(workspace) => {
            detail["workspace"] = json!(workspace);
            EventKind::WorkspaceTokenRevoked
        }
        None => EventKind::OrgTokenRevoked,
    };
    let actor = revoking.submission.caller.actor();
    audit::append(connection, revoking.at(), event, &actor, detail).await
}

/// Whether the token or anything that it minted is live.
pub(super) async fn any_lives(
    connection: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let live: i64 = sqlx::query_scalar(concat!(
        with_tree!("$2"),
        " SELECT (SELECT COUNT(*) FROM org_tokens WHERE id IN (SELECT id FROM tree) AND ",
        live!(),
        ") + (SELECT COUNT(*) FROM workspace_tokens
              WHERE minter_key IN (SELECT 'org-token:' || id FROM tree) AND ",
        live!(),
        ")"
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .fetch_one(connection)
    .await?;
    Ok(live > 0)
}

/// What a token minted, itself or through others, as far as it is live.
pub(super) async fn descent(
    connection: &mut Connection,
    id: TokenId,
    now: Timestamp,
) -> Result<FallDigest, Fault> {
    let live: Vec<(String, String)> = sqlx::query_as(concat!(
        with_tree!("$2"),
        " SELECT id, 'organisation' FROM org_tokens
          WHERE id IN (SELECT id FROM tree) AND id <> $2 AND ",
        live!(),
        " UNION ALL
          SELECT id, 'workspace' FROM workspace_tokens
          WHERE minter_key IN (SELECT 'org-token:' || id FROM tree) AND ",
        live!()
    ))
    .bind(now.as_micros())
    .bind(id.to_string())
    .fetch_all(connection)
    .await?;
    Ok(FallDigest::of(
        live.iter().map(|(id, kind)| (id.as_str(), kind.as_str())),
    ))
}

/// One text for the token and all that it minted, as far as nobody has revoked it.
pub(super) async fn all_that_falls(
    connection: &mut Connection,
    id: TokenId,
) -> Result<String, Fault> {
    let fallen: Vec<(String, String)> = sqlx::query_as(concat!(
        with_tree!("$1"),
        " SELECT id, 'organisation' FROM org_tokens
          WHERE id IN (SELECT id FROM tree) AND revoked_at IS NULL
          UNION ALL
          SELECT id, 'workspace' FROM workspace_tokens
          WHERE minter_key IN (SELECT 'org-token:' || id FROM tree) AND revoked_at IS NULL"
    ))
    .bind(id.to_string())
    .fetch_all(connection)
    .await?;
    Ok(digest_of(
        fallen.iter().map(|(id, kind)| (id.as_str(), kind.as_str())),
    ))
}
