//! Counts of what happened before: deeds done and approvals pending, within a sliding window. Modules ask for
//! them, so that budgets stay pure functions.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::action::ActionDigest;
use crate::caller::Caller;
use crate::policy::words;
use crate::ports::LedgerError;
use crate::time::Timestamp;
use crate::verb::Verb;

words! {
    /// Whose deeds are counted.
    TallyScope {
        /// The caller's credential's.
        Actor = "actor",
        /// The person's; a token's are those of its whole lineage, from the token that a person made on: who mints
        /// itself another token has no other budget.
        User = "user",
        /// Those of whoever acts from the same workspace, which is the approval anchor's for who acts from none.
        Workspace = "workspace",
        /// Everybody's.
        Organisation = "organisation",
    }
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TallyKind {
    /// Whose deeds.
    pub scope: TallyScope,
    /// Of which verbs; empty: of every one that [is counted](Verb::is_counted).
    pub verbs: Vec<Verb>,
    /// How far back.
    pub window_seconds: u32,
}

impl TallyKind {
    /// Whether a deed of `verb` counts.
    pub fn counts(&self, verb: Verb) -> bool {
        self.verbs.is_empty() || self.verbs.contains(&verb)
    }
}

/// A count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tally {
    /// Of what.
    #[serde(flatten)]
    pub of: TallyOf,
    /// How many. The most that there is where there are too many to count.
    pub count: u32,
}

/// What a count is of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TallyOf {
    /// What a host counts: every module that asks for this is told it, by its own name for it.
    Kind(TallyKind),
    /// What whoever works on one module calls by the module's own name.
    Name {
        /// The name.
        name: String,
    },
}

impl Tally {
    /// A count that a module knows by this name.
    pub fn named(name: &str, count: u32) -> Self {
        let name = name.to_owned();
        Self {
            of: TallyOf::Name { name },
            count,
        }
    }
}

/// What is to be counted for one question.
#[derive(Clone, Debug)]
pub struct Counted<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// For what: the caller's own pending request for it does not count against itself.
    pub digest: &'a ActionDigest,
    /// What.
    pub kinds: &'a [TallyKind],
}

/// The record of what is counted.
#[async_trait]
pub trait TallyLedger: Send + Sync {
    /// The counts at `now`, in order.
    async fn tallies(
        &self,
        counted: &Counted<'_>,
        now: Timestamp,
    ) -> Result<Vec<Tally>, LedgerError>;
}
