//! Work on policies alone: no database, no server.
//!
//! # Architecture invariant
//!
//! Depends on `core` and `engine` only; a policy author needs nothing else of the host.

pub mod build;
pub mod table;
pub mod vocabulary;
