//! How much a verdict lets through, as the host reads it.

use countersign_core::policy::{Ground, Terms, Verdict};
use countersign_core::strictness::{Change, Strictness};

/// An answer.
pub type Answer = Result<Verdict, String>;

/// What becomes of a request on which this module alone has something to say. An abstention leaves it to
/// the others, as an allowance does; a failure denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// This module stops nothing.
    Passes,
    /// People are asked.
    Waits,
    /// It is refused.
    Refused,
}

impl Rank {
    /// That of an answer.
    pub fn of(verdict: &Answer) -> Self {
        match verdict {
            Ok(Verdict::Abstain | Verdict::Allow(_)) => Self::Passes,
            Ok(Verdict::Gate(_)) => Self::Waits,
            Ok(Verdict::Deny(_)) | Err(_) => Self::Refused,
        }
    }
}

/// Whether both let the same through, by what is cheap to see: words for people make no difference.
pub fn is_the_same(one: &Answer, other: &Answer) -> bool {
    let details = |one: &Ground, other: &Ground| one.details == other.details;
    match (one, other) {
        (Ok(Verdict::Abstain), Ok(Verdict::Abstain))
        | (Ok(Verdict::Deny(_)) | Err(_), Ok(Verdict::Deny(_)) | Err(_)) => true,
        (Ok(Verdict::Allow(one)), Ok(Verdict::Allow(other))) => details(one, other),
        (Ok(Verdict::Gate(one)), Ok(Verdict::Gate(other))) => {
            one.quorums == other.quorums
                && (one.pending_ttl, one.grant_ttl) == (other.pending_ttl, other.grant_ttl)
                && details(&one.ground, &other.ground)
        }
        _ => false,
    }
}

/// Whether `after` lets more through than `before`: as it is ordered among all modules' answers, and where it
/// leaves to the others what it has held.
pub fn is_looser(before: &Answer, after: &Answer) -> bool {
    Change::between_answers(before, after) == Change::Looser || Rank::of(after) < Rank::of(before)
}

/// Whether `one` lets through at least what `other` does.
pub fn is_as_loose(one: &Answer, other: &Answer) -> bool {
    Strictness::of_answer(one) <= Strictness::of_answer(other)
}

/// Whether the people whom `one` asks are fewer, or more easily found, than those of `other`: both are gates.
pub fn asks_fewer(one: &Answer, other: &Answer) -> bool {
    // Lives are another matter: who is trusted more may well be given less time.
    let people = |answer: &Answer| match answer {
        Ok(Verdict::Gate(terms)) => Some(Strictness::of(&Verdict::Gate(Terms {
            pending_ttl: None,
            grant_ttl: None,
            ..terms.clone()
        }))),
        _ => None,
    };
    people(one)
        .zip(people(other))
        .is_some_and(|(one, other)| one < other)
}

#[cfg(test)]
mod tests {
    use countersign_core::policy::Quorum;

    use super::*;

    fn gate(people: u32, groups: &[&str], pending_ttl: Option<u32>) -> Answer {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Ok(Verdict::Gate(Terms {
            ground: Ground::new("rule", "reason"),
            quorums: vec![Quorum { people, groups }],
            pending_ttl,
            grant_ttl: None,
        }))
    }

    #[test]
    fn fewer_people_a_longer_life_and_an_abstention_let_more_through() {
        let deny: Answer = Ok(Verdict::Deny(Ground::new("rule", "reason")));
        let abstain: Answer = Ok(Verdict::Abstain);
        let allow: Answer = Ok(Verdict::Allow(Ground::new("rule", "reason")));
        for (before, after) in [
            (gate(2, &[], None), gate(1, &[], None)),
            (gate(1, &["security"], None), gate(1, &[], None)),
            (gate(1, &[], Some(600)), gate(1, &[], Some(1_200))),
            (gate(1, &[], None), abstain.clone()),
            (deny.clone(), gate(1, &[], None)),
            (deny, abstain.clone()),
            (abstain, allow),
        ] {
            assert!(is_looser(&before, &after), "{before:?} {after:?}");
            assert!(!is_looser(&after, &before), "{before:?} {after:?}");
            assert!(!is_the_same(&before, &after), "{before:?} {after:?}");
        }
        let (one, other) = (gate(1, &["ops"], None), gate(1, &["security"], None));
        assert!(!is_looser(&one, &other) && !is_looser(&other, &one));
        // Who is given less time is not asked for more people.
        let (short, long) = (gate(1, &[], Some(600)), gate(1, &[], None));
        assert!(!asks_fewer(&long, &short));
        assert!(asks_fewer(&gate(1, &[], Some(600)), &gate(2, &[], None)));
    }
}
