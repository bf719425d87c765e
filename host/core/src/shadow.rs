//! Policies in shadow: they are asked what the live ones were asked, after it is answered, and what they would
//! have changed is counted and kept. Nothing hangs on what they say.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::decision::Decision;
use crate::history::Effect;
use crate::id::DecisionId;
use crate::ledger::Page;
use crate::permit::Permit;
use crate::policy::{CallerClass, Question};
use crate::ports::LedgerError;
use crate::strictness::Change;
use crate::tally::TallyKind;
use crate::verb::Verb;
use crate::verdict::{Judgement, Ruling};

/// So many kinds of differences of one generation are told apart. Rules' names are the modules' own, so that there
/// could be any number of them.
pub const MAX_KINDS: u32 = 250;

/// A recorded decision that policies made.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which.
    pub decision: DecisionId,
    /// What was asked for.
    pub verb: Verb,
    /// What they were asked.
    pub question: Question,
    /// What they said.
    pub judgement: Judgement,
}

/// Who is told of decisions when they are recorded. It must not keep the caller waiting.
pub trait Witness: Send + Sync {
    /// Whether it wants to know of what is decided under `generation`; if not, nobody makes a copy for it.
    fn watches(&self, generation: u64) -> bool;

    /// What it wants to have counted for the decisions of `generation`, beside what the live policies ask for.
    fn wants(&self, generation: u64) -> Arc<[TallyKind]>;

    /// Takes note of a decision.
    fn saw(&self, seen: Seen);
}

/// What was judged, without its particulars.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gist {
    /// What the caller was taken for.
    pub class: CallerClass,
    /// What was ruled.
    pub effect: Effect,
    /// By which rule.
    pub rule: String,
    /// Of which module.
    pub policy: String,
}

impl From<&Judgement> for Gist {
    fn from(judgement: &Judgement) -> Self {
        let ruling = &judgement.ruling;
        Self {
            class: judgement.class,
            effect: match ruling {
                Ruling::Allow { .. } => Effect::Allow,
                Ruling::Gate { .. } => Effect::Gate,
                Ruling::Deny { .. } => Effect::Deny,
            },
            rule: ruling.ground().rule.clone(),
            policy: ruling.policy().to_owned(),
        }
    }
}

/// What differences have in common that an operator looks at as one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind {
    /// What was asked for.
    pub verb: Verb,
    /// What becomes of strictness; `Same` where only the words differ.
    pub change: Change,
    /// What decided.
    pub was: Gist,
    /// What would have.
    pub would_be: Gist,
}

/// A decision that would have been another.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which.
    pub decision: DecisionId,
    /// What kind of difference it is.
    pub kind: Kind,
    /// What it would have been.
    pub would_be: Judgement,
}

impl Difference {
    /// What `would_be` changes of what was `seen`, if anything that a caller would notice or that is recorded of
    /// them: their class, what happens, and the rule or reason that they are told.
    pub fn between(seen: &Seen, would_be: Judgement) -> Option<Self> {
        let was = &seen.judgement;
        let change = Change::between_rulings(&was.ruling, &would_be.ruling)
            .and(Change::between_classes(was.class, would_be.class));
        let words = |judgement: &Judgement| judgement.ruling.ground().clone();
        let is_one = change != Change::Same || words(was) != words(&would_be);
        is_one.then(|| Self {
            decision: seen.decision,
            kind: Kind {
                verb: seen.verb,
                change,
                was: was.into(),
                would_be: (&would_be).into(),
            },
            would_be,
        })
    }
}

/// One kind of differences of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindOfDifference {
    /// Its number within the generation.
    pub number: u32,
    /// What they have in common.
    pub kind: Kind,
    /// How many decisions differ so.
    pub seen: u64,
    /// The last of them.
    pub last: DecisionId,
}

/// Which differences: of a generation, and of one kind, where that is named by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Which {
    /// Under which they were made.
    pub generation: u64,
    /// Of which kind.
    pub kind: Option<u32>,
}

/// A decision beside what policies in shadow would have made of it.
#[derive(Clone, Debug)]
pub struct Differing {
    /// What decided.
    pub decision: Decision,
    /// What it would have been.
    pub beside: Beside,
}

/// What a decision would have been.
#[derive(Clone, Debug, PartialEq)]
pub struct Beside {
    /// What becomes of strictness.
    pub change: Change,
    /// What would have been judged.
    pub would_be: Judgement,
}

/// What came of the policies in shadow of one generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Decisions that they were asked about.
    pub asked: u64,
    /// Of these, those that would have let more happen.
    pub looser: u64,
    /// More in one respect, and less in another.
    pub mixed: u64,
    /// Less.
    pub tighter: u64,
    /// As much, in other words.
    pub reworded: u64,
    /// Decisions that they were not asked about, because there were too many at once, or had no time to answer.
    pub missed: u64,
}

impl Counts {
    /// Counts one more that they were asked about.
    pub fn add(&mut self, change: Option<Change>) {
        self.asked += 1;
        match change {
            None => {}
            Some(Change::Looser) => self.looser += 1,
            Some(Change::Mixed) => self.mixed += 1,
            Some(Change::Tighter) => self.tighter += 1,
            Some(Change::Same) => self.reworded += 1,
        }
    }
}

/// What came of some decisions of one generation.
#[derive(Clone, Debug, Default)]
pub struct Round {
    /// Under which they were made.
    pub generation: u64,
    /// How many.
    pub counts: Counts,
    /// Those that would have been others.
    pub differences: Vec<Difference>,
}

/// The record of what policies in shadow would have changed.
#[async_trait]
pub trait ShadowLedger: Send + Sync {
    /// Adds to the counts of a generation and of the kinds of differences, [`MAX_KINDS`] of one generation at most,
    /// and keeps the differences, 10,000 of one generation at most: for a later one the oldest makes room of the
    /// kind of which most are kept.
    async fn record_shadow(&self, round: &Round) -> Result<(), LedgerError>;

    /// What came of the policies in shadow of `generation` so far.
    async fn shadow_counts(&self, generation: u64) -> Result<Counts, LedgerError>;

    /// The kinds of differences of `generation`, in the order in which they were first met. The permit is to read
    /// decisions.
    async fn shadow_kinds(
        &self,
        permit: &Permit,
        generation: u64,
    ) -> Result<Vec<KindOfDifference>, LedgerError>;

    /// The differences that are kept, newest first, paged by the decision's id. The permit is to read decisions.
    async fn shadow_differences(
        &self,
        permit: &Permit,
        which: Which,
        page: &Page,
    ) -> Result<Vec<Differing>, LedgerError>;

    /// What a decision of `generation` would have been, if that is kept. The permit is to read decisions.
    async fn shadow_beside(
        &self,
        permit: &Permit,
        generation: u64,
        decision: DecisionId,
    ) -> Result<Option<Beside>, LedgerError>;
}
