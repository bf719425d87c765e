//! One question of a case, asked as often and after what the case says.

use std::time::Instant;

use countersign_core::exhaustive::Row;

use crate::cases::{Case, Earlier, Mismatch, Variant};
use crate::module::{Answered, Module, Reused};

/// How often a question is asked before a failure is the module's. Modules are deterministic, so what does
/// not fail again was the machine having no time for it, which says nothing about the module.
const ATTEMPTS: usize = 3;

/// One question of a case that was answered otherwise.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The question.
    pub variant: Variant,
    /// At which of its calls.
    pub call: Call,
    /// The answer.
    pub answered: Answered,
    /// Where it is otherwise.
    pub mismatches: Vec<Mismatch>,
}

/// A call of a question that a case asks more than once, or after others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// How often the question was asked so far, this one included.
    pub number: usize,
    /// What was asked right before, in order.
    pub after: Vec<Row>,
}

/// Whoever asks has no more time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfTime;

/// What was answered otherwise than expected, and where.
type Otherwise = (Call, Answered, Vec<Mismatch>);

/// A case, ready to be asked of a module.
pub(crate) struct Asked<'c> {
    case: &'c Case,
    module: &'c Module,
    earlier: Earlier,
    /// When whoever asks has no more time.
    until: Option<Instant>,
}

impl<'c> Asked<'c> {
    /// `case` of `module`, unless the module is not told all that it gives.
    pub(crate) fn of(case: &'c Case, module: &'c Module) -> Result<Self, String> {
        case.is_heard_by(module.proven().manifest())?;
        let earlier = case.calls.earlier()?;
        Ok(Self {
            case,
            module,
            earlier,
            until: None,
        })
    }

    /// The same, which gives up at that moment.
    pub(crate) fn until(self, moment: Instant) -> Self {
        Self {
            until: Some(moment),
            ..self
        }
    }

    /// The first call of this question of the case whose answer is not as expected, if any is.
    pub(crate) fn failed(&self, variant: Variant) -> Result<Option<Failed>, OutOfTime> {
        for attempt in 1.. {
            let Some((call, answered, mismatches)) = self.otherwise(&variant)? else {
                return Ok(None);
            };
            if answered.verdict.is_ok() || attempt == ATTEMPTS {
                return Ok(Some(Failed {
                    variant,
                    call,
                    answered,
                    mismatches,
                }));
            }
        }
        Ok(None)
    }

    fn otherwise(&self, variant: &Variant) -> Result<Option<Otherwise>, OutOfTime> {
        let (calls, expected) = (&self.case.calls, &self.case.expected);
        let answer = |variant: &Variant| self.module.answer(&variant.question, variant.class);
        let fresh = expected.is_alike().then(|| answer(variant));
        let mut reused = calls.is_reused().then(|| Reused::new(self.module));
        let mut number = 0;
        for turn in self.earlier.turns() {
            if let Some(reused) = &mut reused {
                for earlier in &turn {
                    reused.answer(&earlier.question, earlier.class);
                }
            }
            for _ in 0..calls.times() {
                if self.until.is_some_and(|until| Instant::now() > until) {
                    return Err(OutOfTime);
                }
                number += 1;
                let answered = match &mut reused {
                    Some(reused) => reused.answer(&variant.question, variant.class),
                    None => answer(variant),
                };
                let mut mismatches = expected.mismatches(&answered);
                mismatches.extend(
                    fresh
                        .as_ref()
                        .and_then(|it| Mismatch::unlike(it, &answered)),
                );
                if !mismatches.is_empty() {
                    let after = turn.iter().map(|earlier| earlier.row.clone()).collect();
                    return Ok(Some((Call { number, after }, answered, mismatches)));
                }
            }
        }
        Ok(None)
    }
}

impl Call {
    /// `call 2, right after verified-session admin deprovision -`.
    pub fn sentence(&self) -> String {
        let after: Vec<String> = self.after.iter().map(Row::key).collect();
        match after.is_empty() {
            true => format!("call {}", self.number),
            false => format!(
                "call {}, right after {}",
                self.number,
                after.join(", then ")
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_engine::{BASELINE, Engine, Limits, Settings};

    use super::*;
    use crate::cases::CaseFile;

    /// A module may take nearly all of its time for each call, and a host has no more than a minute for all.
    #[test]
    fn whoever_has_no_more_time_waits_for_no_further_call_of_a_question() {
        let engine = Engine::new(Limits::default()).expect("the limits are within their bounds");
        let proven = engine.prove(BASELINE, &Settings::new()).expect("it proves");
        let module = Module::new(&engine, proven).expect("it loads");
        let text = "[[case]]\nname = \"c\"\ncalls = 100000\ninstance = \"reused\"\ngiven.verb = \"deprovision\"\nexpect.not = \"allow\"\n";
        let file = CaseFile::parse(text).expect("it is right");
        let case = &file.cases[0];
        let variant = case.given.variants().expect("it was read").remove(0);
        let asked = Asked::of(case, &module).expect("it is told all");
        let began = Instant::now();
        let asked = asked.until(began + Duration::from_millis(20));
        assert!(matches!(asked.failed(variant), Err(OutOfTime)));
        assert!(began.elapsed() < Duration::from_secs(1));
    }
}
