//! Work on policies alone: no database, no server, any source language.
//!
//! [`build`] makes components, [`module`] loads one as the host would, [`cases`] is what people write down
//! of it and [`run`] asks; [`replay`] asks again what was decided. [`table`] is all that a policy answers over the finite part of its questions,
//! [`vocabulary`] what a policy is told.
//!
//! Architecture invariant: depends on `core` and `engine` only, so that whoever tests a policy needs nothing
//! of the host.

pub mod build;
pub mod cases;
pub mod module;
pub mod replay;
pub mod run;
pub mod table;
pub mod vocabulary;
