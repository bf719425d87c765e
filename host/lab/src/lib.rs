//! Work on policies alone: no database, no server, any source language.
//!
//! [`build`] makes components, [`module`] loads one as the host would, [`cases`] is what people write down
//! of it, [`run`] asks and [`report`] says what came of it. [`bundled`] is the cases that a module carries,
//! and [`vet`] what the host makes of them. [`table`] is all that a policy answers over the finite part of its questions,
//! [`vocabulary`] what a policy is told.
//!
//! Architecture invariant: depends on `core` and `engine` only, so that whoever tests a policy needs nothing
//! of the host.

pub mod build;
pub mod bundled;
pub mod cases;
pub mod module;
pub mod report;
pub mod run;
pub mod suite;
pub mod table;
pub mod vet;
pub mod vocabulary;
