//! Why a file of cases cannot be used.

use countersign_core::text::escaped;

/// Why a file of cases cannot be used. `line` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// It is no TOML, or has a key that there is not.
    #[error("line {line}: {}", escaped(.message))]
    Toml {
        /// Where.
        line: usize,
        /// The parser's message.
        message: String,
    },
    /// One case, table or property is wrong.
    #[error("line {line}: `{}`: {}", escaped(.name), escaped(.message))]
    Case {
        /// Where it begins.
        line: usize,
        /// What it is called.
        name: String,
        /// What is wrong, and what would be right.
        message: String,
    },
}
