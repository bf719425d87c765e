//! What a case expects, and where an answer is otherwise.

use countersign_core::policy::{CallerClass, Quorum, Terms, Verdict};
use serde::Deserialize;

use super::words::{Words, unknown};
use crate::module::Answered;
use crate::table::Effect;
use crate::verify::quoted;

/// What stands for a failure among verdicts.
const FAILS: &str = "fails";

/// What is expected of an answer; what is not said may be anything.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Expected {
    /// What the classifier takes the caller for.
    class: Option<Words>,
    /// `abstain`, `allow`, `gate`, `deny`, or `fails`.
    verdict: Option<Words>,
    /// What the verdict must not be.
    not: Option<Words>,
    /// The rule behind it.
    rule: Option<Words>,
    /// Its reason, for people.
    reason: Option<Words>,
    /// The next step that the caller is told.
    advice: Option<Words>,
    /// All quorums of a gate, in any order.
    quorums: Option<Vec<ExpectedQuorum>>,
    /// Seconds for people to decide.
    pending_ttl: Option<u32>,
    /// Seconds for the caller to use what was approved.
    grant_ttl: Option<u32>,
    /// Every call is answered as a fresh instance answers the question.
    alike: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedQuorum {
    people: u32,
    #[serde(default)]
    groups: Vec<String>,
}

/// A part of an answer that is not as expected.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Mismatch {
    /// Which part: `class`, `verdict`, `rule` …
    pub part: &'static str,
    /// What was expected of it.
    pub expected: String,
    /// What it is.
    pub found: String,
}

impl Expected {
    /// Whether nothing is expected at all, or of words that there are not.
    pub(crate) fn check(&self) -> Result<(), String> {
        if *self == Self::default() {
            return Err("`expect` needs a `class`, a `verdict`, a `not`, a `rule` or another part of an answer".to_owned());
        }
        if self.alike == Some(false) {
            return Err("`alike` is `true`, or left out".to_owned());
        }
        if let Some(class) = &self.class {
            class.pick(CallerClass::ALL, CallerClass::as_str)?;
        }
        let mut verdicts: Vec<&str> = Effect::ALL.iter().map(|effect| effect.as_str()).collect();
        verdicts.push(FAILS);
        for words in [&self.verdict, &self.not].into_iter().flatten() {
            for word in words.patterns() {
                if !verdicts.contains(&word.as_str()) {
                    return Err(unknown(word, &verdicts));
                }
            }
        }
        Ok(())
    }

    /// Whether every call must be answered as a fresh instance answers.
    pub(crate) fn is_alike(&self) -> bool {
        self.alike == Some(true)
    }

    /// As the `expect` of a case says it.
    pub(crate) fn written(&self) -> String {
        let words = [
            ("class", &self.class),
            ("verdict", &self.verdict),
            ("not", &self.not),
            ("rule", &self.rule),
            ("reason", &self.reason),
            ("advice", &self.advice),
        ];
        let list = |texts: &[String]| {
            let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
            format!("[{}]", texts.join(", "))
        };
        let words = words.into_iter().filter_map(|(part, words)| {
            words
                .as_ref()
                .map(|words| format!("{part} = {}", list(words.patterns())))
        });
        let quorums = self.quorums.iter().map(|quorums| {
            let quorums = quorums.iter().map(|quorum| {
                format!(
                    "{{ people = {}, groups = {} }}",
                    quorum.people,
                    list(&quorum.groups)
                )
            });
            format!("quorums = [{}]", quorums.collect::<Vec<_>>().join(", "))
        });
        let lives = [
            ("pending-ttl", self.pending_ttl),
            ("grant-ttl", self.grant_ttl),
        ];
        let lives = lives
            .into_iter()
            .filter_map(|(part, seconds)| seconds.map(|seconds| format!("{part} = {seconds}")));
        words
            .chain(quorums)
            .chain(lives)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Where `answered` is otherwise.
    pub fn mismatches(&self, answered: &Answered) -> Vec<Mismatch> {
        let mut found = Vec::new();
        let class = match &answered.class {
            Ok(class) => class.as_str(),
            Err(_) => FAILS,
        };
        compare(&mut found, "class", self.class.as_ref(), class);
        let verdict = match &answered.verdict {
            Ok(verdict) => Effect::of(verdict).as_str(),
            Err(_) => FAILS,
        };
        compare(&mut found, "verdict", self.verdict.as_ref(), verdict);
        if let Some(not) = self.not.as_ref().filter(|not| not.fit(verdict)) {
            found.push(Mismatch {
                part: "verdict",
                expected: format!("not {not}"),
                found: verdict.to_owned(),
            });
        }
        let ground = answered.verdict.as_ref().ok().and_then(Verdict::ground);
        let failure = answered.verdict.as_ref().err().map(String::as_str);
        let rule = ground.map_or("", |ground| &ground.rule);
        compare(&mut found, "rule", self.rule.as_ref(), rule);
        let reason = ground.map(|ground| ground.reason.as_str()).or(failure);
        compare(
            &mut found,
            "reason",
            self.reason.as_ref(),
            reason.unwrap_or(""),
        );
        let advice = ground.and_then(|ground| ground.advice()).unwrap_or("");
        compare(&mut found, "advice", self.advice.as_ref(), advice);
        let terms = match &answered.verdict {
            Ok(Verdict::Gate(terms)) => Some(terms),
            _ => None,
        };
        self.compare_terms(&mut found, terms);
        found
    }

    fn compare_terms(&self, found: &mut Vec<Mismatch>, terms: Option<&Terms>) {
        if let Some(expected) = &self.quorums {
            let mut expected: Vec<Quorum> = expected.iter().map(Quorum::from).collect();
            let mut quorums = terms.map_or_else(Vec::new, |terms| terms.quorums.clone());
            expected.sort();
            quorums.sort();
            if expected != quorums {
                let shown = |quorums: &[Quorum]| {
                    let shown: Vec<String> = quorums.iter().map(shown).collect();
                    shown.join(" and ")
                };
                found.push(Mismatch {
                    part: "quorums",
                    expected: shown(&expected),
                    found: shown(&quorums),
                });
            }
        }
        let lives = [
            (
                "pending-ttl",
                self.pending_ttl,
                terms.and_then(|terms| terms.pending_ttl),
            ),
            (
                "grant-ttl",
                self.grant_ttl,
                terms.and_then(|terms| terms.grant_ttl),
            ),
        ];
        for (part, expected, is) in lives {
            if let Some(expected) = expected.filter(|expected| Some(*expected) != is) {
                found.push(Mismatch {
                    part,
                    expected: expected.to_string(),
                    found: is.map_or_else(String::new, |seconds| seconds.to_string()),
                });
            }
        }
    }
}

impl Mismatch {
    /// Where `answered` is another answer than the one of a fresh instance.
    pub(crate) fn unlike(fresh: &Answered, answered: &Answered) -> Option<Self> {
        let is_alike = match (&fresh.verdict, &answered.verdict) {
            // Both deny, in whatever words.
            (Err(_), Err(_)) => true,
            (one, other) => one == other && fresh.class == answered.class,
        };
        if is_alike {
            return None;
        }
        let (mut expected, mut found) = (brief(fresh), brief(answered));
        if expected == found {
            (expected, found) = (whole(fresh), whole(answered));
        }
        Some(Self {
            part: "alike",
            expected,
            found,
        })
    }
}

/// `agent: gate (agents-need-a-person)`.
fn brief(answered: &Answered) -> String {
    let class = answered
        .class
        .as_ref()
        .map_or(FAILS, |class| class.as_str());
    match &answered.verdict {
        Err(failure) => format!("{class}: {FAILS}: {failure}"),
        Ok(verdict) => {
            let rule = verdict.ground().map(|ground| format!(" ({})", ground.rule));
            let effect = Effect::of(verdict).as_str();
            format!("{class}: {effect}{}", rule.unwrap_or_default())
        }
    }
}

fn whole(answered: &Answered) -> String {
    serde_json::to_string(&answered.verdict).unwrap_or_else(|_| brief(answered))
}

impl From<&ExpectedQuorum> for Quorum {
    fn from(quorum: &ExpectedQuorum) -> Self {
        Self {
            people: quorum.people,
            groups: quorum.groups.clone(),
        }
    }
}

fn shown(quorum: &Quorum) -> String {
    match quorum.groups.as_slice() {
        [] => format!("{} people", quorum.people),
        groups => format!("{} people of {}", quorum.people, groups.join(" or ")),
    }
}

fn compare(
    mismatches: &mut Vec<Mismatch>,
    part: &'static str,
    expected: Option<&Words>,
    found: &str,
) {
    if let Some(expected) = expected.filter(|expected| !expected.fit(found)) {
        mismatches.push(Mismatch {
            part,
            expected: expected.to_string(),
            found: found.to_owned(),
        });
    }
}
