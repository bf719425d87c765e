//! What a change of policies would change of what they decide, as far as it was looked for: the list that a
//! person accepts before anything is loosened.
//!
//! Whoever makes it asks both sets of policies the same questions: those of the exhaustive table, those of a
//! directed search, and those that callers asked lately. A list without anything that loosens is evidence, and
//! no proof.

use serde::{Deserialize, Serialize};

use crate::generation::GenerationChange;
use crate::id::DecisionId;
use crate::policy::{CallerClass, Quorum};
use crate::strictness::Change;
use crate::time::Timestamp;
use crate::verdict::{Judgement, Ruling};

/// A change of policies, and what is known of it.
#[derive(Clone, Debug)]
pub struct Reviewed {
    /// What becomes live.
    pub change: GenerationChange,
    /// What that changes.
    pub review: Review,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// What was asked.
    pub looked: Looked,
    /// What lets more happen, at least in one respect; each rule by itself.
    pub loosens: Vec<Item>,
    /// What lets less happen.
    pub tightens: Vec<Item>,
    /// Laws that a component breaks which is new.
    pub broken: Vec<Broken>,
    /// How many more kinds of what loosens there are than are listed.
    #[serde(default)]
    pub left_off: u64,
    /// The generation that a person made live since this was proposed: what undoes it is theirs to accept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
}

impl Review {
    /// Whether a person must accept it.
    pub fn needs_a_person(&self) -> bool {
        !self.loosens.is_empty()
            || !self.broken.is_empty()
            || self.undoes.is_some()
            || self.is_unsure()
    }

    /// Whether too little was asked for what was found to say anything: the search ran out of time, or nothing
    /// that callers asked for could be asked again.
    fn is_unsure(&self) -> bool {
        self.looked.cut_short || (self.looked.unasked > 0 && self.looked.recorded == 0)
    }

    /// What a person is asked to accept, in one line.
    pub fn sentence(&self) -> String {
        let counted = |count: usize, [one, more]: [&str; 2]| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {more}")),
        };
        let loosens = ["change loosens", "changes loosen"];
        let broken = ["law is broken", "laws are broken"];
        let parts = [
            counted(self.loosens.len(), loosens),
            counted(self.broken.len(), broken),
        ];
        let unsure = self
            .is_unsure()
            .then(|| "not all could be compared".to_owned());
        let undoes = self
            .undoes
            .map(|number| format!("it undoes generation {number}, which a person made live"));
        let parts = parts.into_iter().chain([unsure, undoes]);
        let parts: Vec<String> = parts.flatten().collect();
        match parts.is_empty() {
            true => "nothing was found that loosens".to_owned(),
            false => parts.join(" and "),
        }
    }
}

/// What a review rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Rows of the exhaustive table, all of them.
    pub rows: u64,
    /// Questions of the directed search.
    pub searched: u64,
    /// Whether the search ended before its time.
    pub cut_short: bool,
    /// Recorded decisions that both were asked again.
    pub recorded: u64,
    /// Recorded decisions that could not be: one of the two asks for counts that were not kept then.
    pub unasked: u64,
    /// Questions at which nothing is let happen that was not, or kept from happening, and other words are said.
    pub reworded: u64,
}

/// Questions of which the same became the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What becomes of strictness.
    pub change: Change,
    /// What was said.
    pub before: Said,
    /// What is said.
    pub after: Said,
    /// How many rows of the exhaustive table, folded to the fewest phrases.
    pub rows: u64,
    /// Those rows, in phrases: who asks for what.
    pub phrases: Vec<String>,
    /// How many questions of the search, beyond the table.
    pub searched: u64,
    /// How many recorded decisions.
    pub recorded: u64,
    /// A question that shows it, made small; as a case of `countersign policy test`.
    pub case: Option<String>,
    /// The latest recorded decision that shows it.
    pub decision: Option<Shown>,
}

/// What a set of policies says, without the words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Said {
    /// What the caller is taken for.
    pub class: CallerClass,
    /// `allow`, `gate` or `deny`.
    pub effect: String,
    /// By which rule.
    pub rule: String,
    /// Whose that is: a module's name, or `core`.
    pub policy: String,
    /// What passes the gate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub takes: Option<Takes>,
}

/// What it takes to pass a gate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Takes {
    /// Each must be met.
    pub quorums: Vec<Quorum>,
    /// Seconds for people to decide; none: as the host has it.
    pub pending_ttl: Option<u32>,
    /// Seconds for the caller to use what was approved; none: as the host has it.
    pub grant_ttl: Option<u32>,
}

impl Said {
    /// By these judges.
    pub fn of(judgement: &Judgement) -> Self {
        let ruling = &judgement.ruling;
        // The version is another one wherever a module is replaced, and is told with the modules.
        let policy = ruling.policy();
        let name = policy.split_once('@').map_or(policy, |(name, _)| name);
        Self {
            class: judgement.class,
            effect: ruling.effect().to_owned(),
            rule: ruling.ground().rule.clone(),
            policy: name.to_owned(),
            takes: match ruling {
                Ruling::Gate { terms, .. } => Some(Takes {
                    quorums: terms.quorums.clone(),
                    pending_ttl: terms.pending_ttl,
                    grant_ttl: terms.grant_ttl,
                }),
                Ruling::Allow { .. } | Ruling::Deny { .. } => None,
            },
        }
    }
}

/// A recorded decision, as a person knows it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Which.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// Who asked.
    pub actor: String,
    /// For what.
    pub verb: String,
    /// Of what.
    pub resource: String,
}

/// A law of all policies that a module breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    /// The module, with its version.
    pub module: String,
    /// Which law.
    pub law: String,
    /// What is wrong.
    pub sentence: String,
    /// A question that shows it, as a case of `countersign policy test`.
    pub case: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tightens_needs_nobody_and_what_breaks_a_law_does() {
        let mut review = Review::default();
        assert!(!review.needs_a_person());
        assert_eq!(review.sentence(), "nothing was found that loosens");
        review.broken.push(Broken {
            module: "m@1.0.0".to_owned(),
            law: "agent".to_owned(),
            sentence: "an agent gets more than any person".to_owned(),
            case: String::new(),
        });
        assert!(review.needs_a_person());
        assert_eq!(review.sentence(), "1 law is broken");
        review.broken.push(review.broken[0].clone());
        assert_eq!(review.sentence(), "2 laws are broken");
    }

    #[test]
    fn what_was_not_compared_is_not_taken_for_clean() {
        let unsure = |looked| {
            let review = Review {
                looked,
                ..Review::default()
            };
            assert!(review.needs_a_person());
            assert_eq!(review.sentence(), "not all could be compared");
        };
        unsure(Looked {
            cut_short: true,
            ..Looked::default()
        });
        unsure(Looked {
            unasked: 3,
            ..Looked::default()
        });
        let undoes = Review {
            undoes: Some(7),
            ..Review::default()
        };
        assert!(undoes.needs_a_person() && undoes.sentence().contains("generation 7"));
    }
}
