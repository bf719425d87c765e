//! Cases: what a policy must answer, as text that people write and review.
//!
//! A file has *fixtures* (parts of a question under a name), *cases* (a question, or a whole family of
//! them, and what is expected), *tables* (cases that differ in a few columns) and *properties* (what must
//! hold of a family however all the rest of the question is changed; [`crate`]'s search tries). All are laid
//! over a row of the exhaustive table, so that a case says only what it is about.

mod bounds;
mod calls;
mod expected;
mod file;
mod given;
mod laid;
mod problem;
mod table;
mod values;
mod words;
mod written;

pub use bounds::Bounds;
pub use calls::{Calls, Earlier};
pub use expected::{Expected, Mismatch};
pub use file::{Case, CaseFile, Property};
pub use given::{Given, Variant};
pub use problem::CaseError;
pub use words::Pattern;
pub(crate) use words::{Words, nearest};
