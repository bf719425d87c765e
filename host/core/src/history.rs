//! What happened, looked for: decisions and audit entries, narrowed, newest first.
//!
//! A search looks at [`SCAN`] rows at most, and then says how far back it came: so it takes a bounded time
//! in a ledger of any size, and whoever finds too little goes on from there.

use async_trait::async_trait;

use crate::audit::{Entry, EventKind};
use crate::decision::{Decision, Outcome};
use crate::id::DecisionId;
use crate::ledger::Page;
use crate::permit::Permit;
use crate::policy::{CallerClass, words};
use crate::ports::LedgerError;
use crate::time::Timestamp;
use crate::verb::Verb;

/// So many rows are looked at in one search: some tens of milliseconds of reading.
pub const SCAN: u32 = 20_000;

words! {
    /// What the policies ruled, without why.
    Effect {
        /// It may be done.
        Allow = "allow",
        /// People must agree.
        Gate = "gate",
        /// It may not be done.
        Deny = "deny",
    }
}

/// A span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Nothing earlier.
    pub since: Option<Timestamp>,
    /// Nothing of this moment or later.
    pub until: Option<Timestamp>,
}

/// Which decisions. What is absent narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// What was ruled.
    pub effect: Option<Effect>,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// What was asked for.
    pub verb: Option<Verb>,
    /// A part of the id of what it was to be done to; or, whole, the id of the approval that the decision
    /// opened, found or used, or its own.
    pub about: Option<String>,
    /// How the actor's label begins, or what comes after the colon in it: `org-token:cso_ab`, `cso_ab`.
    pub actor: Option<String>,
    /// How the name of a person begins who is the actor instead: for readers who may know people by name.
    pub called: Option<String>,
    /// What the caller was taken for.
    pub class: Option<CallerClass>,
    /// The rule that stood, exactly.
    pub rule: Option<String>,
    /// When.
    pub span: Span,
    /// Whether reads that were allowed are among them.
    pub reads: bool,
}

impl DecisionFilter {
    /// Whether rows may be looked at that are not wanted.
    pub fn skips(&self) -> bool {
        let Self {
            effect,
            outcome,
            verb,
            about,
            actor,
            // It widens what `actor` narrows.
            called: _,
            class,
            rule,
            span: _,
            reads: _,
        } = self;
        effect.is_some()
            || outcome.is_some()
            || verb.is_some()
            || about.is_some()
            || actor.is_some()
            || class.is_some()
            || rule.is_some()
    }
}

/// Which audit entries. What is absent narrows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// What happened.
    pub kind: Option<EventKind>,
    /// As in [`DecisionFilter::actor`].
    pub actor: Option<String>,
    /// As in [`DecisionFilter::called`].
    pub called: Option<String>,
    /// A text that is in the particulars: the id of an approval, a decision, a token.
    pub about: Option<String>,
    /// When.
    pub span: Span,
}

impl AuditFilter {
    /// Whether rows may be looked at that are not wanted.
    pub fn skips(&self) -> bool {
        let Self {
            kind,
            actor,
            called: _,
            about,
            span: _,
        } = self;
        kind.is_some() || actor.is_some() || about.is_some()
    }
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// Newest first.
    pub items: Vec<T>,
    /// What lies further back.
    pub rest: Rest,
}

/// What lies behind the part that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Nothing that is wanted.
    Nothing,
    /// More of it, after this one.
    More(String),
    /// Nobody knows: the search ended here, and goes on after this one.
    Unsearched {
        /// The last that was looked at.
        after: String,
        /// When that was.
        back_to: Timestamp,
    },
}

/// Which entries of the audit are of a span of time: from the first to the last, with all between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The number of the first.
    pub first: i64,
    /// The number of the last; smaller than the first where there is none.
    pub last: i64,
}

/// The record, as it is looked through.
#[async_trait]
pub trait HistoryLedger: Send + Sync {
    /// Decisions that `filter` lets through, newest first, paged by id.
    async fn find_decisions(
        &self,
        permit: &Permit,
        filter: &DecisionFilter,
        page: &Page,
    ) -> Result<Found<Decision>, LedgerError>;

    /// The audit entries that were written with a decision: number and kind, oldest first, 50 at most. The
    /// permit is to read decisions.
    async fn entries_of(
        &self,
        permit: &Permit,
        decision: (DecisionId, Timestamp),
    ) -> Result<Vec<(i64, String)>, LedgerError>;

    /// Audit entries that `filter` lets through, newest first; the page goes on before its number.
    async fn find_entries(
        &self,
        permit: &Permit,
        filter: &AuditFilter,
        page: &Page,
    ) -> Result<Found<Entry>, LedgerError>;

    /// Where the entries of a span of time are.
    async fn stretch(&self, permit: &Permit, span: Span) -> Result<Stretch, LedgerError>;
}
