//! The core's [`Ledger`](countersign_core::ports::Ledger) on SQL databases.
//!
//! There is one source of SQL, in `portable/`, split by noun. It is compiled once for each database:
//! the file of a database (`sqlite.rs`, `postgres.rs`) names its driver, says how it opens and how its transactions
//! begin, and includes `portable/` as a child. Nothing in `portable/` names a database.
//!
//! Architecture invariant: whatever writes does so in a transaction that no other writer shares, begun
//! by the database's `begin_writing`. What a statement in it reads cannot be moved by anybody else
//! before it commits. The statements guard their own state all the same, and zero rows is an answer.

#![expect(
    clippy::duplicate_mod,
    reason = "`portable` is compiled once for each database"
)]

mod fault;
mod open;
mod postgres;
mod records;
mod sqlite;
mod whole;

pub use open::{Address, OpenError, Refusal, Standing, look, open};
pub use postgres::{PostgresAddress, PostgresLedger};
pub use records::{Records, records};
pub use sqlite::SqliteLedger;

/// The server that tests of `portable` make their databases on.
#[cfg(test)]
#[path = "../tests/contract/cluster.rs"]
mod cluster;
