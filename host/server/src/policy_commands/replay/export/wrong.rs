//! What is wrong with a file that is to be an export, and what to do about it.

use std::io;
use std::path::Path;

/// Why a file is no whole export.
#[derive(Debug, thiserror::Error)]
pub enum Wrong {
    #[error("is empty: write the export again by `countersign decision export --out`")]
    Empty,
    #[error(
        "does not begin as an export does: it is another file, or an earlier version wrote it. Write it by `countersign decision export --out`"
    )]
    NoExport,
    #[error(
        "is written in version {0} of the format, and this program reads version {known}: use the program that wrote it, or write the export again by this one",
        known = crate::export::VERSION
    )]
    Version(u32),
    #[error(
        "was cut: its last line is missing. Copy it again, or write it again by `countersign decision export --out`"
    )]
    Cut,
    #[error(
        "goes on after its end, in line {0}: if several exports were put together, replay each by itself"
    )]
    GoesOn(u64),
    #[error(
        "was changed after it was written: {0}. Take it as the host wrote it, or write it again by `countersign decision export --out`"
    )]
    Changed(&'static str),
    #[error(
        "was changed after it was written: in it, the bytes of the component {0} have another digest. Write it again by `countersign decision export --out`"
    )]
    Bytes(String),
    #[error(
        "has a line that is longer than any of an export, line {0}: write it again by `countersign decision export --out`"
    )]
    TooLong(u64),
    #[error("has a line about policies that is not understood, line {0}: {1}")]
    Policies(u64, serde_json::Error),
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
}

impl Wrong {
    /// What is wrong with which file.
    pub fn in_file(&self, path: &Path) -> anyhow::Error {
        anyhow::anyhow!("`{}` {self}", path.display())
    }
}
