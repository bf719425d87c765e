//! An approval, from the request to its use: who asked for what, who decided, and what may follow.

mod end;
mod lives;

use std::collections::BTreeSet;

pub use self::end::{End, MOVED};
pub use self::lives::{COOL_DOWN, GRANT_TTL, Lives, MOST_COOL_DOWN, PENDING_TTL, Ttl};
use crate::action::ActionDigest;
use crate::caller::Person;
use crate::id::{ApprovalId, DecisionId, WorkspaceId};
use crate::policy::{Quorum, Terms, words};
use crate::time::Timestamp;
use crate::verb::Verb;

/// How many requests of one token lineage can be pending. People read them all.
pub const PENDING_LIMIT: i64 = 20;

words! {
    /// Where an approval is in its life: pending → approved, denied, expired, withdrawn; approved →
    /// used, lapsed, revoked.
    State {
        /// People have yet to decide.
        Pending = "pending",
        /// A grant that can be used.
        Approved = "approved",
        /// People said no.
        Denied = "denied",
        /// Nobody decided in time.
        Expired = "expired",
        /// The requester took it back, or what it was about is gone or has moved.
        Withdrawn = "withdrawn",
        /// The deed is done.
        Used = "used",
        /// The grant was not used in time, or what it was for has moved.
        Lapsed = "lapsed",
        /// A person took the grant back.
        Revoked = "revoked",
    }
}

impl State {
    /// Whether an approval in this state may become `next`. The store guards the same in its `UPDATE`s;
    /// a test holds the two alike.
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Pending => matches!(
                next,
                Self::Approved | Self::Denied | Self::Expired | Self::Withdrawn
            ),
            Self::Approved => matches!(next, Self::Used | Self::Lapsed | Self::Revoked),
            _ => false,
        }
    }
}

words! {
    /// What one person says.
    Choice {
        /// It may be done.
        Approve = "approved",
        /// It may not.
        Deny = "denied",
    }
}

/// One person's vote.
#[derive(Clone, Debug, PartialEq)]
pub struct Vote {
    /// Who.
    pub person: Person,
    /// The groups in which they were.
    pub groups: Vec<String>,
    /// What.
    pub choice: Choice,
    /// Why, in their words.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// Who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requester {
    /// [`crate::caller::Caller::credential_key`].
    pub credential: String,
    /// [`crate::caller::Caller::actor`].
    pub actor: String,
    /// [`crate::caller::Caller::lineage`].
    pub lineage: String,
}

/// What the requester says of its request. Nobody has verified a word of it, so it is shown apart, and no
/// policy is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Why it asks.
    pub reason: Option<String>,
    /// The task that it works on, as its own platform names it.
    pub task: Option<String>,
}

impl Claim {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.reason.is_none() && self.task.is_none()
    }
}

/// An approval.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// The workspace under which it is filed.
    pub workspace: WorkspaceId,
    /// What that workspace is called now, where it is known.
    pub workspace_name: Option<String>,
    /// Who asked.
    pub requester: Requester,
    /// The verb.
    pub verb: Verb,
    /// The resource's kind.
    pub resource_kind: String,
    /// The resource's id.
    pub resource_id: String,
    /// What the workspace or the key is called that it is about, where that is known: of a workspace now, of a
    /// key for ever.
    pub resource_name: Option<String>,
    /// What exactly is asked.
    pub digest: ActionDigest,
    /// [`crate::action::Intent::payload`]; shown only through [`crate::action::masked`].
    pub payload: serde_json::Value,
    /// One line for the person who decides.
    pub reason: String,
    /// What the requester adds.
    pub claim: Claim,
    /// What it takes.
    pub terms: Terms,
    /// The policy that gated it.
    pub policy: String,
    /// The decision that opened it.
    pub decision: DecisionId,
    /// What must still hold when the grant is used.
    pub precondition: String,
    /// Where it is in its life, as recorded; see [`Approval::state_at`].
    pub state: State,
    /// When it was asked.
    pub created_at: Timestamp,
    /// Until when people can decide.
    pub expires_at: Timestamp,
    /// Until when the grant can be used, once there is one.
    pub grant_expires_at: Option<Timestamp>,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// Why the grant was taken back, in the words of the person who did.
    pub revoke_reason: Option<String>,
    /// How it ended, where that was recorded; see [`Approval::end_at`].
    pub end: Option<End>,
    /// What people said so far, oldest first.
    pub votes: Vec<Vote>,
}

impl Approval {
    /// Its state as of `now`: time passes whether or not anybody has recorded it yet.
    pub fn state_at(&self, now: Timestamp) -> State {
        match self.state {
            State::Pending if self.expires_at <= now => State::Expired,
            State::Approved if self.grant_expires_at.is_none_or(|end| end <= now) => State::Lapsed,
            state => state,
        }
    }

    /// When time will end the state that it is in, if time does.
    pub fn ends_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Pending => Some(self.expires_at),
            State::Approved => self.grant_expires_at,
            _ => None,
        }
    }

    /// What is asked, in one line: the reason without the policy's ground.
    pub fn asked(&self) -> &str {
        let ground = format!(": {}", self.terms.ground.reason);
        self.reason.strip_suffix(&ground).unwrap_or(&self.reason)
    }

    /// The reason that came with the denial.
    pub fn denial_reason(&self) -> Option<&str> {
        self.votes
            .iter()
            .find(|vote| vote.choice == Choice::Deny)
            .and_then(|vote| vote.reason.as_deref())
    }
}

/// Whether the votes in favour meet every quorum. One person may count for several quorums, and counts
/// once in each.
pub fn are_met(quorums: &[Quorum], votes: &[Vote]) -> bool {
    quorums.iter().all(|quorum| {
        let people: BTreeSet<&Person> = votes
            .iter()
            .filter(|vote| vote.choice == Choice::Approve)
            .filter(|vote| {
                quorum.groups.is_empty() || vote.groups.iter().any(|g| quorum.groups.contains(g))
            })
            .map(|vote| &vote.person)
            .collect();
        people.len() as u64 >= u64::from(quorum.people.max(1))
    }) && votes.iter().any(|vote| vote.choice == Choice::Approve)
}

/// Whether more than one person must decide, or could have to: then nobody decides who minted towards the
/// requester.
pub fn ask_several(quorums: &[Quorum]) -> bool {
    quorums.len() > 1 || people_needed(quorums) > 1
}

/// Whether whatever meets `filed` meets `asked` as well.
pub fn cover(filed: &[Quorum], asked: &[Quorum]) -> bool {
    let one = [Quorum::one_person()];
    let filed = if filed.is_empty() { &one } else { filed };
    asked.iter().all(|asked| {
        filed
            .iter()
            .any(|filed| filed.groups == asked.groups && filed.people.max(1) >= asked.people.max(1))
    })
}

/// How many different people the largest quorum asks for.
pub fn people_needed(quorums: &[Quorum]) -> u32 {
    quorums
        .iter()
        .map(|quorum| quorum.people.max(1))
        .max()
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::Issuer;

    fn vote(user: &str, groups: &[&str], choice: Choice) -> Vote {
        Vote {
            person: Person {
                issuer: Issuer::ControlPlane,
                user: user.to_owned(),
            },
            groups: groups.iter().map(|g| (*g).to_owned()).collect(),
            choice,
            reason: None,
            at: Timestamp::from_micros(0),
        }
    }

    fn quorum(people: u32, groups: &[&str]) -> Quorum {
        Quorum {
            people,
            groups: groups.iter().map(|g| (*g).to_owned()).collect(),
        }
    }

    #[test]
    fn one_person_counts_once_however_often_they_vote() {
        let twice = [
            vote("ann", &[], Choice::Approve),
            vote("ann", &[], Choice::Approve),
        ];
        assert!(are_met(&[quorum(1, &[])], &twice));
        assert!(!are_met(&[quorum(2, &[])], &twice));
    }

    #[test]
    fn one_person_may_count_for_several_quorums() {
        let votes = [vote("ann", &["ops", "sec"], Choice::Approve)];
        assert!(are_met(&[quorum(1, &["ops"]), quorum(1, &["sec"])], &votes));
        assert!(!are_met(
            &[quorum(1, &["ops"]), quorum(1, &["law"])],
            &votes
        ));
    }

    #[test]
    fn nobody_meets_no_quorum_not_even_an_empty_list_of_them() {
        assert!(!are_met(&[], &[]));
        assert!(!are_met(&[quorum(0, &[])], &[]));
        assert!(!are_met(
            &[quorum(1, &[])],
            &[vote("ann", &[], Choice::Deny)]
        ));
    }

    #[test]
    fn a_decided_approval_never_goes_back() {
        for &from in State::ALL {
            assert!(!from.may_become(State::Pending));
            assert!(!from.may_become(from));
        }
    }

    #[test]
    fn quorums_cover_what_asks_for_no_more_of_the_same_people() {
        let filed = [quorum(2, &[]), quorum(1, &["sec"])];
        assert!(cover(&filed, &[quorum(1, &[])]));
        assert!(cover(&filed, &filed));
        assert!(cover(&[], &[quorum(1, &[])]));
        assert!(!cover(&filed, &[quorum(3, &[])]));
        assert!(!cover(&filed, &[quorum(1, &["law"])]));
        assert!(!cover(&[], &[quorum(1, &["sec"])]));
    }
}
