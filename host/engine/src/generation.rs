//! Modules that stand together.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_core::exhaustive;
use countersign_core::policy::{CallerClass, Question, Verdict};
use countersign_core::tally::{TallyKind, TallyOf};
use countersign_core::verdict::{Judgement, ModuleId, Opinion, Took, fold};

use crate::class::Classes;
use crate::contract::{Lists, Wire};
use crate::debts::Debts;
use crate::failure::{Failure, FailureKind, TOO_BUSY};
use crate::failures::Failures;
use crate::{LoadError, Proven};

/// The classifier, unless the operator names another.
pub const CLASSIFIER: &str = "baseline";

/// How many modules a set may have. Each one's time adds to every decision.
const MODULES: usize = 64;

/// How many different counts a set may ask for. Each is a look into the database at every decision.
const TALLIES: usize = 32;

/// Why nobody is asked where something was not counted.
const UNCOUNTED: &str = "what a policy asks to be counted was not counted";

/// How long all questions of [`PolicySet::check`] may take together. A set that needs longer is no set to
/// decide with: at 2,000 questions that is 30 ms for each, and it would keep the folder from being looked
/// at meanwhile.
const CHECK_TIME: Duration = Duration::from_secs(60);

/// How often a question of the table is asked before a failure is the module's.
const ATTEMPTS: usize = 3;

/// Modules that were found to stand together: names are unique, the classifier is among them, and
/// every question of the exhaustive table has an answer.
#[derive(Clone, Debug)]
pub struct PolicySet {
    modules: Arc<[Arc<Proven>]>,
    classifier: usize,
    wants: Arc<[TallyKind]>,
    /// Of each module, at which rows of the exhaustive table it does not abstain.
    speaks: Arc<[Vec<bool>]>,
    classes: Arc<Classes>,
    debts: Arc<Debts>,
}

impl PolicySet {
    /// Checks `modules`, of which the one named `classifier` says what kind of caller asks.
    ///
    /// It asks some 2,000 questions of each: 30 ms for a module of ours. Like proving, it is nothing
    /// for a thread that serves requests.
    pub fn check(modules: Vec<Arc<Proven>>, classifier: &str) -> Result<Self, LoadError> {
        let mut set = Self::named(modules, classifier)?;
        let mut speaks = vec![Vec::new(); set.modules.len()];
        let began = Instant::now();
        for row in exhaustive::rows() {
            if began.elapsed() > CHECK_TIME {
                return Err(LoadError::Slow(CHECK_TIME.as_secs()));
            }
            let judgement = set.patiently(&row.question());
            let mut heard = judgement.opinions.iter();
            if let Some(failed) = heard.find(|opinion| opinion.verdict.is_err()) {
                return Err(LoadError::Fails {
                    module: failed.module.name.clone(),
                    row: row.key(),
                    failure: failed.verdict.clone().err().unwrap_or_default(),
                });
            }
            for (module, opinion) in speaks.iter_mut().zip(&judgement.opinions) {
                module.push(opinion.verdict != Ok(Verdict::Abstain));
            }
        }
        set.speaks = speaks.into();
        set.covered()
    }

    /// The set without some of its modules: what each of the others says is known already.
    pub fn without(&self, is_out: impl Fn(&ModuleId) -> bool) -> Result<Self, LoadError> {
        let kept = self.modules.iter().zip(self.speaks.iter());
        let kept = kept.filter(|(module, _)| !is_out(module.id()));
        let (modules, speaks): (Vec<_>, Vec<_>) = kept
            .map(|(module, speaks)| (Arc::clone(module), speaks.clone()))
            .unzip();
        let mut set = Self::named(modules, &self.classifier().id().name)?;
        set.speaks = speaks.into();
        set.covered()
    }

    /// Itself, if at every row some module has something to say.
    fn covered(self) -> Result<Self, LoadError> {
        let is_covered = |row: usize| {
            self.speaks
                .iter()
                .any(|module| module.get(row) == Some(&true))
        };
        match exhaustive::rows()
            .enumerate()
            .find(|(at, _)| !is_covered(*at))
        {
            Some((_, row)) => Err(LoadError::Uncovered {
                verb: row.verb.to_string(),
                row: row.key(),
            }),
            None => Ok(self),
        }
    }

    /// The judgement of `question` for whoever is in no hurry, under no number: asked again where a module fails.
    /// Modules are deterministic, so what does not fail again was the host having no time for it, which says
    /// nothing about the module.
    pub fn patiently(&self, question: &Question) -> Judgement {
        self.patiently_with_failures(question).0
    }

    /// [`PolicySet::patiently`], with the modules that failed in it, and how.
    pub fn patiently_with_failures(
        &self,
        question: &Question,
    ) -> (Judgement, Vec<(&ModuleId, FailureKind)>) {
        let judge = || {
            let mut watch = self.watch();
            (self.judge(question, 0, &mut watch), watch.failed)
        };
        let mut judged = judge();
        for _ in 1..ATTEMPTS {
            if judged.1.is_empty() {
                break;
            }
            judged = judge();
        }
        let (judgement, failed) = judged;
        let named = |(module, kind): (usize, FailureKind)| (self.modules[module].id(), kind);
        (judgement, failed.into_iter().map(named).collect())
    }

    /// [`PolicySet::check`] without the questions.
    pub(crate) fn named(
        mut modules: Vec<Arc<Proven>>,
        classifier: &str,
    ) -> Result<Self, LoadError> {
        if modules.len() > MODULES {
            return Err(LoadError::TooMany(modules.len()));
        }
        modules.sort_by(|a, b| a.id().cmp(b.id()));
        let mut names = BTreeSet::new();
        if let Some(twice) = modules
            .iter()
            .find(|module| !names.insert(&*module.id().name))
        {
            return Err(LoadError::SameName(twice.id().name.clone()));
        }
        let specs = modules.iter().flat_map(|module| &module.manifest().tallies);
        let mut wants: Vec<TallyKind> = specs.map(|spec| spec.kind.clone()).collect();
        wants.sort_unstable();
        wants.dedup();
        if wants.len() > TALLIES {
            return Err(LoadError::TooManyTallies(wants.len()));
        }
        let classifier = modules
            .iter()
            .position(|module| module.id().name == classifier)
            .ok_or_else(|| LoadError::NoClassifier(classifier.to_owned()))?;
        let debts = Debts::new(modules[classifier].limits());
        Ok(Self {
            modules: modules.into(),
            classifier,
            wants: wants.into(),
            speaks: Arc::default(),
            classes: Arc::new(Classes::new()),
            debts: Arc::new(debts),
        })
    }

    /// The modules, by name.
    pub fn modules(&self) -> &[Arc<Proven>] {
        &self.modules
    }

    /// What its modules ask to be counted.
    pub fn wants(&self) -> &Arc<[TallyKind]> {
        &self.wants
    }

    /// The one that says what kind of caller asks.
    pub fn classifier(&self) -> &Proven {
        &self.modules[self.classifier]
    }

    /// Whether something was not counted that a module asks for, which it would take for none.
    pub fn lacks(&self, question: &Question) -> bool {
        let is_told = |kind: &TallyKind| {
            let mut tallies = question.tallies.iter();
            tallies.any(|tally| tally.of == TallyOf::Kind(kind.clone()))
        };
        !self.wants.iter().all(is_told)
    }

    /// The judgement of what somebody asks. On whoever has kept the policies busy for long they are not
    /// asked for a while, which denies.
    pub(crate) fn answer(
        &self,
        question: &Question,
        generation: u64,
        failures: &Failures,
    ) -> Judgement {
        let subject = &question.subject;
        let unasked = |module: &Proven, why| {
            let failure = Failure::of(FailureKind::Unasked, why);
            failures.add(module.id(), failure.kind(), question.time);
            let opinions = vec![opinion(module, Err(failure), Vec::new())];
            judgement(generation, CallerClass::Unknown, opinions, Duration::ZERO)
        };
        if let Some(slowest) = self.debts.excess(subject) {
            return unasked(&self.modules[slowest], TOO_BUSY);
        }
        if self.lacks(question) {
            return unasked(self.classifier(), UNCOUNTED);
        }
        let mut watch = self.watch();
        let judgement = self.judge(question, generation, &mut watch);
        self.debts.add(subject, watch.used, watch.slowest);
        for (module, kind) in watch.failed {
            failures.add(self.modules[module].id(), kind, question.time);
        }
        judgement
    }

    fn judge(&self, question: &Question, generation: u64, watch: &mut Watch) -> Judgement {
        let lists = Lists::of(question);
        let wire = Wire::new(question, &lists);
        watch.start();
        let (class, mut notes) = self.classify(question, &wire, watch);
        let classifying = watch.ran;
        let class = match class {
            Ok(class) => class,
            // Without a class there is nothing to ask the others, and this alone denies.
            Err(failure) => {
                let mut failed = opinion(self.classifier(), Err(failure), notes);
                failed.took = classifying.into();
                let opinions = vec![failed];
                return judgement(generation, CallerClass::Unknown, opinions, watch.elapsed);
            }
        };
        let ask = |(index, module): (usize, &Arc<Proven>)| {
            let said = module.decide(question, &wire, class, watch.left());
            watch.lap(index, said.used);
            watch.note(index, &said.answer);
            let ran = match index == self.classifier {
                true => classifying + watch.ran,
                false => watch.ran,
            };
            let mut opinion = opinion(module, said.answer, said.notes);
            opinion.took = ran.into();
            opinion
        };
        let mut opinions: Vec<Opinion> = self.modules.iter().enumerate().map(ask).collect();
        notes.append(&mut opinions[self.classifier].notes);
        opinions[self.classifier].notes = notes;
        judgement(generation, class, opinions, watch.elapsed)
    }

    fn classify(
        &self,
        question: &Question,
        wire: &Wire<'_>,
        watch: &mut Watch,
    ) -> (Result<CallerClass, Failure>, Vec<String>) {
        if let Some(class) = self.classes.get(&question.subject) {
            return (Ok(class), Vec::new());
        }
        let said = self.classifier().classify(question, wire, watch.left());
        watch.lap(self.classifier, said.used);
        watch.note(self.classifier, &said.answer);
        let (class, notes) = (said.answer, said.notes);
        // What comes with notes is asked again, for the sake of the notes.
        if let (Ok(class), []) = (&class, notes.as_slice()) {
            self.classes.remember(&question.subject, *class);
        }
        (class, notes)
    }

    fn watch(&self) -> Watch {
        Watch {
            began: Instant::now(),
            limit: self.classifier().limits().judge_time,
            elapsed: Duration::ZERO,
            ran: Duration::ZERO,
            used: Duration::ZERO,
            most: Duration::ZERO,
            slowest: self.classifier,
            failed: Vec::new(),
        }
    }
}

/// The time of one judgement.
struct Watch {
    began: Instant,
    limit: Duration,
    /// Until the last lap.
    elapsed: Duration,
    /// In the last lap.
    ran: Duration,
    /// Beyond what is free.
    used: Duration,
    /// The most that one lap used, and its module.
    most: Duration,
    slowest: usize,
    /// Which modules failed, and how. Where none did, nothing is allocated.
    failed: Vec<(usize, FailureKind)>,
}

impl Watch {
    /// What the next module has of the time that all have together.
    fn left(&self) -> Duration {
        self.limit.saturating_sub(self.elapsed)
    }

    fn note<T>(&mut self, module: usize, answer: &Result<T, Failure>) {
        if let Err(failure) = answer {
            self.failed.push((module, failure.kind()));
        }
    }

    /// What was before the first lap is nobody's.
    fn start(&mut self) {
        self.elapsed = self.began.elapsed();
    }

    fn lap(&mut self, module: usize, used: Duration) {
        let elapsed = self.began.elapsed();
        self.ran = elapsed.saturating_sub(self.elapsed);
        self.elapsed = elapsed;
        self.used += used;
        if used > self.most {
            self.most = used;
            self.slowest = module;
        }
    }
}

fn judgement(
    generation: u64,
    class: CallerClass,
    opinions: Vec<Opinion>,
    took: Duration,
) -> Judgement {
    Judgement {
        generation,
        class,
        ruling: fold(&opinions),
        opinions,
        took: took.into(),
    }
}

fn opinion(module: &Proven, verdict: Result<Verdict, Failure>, notes: Vec<String>) -> Opinion {
    Opinion {
        module: module.id().clone(),
        verdict: verdict.map_err(String::from),
        notes,
        took: Took::of_micros(0),
    }
}
