//! Work on policies alone: no database, no server, any source language.
//!
//! [`build`] makes components, [`module`] loads one as the host would, [`cases`] is what people write down
//! of it, [`run`] asks and [`report`] says what came of it. [`bundled`] is the cases that a module carries,
//! and [`vet`] what the host makes of them. [`table`] is all that a policy answers over the finite part of its
//! questions, [`vocabulary`] what a policy is told. [`answers`] are a module's own, [`fold`] makes few lines of
//! them, [`changes`] compares two, [`verify`](mod@verify) looks for what no policy may answer, [`replay`] asks again what was
//! decided, [`review`] lists what a change of a whole set would change, [`bench`] measures what they cost, and [`loads`] says why one does not load.
//!
//! Architecture invariant: depends on `core` and `engine` only, so that whoever tests a policy needs nothing
//! of the host.

pub mod answers;
pub mod bench;
pub mod build;
pub mod bundled;
pub mod cases;
pub mod changes;
pub mod description;
pub mod fold;
pub mod loads;
pub mod module;
pub mod replay;
pub mod report;
pub mod review;
pub mod run;
pub mod selection;
pub mod suite;
pub mod table;
pub mod verify;
pub mod vet;
pub mod vocabulary;
pub mod words;
