//! What a module answers to the exhaustive table, whole: the matrix that people read, and what a
//! comparison compares.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign_core::approval::{Lives, Ttl};
use countersign_core::exhaustive::{self, Row};
use countersign_core::policy::{CallerClass, Quorum, Terms, Verdict};
use countersign_core::strictness::Strictness;
use serde::Serialize;

use crate::fold::Folded;
use crate::module::{Answered, Module};
use crate::table::Effect;

/// Rows, and what a module answered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers(BTreeMap<Row, Answered>);

impl Answers {
    /// Asks `module` every row that is `wanted`, on every processor; `asked` hears after each row how many
    /// are answered.
    pub fn of(
        module: &Module,
        wanted: impl Fn(&Row) -> bool,
        asked: &(impl Fn(usize) + Sync),
    ) -> Self {
        let rows: Vec<Row> = exhaustive::rows().filter(wanted).collect();
        let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
        let share = rows.len().div_ceil(threads).max(1);
        let done = AtomicUsize::new(0);
        let answer = |rows: &[Row]| -> Vec<(Row, Answered)> {
            let one = |row: &Row| {
                let answered = module.answer_again(&row.question());
                asked(done.fetch_add(1, Ordering::Relaxed) + 1);
                (row.clone(), answered)
            };
            rows.iter().map(one).collect()
        };
        let answers = std::thread::scope(|scope| {
            let shares: Vec<_> = rows
                .chunks(share)
                .map(|rows| scope.spawn(|| answer(rows)))
                .collect();
            let answers = shares.into_iter().map(|share| {
                let answers = share.join();
                answers.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            answers.flatten().collect()
        });
        Self(answers)
    }

    /// The same on a host whose operator set these lives: every gate's are as long there as they are then.
    pub fn within(mut self, lives: &Lives) -> Self {
        let bounded = |ttl: Ttl, seconds| {
            let seconds = ttl.bounded(seconds).as_secs();
            Some(u32::try_from(seconds).unwrap_or(u32::MAX))
        };
        for answered in self.0.values_mut() {
            if let Ok(Verdict::Gate(terms)) = &mut answered.verdict {
                terms.pending_ttl = bounded(lives.pending, terms.pending_ttl);
                terms.grant_ttl = bounded(lives.grant, terms.grant_ttl);
            }
        }
        self
    }

    /// All of them, in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = (&Row, &Answered)> {
        self.0.iter()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was answered to `row`.
    pub fn get(&self, row: &Row) -> Option<&Answered> {
        self.0.get(row)
    }

    /// What a reader sees of it, folded.
    pub fn folded(&self) -> Folded<Seen> {
        Folded::of(self.0.iter().map(|(row, said)| (row, Seen::of(said))))
    }
}

impl FromIterator<(Row, Answered)> for Answers {
    fn from_iter<I: IntoIterator<Item = (Row, Answered)>>(rows: I) -> Self {
        Self(rows.into_iter().collect())
    }
}

/// What a reader of the matrix sees of an answer: all of it but the words for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// What the caller was taken for; none where the classifier failed.
    pub class: Option<CallerClass>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// A verdict without the words for people, or why there is none that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing to say.
    Abstain,
    /// It may.
    Allow {
        /// By which rule.
        rule: String,
    },
    /// It may once people agree.
    Gate {
        /// By which rule.
        rule: String,
        /// What it takes.
        #[serde(flatten)]
        takes: Takes,
    },
    /// It may not.
    Deny {
        /// By which rule.
        rule: String,
    },
    /// The module failed, or demands what no host can do: the host denies.
    Fails {
        /// Why.
        failure: String,
    },
}

/// What it takes to pass a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Takes {
    /// Each must be met; none: one person.
    pub quorums: Vec<Quorum>,
    /// Seconds for people to decide; none: as the host has it.
    pub pending_ttl: Option<u32>,
    /// Seconds for the caller to use what was approved; none: as the host has it.
    pub grant_ttl: Option<u32>,
}

impl Seen {
    /// Of an answer.
    pub fn of(answered: &Answered) -> Self {
        Self {
            class: answered.class.as_ref().ok().copied(),
            outcome: Outcome::of(&answered.verdict),
        }
    }
}

impl Outcome {
    /// Of one module's answer.
    pub fn of(verdict: &Result<Verdict, String>) -> Self {
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(failure) => {
                return Self::Fails {
                    failure: failure.clone(),
                };
            }
        };
        let rule = || {
            verdict
                .ground()
                .map_or("", |ground| &ground.rule)
                .to_owned()
        };
        match verdict {
            Verdict::Deny(_) => Self::Deny { rule: rule() },
            _ if Strictness::of(verdict) == Strictness::of_answer(&Err::<Verdict, _>(())) => {
                Self::Fails {
                    failure: format!("rule `{}` has an obligation that no host knows", rule()),
                }
            }
            Verdict::Abstain => Self::Abstain,
            Verdict::Allow(_) => Self::Allow { rule: rule() },
            Verdict::Gate(terms) => Self::Gate {
                rule: rule(),
                takes: Takes::of(terms),
            },
        }
    }

    /// What stands: a failure denies.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Abstain => Effect::Abstain,
            Self::Allow { .. } => Effect::Allow,
            Self::Gate { .. } => Effect::Gate,
            Self::Deny { .. } | Self::Fails { .. } => Effect::Deny,
        }
    }

    /// The word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Fails { .. } => "fails",
            other => other.effect().as_str(),
        }
    }

    /// The rule, or why there is none.
    pub fn rule(&self) -> &str {
        match self {
            Self::Abstain => "",
            Self::Allow { rule } | Self::Gate { rule, .. } | Self::Deny { rule } => rule,
            Self::Fails { failure } => failure,
        }
    }

    /// Whether it is a gate that leaves a life to the host.
    pub fn leaves_a_life(&self) -> bool {
        self.takes()
            .is_some_and(|takes| takes.pending_ttl.is_none() || takes.grant_ttl.is_none())
    }

    /// What it takes to pass, of a gate.
    pub fn takes(&self) -> Option<&Takes> {
        match self {
            Self::Gate { takes, .. } => Some(takes),
            _ => None,
        }
    }
}

impl Takes {
    /// Of a gate's terms.
    pub fn of(terms: &Terms) -> Self {
        Self {
            quorums: terms.quorums.clone(),
            pending_ttl: terms.pending_ttl,
            grant_ttl: terms.grant_ttl,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_core::policy::{Ground, Value};

    use super::*;

    #[test]
    fn a_gates_lives_are_those_of_the_host_that_they_are_on() {
        let gate = Verdict::Gate(Terms {
            ground: Ground::new("rule", "because"),
            quorums: Vec::new(),
            pending_ttl: None,
            grant_ttl: Some(600),
        });
        let answered = Answered {
            class: Ok(CallerClass::Agent),
            verdict: Ok(gate),
            notes: Vec::new(),
        };
        let row = exhaustive::rows().next().expect("there are rows");
        let answers: Answers = [(row.clone(), answered)].into_iter().collect();
        let takes = |answers: &Answers| {
            let outcome = Outcome::of(&answers.get(&row).expect("it is there").verdict);
            let takes = outcome.takes().cloned().expect("it gates");
            (outcome.leaves_a_life(), takes.pending_ttl, takes.grant_ttl)
        };
        assert_eq!(takes(&answers), (true, None, Some(600)));
        let mut lives = Lives::default();
        let set = lives.pending.set_to(Duration::from_secs(7_200));
        lives.pending = set.expect("it is within the bounds");
        let set = lives.grant.set_to(Duration::from_secs(60));
        lives.grant = set.expect("it is within the bounds");
        let there = answers.clone().within(&lives);
        assert_eq!(takes(&there), (false, Some(7_200), Some(60)));
    }

    #[test]
    fn what_a_host_denies_is_not_shown_as_allowed() {
        let ground = Ground::new("rule", "because");
        let allow = Verdict::Allow(ground.clone());
        assert_eq!(Outcome::of(&Ok(allow)).word(), "allow");
        let mut obliged = ground;
        obliged.details.set("must.notify", Value::Boolean(true));
        let outcome = Outcome::of(&Ok(Verdict::Allow(obliged)));
        assert_eq!((outcome.word(), outcome.effect()), ("fails", Effect::Deny));
        let failed = Outcome::of(&Err("it trapped".to_owned()));
        assert_eq!(
            (failed.rule(), failed.effect()),
            ("it trapped", Effect::Deny)
        );
    }
}
