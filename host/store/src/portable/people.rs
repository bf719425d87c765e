//! People, by the label under which the record tells of them.

use std::collections::HashMap;

use async_trait::async_trait;
use countersign_core::caller::{Caller, Issuer, Person};
use countersign_core::people::PeopleLedger;
use countersign_core::ports::LedgerError;
use countersign_core::time::Timestamp;
use sqlx::QueryBuilder;

use super::{Connection, Driver, PAGE_LIMIT, Store};
use crate::fault::Fault;

#[derive(sqlx::FromRow)]
struct Row {
    label: String,
    issuer: String,
    name: String,
}

/// The labels of people whose name begins with `$n`, letter by letter or but for the case of plain letters:
/// all that both databases fold alike, since what stands behind a piece of the column, however empty, is
/// folded as the column is.
macro_rules! called {
    ($n:literal) => {
        concat!(
            "SELECT label FROM people WHERE substr(name, 1, length(",
            $n,
            ")) = ",
            $n,
            " OR substr(lower(name), 1, length(",
            $n,
            ")) = lower(substr(name, 1, 0) || ",
            $n,
            ")"
        )
    };
}
pub(super) use called;

#[async_trait]
impl PeopleLedger for Store {
    async fn people(
        &self,
        reader: &Caller,
        labels: &[&str],
    ) -> Result<HashMap<String, Person>, LedgerError> {
        if reader.person().is_none() || labels.is_empty() {
            return Ok(HashMap::new());
        }
        let mut connection = self.glance().await?;
        Ok(read(&mut connection, labels).await?)
    }
}

/// Keeps who `person` is, if that is not known yet.
pub(super) async fn note(
    connection: &mut Connection,
    person: &Person,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO people (label, issuer, name, first_seen_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (label) DO NOTHING",
    )
    .bind(person.label())
    .bind(person.issuer.as_str())
    .bind(&person.user)
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}

/// The labels of people with this name, but for the case of plain letters: of each issuer's, few.
pub(super) async fn called_exactly(
    connection: &mut Connection,
    name: &str,
) -> Result<Vec<String>, Fault> {
    Ok(sqlx::query_scalar(
        "SELECT label FROM people WHERE name = $1 OR lower(name) = lower(substr(name, 1, 0) || $1) ORDER BY label LIMIT $2",
    )
    .bind(name)
    .bind(i64::from(PAGE_LIMIT))
    .fetch_all(connection)
    .await?)
}

async fn read(
    connection: &mut Connection,
    labels: &[&str],
) -> Result<HashMap<String, Person>, Fault> {
    let mut query =
        QueryBuilder::<Driver>::new("SELECT label, issuer, name FROM people WHERE label IN (");
    let mut wanted = query.separated(", ");
    for label in labels.iter().take(PAGE_LIMIT as usize) {
        wanted.push_bind(*label);
    }
    query.push(")");
    let rows: Vec<Row> = query.build_query_as().fetch_all(connection).await?;
    let mut people = HashMap::with_capacity(rows.len());
    for row in rows {
        // A later version may know more who vouch for people.
        let Some(issuer) = Issuer::parse(&row.issuer) else {
            continue;
        };
        let person = Person {
            issuer,
            user: row.name,
        };
        // Who can write the database cannot put a deed down to somebody else.
        if person.label() == row.label {
            people.insert(row.label, person);
        }
    }
    Ok(people)
}
