//! Saying what a policy decides.

use crate::{Ground, Property, Quorum, Terms, Value, Verdict};

impl Verdict {
    /// Let it happen. `rule` is a stable kebab-case name, `reason` one sentence for people.
    #[must_use]
    pub fn allow(rule: &str, reason: &str) -> Self {
        Self::Allow(Ground::new(rule, reason))
    }

    /// Refuse it.
    #[must_use]
    pub fn deny(rule: &str, reason: &str) -> Self {
        Self::Deny(Ground::new(rule, reason))
    }

    /// Let it happen once people agree: one person, unless the terms say otherwise. Ends in `.into()`.
    ///
    /// ```
    /// # use countersign_policy::Verdict;
    /// let verdict: Verdict = Verdict::gate("two-people", "removal needs two people")
    ///     .people_of(2, &["operations"])
    ///     .pending_ttl(3_600)
    ///     .into();
    /// ```
    #[must_use]
    pub fn gate(rule: &str, reason: &str) -> Terms {
        Terms {
            ground: Ground::new(rule, reason),
            quorums: Vec::new(),
            pending_ttl: None,
            grant_ttl: None,
        }
    }

    /// Tells the stopped caller its next step. Does nothing to an abstention.
    #[must_use]
    pub fn advice(mut self, advice: &str) -> Self {
        match &mut self {
            Self::Abstain => {}
            Self::Allow(ground) | Self::Deny(ground) => ground.detail("advice", advice),
            Self::Gate(terms) => terms.ground.detail("advice", advice),
        }
        self
    }

    /// What the verdict rests on; none for an abstention.
    #[must_use]
    pub fn ground(&self) -> Option<&Ground> {
        match self {
            Self::Abstain => None,
            Self::Allow(ground) | Self::Deny(ground) => Some(ground),
            Self::Gate(terms) => Some(&terms.ground),
        }
    }

    /// The rule that decided; none for an abstention.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        self.ground().map(|ground| ground.rule.as_str())
    }

    /// Whether it lets the action happen.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Self::Allow(_))
    }

    /// Whether it asks for people.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        matches!(self, Self::Gate(_))
    }

    /// Whether it refuses.
    #[must_use]
    pub fn is_deny(&self) -> bool {
        matches!(self, Self::Deny(_))
    }
}

impl Ground {
    fn new(rule: &str, reason: &str) -> Self {
        Self {
            rule: rule.to_owned(),
            reason: reason.to_owned(),
            details: Vec::new(),
        }
    }

    /// Sets one detail. The list stays sorted by name, as the contract asks.
    pub fn detail(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        match self
            .details
            .binary_search_by(|detail| detail.name.as_str().cmp(name))
        {
            Ok(at) => self.details[at].value = value,
            Err(at) => self.details.insert(
                at,
                Property {
                    name: name.to_owned(),
                    value,
                },
            ),
        }
    }
}

impl Terms {
    /// Asks for so many different people, whoever may approve.
    #[must_use]
    pub fn people(self, people: u32) -> Self {
        self.people_of(people, &[])
    }

    /// Asks for so many different people, each in one of these groups. Each call adds a demand; one
    /// person may count for several.
    #[must_use]
    pub fn people_of(mut self, people: u32, groups: &[&str]) -> Self {
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        self.quorums.push(Quorum { people, groups });
        self
    }

    /// Seconds for people to decide, within the host's bounds.
    #[must_use]
    pub fn pending_ttl(mut self, seconds: u32) -> Self {
        self.pending_ttl = Some(seconds);
        self
    }

    /// Seconds for the caller to use what was approved, within the host's bounds.
    #[must_use]
    pub fn grant_ttl(mut self, seconds: u32) -> Self {
        self.grant_ttl = Some(seconds);
        self
    }

    /// Tells the waiting caller its next step.
    #[must_use]
    pub fn advice(mut self, advice: &str) -> Self {
        self.ground.detail("advice", advice);
        self
    }
}

impl From<Terms> for Verdict {
    fn from(terms: Terms) -> Self {
        Self::Gate(terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_collects_what_it_takes_to_pass() {
        let verdict: Verdict = Verdict::gate("two", "two people")
            .people(2)
            .people_of(1, &["finance"])
            .pending_ttl(60)
            .grant_ttl(30)
            .advice("wait")
            .into();
        let Verdict::Gate(terms) = &verdict else {
            panic!("expected a gate, found {verdict:?}")
        };
        assert_eq!(terms.quorums.len(), 2);
        assert_eq!(
            terms.quorums[0],
            Quorum {
                people: 2,
                groups: Vec::new()
            }
        );
        assert_eq!(terms.quorums[1].groups, ["finance"]);
        assert_eq!((terms.pending_ttl, terms.grant_ttl), (Some(60), Some(30)));
        assert_eq!(verdict.rule(), Some("two"));
    }

    #[test]
    fn details_stay_sorted_and_unique() {
        let mut ground = Ground::new("rule", "reason");
        ground.detail("must.log", true);
        ground.detail("advice", "first");
        ground.detail("advice", "second");
        let names: Vec<_> = ground
            .details
            .iter()
            .map(|detail| detail.name.as_str())
            .collect();
        assert_eq!(names, ["advice", "must.log"]);
        assert_eq!(ground.details[0].value, Value::from("second"));
    }
}
