//! Which of two verdicts is the stricter one: what a change of a policy is judged by.
//!
//! The order is that of [`fold`](crate::verdict::fold): a verdict is at least as strict as another if, in its
//! place among any other modules' opinions, it never lets more happen. It is a partial order:
//!
//! - allow < gate < deny. A module that failed denies, and so does an obligation that this host does not
//!   know.
//! - An abstention leaves the decision to the other modules, and where there is no other, the host denies.
//!   So it is stricter than an allowance and looser than a denial. Against a gate it is neither: beside a
//!   module that allows it opens what the gate held, and alone it closes it.
//! - Of two gates the stricter one's quorums cover the other's: whatever votes meet them meet the other's as
//!   well. It keeps the minters of the requester's lineage from deciding wherever the other does, and its
//!   lives are no longer.
//! - A life that a module leaves to the host is longer than any up to the host's default. With a longer one
//!   it cannot be compared, because an operator may set the default.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::approval::{self, GRANT_TTL, PENDING_TTL, Ttl};
use crate::policy::{CallerClass, Quorum, Terms, Verdict, words};
use crate::verdict::{self, Ruling};

/// How strict a verdict is. Greater is stricter; what words it is given in makes no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strictness(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Abstain,
    Allow,
    Gate(Demands),
    Deny,
}

/// What a gate takes, in the one form that all its ways of writing have.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Demands {
    /// None of them is covered by another.
    quorums: BTreeSet<People>,
    /// [`approval::ask_several`], of the quorums as they are written: one that is covered counts.
    several: bool,
    pending: Life,
    grant: Life,
}

/// So many different people, each in one of these groups, or in any where there are none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct People {
    people: u32,
    groups: BTreeSet<String>,
}

/// How long something lives, within the bounds of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    /// As long as the host says.
    Host { default: u64 },
    /// So many seconds.
    Seconds(u64),
}

impl Strictness {
    /// Of one module's verdict.
    pub fn of(verdict: &Verdict) -> Self {
        let kind = match verdict {
            Verdict::Abstain => Kind::Abstain,
            Verdict::Allow(ground) | Verdict::Gate(Terms { ground, .. })
                if verdict::unknown_obligation(ground).is_some() =>
            {
                Kind::Deny
            }
            Verdict::Allow(_) => Kind::Allow,
            Verdict::Gate(terms) => Kind::Gate(Demands::of(terms)),
            Verdict::Deny(_) => Kind::Deny,
        };
        Self(kind)
    }

    /// Of one module's answer, which may be that it failed.
    pub fn of_answer<E>(answer: &Result<Verdict, E>) -> Self {
        answer.as_ref().map_or(Self(Kind::Deny), Self::of)
    }

    /// Of what all modules together say.
    pub fn of_ruling(ruling: &Ruling) -> Self {
        Self(match ruling {
            Ruling::Allow { .. } => Kind::Allow,
            Ruling::Gate { terms, .. } => Kind::Gate(Demands::of(terms)),
            Ruling::Deny { .. } => Kind::Deny,
        })
    }

    /// Whether `other` lets nothing happen that this does not.
    fn is_at_most(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Kind::Allow, _) | (_, Kind::Deny) | (Kind::Abstain, Kind::Abstain) => true,
            (Kind::Gate(one), Kind::Gate(other)) => one.are_at_most(other),
            _ => false,
        }
    }
}

impl PartialOrd for Strictness {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        ordering(self.is_at_most(other), other.is_at_most(self))
    }
}

impl Demands {
    fn of(terms: &Terms) -> Self {
        // As the fold of this gate alone has them, which is what approvals are filed under.
        let quorums = verdict::joined_quorums(&terms.quorums);
        Self {
            several: approval::ask_several(&quorums),
            quorums: irreducible(quorums.iter().map(People::of).collect()),
            pending: Life::of(terms.pending_ttl, PENDING_TTL),
            grant: Life::of(terms.grant_ttl, GRANT_TTL),
        }
    }

    fn are_at_most(&self, other: &Self) -> bool {
        // Somebody who is in no group but one of those asked for is in reach of every quorum, so what a
        // set of quorums implies, one of them implies.
        let is_covered = |people: &People| other.quorums.iter().any(|one| one.covers(people));
        self.several <= other.several
            && self.quorums.iter().all(is_covered)
            && other.pending.is_within(self.pending)
            && other.grant.is_within(self.grant)
    }
}

impl People {
    fn of(quorum: &Quorum) -> Self {
        Self {
            people: quorum.people.max(1),
            groups: quorum.groups.iter().cloned().collect(),
        }
    }

    /// Whether votes that meet this meet `other`.
    fn covers(&self, other: &Self) -> bool {
        let is_of_those = other.groups.is_empty()
            || (!self.groups.is_empty() && self.groups.is_subset(&other.groups));
        self.people >= other.people && is_of_those
    }
}

fn irreducible(quorums: BTreeSet<People>) -> BTreeSet<People> {
    let is_needed = |one: &People| {
        !quorums
            .iter()
            .any(|other| other != one && other.covers(one))
    };
    quorums
        .iter()
        .filter(|one| is_needed(one))
        .cloned()
        .collect()
}

impl Life {
    fn of(seconds: Option<u32>, ttl: Ttl) -> Self {
        let default = ttl.default.as_secs();
        seconds.map_or(Self::Host { default }, |_| {
            Self::Seconds(ttl.bounded(seconds).as_secs())
        })
    }

    fn is_within(self, other: Self) -> bool {
        match (self, other) {
            (Self::Seconds(one), Self::Seconds(other)) => one <= other,
            (Self::Seconds(one), Self::Host { default }) => one <= default,
            (Self::Host { .. }, other) => self == other,
        }
    }
}

fn ordering(is_at_most: bool, is_at_least: bool) -> Option<Ordering> {
    match (is_at_most, is_at_least) {
        (true, true) => Some(Ordering::Equal),
        (true, false) => Some(Ordering::Less),
        (false, true) => Some(Ordering::Greater),
        (false, false) => None,
    }
}

words! {
    /// What becomes of strictness where one answer takes the place of another.
    Change {
        /// It lets more happen.
        Looser = "looser",
        /// It lets more happen in one respect, and less in another.
        Mixed = "mixed",
        /// It lets less happen.
        Tighter = "tighter",
        /// Nothing, whatever becomes of the words.
        Same = "same",
    }
}

impl Change {
    /// From one verdict to another.
    pub fn between(before: &Verdict, after: &Verdict) -> Self {
        Self::from_to(&Strictness::of(before), &Strictness::of(after))
    }

    /// From one ruling to another.
    pub fn between_rulings(before: &Ruling, after: &Ruling) -> Self {
        Self::from_to(
            &Strictness::of_ruling(before),
            &Strictness::of_ruling(after),
        )
    }

    /// From what one module answered to what another does, failures included.
    pub fn between_answers<E>(before: &Result<Verdict, E>, after: &Result<Verdict, E>) -> Self {
        Self::from_to(
            &Strictness::of_answer(before),
            &Strictness::of_answer(after),
        )
    }

    /// From one class of the same caller to another: `human` may do the most, `unknown` the least, and
    /// neither `agent` nor `service` more than the other.
    pub fn between_classes(before: CallerClass, after: CallerClass) -> Self {
        use CallerClass::{Human, Unknown};
        match (before, after) {
            _ if before == after => Self::Same,
            (_, Human) | (Unknown, _) => Self::Looser,
            (Human, _) | (_, Unknown) => Self::Tighter,
            _ => Self::Mixed,
        }
    }

    /// From one strictness to another.
    pub fn from_to(before: &Strictness, after: &Strictness) -> Self {
        match before.partial_cmp(after) {
            Some(Ordering::Equal) => Self::Same,
            Some(Ordering::Less) => Self::Tighter,
            Some(Ordering::Greater) => Self::Looser,
            None => Self::Mixed,
        }
    }

    /// Whether it lets more happen in any respect, which is for a person to agree to.
    pub fn loosens(self) -> bool {
        matches!(self, Self::Looser | Self::Mixed)
    }

    /// This change and another one, of the same thing at the same time.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Same, one) | (one, Self::Same) => one,
            (one, other) if one == other => one,
            _ => Self::Mixed,
        }
    }
}

#[cfg(test)]
mod tests;
