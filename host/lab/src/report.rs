//! What came of the cases, as people and programs read it.
//!
//! Architecture invariant: names, answers and notes are somebody's text, and a module may be hostile. In
//! whatever is made here they are [`escaped`](countersign_core::text::escaped), and where people read them
//! also cut.

mod alike;
mod columns;
mod json;
mod junit;
mod paint;
mod terminal;

pub use json::json;
pub use junit::junit;
pub use paint::Style;
pub use terminal::{Again, terminal};
