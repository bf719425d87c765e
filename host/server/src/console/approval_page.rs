//! One request, in full: all that a person should see before they sign.

mod signatures;
mod who;

use askama::Template;
use countersign_core::approval::{Approval, State, ask_several};
use countersign_core::caller::{Caller, Identity, POLICY_FOLDER, Person};
use countersign_core::holdings::Fall;
use countersign_core::operators::Standing;
use countersign_core::provenance::Provenance;
use countersign_core::time::Timestamp;

pub use self::signatures::{Demands, Signature, signatures};
use self::who::Who;
use super::asked::{self, Field, Shown, Subject};
use super::assets;
use super::closing::{By, Closing};
use super::falls::Falls;
use super::finish::Finish;
use super::frame::{Frame, Party, Place};
use super::moment::Moment;
use super::people::asking;
use super::policy_change;
use super::sight::Seen;
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
    /// What would fall by it.
    falls: Option<Falls>,
    /// What the caller adds, of which nothing is verified.
    claims: Vec<Field>,
    who: Who,
    /// Where it is about the policies: what that changes.
    review: Option<ReviewView>,
    why: String,
    rule: String,
    policy: String,
    demands: Demands,
    created: Moment,
    signatures: Vec<Signature>,
    /// What a page that is open meanwhile tells its reader.
    news: String,
    refreshes: bool,
    stance: Stance,
    /// Whose signature is missing, where that of the reader would not count.
    uncounted: Option<String>,
    finish: Option<Finish>,
    /// Whether the reader can take the grant back.
    can_revoke: bool,
    /// How it ended, where that was neither a denial nor its use.
    closing: Option<Closing>,
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
    /// Whether their page is to follow what happens.
    pub refreshes: bool,
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
    /// Wait for others: they minted a key that it comes from, and more than one person must decide.
    Minted,
    /// Wait for others: they have voted.
    Voted,
    /// Nothing: no person reads this.
    IsProgram,
    /// Nothing: it is decided.
    Closed,
}

impl ApprovalPage {
    /// `approval`, of whose requester and of what would fall by it is `known`, as `reader` sees it at `now`.
    pub fn new(
        approval: &Approval,
        (known, fall): (&Provenance, Option<Seen<Fall>>),
        reader: &Reader<'_>,
        now: Timestamp,
    ) -> Self {
        let refreshes = reader.refreshes;
        let (reader, standing) = (reader.caller, reader.standing);
        let state = approval.state_at(now);
        let moment = |at| Moment::new(at, now);
        let stance = Stance::of((approval, known), (reader, standing), state);
        let demands = Demands::new(approval, state);
        let state_says = match is_folders(approval, state) {
            true => {
                "The host makes it live by itself within moments, as long as the folder holds it."
            }
            false => says(state),
        };
        Self {
            frame: Frame::of(reader, Place::Approvals),
            id: approval.id.to_string(),
            title: asked::title(approval.verb),
            subject: asked::subject(approval),
            consequence: asked::consequence(approval),
            state,
            state_says,
            ends: match state {
                State::Pending => Some(moment(approval.expires_at)),
                State::Approved => approval.grant_expires_at.map(moment),
                _ => None,
            },
            party: asking(&approval.requester),
            fields: asked::fields(approval, now),
            falls: fall.map(|fall| Falls::new(fall, approval, now)),
            claims: asked::claims(approval),
            who: Who::new(approval, known, now),
            review: policy_change::review(approval),
            why: approval.terms.ground.reason.clone(),
            rule: approval.terms.ground.rule.clone(),
            policy: approval.policy.clone(),
            uncounted: match stance {
                Stance::Decides => demands.only_of_others(groups(reader)),
                _ => None,
            },
            demands,
            created: moment(approval.created_at),
            signatures: signatures(approval, now),
            refreshes,
            news: news((state, state_says), approval.votes.len()),
            stance,
            finish: finish(approval, reader, state),
            can_revoke: state == State::Approved && reader.person().is_some(),
            closing: Closing::of(approval, now),
            digest: approval.digest.to_string(),
            decision: approval.decision.to_string(),
            workspace: approval.workspace.to_string(),
            workspace_name: approval.workspace_name.clone(),
        }
    }
}

impl Stance {
    /// As the ledger would answer a vote. Where a chain of minters is longer than is told, the ledger alone knows
    /// its end.
    fn of(
        (approval, known): (&Approval, &Provenance),
        (reader, standing): (&Caller, Standing),
        state: State,
    ) -> Self {
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
        if ask_several(&approval.terms.quorums) && has_minted(person, known) {
            return Self::Minted;
        }
        if approval.votes.iter().any(|vote| vote.person == *person) {
            return Self::Voted;
        }
        Self::Decides
    }
}

/// Whether they minted a token in the chain of whoever asked.
fn has_minted(person: &Person, known: &Provenance) -> bool {
    let label = person.label();
    known.links.iter().any(|link| link.created_by == label)
}

/// The groups of whoever reads, as those who vouch for them say.
fn groups(reader: &Caller) -> &[String] {
    match &reader.identity {
        Identity::Session { groups, .. } => groups,
        Identity::OrgToken { .. }
        | Identity::WorkspaceToken { .. }
        | Identity::AdminToken { .. }
        | Identity::Provisioner { .. }
        | Identity::PolicyFolder => &[],
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

/// What a state means.
pub fn says(state: State) -> &'static str {
    match state {
        State::Pending => "Nothing has been done yet. It waits for a person’s decision.",
        State::Approved => "The caller can do it once, by repeating the very same request.",
        State::Denied => "Nothing was done.",
        State::Expired => "Nobody decided in time. Nothing was done.",
        State::Withdrawn => {
            "The caller took the request back, or what it was about is gone or has moved. Nothing was done."
        }
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

/// What has become of it, in a sentence that changes whenever that does.
fn news((state, says): (State, &str), signed: usize) -> String {
    match (state, signed) {
        (State::Pending, 0) => "This waits for a person.".to_owned(),
        (State::Pending, 1) => "One person has signed. It waits for others.".to_owned(),
        (State::Pending, many) => format!("{many} people have signed. It waits for others."),
        _ => format!("This is {state} now. {says}"),
    }
}

#[cfg(test)]
mod tests;
