//! What was found, and the least of it that shows it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::asker::Asker;
use super::super::laws::{Breach, Law};
use super::super::look::Look;
use super::super::point::Point;
use super::super::{Finding, case, shrink};
use super::Search;

/// So many breaches of one law are made small and shown.
const SHOWN: usize = 3;

/// What was found so far.
#[derive(Default)]
pub(super) struct Found {
    /// By law; of each as many as may be shown, and a few more, since many shrink to the same.
    breaches: BTreeMap<Law, Vec<Breach>>,
    pub(super) counted: BTreeMap<&'static str, usize>,
    /// Of properties of one's own, and of what no case can say.
    pub(super) findings: BTreeMap<String, Finding>,
}

impl<'s> Search<'s> {
    /// Something that no case says whole: what is right is what a fresh instance answers.
    pub(super) fn note(&self, law: Law, point: &Point, sentence: &str) {
        self.found(Breach {
            law,
            point: point.clone(),
            expected: "not = \"fails\"".to_owned(),
            sentence: sentence.to_owned(),
        });
    }

    pub(super) fn found(&self, breach: Breach) {
        let mut found = self.lock();
        *found.counted.entry(breach.law.id()).or_default() += 1;
        let breaches = found.breaches.entry(breach.law).or_default();
        // Smaller ones come first, so that what is shown does not depend on which thread was first.
        breaches.push(breach);
        breaches.sort_by_cached_key(size);
        breaches.truncate(4 * SHOWN);
    }

    /// What was found, each as small as it gets, and how often each law was broken.
    pub fn report(&self, asker: &mut Asker<'s>) -> (Vec<Finding>, BTreeMap<&'static str, usize>) {
        let Found {
            breaches,
            mut counted,
            findings,
        } = std::mem::take(&mut *self.lock());
        let mut shown = Vec::new();
        for (law, breaches) in breaches {
            let mut cases = BTreeSet::new();
            for breach in breaches {
                if cases.len() >= SHOWN {
                    break;
                }
                let mut look = Look::new(self.bases, asker, self.rng(0));
                if !is_seen_again(&breach, &mut look) {
                    continue;
                }
                let breach = shrink::shrunk(breach, &mut look);
                let case = case::written(&breach, law.sentence());
                if cases.insert(case.clone()) {
                    shown.push(Finding {
                        law: law.id().to_owned(),
                        sentence: breach.sentence,
                        case,
                    });
                }
            }
        }
        counted.retain(|law, _| *law == "own" || shown.iter().any(|found| found.law == *law));
        shown.extend(findings.into_values());
        (shown, counted)
    }
}

fn size(breach: &Breach) -> (usize, usize, String) {
    let changes = format!("{:?}", breach.point.changes);
    (
        breach.point.changes.len(),
        changes.len(),
        format!("{}{changes}", breach.point.row.key()),
    )
}

/// A machine that was busy for a moment is nobody's fault. What a second call shows has no single question that
/// shows it again.
fn is_seen_again(breach: &Breach, look: &mut Look<'_, '_>) -> bool {
    if matches!(breach.law, Law::Stateless | Law::Deterministic | Law::Set) {
        return true;
    }
    let question = breach.point.question();
    let said = look.asker.ask_afresh(&question);
    let mut again = look.breaches(&breach.point, &question, &said).into_iter();
    again.any(|again| again.law == breach.law)
}
