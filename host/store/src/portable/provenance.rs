//! What a person reads beside a request: who minted whoever asks, what that did lately, how many others wait,
//! and what was asked before.

use async_trait::async_trait;
use countersign_core::approval::{Approval, State};
use countersign_core::id::{TokenId, WorkspaceId};
use countersign_core::ledger::{Page, Whose};
use countersign_core::permit::Permit;
use countersign_core::policy::Role;
use countersign_core::ports::LedgerError;
use countersign_core::provenance::{
    Lately, Link, MOST_COUNTED, MOST_DEEDS, MOST_LINKS, Provenance, ProvenanceLedger, Sought,
};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use sqlx::QueryBuilder;

use super::columns::{count, limit, live, parsed_option};
use super::history::{SLACK, first_id};
use super::{Connection, Driver, Store, approvals, covers, decisions, people};
use crate::fault::Fault;

#[derive(sqlx::FromRow)]
struct LinkRow {
    prefix: String,
    name: Option<String>,
    role: Option<String>,
    workspace: Option<String>,
    created_at: i64,
    created_by: String,
    created_by_user: Option<String>,
    /// The exact credential that minted it.
    minter_key: String,
    lives: i64,
}

/// Which table a token is in.
#[derive(Clone, Copy)]
enum Kind {
    Organisation,
    Workspace,
}

#[async_trait]
impl ProvenanceLedger for Store {
    async fn provenance(
        &self,
        permit: &Permit,
        whose: &Whose,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<Provenance, LedgerError> {
        covers(permit, Verb::ApprovalList)?;
        let asked_by = &approval.requester.credential;
        if matches!(whose, Whose::Requester(credential) if credential != asked_by) {
            return Ok(Provenance::default());
        }
        let mut tx = self.begin_reading().await?;
        let (links, goes_on) = chain(&mut tx, asked_by, now).await?;
        let lately = decisions::of_note(&mut tx, asked_by, approval.id, MOST_DEEDS).await?;
        Ok(Provenance {
            links,
            goes_on,
            lately: lately
                .into_iter()
                .map(|(decision, times)| Lately { decision, times })
                .collect(),
        })
    }

    async fn count_pending(
        &self,
        permit: &Permit,
        whose: &Whose,
        now: Timestamp,
    ) -> Result<u64, LedgerError> {
        covers(permit, Verb::ApprovalList)?;
        let mut connection = self.glance().await?;
        Ok(pending(&mut connection, whose, now).await?)
    }

    async fn approvals_sought(
        &self,
        permit: &Permit,
        whose: &Whose,
        sought: (&Sought, &Page),
        now: Timestamp,
    ) -> Result<Vec<Approval>, LedgerError> {
        covers(permit, Verb::ApprovalList)?;
        let mut tx = self.begin_reading().await?;
        Ok(seek(&mut tx, whose, sought, now).await?)
    }
}

/// From the token with this key to the root of its chain, and whether it goes on beyond what is told.
async fn chain(
    connection: &mut Connection,
    key: &str,
    now: Timestamp,
) -> Result<(Vec<Link>, bool), Fault> {
    let mut links = Vec::new();
    let mut key = key.to_owned();
    while let Some((kind, id)) = token(&key) {
        let Some(row) = load(connection, (kind, id), now).await? else {
            break;
        };
        if links.len() == MOST_LINKS {
            return Ok((links, true));
        }
        key.clone_from(&row.minter_key);
        links.push(link(kind, row)?);
    }
    Ok((links, false))
}

/// The token that a credential is, if it is one.
fn token(key: &str) -> Option<(Kind, TokenId)> {
    let (kind, id) = key.split_once(':')?;
    let kind = match kind {
        "org-token" => Kind::Organisation,
        "workspace-token" => Kind::Workspace,
        _ => return None,
    };
    Some((kind, TokenId::parse(id)?))
}

async fn load(
    connection: &mut Connection,
    (kind, id): (Kind, TokenId),
    now: Timestamp,
) -> Result<Option<LinkRow>, Fault> {
    let sql = match kind {
        Kind::Organisation => concat!(
            "SELECT prefix, name, role, workspace, created_at, created_by, created_by_user,
                    created_by_key AS minter_key,
                    CAST(CASE WHEN ",
            live!(),
            " THEN 1 ELSE 0 END AS BIGINT) AS lives
             FROM org_tokens WHERE id = $2"
        ),
        Kind::Workspace => concat!(
            "SELECT prefix, CAST(NULL AS TEXT) AS name, CAST(NULL AS TEXT) AS role, workspace,
                    created_at, created_by, CAST(NULL AS TEXT) AS created_by_user, minter_key,
                    CAST(CASE WHEN ",
            live!(),
            " THEN 1 ELSE 0 END AS BIGINT) AS lives
             FROM workspace_tokens WHERE id = $2"
        ),
    };
    Ok(sqlx::query_as(sql)
        .bind(now.as_micros())
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?)
}

fn link(kind: Kind, row: LinkRow) -> Result<Link, Fault> {
    let kind = match kind {
        Kind::Organisation => "org-token",
        Kind::Workspace => "workspace-token",
    };
    Ok(Link {
        actor: format!("{kind}:{}", row.prefix),
        name: row.name,
        role: parsed_option("org_tokens.role", row.role.as_deref(), Role::parse)?,
        workspace: parsed_option(
            "org_tokens.workspace",
            row.workspace.as_deref(),
            WorkspaceId::parse,
        )?,
        created_at: Timestamp::from_micros(row.created_at),
        created_by: row.created_by,
        created_by_user: row.created_by_user,
        lives: row.lives != 0,
    })
}

/// How many are pending; one more than are counted says that there are more. Only pending rows are looked at, however
/// many there were: no verb is empty, and that it says so makes SQLite prefer the index of what is pending to that of
/// all that a requester ever asked for.
async fn pending(connection: &mut Connection, whose: &Whose, now: Timestamp) -> Result<u64, Fault> {
    let mut query = QueryBuilder::<Driver>::new(
        "SELECT COUNT(*) FROM (
             SELECT 1 FROM approvals WHERE state = 'pending' AND expires_at > ",
    );
    query.push_bind(now.as_micros());
    if let Whose::Requester(credential) = whose {
        query
            .push(" AND verb > '' AND requester_credential = ")
            .push_bind(credential);
    }
    query
        .push(" LIMIT ")
        .push_bind(i64::from(MOST_COUNTED) + 1)
        .push(") AS waiting");
    let waiting: i64 = query.build_query_scalar().fetch_one(connection).await?;
    Ok(count(waiting))
}

/// Only what is sought is in the statement: a planner that must allow for what is not uses no index.
async fn seek(
    connection: &mut Connection,
    whose: &Whose,
    (sought, page): (&Sought, &Page),
    now: Timestamp,
) -> Result<Vec<Approval>, Fault> {
    let called = match &sought.called {
        Some(name) => people::called_exactly(connection, name).await?,
        None => Vec::new(),
    };
    let mut query = QueryBuilder::<Driver>::new(concat!(approvals::select!(), "WHERE 1 = 1"));
    if let Whose::Requester(credential) = whose {
        query
            .push(" AND requester_credential = ")
            .push_bind(credential);
    }
    if let Some(state) = sought.state {
        in_state(&mut query, state, now);
    }
    if let Some(verb) = sought.verb {
        query.push(" AND verb = ").push_bind(verb.as_str());
    }
    if let Some(actor) = &sought.actor {
        query.push(" AND requester_actor IN (").push_bind(actor);
        for label in called {
            query.push(", ").push_bind(label);
        }
        query.push(")");
    }
    if let Some(since) = sought.since {
        query
            .push(" AND created_at >= ")
            .push_bind(since.as_micros())
            .push(" AND id >= ")
            .push_bind(first_id(since.minus(SLACK)));
    }
    if let Some(after) = &page.after {
        query.push(" AND id < ").push_bind(after);
    }
    query
        .push(" ORDER BY id DESC LIMIT ")
        .push_bind(limit(page));
    let rows: Vec<approvals::Row> = query.build_query_as().fetch_all(&mut *connection).await?;
    approvals::with_all_votes(connection, rows).await
}

/// The state as of `now`: [`Approval::state_at`], in SQL.
fn in_state(query: &mut QueryBuilder<Driver>, state: State, now: Timestamp) {
    let now = now.as_micros();
    match state {
        State::Pending => {
            query.push(" AND state = 'pending' AND expires_at > ");
            query.push_bind(now);
        }
        State::Expired => {
            query.push(
                " AND state IN ('expired', 'pending') AND (state = 'expired' OR expires_at <= ",
            );
            query.push_bind(now).push(")");
        }
        State::Approved => {
            query.push(" AND state = 'approved' AND grant_expires_at > ");
            query.push_bind(now);
        }
        State::Lapsed => {
            query.push(
                " AND state IN ('lapsed', 'approved') AND (state = 'lapsed' OR grant_expires_at <= ",
            );
            query.push_bind(now).push(")");
        }
        State::Denied | State::Withdrawn | State::Used | State::Revoked => {
            query.push(" AND state = ").push_bind(state.as_str());
        }
    }
}
