//! Asks a module, as fast as it can be asked.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use countersign_core::policy::{CallerClass, Question, Subject, Verdict};
use countersign_core::verdict::ModuleId;
use countersign_engine::{Proven, Warm};

use super::bases::Others;
use super::rank::Rank;
use crate::module::Module;

/// So many callers' classes are remembered: those that a few laws about one question compare.
const CALLERS: usize = 12;
/// An instance is used for so many questions. What a module does only later than that is looked for apart.
const QUESTIONS: u32 = 1_024;
/// A failure that takes longer is one of time, or of memory.
const SLOW: Duration = Duration::from_millis(40);
/// How often a question is asked anew before a failure is the module's, and not a busy machine's.
const ATTEMPTS: usize = 3;
/// After so many slow failures that stayed failures, the module is slow, and not the machine.
const SLOW_FAILURES: usize = 4;

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// What the classifier takes the caller for.
    pub class: Result<CallerClass, String>,
    /// The verdict.
    pub verdict: Result<Verdict, String>,
}

impl Said {
    /// How much it lets through.
    pub fn rank(&self) -> Rank {
        Rank::of(&self.verdict)
    }

    /// Whether it lets the caller do it at once.
    pub fn allows(&self) -> bool {
        matches!(self.verdict, Ok(Verdict::Allow(_)))
    }
}

/// Asks one module on one thread. Warm instances answer, which is three times as fast as fresh ones; what
/// they find is held against fresh ones by whoever reports it.
pub struct Asker<'m> {
    module: &'m Module,
    classifier: Kept<'m>,
    decider: Kept<'m>,
    classes: VecDeque<(Subject, Result<CallerClass, String>)>,
    slow_failures: usize,
    /// How many questions were asked.
    pub asked: u64,
}

struct Kept<'m> {
    proven: &'m Proven,
    warm: Option<Warm<'m>>,
    asked: u32,
}

impl<'m> Kept<'m> {
    fn new(proven: &'m Proven) -> Self {
        Self {
            proven,
            warm: None,
            asked: 0,
        }
    }

    fn warm(&mut self) -> Option<&mut Warm<'m>> {
        if self.asked >= QUESTIONS {
            self.warm = None;
        }
        if self.warm.is_none() {
            self.warm = Warm::new(self.proven).ok();
            self.asked = 0;
        }
        self.asked += 1;
        self.warm.as_mut()
    }
}

impl<'m> Asker<'m> {
    /// Nothing was asked so far.
    pub fn new(module: &'m Module) -> Self {
        Self {
            module,
            classifier: Kept::new(module.classifier()),
            decider: Kept::new(module.proven()),
            classes: VecDeque::new(),
            slow_failures: 0,
            asked: 0,
        }
    }

    /// Whom it asks.
    pub fn module_id(&self) -> &'m ModuleId {
        self.module.proven().id()
    }

    /// Whether the module says itself who asks.
    pub fn is_classifier(&self) -> bool {
        self.module.is_classifier()
    }

    /// Asks, in instances that are reused.
    pub fn ask(&mut self, question: &Question) -> Said {
        self.asked += 1;
        let class = self.class(question);
        let verdict = match &class {
            Ok(class) => self.verdict(question, *class),
            Err(failure) => Err(failure.clone()),
        };
        Said { class, verdict }
    }

    /// Asks in fresh instances, as a host does.
    pub fn ask_afresh(&mut self, question: &Question) -> Said {
        let began = Instant::now();
        let mut said = self.fresh(question);
        let is_slow = said.verdict.is_err() && began.elapsed() > SLOW;
        for _ in 1..ATTEMPTS {
            if said.verdict.is_ok() || (is_slow && self.slow_failures >= SLOW_FAILURES) {
                break;
            }
            said = self.fresh(question);
        }
        self.slow_failures += usize::from(is_slow && said.verdict.is_err());
        said
    }

    fn fresh(&mut self, question: &Question) -> Said {
        self.asked += 1;
        let answered = self.module.answer(question, None);
        Said {
            class: answered.class,
            verdict: answered.verdict,
        }
    }

    /// The module, and what that of the classifier says beside it. `None`: it is the classifier itself, or
    /// nobody knows who asks.
    pub fn beside(&mut self, question: &Question, said: &Said) -> Option<(&'m Proven, Others<'m>)> {
        let class = said.class.as_ref().ok()?;
        if self.is_classifier() {
            return None;
        }
        self.asked += 1;
        let module = self.module.classifier();
        let warm = self.classifier.warm();
        let verdict = match warm.map(|warm| warm.decide(question, *class)) {
            Some(Ok(verdict)) => Ok(verdict),
            _ => {
                self.classifier.warm = None;
                module.verdict_on(question, *class).answer
            }
        };
        Some((self.module.proven(), Others { module, verdict }))
    }

    /// What the module itself takes the caller for, whether or not that can be. `None`: it failed.
    pub fn own_class(&mut self, question: &Question) -> Option<CallerClass> {
        let mut warm = Warm::new(self.module.proven()).ok()?;
        warm.classify(question).ok()
    }

    fn class(&mut self, question: &Question) -> Result<CallerClass, String> {
        let mut known = self.classes.iter();
        if let Some((_, class)) = known.find(|(caller, _)| *caller == question.subject) {
            return class.clone();
        }
        let credential = question.subject.credential;
        let warm = self.classifier.warm();
        let class = warm.map(|warm| warm.classify(question));
        let class = match class {
            Some(Ok(class)) if class.is_possible_for(credential) => Ok(class),
            _ => {
                self.classifier.warm = None;
                self.module.classifier().class_of(question).answer
            }
        };
        if self.classes.len() >= CALLERS {
            self.classes.pop_back();
        }
        self.classes
            .push_front((question.subject.clone(), class.clone()));
        class
    }

    fn verdict(&mut self, question: &Question, class: CallerClass) -> Result<Verdict, String> {
        let began = Instant::now();
        let warm = self.decider.warm();
        match warm.map(|warm| warm.decide(question, class)) {
            Some(Ok(verdict)) => Ok(verdict),
            // It may be that the instance was used up; what takes as long again would be no other answer.
            other => {
                self.decider.warm = None;
                if let Some(Err(failure)) = other.filter(|_| began.elapsed() > SLOW) {
                    return Err(failure);
                }
                self.module.proven().verdict_on(question, class).answer
            }
        }
    }
}
