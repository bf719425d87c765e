//! Who signed so far, and whose signature is still missing.

use std::collections::BTreeSet;

use countersign_core::approval::{Approval, Choice, State, Vote, ask_several};
use countersign_core::policy::Quorum;
use countersign_core::time::Timestamp;

use super::super::frame::vouched_by;
use super::super::moment::Moment;

/// What one person said.
pub struct Signature {
    pub user: String,
    pub proof: &'static str,
    pub choice: Choice,
    pub reason: Option<String>,
    pub at: Moment,
}

/// What one quorum asks for, and how much of it is there.
#[derive(Debug, PartialEq, Eq)]
pub struct Demand {
    /// `2 different people of security or ops`.
    pub words: String,
    pub has: usize,
    pub needs: usize,
    /// In one of which each of them must be; none: whoever they are.
    groups: Vec<String>,
}

/// What the policies demand, and what is missing of it.
pub struct Demands {
    pub each: Vec<Demand>,
    /// A sentence for each signature that is missing.
    pub missing: Vec<String>,
    /// What else counts, where more than one must sign.
    pub note: Option<&'static str>,
}

/// All signatures, oldest first.
pub fn signatures(approval: &Approval, now: Timestamp) -> Vec<Signature> {
    let signature = |vote: &Vote| Signature {
        user: vote.person.user.clone(),
        proof: vouched_by(vote.person.issuer),
        choice: vote.choice,
        reason: vote.reason.clone(),
        at: Moment::new(vote.at, now),
    };
    approval.votes.iter().map(signature).collect()
}

impl Demands {
    /// Of `approval`, which is in `state`.
    pub fn new(approval: &Approval, state: State) -> Self {
        let one = [Quorum::one_person()];
        let quorums = match approval.terms.quorums.as_slice() {
            [] => &one,
            quorums => quorums,
        };
        let each: Vec<Demand> = quorums
            .iter()
            .map(|quorum| Demand::new(quorum, &approval.votes))
            .collect();
        let mut missing: Vec<String> = each.iter().flat_map(Demand::missing).collect();
        if state != State::Pending {
            missing.clear();
        } else if missing.is_empty() {
            // Some signatures do not count: those of whoever minted towards the requester.
            missing.push("Another person’s countersignature is missing".to_owned());
        }
        let note = match (quorums.len() > 1, ask_several(quorums)) {
            (true, _) => Some(
                "One person can sign for several groups at once. Whoever minted a key that this request comes from does not count.",
            ),
            (false, true) => {
                Some("Whoever minted a key that this request comes from does not count.")
            }
            (false, false) => None,
        };
        Self {
            each,
            missing,
            note,
        }
    }

    /// How many signatures are there, and how many it takes: of every quorum, while it is pending.
    pub fn so_far(&self) -> (usize, usize) {
        let needs = self.each.iter().map(|demand| demand.needs).sum::<usize>();
        (needs - self.missing.len(), needs)
    }

    /// Whose signature is missing, where that of somebody who is in `groups` would not count.
    pub fn only_of_others(&self, groups: &[String]) -> Option<String> {
        let open = || self.each.iter().filter(|one| one.has < one.needs);
        if open().any(|one| one.asks(groups)) {
            return None;
        }
        let others: BTreeSet<String> = open().map(Demand::of).collect();
        let others: Vec<String> = others.into_iter().collect();
        (!others.is_empty()).then(|| others.join(" and of "))
    }
}

impl Demand {
    fn new(quorum: &Quorum, votes: &[Vote]) -> Self {
        let people = match quorum.people {
            0 | 1 => "One person".to_owned(),
            many => format!("{many} different people"),
        };
        let mut demand = Self {
            words: people,
            has: 0,
            needs: quorum.people.max(1) as usize,
            groups: quorum.groups.clone(),
        };
        if !demand.groups.is_empty() {
            demand.words = format!("{} of {}", demand.words, demand.groups.join(" or "));
        }
        let signed: BTreeSet<_> = votes
            .iter()
            .filter(|vote| vote.choice == Choice::Approve && demand.asks(&vote.groups))
            .map(|vote| &vote.person)
            .collect();
        demand.has = signed.len();
        demand
    }

    /// Whether it asks for somebody who is in `groups`.
    fn asks(&self, groups: &[String]) -> bool {
        self.groups.is_empty() || groups.iter().any(|group| self.groups.contains(group))
    }

    /// Of whom it asks for signatures, where it asks for some of a group.
    fn of(&self) -> String {
        format!("somebody in {}", self.groups.join(" or "))
    }

    fn missing(&self) -> impl Iterator<Item = String> {
        let words = match self.groups.is_empty() {
            true => "A person’s countersignature is missing".to_owned(),
            false => format!("A countersignature of {} is missing", self.of()),
        };
        std::iter::repeat_n(words, self.needs.saturating_sub(self.has))
    }
}
