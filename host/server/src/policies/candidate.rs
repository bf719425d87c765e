//! What the folder holds and does not decide yet, and how far it is.

use std::sync::Arc;

use countersign_core::caller::POLICY_FOLDER;
use countersign_core::generation::Genuine;
use countersign_core::id::ApprovalId;
use countersign_core::review::Review;
use countersign_engine::folder::Proposal;
use serde_json::{Value, json};

use super::Policies;
use super::modules::Modules;

/// What the folder holds, and does not decide yet.
pub(super) struct Candidate {
    pub proposal: Proposal,
    /// The generation that was live when the folder came to hold it, or a host first saw that it does.
    pub since: u64,
    /// Whether it could not be recorded at once: what somebody chooses meanwhile is then the later word.
    pub waited: bool,
    /// What became of it so far.
    pub standing: Standing,
}

/// How far a candidate is.
#[derive(Clone)]
pub(super) enum Standing {
    /// It is compared with what decides.
    Compared,
    /// It waits for an operator.
    Waits(Waiting),
    /// An operator said no: it is asked about again when the folder changes.
    Denied {
        /// What they denied, where this host had asked them.
        approval: Option<ApprovalId>,
        summary: String,
    },
}

/// What an operator is asked.
#[derive(Clone)]
pub(super) struct Waiting {
    pub approval: ApprovalId,
    pub summary: String,
    pub review: Arc<Review>,
    /// Against which generation.
    pub follows: u64,
    pub modules: Modules,
}

impl Candidate {
    /// What people and programs see of it.
    pub fn shown(&self, base_url: &str) -> Value {
        let mut shown = match &self.standing {
            Standing::Compared => json!({ "state": "compared" }),
            Standing::Denied { summary, .. } => json!({ "state": "denied", "summary": summary }),
            Standing::Waits(waiting) => json!({
                "state": "waits",
                "summary": waiting.summary,
                "approval_id": waiting.approval,
                "approve_url": format!("{base_url}/console/approvals/{}", waiting.approval),
                "loosens": waiting.review.loosens.len(),
                "tightens": waiting.review.tightens.len(),
                "broken": waiting.review.broken.len(),
            }),
        };
        if let Standing::Denied {
            approval: Some(id), ..
        } = &self.standing
        {
            shown["approval_id"] = json!(id);
        }
        // The same as among the problems, so that whoever shows both can tell.
        if let Some(sentence) = self.sentence() {
            shown["sentence"] = sentence.into();
        }
        shown
    }

    /// Why what the folder holds does not decide.
    pub fn sentence(&self) -> Option<String> {
        match &self.standing {
            Standing::Compared => None,
            Standing::Waits(waiting) => Some(format!(
                "what the folder holds waits for an operator, because {}: {} (approval {})",
                waiting.review.sentence(),
                waiting.summary,
                waiting.approval
            )),
            Standing::Denied { summary, .. } => Some(format!(
                "an operator denied what the folder holds, and what was live stands: {summary}; when the folder changes, it is asked about again"
            )),
        }
    }

    /// What the folder holds now.
    pub fn of(proposal: Proposal, since: u64) -> Self {
        Self {
            proposal,
            since,
            waited: false,
            standing: Standing::Compared,
        }
    }
}

impl Waiting {
    /// Whether it is about these modules in the place of that generation.
    pub fn is_for(&self, newest: &Genuine, modules: &Modules) -> bool {
        self.follows == newest.number && self.modules == *modules
    }
}

/// Whether somebody else than the folder made this generation live, after `since`.
pub(super) fn is_overruled(since: u64, newest: &Genuine) -> bool {
    newest.number > since && newest.by != POLICY_FOLDER
}

impl Policies {
    /// What the folder holds and nobody has denied.
    pub(super) fn open_candidate(&self) -> Option<Proposal> {
        let candidate = self.candidate();
        let candidate = candidate.as_ref()?;
        let is_denied = matches!(candidate.standing, Standing::Denied { .. });
        (!is_denied).then(|| candidate.proposal.clone())
    }

    /// The generation that somebody else than the folder made live since the folder holds what it holds.
    pub(super) fn overruled_by(&self, newest: &Genuine) -> Option<u64> {
        let since = self.candidate().as_ref()?.since;
        is_overruled(since, newest).then_some(newest.number)
    }

    /// Whether somebody did while it waited.
    pub(super) fn is_overruled(&self, newest: &Genuine) -> bool {
        let has_waited = self.candidate().as_ref().is_some_and(|one| one.waited);
        has_waited && self.overruled_by(newest).is_some()
    }

    pub(super) fn waiting(&self) -> Option<Waiting> {
        match &self.candidate().as_ref()?.standing {
            Standing::Waits(waiting) => Some(waiting.clone()),
            Standing::Compared | Standing::Denied { .. } => None,
        }
    }

    pub(super) fn stand(&self, standing: Standing) {
        if let Some(candidate) = &mut *self.candidate() {
            candidate.standing = standing;
        }
    }
}
