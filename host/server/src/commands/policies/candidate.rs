//! What the policy folder holds and does not decide yet.

use countersign_core::id::ApprovalId;
use serde::Deserialize;

use super::super::table::listed;
use super::super::terminal::Plain;

/// What a host tells of it.
#[derive(Deserialize)]
pub struct Candidate {
    state: Plain,
    summary: Option<Plain>,
    approval_id: Option<ApprovalId>,
    approve_url: Option<Plain>,
    #[serde(default)]
    loosens: u64,
    #[serde(default)]
    tightens: u64,
    #[serde(default)]
    broken: u64,
    /// The same as among the problems.
    pub sentence: Option<Plain>,
}

impl Candidate {
    /// With what to do.
    pub fn shown(&self, width: Option<usize>) -> String {
        let state = match self.state.as_str() {
            "waits" => "it waits for an operator".to_owned(),
            "denied" => "an operator denied it, and what was live stands: when the folder changes, it is asked about again".to_owned(),
            "compared" => "it is compared with what decides, which takes some seconds".to_owned(),
            other => other.to_owned(),
        };
        let mut pairs = vec![("state", state)];
        if let Some(summary) = &self.summary {
            pairs.push(("what", summary.to_string()));
        }
        let waits = self.state.as_str() == "waits";
        if waits {
            let found = format!(
                "looser: {}; tighter: {}; laws broken: {}",
                self.loosens, self.tightens, self.broken
            );
            pairs.push(("found", found));
        }
        if let Some(id) = self.approval_id {
            pairs.push(("read", format!("countersign approval show {id}")));
        }
        if let Some(id) = self.approval_id.filter(|_| waits) {
            pairs.extend([
                ("accept", format!("countersign approval approve {id}")),
                ("deny", format!("countersign approval deny {id}")),
            ]);
        }
        if let Some(url) = &self.approve_url {
            pairs.push(("console", url.to_string()));
        }
        listed(&pairs, width)
    }
}
