//! A decision, as it is recorded.

use crate::action::ActionDigest;
use crate::id::{ApprovalId, DecisionId};
use crate::policy::{Question, words};
use crate::time::Timestamp;
use crate::verb::Verb;
use crate::verdict::Judgement;

words! {
    /// What came of a request.
    Outcome {
        /// The policies allow it.
        Allowed = "allowed",
        /// The policies gate it, and an approval let it pass.
        Granted = "granted",
        /// It waits for people.
        Pending = "pending",
        /// It was refused.
        Refused = "refused",
    }
}

impl Outcome {
    /// Whether the deed may be done.
    pub fn permits(self) -> bool {
        matches!(self, Self::Allowed | Self::Granted)
    }
}

/// What was asked, what was judged and what came of it.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Its id, which the caller is told.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// [`crate::caller::Caller::actor`].
    pub actor: String,
    /// [`crate::caller::Caller::credential_key`].
    pub credential: String,
    /// The verb.
    pub verb: Verb,
    /// The action's digest.
    pub digest: ActionDigest,
    /// What the policies were asked, enough to ask again; absent where the core judged alone.
    pub question: Option<Question>,
    /// What they said.
    pub judgement: Judgement,
    /// What came of it.
    pub outcome: Outcome,
    /// The approval that it opened, found or used.
    pub approval: Option<ApprovalId>,
}

impl Decision {
    /// Whether somebody may look for it: all but a read that was allowed, of which a page that looks again by
    /// itself makes thousands a day. The reading of secret values is a deed.
    pub fn is_notable(verb: Verb, outcome: Outcome) -> bool {
        outcome != Outcome::Allowed || !verb.is_read() || verb == Verb::SecretRead
    }
}

/// What the database says of a decision that it just recorded.
#[derive(Clone, Debug)]
pub struct RecordedDecision {
    /// Its id.
    pub id: DecisionId,
    /// The credential whose request it was.
    pub credential: String,
    /// The verb.
    pub verb: Verb,
    /// The action's digest.
    pub digest: ActionDigest,
    /// What came of it.
    pub outcome: Outcome,
}
