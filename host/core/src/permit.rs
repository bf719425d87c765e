//! The proof that a deed may be done.

use crate::action::Intent;
use crate::caller::Caller;
use crate::decision::RecordedDecision;
use crate::id::DecisionId;
use crate::verb::Verb;

/// Permission for exactly one action of exactly one caller. Whatever changes or reads guarded state
/// takes one; it cannot be cloned, and its only constructor asks for a decision that was recorded.
///
/// ```compile_fail
/// # fn f(permit: countersign_core::permit::Permit) {
/// let twice = permit.clone();
/// # }
/// ```
///
/// ```compile_fail
/// # fn f(decision: countersign_core::id::DecisionId) {
/// let verb = countersign_core::verb::Verb::OrgTokenMint;
/// let resource_id = String::new();
/// let forged = countersign_core::permit::Permit { decision, verb, resource_id };
/// # }
/// ```
#[derive(Debug)]
pub struct Permit {
    decision: DecisionId,
    verb: Verb,
    resource_id: String,
}

impl Permit {
    /// The permit that `recorded` gives, if it permits anything, and if it is about this intent of this
    /// caller: verb, digest and credential.
    pub fn new(recorded: &RecordedDecision, caller: &Caller, intent: &Intent) -> Option<Self> {
        let covers = recorded.outcome.permits()
            && recorded.verb == intent.verb()
            && recorded.digest == intent.digest
            && recorded.credential == caller.credential_key();
        covers.then_some(Self {
            decision: recorded.id,
            verb: recorded.verb,
            resource_id: intent.resource_id.clone(),
        })
    }

    /// The decision behind it.
    pub fn decision(&self) -> DecisionId {
        self.decision
    }

    /// What it permits.
    pub fn verb(&self) -> Verb {
        self.verb
    }
    /// To what it is permitted.
    pub fn resource_id(&self) -> &str {
        &self.resource_id
    }
}
