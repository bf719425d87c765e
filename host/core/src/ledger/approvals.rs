//! What else becomes of approvals: asked ahead, taken back, revoked, told of.

use crate::approval::{Approval, Claim, State};
use crate::audit::EventKind;
use crate::caller::Caller;
use crate::id::{ApprovalId, WorkspaceId};
use crate::operators::Standing;
use crate::time::Timestamp;
use crate::verb::Verb;

/// A request that is made before its time, to have people asked.
#[derive(Clone, Debug)]
pub struct Ahead {
    /// The workspace under which it is to be filed.
    pub workspace: WorkspaceId,
    /// What the caller says of it.
    pub claim: Claim,
}

/// A requester takes its pending request back.
#[derive(Clone, Copy, Debug)]
pub struct Withdrawal<'a> {
    /// Which.
    pub approval: ApprovalId,
    /// Under which workspace, where the route names one.
    pub workspace: Option<WorkspaceId>,
    /// Who.
    pub caller: &'a Caller,
    /// When.
    pub at: Timestamp,
}

/// A person takes an unused grant back.
#[derive(Clone, Copy, Debug)]
pub struct Revocation<'a> {
    /// Which.
    pub approval: ApprovalId,
    /// The person.
    pub caller: &'a Caller,
    /// What the person is among the operators, where it is about the policies.
    pub standing: Standing,
    /// Why, in their words.
    pub reason: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// What came of a withdrawal or a revocation.
#[derive(Debug)]
pub enum Ended {
    /// It has ended.
    Done(Box<Approval>),
    /// There is no such approval.
    NotThere,
    /// Somebody else asked for it.
    NotRequester,
    /// It is about the policies, and the person is no operator.
    IsNoOperator,
    /// It is in another state than can be ended so.
    Is(State, Box<Approval>),
    /// The credential died.
    CredentialGone,
}

impl Ended {
    /// Whether it has ended.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// What happened to an approval.
#[derive(Clone, Debug)]
pub struct ApprovalEvent {
    /// The number of its audit entry, by which later ones sort later, on every host.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// To which.
    pub approval: ApprovalId,
    /// Under which workspace that is filed.
    pub workspace: WorkspaceId,
    /// What it is for.
    pub verb: Verb,
    /// Its line for people.
    pub reason: String,
}

/// A part of what happened to approvals.
#[derive(Clone, Debug)]
pub struct ApprovalEvents {
    /// In order.
    pub events: Vec<ApprovalEvent>,
    /// The number up to which this is all that there is: what follows begins after it.
    pub up_to: i64,
}
