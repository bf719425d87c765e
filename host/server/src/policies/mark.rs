//! What this host's folder last held, kept in the data folder: so a start can tell a folder that was
//! changed meanwhile from one that was not, while another host of the fleet went on.

use std::sync::Arc;

use countersign_core::generation::ModuleRecord;
use sha2::{Digest as _, Sha256};

use crate::data_dir::DataDir;
use crate::report;

const FILE: &str = "policy-folder.seen";
/// What it holds that is not live yet, and which generation was live when it came there.
const SINCE: &str = "policy-folder.since";

/// The mark of what this host's folder last held.
#[derive(Debug)]
pub struct FolderMark(Arc<DataDir>);

impl FolderMark {
    /// The mark in this data folder.
    pub fn new(data: Arc<DataDir>) -> Self {
        Self(data)
    }

    /// Whether the folder holds something else than when this host last looked. A host that never looked
    /// does not know, and so says no.
    pub(super) fn is_of_others(&self, modules: &[ModuleRecord]) -> bool {
        match self.0.read(FILE) {
            Ok(seen) => seen.is_some_and(|seen| seen != digest(modules)),
            Err(error) => {
                tracing::warn!(error = %report(&error), "what the policy folder last held is not known");
                false
            }
        }
    }

    /// Notes that the folder holds `modules`, and forgets since when it held anything else.
    pub(super) fn keep(&self, modules: &[ModuleRecord]) {
        if self.since(modules).is_none() {
            self.note_since(&[]);
        }
        // Without it the next start takes what the folder held before this for what it last held: the
        // folder's content is then recorded as a change once more.
        if let Err(error) = self.0.write_private(FILE, &digest(modules)) {
            tracing::warn!(error = %report(&error), "what the policy folder holds cannot be noted");
        }
    }
}

impl FolderMark {
    /// Notes that the folder came to hold `modules` while this generation was live.
    pub(super) fn came(&self, modules: &[ModuleRecord], generation: u64) {
        self.note_since(&[digest(modules), generation.to_be_bytes().to_vec()].concat());
    }

    fn note_since(&self, note: &[u8]) {
        if let Err(error) = self.0.write_private(SINCE, note) {
            tracing::warn!(error = %report(&error), "since when the policy folder holds what it does cannot be noted");
        }
    }

    /// The generation that was live when the folder came to hold `modules`, if a host saw it come.
    pub(super) fn since(&self, modules: &[ModuleRecord]) -> Option<u64> {
        let note = self.0.read(SINCE).ok().flatten()?;
        let number = note.strip_prefix(&*digest(modules))?;
        Some(u64::from_be_bytes(number.try_into().ok()?))
    }
}

fn digest(modules: &[ModuleRecord]) -> Vec<u8> {
    let text = serde_json::to_vec(modules).expect("INVARIANT: names and texts are fit for JSON");
    Sha256::digest(text).to_vec()
}
