//! One request, in full: all that a person should see before they sign.

use askama::Template;
use countersign_core::approval::{Approval, Choice, State, people_needed};
use countersign_core::caller::{Caller, POLICY_FOLDER};
use countersign_core::operators::Standing;
use countersign_core::policy::Quorum;
use countersign_core::time::Timestamp;

use super::asked::{self, Field, Shown, Subject};
use super::assets;
use super::finish::Finish;
use super::frame::{Frame, Party, Place, vouched_by};
use super::moment::Moment;
use super::policy_change;
use crate::reviews::{NO_PROOF, ReviewView};

/// The page of one approval.
#[derive(Template)]
#[template(path = "approval.html")]
pub struct ApprovalPage {
    frame: Frame,
    id: String,
    title: String,
    subject: Option<Subject>,
    consequence: Option<String>,
    state: State,
    state_says: &'static str,
    /// Until when people can decide, or the grant can be used.
    ends: Option<Moment>,
    party: Party,
    fields: Vec<Field>,
    /// Where it is about the policies: what that changes.
    review: Option<ReviewView>,
    why: String,
    rule: String,
    policy: String,
    demands: Vec<String>,
    created: Moment,
    signatures: Vec<Signature>,
    /// How many more signatures are needed, at least.
    missing: usize,
    stance: Stance,
    finish: Option<Finish>,
    /// Whether the reader can take the grant back.
    can_revoke: bool,
    revoke_reason: Option<String>,
    digest: String,
    decision: String,
    workspace: String,
    workspace_name: Option<String>,
}

/// Who reads the page.
pub struct Reader<'a> {
    pub caller: &'a Caller,
    /// What they are among the operators.
    pub standing: Standing,
}

/// What one person said.
struct Signature {
    user: String,
    proof: &'static str,
    choice: Choice,
    reason: Option<String>,
    at: Moment,
}

/// What the reader can do about it.
#[derive(Debug, PartialEq, Eq)]
enum Stance {
    /// Decide.
    Decides,
    /// Wait for others: they asked for it.
    Asked,
    /// Wait for operators: it is about the policies.
    IsNoOperator,
    /// Wait for others: they have voted.
    Voted,
    /// Nothing: no person reads this.
    IsProgram,
    /// Nothing: it is decided.
    Closed,
}

impl ApprovalPage {
    /// `approval`, as `reader` sees it at `now`.
    pub fn new(approval: &Approval, reader: &Reader<'_>, now: Timestamp) -> Self {
        let (reader, standing) = (reader.caller, reader.standing);
        let state = approval.state_at(now);
        let moment = |at| Moment::new(at, now);
        let signatures: Vec<Signature> = approval
            .votes
            .iter()
            .map(|vote| Signature {
                user: vote.person.user.clone(),
                proof: vouched_by(vote.person.issuer),
                choice: vote.choice,
                reason: vote.reason.clone(),
                at: moment(vote.at),
            })
            .collect();
        Self {
            frame: Frame::of(reader, Place::Approvals),
            id: approval.id.to_string(),
            title: asked::title(approval.verb),
            subject: asked::subject(approval),
            consequence: asked::consequence(approval),
            state,
            state_says: match is_folders(approval, state) {
                true => {
                    "The host makes it live by itself within moments, as long as the folder holds it."
                }
                false => says(state),
            },
            ends: match state {
                State::Pending => Some(moment(approval.expires_at)),
                State::Approved => approval.grant_expires_at.map(moment),
                _ => None,
            },
            party: Party::of(&approval.requester.actor),
            fields: asked::fields(approval, now),
            review: policy_change::review(approval),
            why: approval.terms.ground.reason.clone(),
            rule: approval.terms.ground.rule.clone(),
            policy: approval.policy.clone(),
            demands: demands(&approval.terms.quorums),
            created: moment(approval.created_at),
            missing: missing(approval, state),
            signatures,
            stance: Stance::of(approval, (reader, standing), state),
            finish: finish(approval, reader, state),
            can_revoke: state == State::Approved && reader.person().is_some(),
            revoke_reason: approval.revoke_reason.clone(),
            digest: approval.digest.to_string(),
            decision: approval.decision.to_string(),
            workspace: approval.workspace.to_string(),
            workspace_name: approval.workspace_name.clone(),
        }
    }
}

impl Stance {
    fn of(approval: &Approval, (reader, standing): (&Caller, Standing), state: State) -> Self {
        if state != State::Pending {
            return Self::Closed;
        }
        let Some(person) = reader.person() else {
            return Self::IsProgram;
        };
        let is_of_policies = approval.verb.changes_policies();
        if is_of_policies && standing == Standing::None {
            return Self::IsNoOperator;
        }
        let is_nobody_else = is_of_policies && standing == Standing::Only;
        if approval.requester.credential == reader.credential_key() && !is_nobody_else {
            return Self::Asked;
        }
        if approval.votes.iter().any(|vote| vote.person == *person) {
            return Self::Voted;
        }
        Self::Decides
    }
}

/// For whoever asked in the console: repeating the very same request uses the approval.
fn finish(approval: &Approval, reader: &Caller, state: State) -> Option<Finish> {
    let is_theirs = approval.requester.credential == reader.credential_key();
    if state != State::Approved || !is_theirs || reader.person().is_none() {
        return None;
    }
    Finish::of(&approval.payload)
}

fn says(state: State) -> &'static str {
    match state {
        State::Pending => "Nothing has been done yet. It waits for a person’s decision.",
        State::Approved => "The caller can do it once, by repeating the very same request.",
        State::Denied => "Nothing was done.",
        State::Expired => "Nobody decided in time. Nothing was done.",
        State::Withdrawn => "The caller took the request back. Nothing was done.",
        State::Used => "It was approved, and it was done, once.",
        State::Lapsed => {
            "It was approved, but not used in time, or what it was for has changed. Nothing was done."
        }
        State::Revoked => "The approval was taken back before it was used. Nothing was done.",
    }
}

/// Whether it is the host that goes on by itself.
fn is_folders(approval: &Approval, state: State) -> bool {
    state == State::Approved && approval.requester.actor == POLICY_FOLDER
}

/// How many more people must sign, at least: quorums of several groups may need more.
fn missing(approval: &Approval, state: State) -> usize {
    if state != State::Pending {
        return 0;
    }
    let needed = people_needed(&approval.terms.quorums) as usize;
    needed.saturating_sub(approval.votes.len()).max(1)
}

/// What the policies demand of those who approve, one sentence for each quorum.
fn demands(quorums: &[Quorum]) -> Vec<String> {
    if quorums.is_empty() {
        return demands(&[Quorum::one_person()]);
    }
    quorums
        .iter()
        .map(|quorum| {
            let people = match quorum.people {
                0 | 1 => "One person".to_owned(),
                many => format!("{many} different people"),
            };
            if quorum.groups.is_empty() {
                people
            } else {
                format!("{people} of {}", quorum.groups.join(" or "))
            }
        })
        .collect()
}

#[cfg(test)]
mod tests;
