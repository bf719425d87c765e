//! A module whose instance answers again and again, as none in a host does.

use countersign_core::policy::{CallerClass, Question, Verdict};
use countersign_engine::{Proven, Warm};

use super::{Answered, Module};

/// A module whose instance goes on after each answer, so that what one call left behind shows in the next.
pub struct Reused<'m> {
    module: &'m Module,
    decider: Kept<'m>,
    /// Of who says what kind of caller asks, where the module does not.
    classifier: Kept<'m>,
}

/// An instance, and whether it has answered anything.
struct Kept<'m> {
    proven: &'m Proven,
    warm: Option<Warm<'m>>,
    has_answered: bool,
}

impl<'m> Reused<'m> {
    /// Of `module`, which was asked nothing so far.
    pub fn new(module: &'m Module) -> Self {
        Self {
            module,
            decider: Kept::new(module.proven()),
            classifier: Kept::new(module.classifier()),
        }
    }

    /// What it makes of `question` after all that it was asked before.
    pub fn answer(&mut self, question: &Question, class: Option<CallerClass>) -> Answered {
        let class = match class {
            Some(class) => Ok(class),
            None => self.class(question),
        };
        let decide = |warm: &mut Warm<'_>, class: CallerClass| warm.decide(question, class);
        let verdict: Result<Verdict, String> = match &class {
            Ok(class) => self.decider.asked(|warm| decide(warm, *class)),
            Err(failure) => Err(failure.clone()),
        };
        Answered {
            class,
            verdict,
            notes: Vec::new(),
        }
    }

    /// By the same instance that decides, where the module classifies itself.
    fn class(&mut self, question: &Question) -> Result<CallerClass, String> {
        let kept = match self.module.is_classifier() {
            true => &mut self.decider,
            false => &mut self.classifier,
        };
        let class = kept.asked(|warm| warm.classify(question))?;
        match class.is_possible_for(question.subject.credential) {
            true => Ok(class),
            // As a host has it.
            false => self.module.classifier().class_of(question).answer,
        }
    }
}

impl<'m> Kept<'m> {
    fn new(proven: &'m Proven) -> Self {
        Self {
            proven,
            warm: None,
            has_answered: false,
        }
    }

    /// What it answers. An instance that fails after it has answered is used up, since many a module frees
    /// nothing, which in a host has no second call to show; so a new one goes on, and if that fails as well, it
    /// is the answer.
    fn asked<T>(&mut self, ask: impl Fn(&mut Warm<'m>) -> Result<T, String>) -> Result<T, String> {
        let answer = self.once(&ask);
        match answer {
            Err(_) if std::mem::take(&mut self.has_answered) => self.once(&ask),
            answer => answer,
        }
    }

    fn once<T>(&mut self, ask: impl Fn(&mut Warm<'m>) -> Result<T, String>) -> Result<T, String> {
        let warm = match &mut self.warm {
            Some(warm) => warm,
            none => none.insert(Warm::new(self.proven)?),
        };
        let answer = ask(warm);
        match answer {
            Ok(_) => self.has_answered = true,
            // What has trapped answers nothing any more.
            Err(_) => self.warm = None,
        }
        answer
    }
}
