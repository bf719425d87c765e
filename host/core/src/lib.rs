//! The vocabulary of Countersign and the rules that no policy can change.
//!
//! This crate knows no WebAssembly, no SQL and no HTTP. It says who may ask ([`caller`]), what can be
//! asked ([`verb`], [`action`]), what a policy is told and answers ([`policy`], [`verdict`]), how the
//! answers become one ruling, and what else must hold before a deed is done ([`gate`], [`permit`]).
//! What it needs from outside comes through the traits of [`ports`].

pub mod action;
pub mod address;
pub mod approval;
pub mod audit;
pub mod caller;
pub mod chance;
pub mod decision;
pub mod exhaustive;
pub mod gate;
pub mod generation;
pub mod history;
pub mod holdings;
pub mod id;
pub mod keys;
pub mod ledger;
pub mod operators;
pub mod people;
pub mod permit;
pub mod policy;
pub mod ports;
pub mod provenance;
pub mod review;
pub mod secret;
pub mod session;
pub mod shadow;
pub mod signature;
pub mod strictness;
pub mod tally;
pub mod text;
pub mod time;
pub mod token;
pub mod verb;
pub mod verdict;
pub mod workspace;
