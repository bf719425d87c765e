//! Many modules' verdicts become one ruling.
//!
//! abstain < allow < gate < deny, and the strictest stands. Gates join: all their quorums, the
//! shortest lives (one that is left to the host counts as the built-in default until
//! [`Judgement::within`] says what this host's is), their grounds in order of
//! module name. A module that failed denies.

mod lives;
mod took;
mod written;

use serde::{Deserialize, Serialize};

pub use self::took::Took;
use crate::approval::Lives;
use crate::policy::{CallerClass, Ground, Quorum, Terms, Verdict};

/// A loaded module: which one, exactly.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ModuleId {
    /// Its name, unique among the loaded modules.
    pub name: String,
    /// Its semantic version, as it says itself.
    pub version: String,
    /// SHA-256 of its bytes, in hex.
    pub digest: String,
}

impl std::fmt::Display for ModuleId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

/// What one module made of a question.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// Whose it is.
    pub module: ModuleId,
    /// Its verdict, or in one sentence why it has none.
    pub verdict: Result<Verdict, String>,
    /// What it wrote for whoever debugs it.
    pub notes: Vec<String>,
    /// How long it ran.
    pub took: Took,
}

/// The ruling of all modules together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Ruling {
    /// It may be done.
    Allow {
        /// Why, from the first module by name that allows.
        ground: Ground,
        /// That module, or `core`.
        policy: String,
    },
    /// People must agree.
    Gate {
        /// All gates joined.
        terms: Terms,
        /// The first module by name that gates.
        policy: String,
    },
    /// It may not be done.
    Deny {
        /// Why, from the first module by name that denies or failed.
        ground: Ground,
        /// That module, or `core`.
        policy: String,
    },
}

impl Ruling {
    /// The core's own denial.
    pub fn denied_by_core(rule: &str, reason: impl Into<String>) -> Self {
        Self::Deny {
            ground: Ground::new(rule, reason),
            policy: CORE.to_owned(),
        }
    }

    /// The core's own permission, for the verbs that it judges alone.
    pub fn allowed_by_core(rule: &str, reason: impl Into<String>) -> Self {
        Self::Allow {
            ground: Ground::new(rule, reason),
            policy: CORE.to_owned(),
        }
    }

    /// The core's own demand that people agree.
    pub fn gated_by_core(terms: Terms) -> Self {
        Self::Gate {
            terms,
            policy: CORE.to_owned(),
        }
    }

    /// `allow`, `gate` or `deny`.
    pub fn effect(&self) -> &'static str {
        match self {
            Self::Allow { .. } => "allow",
            Self::Gate { .. } => "gate",
            Self::Deny { .. } => "deny",
        }
    }

    /// Why.
    pub fn ground(&self) -> &Ground {
        match self {
            Self::Allow { ground, .. } | Self::Deny { ground, .. } => ground,
            Self::Gate { terms, .. } => &terms.ground,
        }
    }

    /// Who says so: `name@version`, or `core`.
    pub fn policy(&self) -> &str {
        match self {
            Self::Allow { policy, .. } | Self::Gate { policy, .. } | Self::Deny { policy, .. } => {
                policy
            }
        }
    }
}

/// The name under which the core's own rules appear where a policy's would.
pub const CORE: &str = "core";

/// A question, judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// The number of the policy generation that judged; 0 where the core judged alone.
    pub generation: u64,
    /// What the classifier took the caller for.
    pub class: CallerClass,
    /// What stands.
    pub ruling: Ruling,
    /// What each module said, by name.
    pub opinions: Vec<Opinion>,
    /// How long all of them together took; unknown where none was asked. It is recorded beside the judgement.
    #[serde(skip)]
    pub took: Took,
}

/// Folds the modules' opinions into the ruling that stands. The order of `opinions` does not matter.
pub fn fold(opinions: &[Opinion]) -> Ruling {
    let mut sorted: Vec<&Opinion> = opinions.iter().collect();
    sorted.sort_by(|a, b| a.module.cmp(&b.module));

    if let Some(denial) = sorted.iter().find_map(|opinion| denial(opinion)) {
        return denial;
    }
    let gates: Vec<(&Opinion, &Terms)> = sorted
        .iter()
        .filter_map(|opinion| match &opinion.verdict {
            Ok(Verdict::Gate(terms)) => Some((*opinion, terms)),
            _ => None,
        })
        .collect();
    if let Some((first, _)) = gates.first() {
        return Ruling::Gate {
            terms: join(gates.iter().map(|(_, terms)| *terms)),
            policy: first.module.to_string(),
        };
    }
    for opinion in sorted {
        if let Ok(Verdict::Allow(ground)) = &opinion.verdict {
            return Ruling::Allow {
                ground: ground.clone(),
                policy: opinion.module.to_string(),
            };
        }
    }
    Ruling::denied_by_core(
        "no-policy-covers-this",
        "no loaded policy has a rule for this request",
    )
}

fn denial(opinion: &Opinion) -> Option<Ruling> {
    let ground = match &opinion.verdict {
        Err(failure) => Ground::new(
            "policy-failed",
            format!("the policy could not decide: {failure}"),
        ),
        Ok(Verdict::Deny(ground)) => ground.clone(),
        Ok(Verdict::Allow(ground) | Verdict::Gate(Terms { ground, .. })) => {
            unknown_obligation(ground)?
        }
        Ok(Verdict::Abstain) => return None,
    };
    Some(Ruling::Deny {
        ground,
        policy: opinion.module.to_string(),
    })
}

/// An obligation that nobody here can fulfil turns its verdict into a denial. This host knows none yet.
pub(crate) fn unknown_obligation(ground: &Ground) -> Option<Ground> {
    let obligation = ground
        .details
        .iter()
        .find(|detail| detail.name.starts_with("must."))?;
    Some(Ground::new(
        "unknown-obligation",
        format!(
            "the policy demands `{}`, which this host cannot fulfil",
            obligation.name
        ),
    ))
}

fn join<'a>(gates: impl Iterator<Item = &'a Terms>) -> Terms {
    let mut grounds: Vec<&Ground> = Vec::new();
    let mut quorums: Vec<&Quorum> = Vec::new();
    let mut all: Vec<&Terms> = Vec::new();
    for terms in gates {
        if !grounds.contains(&&terms.ground) {
            grounds.push(&terms.ground);
        }
        quorums.extend(&terms.quorums);
        all.push(terms);
    }
    let [pending_ttl, grant_ttl] = lives::shortest(&all, &Lives::default());
    Terms {
        ground: joined_ground(&grounds),
        quorums: joined_quorums(quorums),
        pending_ttl,
        grant_ttl,
    }
}

/// The quorums of gates together: each is for one person at least, and one person where there is none.
pub(crate) fn joined_quorums<'a>(quorums: impl IntoIterator<Item = &'a Quorum>) -> Vec<Quorum> {
    let floored = quorums.into_iter().map(|quorum| Quorum {
        people: quorum.people.max(1),
        groups: quorum.groups.clone(),
    });
    let mut quorums: Vec<Quorum> = floored.collect();
    if quorums.is_empty() {
        quorums.push(Quorum::one_person());
    }
    quorums.sort();
    quorums.dedup();
    quorums
}

fn joined_ground(grounds: &[&Ground]) -> Ground {
    let (first, others) = grounds
        .split_first()
        .expect("INVARIANT: only a non-empty list of gates is joined");
    let mut joined = (*first).clone();
    for ground in others {
        joined.reason.push_str("; ");
        joined.reason.push_str(&ground.reason);
    }
    joined
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strictness(ruling: &Ruling) -> u8 {
        match ruling {
            Ruling::Allow { .. } => 1,
            Ruling::Gate { .. } => 2,
            Ruling::Deny { .. } => 3,
        }
    }

    fn verdict() -> impl Strategy<Value = Result<Verdict, String>> {
        let ground = ("[a-c]", "[a-c]").prop_map(|(rule, reason)| Ground::new(&rule, reason));
        let quorum = (0u32..3, prop::collection::vec("[gh]", 0..2))
            .prop_map(|(people, groups)| Quorum { people, groups });
        let life = prop::option::of(1u32..100);
        prop_oneof![
            Just(Ok(Verdict::Abstain)),
            ground.clone().prop_map(|g| Ok(Verdict::Allow(g))),
            ground.clone().prop_map(|g| Ok(Verdict::Deny(g))),
            (
                ground,
                prop::collection::vec(quorum, 0..3),
                life.clone(),
                life
            )
                .prop_map(|(ground, quorums, pending_ttl, grant_ttl)| {
                    Ok(Verdict::Gate(Terms {
                        ground,
                        quorums,
                        pending_ttl,
                        grant_ttl,
                    }))
                }),
            Just(Err("it trapped".to_owned())),
        ]
    }

    fn opinions() -> impl Strategy<Value = Vec<Opinion>> {
        prop::collection::vec(verdict(), 0..5).prop_map(|verdicts| {
            verdicts
                .into_iter()
                .enumerate()
                .map(|(n, verdict)| Opinion {
                    module: ModuleId {
                        name: format!("m{n}"),
                        version: "1.0.0".to_owned(),
                        digest: String::new(),
                    },
                    verdict,
                    notes: Vec::new(),
                    took: Took::UNKNOWN,
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn the_order_of_modules_changes_nothing(opinions in opinions()) {
            let mut reversed = opinions.clone();
            reversed.reverse();
            prop_assert_eq!(fold(&opinions), fold(&reversed));
        }

        #[test]
        fn a_module_heard_twice_changes_nothing(opinions in opinions()) {
            let twice: Vec<_> = opinions.iter().chain(&opinions).cloned().collect();
            prop_assert_eq!(fold(&opinions), fold(&twice));
        }

        #[test]
        fn one_more_module_never_loosens_what_the_others_ruled(opinions in opinions()) {
            let Some((_, fewer)) = opinions.split_last() else { return Ok(()) };
            // A set on which all abstain is denied by the core, which a module may lift by answering.
            if fewer.iter().all(|o| o.verdict == Ok(Verdict::Abstain)) { return Ok(()) }
            prop_assert!(strictness(&fold(&opinions)) >= strictness(&fold(fewer)));
        }

        #[test]
        fn any_failure_denies(opinions in opinions()) {
            if opinions.iter().any(|o| o.verdict.is_err()) {
                prop_assert_eq!(fold(&opinions).effect(), "deny");
            }
        }

        #[test]
        fn joined_gates_keep_every_quorum_and_the_shortest_lives(opinions in opinions()) {
            let Ruling::Gate { terms, .. } = fold(&opinions) else { return Ok(()) };
            prop_assert!(!terms.quorums.is_empty());
            for opinion in &opinions {
                let Ok(Verdict::Gate(one)) = &opinion.verdict else { continue };
                for quorum in &one.quorums {
                    let floored = Quorum { people: quorum.people.max(1), groups: quorum.groups.clone() };
                    prop_assert!(terms.quorums.contains(&floored));
                }
                if let Some(ttl) = one.pending_ttl { prop_assert!(terms.pending_ttl <= Some(ttl)); }
                if let Some(ttl) = one.grant_ttl { prop_assert!(terms.grant_ttl <= Some(ttl)); }
            }
        }
    }

    #[test]
    fn no_opinion_at_all_denies() {
        assert_eq!(fold(&[]).effect(), "deny");
    }

    #[test]
    fn an_obligation_that_nobody_knows_denies() {
        let mut ground = Ground::new("r", "because");
        ground
            .details
            .set("must.notify", crate::policy::Value::Boolean(true));
        let opinion = Opinion {
            module: ModuleId {
                name: "m".into(),
                version: "1.0.0".into(),
                digest: String::new(),
            },
            verdict: Ok(Verdict::Allow(ground)),
            notes: Vec::new(),
            took: Took::UNKNOWN,
        };
        assert_eq!(fold(&[opinion]).ground().rule, "unknown-obligation");
    }
}
