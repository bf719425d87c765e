//! Asking again.

use std::sync::Arc;

use countersign_core::policy::{CallerClass, Question, Verdict};
use countersign_core::verdict::{Judgement, Opinion, Took, fold};
use countersign_engine::{CLASSIFIER, Proven, Reply, depends_on_the_moment};

/// How often a module is asked that had no time to answer.
const ATTEMPTS: usize = 3;

/// What came of asking.
pub(super) enum Asked {
    /// An answer.
    Judged(Judgement),
    /// Something that would have to be asked is not there.
    Missing(String),
}

/// Whether every module had the time to answer what it answered.
pub(super) fn is_answer(judgement: &Judgement) -> bool {
    judgement
        .opinions
        .iter()
        .all(|opinion| is_answered(&opinion.verdict))
}

fn is_answered<T>(answer: &Result<T, String>) -> bool {
    answer
        .as_ref()
        .err()
        .is_none_or(|failure| !depends_on_the_moment(failure))
}

/// What `modules` make of `question`, as in a host.
pub(super) fn judged(modules: &[Arc<Proven>], question: &Question) -> Asked {
    let Some(classifier) = modules.iter().find(|module| module.id().name == CLASSIFIER) else {
        return Asked::Missing(format!(
            "none of the modules is `{CLASSIFIER}`, which says who asks"
        ));
    };
    let class = match class(classifier, question) {
        Ok(class) => class,
        Err(failed) => return ended(CallerClass::Unknown, vec![*failed]),
    };
    let opinions = modules
        .iter()
        .map(|module| opinion(module, question, class));
    ended(class, opinions.collect())
}

/// What would be made of `question` with `given` in the place of those modules of the same name, of all that
/// decided. What the others said then they say again, so they are asked only where they are told another class.
pub(super) fn would_be(
    given: &[Arc<Proven>],
    generation: Option<&Result<Vec<Arc<Proven>>, String>>,
    question: &Question,
    recorded: &Judgement,
) -> Asked {
    if let Some(Ok(modules)) = generation {
        return judged(&replaced(modules, given), question);
    }
    let is_given = |name: &str| given.iter().any(|module| module.id().name == name);
    let others = recorded
        .opinions
        .iter()
        .filter(|opinion| !is_given(&opinion.module.name));
    let classifier = given.iter().find(|module| module.id().name == CLASSIFIER);
    let told = match classifier.map(|module| class(module, question)) {
        None => Ok(recorded.class),
        Some(told) => told,
    };
    let class = match told {
        Ok(class) => class,
        Err(failed) => return ended(CallerClass::Unknown, vec![*failed]),
    };
    let mut opinions: Vec<Opinion> = others.cloned().collect();
    // A failed classification alone denies, and nobody else was asked.
    let was_classified = recorded.class != CallerClass::Unknown
        || recorded
            .opinions
            .iter()
            .any(|opinion| opinion.verdict.is_ok());
    let stands = opinions.iter().all(|opinion| is_answered(&opinion.verdict));
    if !was_classified || !stands || (class != recorded.class && !opinions.is_empty()) {
        let why = match generation {
            Some(Err(why)) => why.clone(),
            _ => "nothing says what decided".to_owned(),
        };
        return Asked::Missing(why);
    }
    opinions.extend(given.iter().map(|module| opinion(module, question, class)));
    opinions.sort_by(|a, b| a.module.cmp(&b.module));
    ended(class, opinions)
}

fn replaced(modules: &[Arc<Proven>], given: &[Arc<Proven>]) -> Vec<Arc<Proven>> {
    let is_given = |name: &str| given.iter().any(|module| module.id().name == name);
    let kept = modules.iter().filter(|module| !is_given(&module.id().name));
    let mut all: Vec<Arc<Proven>> = kept.chain(given).cloned().collect();
    all.sort_by(|a, b| a.id().cmp(b.id()));
    all
}

fn class(classifier: &Proven, question: &Question) -> Result<CallerClass, Box<Opinion>> {
    let reply = patiently(|| classifier.class_of(question));
    reply.answer.map_err(|failure| {
        Box::new(Opinion {
            module: classifier.id().clone(),
            verdict: Err(failure),
            notes: reply.notes,
            took: Took::UNKNOWN,
        })
    })
}

fn opinion(module: &Proven, question: &Question, class: CallerClass) -> Opinion {
    let reply: Reply<Verdict> = patiently(|| module.verdict_on(question, class));
    Opinion {
        module: module.id().clone(),
        verdict: reply.answer,
        notes: reply.notes,
        took: Took::UNKNOWN,
    }
}

fn patiently<T>(ask: impl Fn() -> Reply<T>) -> Reply<T> {
    let mut reply = ask();
    for _ in 1..ATTEMPTS {
        if is_answered(&reply.answer) {
            break;
        }
        reply = ask();
    }
    reply
}

fn ended(class: CallerClass, opinions: Vec<Opinion>) -> Asked {
    let judgement = Judgement {
        generation: 0,
        class,
        ruling: fold(&opinions),
        opinions,
        took: Took::UNKNOWN,
    };
    Asked::Judged(judgement)
}
