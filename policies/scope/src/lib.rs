//! What several modules ask of their settings: which verbs, whose requests, how many people.
//!
//! A crate of its own beside the SDK, because whatever changes in the SDK changes the bytes of the
//! baseline, which are reviewed.

mod caller;
mod demand;
mod suggest;
mod verb_set;
mod words;

pub use caller::{Held, is_by_person};
pub use demand::Demand;
pub use suggest::nearest;
pub use verb_set::{VerbSet, is_judged_by_core_alone, only_reads};
pub use words::{choice, sentence};
