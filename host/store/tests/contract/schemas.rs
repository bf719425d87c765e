//! Both databases have the same tables, columns, keys and indices, made by migrations of the same names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::postgres::Database;

const MIGRATIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");

/// The names and versions of the migrations in a folder.
fn migrations(database: &str) -> BTreeSet<String> {
    let folder = Path::new(MIGRATIONS).join(database);
    let files = std::fs::read_dir(folder).expect("the folder is there");
    files
        .map(|file| {
            file.expect("a file")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .collect()
}

#[test]
fn the_migrations_have_the_same_names() {
    let sqlite = migrations("sqlite");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, migrations("postgres"));
}

/// What can be said of a table of either database, in one form: for each column its type, whether it may
/// be null and its place in the primary key; the foreign keys; for each index its columns, whether it is
/// unique and whether it is partial; how many checks there are.
type Schema = BTreeMap<String, BTreeSet<String>>;

#[tokio::test]
async fn the_schemas_are_the_same() {
    let sqlite = of_sqlite().await;
    let postgres = of_postgres().await;
    assert!(sqlite.len() >= 12, "{sqlite:#?}");
    assert_eq!(
        sqlite.keys().collect::<Vec<_>>(),
        postgres.keys().collect::<Vec<_>>()
    );
    for (table, facts) in &sqlite {
        let other = &postgres[table];
        let missing: Vec<_> = facts.symmetric_difference(other).collect();
        assert!(missing.is_empty(), "`{table}` differs in {missing:#?}");
    }
}

async fn of_sqlite() -> Schema {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("ledger.db");
    countersign_store::SqliteLedger::open(&path)
        .await
        .expect("it opens")
        .close()
        .await;
    let mut connection = SqliteConnection::connect(&format!("sqlite:{}", path.display()))
        .await
        .expect("it opens");
    let rows: Vec<(String, String)> = sqlx::query_as(SQLITE)
        .fetch_all(&mut connection)
        .await
        .expect("the query is right");
    collected(rows)
}

async fn of_postgres() -> Schema {
    let database = Database::new().await;
    database.open().await.close().await;
    let mut connection = PgConnection::connect(database.url())
        .await
        .expect("it opens");
    let rows: Vec<(String, String)> = sqlx::query_as(POSTGRES)
        .fetch_all(&mut connection)
        .await
        .expect("the query is right");
    collected(rows)
}

fn collected(rows: Vec<(String, String)>) -> Schema {
    let mut schema = Schema::new();
    for (table, fact) in rows {
        schema.entry(table).or_default().insert(fact);
    }
    schema
}

const SQLITE: &str = "
WITH tables AS (
    SELECT name, sql FROM sqlite_master
    WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> '_sqlx_migrations'
)
SELECT t.name, 'column ' || c.name || ' ' || c.type || (CASE c.\"notnull\" WHEN 1 THEN ' not null' ELSE '' END)
    || (CASE WHEN c.pk > 0 THEN ' key ' || c.pk ELSE '' END)
FROM tables AS t JOIN pragma_table_info(t.name) AS c
UNION ALL
SELECT t.name, 'refers ' || f.\"from\" || ' to ' || f.\"table\" || ' ' || f.\"to\"
FROM tables AS t JOIN pragma_foreign_key_list(t.name) AS f
UNION ALL
SELECT t.name, 'index ' || (SELECT group_concat(name, ',') FROM
        (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
    || (CASE i.\"unique\" WHEN 1 THEN ' unique' ELSE '' END) || (CASE i.partial WHEN 1 THEN ' partial' ELSE '' END)
FROM tables AS t JOIN pragma_index_list(t.name) AS i WHERE i.origin <> 'pk'
UNION ALL
SELECT name, 'checks ' || ((length(sql) - length(replace(sql, 'CHECK (', ''))) / 7) FROM tables";

const POSTGRES: &str = "
WITH tables AS (
    SELECT c.oid, c.relname::text AS name FROM pg_class c
    WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
      AND c.relname <> '_sqlx_migrations'
), keys AS (
    SELECT i.indrelid, i.indexrelid, i.indisunique, i.indpred IS NOT NULL AS partial, i.indisprimary,
           k.place, a.attname::text AS name
    FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k (attnum, place), pg_attribute a
    WHERE a.attrelid = i.indrelid AND a.attnum = k.attnum
)
SELECT t.name, 'column ' || a.attname || ' '
    || (CASE format_type(a.atttypid, NULL) WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB'
        WHEN 'text' THEN (CASE WHEN collname = 'C' THEN 'TEXT' ELSE 'TEXT of the locale' END)
        ELSE format_type(a.atttypid, NULL) END)
    || (CASE WHEN a.attnotnull THEN ' not null' ELSE '' END)
    || COALESCE((SELECT ' key ' || k.place FROM keys k
                 WHERE k.indrelid = t.oid AND k.indisprimary AND k.name = a.attname), '')
FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_collation ON pg_collation.oid = a.attcollation
UNION ALL
SELECT t.name, 'refers ' || a.attname || ' to ' || o.relname || ' ' || b.attname
FROM tables t JOIN pg_constraint f ON f.conrelid = t.oid AND f.contype = 'f'
JOIN pg_class o ON o.oid = f.confrelid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = f.conkey[1]
JOIN pg_attribute b ON b.attrelid = o.oid AND b.attnum = f.confkey[1]
UNION ALL
SELECT t.name, 'index ' || string_agg(k.name, ',' ORDER BY k.place)
    || (CASE WHEN k.indisunique THEN ' unique' ELSE '' END) || (CASE WHEN k.partial THEN ' partial' ELSE '' END)
FROM tables t JOIN keys k ON k.indrelid = t.oid WHERE NOT k.indisprimary
GROUP BY t.name, k.indexrelid, k.indisunique, k.partial
UNION ALL
SELECT t.name, 'checks ' || (SELECT COUNT(*) FROM pg_constraint c WHERE c.conrelid = t.oid AND c.contype = 'c')
FROM tables t";
