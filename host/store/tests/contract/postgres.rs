//! The suite on PostgreSQL, each test on a database of its own.

use countersign_store::{Address, PostgresAddress, PostgresLedger};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::cluster::Cluster;

#[path = "suite/mod.rs"]
mod suite;

/// The migration that fills what people narrow decisions by.
const HISTORY: &str = include_str!("../../../../migrations/postgres/0015_history.sql");
/// The migration that finds the people of what was recorded before.
const PEOPLE: &str = include_str!("../../../../migrations/postgres/0018_people.sql");

type Store = PostgresLedger;

/// A database that nobody else uses.
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    pub async fn new() -> Self {
        let cluster = Cluster::shared();
        let name = cluster.fresh_name();
        run(&cluster.url(), &format!("CREATE DATABASE {name}")).await;
        let url = cluster.named(&name);
        Self { name, url }
    }

    pub async fn open(&self) -> Store {
        PostgresLedger::open(&address(&self.url))
            .await
            .expect("the database opens")
    }

    /// Changes the database behind the ledger's back.
    pub async fn tamper(&self, sql: &str) {
        run(&self.url, sql).await;
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        &self.name
    }
}

pub fn address(url: &str) -> PostgresAddress {
    match Address::parse(url).expect("a URL") {
        Address::Postgres(address) => address,
        Address::Sqlite(_) => panic!("`{url}` is of a file"),
    }
}

/// Runs one statement, or several that need no transaction.
pub async fn run(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url)
        .await
        .expect("the server answers");
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap_or_else(|error| panic!("`{sql}`: {error}"));
    connection.close().await.expect("it closes");
}
