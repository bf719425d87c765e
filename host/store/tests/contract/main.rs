//! What every ledger must do, and what each database must refuse.
//!
//! `suite/` is written once. Each database's file says how a fresh one is made and opened, and includes
//! the suite, which then runs on that database.

#![expect(
    clippy::duplicate_mod,
    reason = "the suite is compiled once for each database"
)]

mod cluster;
mod postgres;
mod postgres_server;
mod schemas;
mod sqlite;
mod sqlite_file;
