//! What every ledger must do, and what each database must refuse.
//!
//! `suite/` is written once. Each database's file says how a fresh one is made and opened, and includes
//! the suite, which then runs on that database.

mod sqlite;
mod sqlite_file;
