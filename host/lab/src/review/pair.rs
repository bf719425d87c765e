//! Two sets of policies, asked the same.

use std::time::{Duration, Instant};

use countersign_core::approval::Lives;
use countersign_core::policy::{CallerClass, Question};
use countersign_core::review::Said;
use countersign_core::strictness;
use countersign_core::verdict::{Judgement, Opinion, Took, fold};
use countersign_engine::PolicySet;

use super::{classifier, is_same};
use crate::module::Module;
use crate::verify::asker::Asker;
use crate::verify::point::Point;
use crate::verify::shrink::smaller;

/// Each thread keeps two instances ready of each of so many modules at most. The host that waits for this
/// decides meanwhile, and from the same pool.
const MOST_REUSED: usize = 16;

/// So many smaller questions are tried, and for so long.
const TRIES: usize = 200;
const SHRINKING: Duration = Duration::from_millis(500);

/// The two sets, module by module.
pub struct Sides<'s> {
    sets: [&'s PolicySet; 2],
    lives: &'s Lives,
    modules: [Vec<Module>; 2],
    /// Of each module after, the same one before, where both are told the same class.
    same: Vec<Option<usize>>,
}

impl<'s> Sides<'s> {
    /// Of a set, and of what would be in its place, on a host with these lives.
    pub fn new(before: &'s PolicySet, after: &'s PolicySet, lives: &'s Lives) -> Self {
        let modules = [before, after].map(|set| {
            let classifier = classifier(set);
            let modules = set.modules().iter();
            modules
                .map(|module| Module::beside(module.clone(), &classifier))
                .collect::<Vec<_>>()
        });
        let [old, new] = &modules;
        let same = |module: &Module| {
            old.iter().position(|other| {
                is_same(other.proven(), module.proven())
                    && is_same(other.classifier(), module.classifier())
            })
        };
        Self {
            sets: [before, after],
            lives,
            same: new.iter().map(same).collect(),
            modules,
        }
    }
}

/// What both say to one question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// What becomes of strictness.
    pub change: strictness::Change,
    /// What was said.
    pub before: Said,
    /// What is said.
    pub after: Said,
}

impl Found {
    fn of(before: Judgement, after: Judgement, lives: &Lives) -> Self {
        let [before, after] = [before, after].map(|judgement| judgement.within(lives));
        let change = strictness::Change::between_rulings(&before.ruling, &after.ruling).and(
            strictness::Change::between_classes(before.class, after.class),
        );
        Self {
            change,
            before: Said::of(&before),
            after: Said::of(&after),
        }
    }

    /// Whether a caller would notice nothing.
    pub fn is_nothing(&self) -> bool {
        self.change == strictness::Change::Same && self.before == self.after
    }
}

/// Asks both sets, on one thread.
pub struct Pair<'s> {
    sides: &'s Sides<'s>,
    /// None where they would keep too many instances for themselves.
    askers: Option<[Vec<Asker<'s>>; 2]>,
    /// How many questions were asked.
    pub asked: u64,
}

impl<'s> Pair<'s> {
    /// Nothing was asked so far.
    pub fn new(sides: &'s Sides<'s>) -> Self {
        let askers = |modules: &'s Vec<Module>| modules.iter().map(Asker::new).collect();
        let [before, after] = &sides.modules;
        let is_room = before.len() + after.len() <= MOST_REUSED;
        Self {
            sides,
            askers: is_room.then(|| [askers(before), askers(after)]),
            asked: 0,
        }
    }

    /// What both say, in fresh instances, as in a host.
    pub fn compare_afresh(&mut self, question: &Question) -> Found {
        self.asked += 1;
        let [before, after] = self.sides.sets.map(|set| set.patiently(question));
        Found::of(before, after, self.sides.lives)
    }

    /// What both say, in instances that are reused: three times as fast. Whoever finds something asks afresh.
    pub fn compare(&mut self, question: &Question) -> Found {
        let Some([before, after]) = &mut self.askers else {
            return self.compare_afresh(question);
        };
        self.asked += 1;
        let before = opinions(before, question, |_, _| None);
        let told = before.class;
        let same = |at: usize, class| {
            let known = self.sides.same[at]?;
            (told == Some(class)).then(|| before.opinions[known].clone())
        };
        let after = opinions(after, question, same);
        Found::of(before.judgement(), after.judgement(), self.sides.lives)
    }

    /// The smallest question found that shows the same.
    pub fn smallest(&mut self, point: Point, found: &Found) -> Point {
        let began = Instant::now();
        let mut smallest = point;
        let mut tries = 0;
        'smaller: loop {
            for point in smaller(&smallest) {
                tries += 1;
                if tries > TRIES || began.elapsed() > SHRINKING {
                    return smallest;
                }
                let question = point.question();
                if self.compare(&question) == *found && self.compare_afresh(&question) == *found {
                    smallest = point;
                    continue 'smaller;
                }
            }
            return smallest;
        }
    }
}

/// What the modules of one set say.
struct Heard {
    /// What they are told of the caller; none where the classifier failed.
    class: Option<CallerClass>,
    opinions: Vec<Opinion>,
}

impl Heard {
    fn judgement(self) -> Judgement {
        Judgement {
            generation: 0,
            class: self.class.unwrap_or(CallerClass::Unknown),
            ruling: fold(&self.opinions),
            opinions: self.opinions,
            took: Took::default(),
        }
    }
}

fn opinions(
    askers: &mut [Asker<'_>],
    question: &Question,
    known: impl Fn(usize, CallerClass) -> Option<Opinion>,
) -> Heard {
    let mut told = None;
    let mut opinions = Vec::with_capacity(askers.len());
    for (at, asker) in askers.iter_mut().enumerate() {
        if let Some(opinion) = told.and_then(|class| known(at, class)) {
            opinions.push(opinion);
            continue;
        }
        let said = asker.ask(question);
        told = said.class.as_ref().ok().copied();
        opinions.push(Opinion {
            module: asker.module_id().clone(),
            verdict: said.verdict,
            notes: Vec::new(),
            took: Took::default(),
        });
        // Without a class nobody else is asked, and this alone denies.
        if told.is_none() {
            break;
        }
    }
    Heard {
        class: told,
        opinions,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_core::approval::GRANT_TTL;
    use countersign_core::policy::{Ground, Terms, Verdict};
    use countersign_core::strictness::Change;
    use countersign_core::verdict::ModuleId;

    use super::*;

    fn judged(lives: [Option<u32>; 2]) -> Judgement {
        let opinion = |(at, grant_ttl): (usize, Option<u32>)| Opinion {
            module: ModuleId {
                name: format!("m{at}"),
                version: "1.0.0".to_owned(),
                digest: String::new(),
            },
            verdict: Ok(Verdict::Gate(Terms {
                ground: Ground::new("rule", "reason"),
                quorums: Vec::new(),
                pending_ttl: None,
                grant_ttl,
            })),
            notes: Vec::new(),
            took: Took::default(),
        };
        Heard {
            class: Some(CallerClass::Agent),
            opinions: lives.into_iter().enumerate().map(opinion).collect(),
        }
        .judgement()
    }

    #[test]
    fn a_life_that_is_longer_on_this_host_alone_loosens_here() {
        let change = |lives: &Lives| {
            let (before, after) = (judged([None, Some(900)]), judged([None, Some(3_600)]));
            Found::of(before, after, lives).change
        };
        assert_eq!(change(&Lives::default()), Change::Same);
        let grant = GRANT_TTL.set_to(Duration::from_secs(7_200));
        let longer = Lives {
            grant: grant.expect("it is within the bounds"),
            ..Lives::default()
        };
        assert_eq!(change(&longer), Change::Looser);
    }
}
