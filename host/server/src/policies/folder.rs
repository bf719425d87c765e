//! How what the folder holds becomes live.
//!
//! A folder that is `trusted` decides at once: whoever may write to it may change the policies. One that is
//! `reviewed` is compared with what decides: what only tightens goes live at once, and what loosens waits until
//! an operator accepts the list of it, through the same gate as every deed. Of several changes at once, those
//! that only tighten do not wait for the others.

use countersign_core::generation::Genuine;
use countersign_engine::folder::Proposal;
use countersign_engine::{Generation, PolicySet};
use tokio::sync::watch;
use tokio::time::{Duration, Instant, sleep_until};

use super::candidate::{Candidate, Standing};
use super::change::{change, plan, records};
use super::modules::Modules;
use super::{LOOK_EVERY, Policies, Seen, downgrades, report_problems};
use crate::app::App;

/// A start waits so long for what the folder holds to be compared: it must serve in the end, or nobody could deny
/// that.
const FIRST: Duration = Duration::from_secs(45);

/// Whose word counts for what is in the policy folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FolderMode {
    /// What loosens waits for an operator.
    #[default]
    Reviewed,
    /// The file system's owner decides.
    Trusted,
}

impl FolderMode {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Reviewed => "reviewed",
            Self::Trusted => "trusted",
        }
    }

    /// What the word means.
    pub fn parse(word: &str) -> Result<Self, &'static str> {
        match word {
            "reviewed" => Ok(Self::Reviewed),
            "trusted" => Ok(Self::Trusted),
            _ => Err("`reviewed` or `trusted`"),
        }
    }
}

/// What came of a look at a candidate.
pub(super) enum Adopted {
    /// Nothing more is to be done.
    Done,
    /// It is looked at again in a moment.
    Later,
    /// It is looked at again at once: a part of it went live.
    Partly,
}

/// What ends a comparison that takes long.
pub(super) struct Halt {
    proposals: watch::Receiver<Option<Proposal>>,
    stop: watch::Receiver<bool>,
    /// Where somebody waits for it.
    at: Option<Instant>,
}

impl Halt {
    /// Ends when the folder holds something else than `compared`, the host is told to stop, or it is time.
    pub async fn called(&self, compared: &Proposal) {
        let (mut proposals, mut stop) = (self.proposals.clone(), self.stop.clone());
        let is_other =
            |held: &Option<Proposal>| held.as_ref().is_some_and(|held| !is_same(held, compared));
        let has_moved = async {
            // What is wrong with it may change as well, which is nothing that is compared.
            while proposals.changed().await.is_ok() {
                if is_other(&proposals.borrow_and_update()) {
                    return;
                }
            }
        };
        let its_time = async {
            match self.at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = has_moved => {}
            _ = stop.wait_for(|stop| *stop) => {}
            () = its_time => {}
        }
    }
}

impl Policies {
    /// Compares what the folder holds at a start with what is recorded, before anybody is served: what tightens
    /// decides from the first request on.
    pub async fn adopt_first(&self, app: &App) {
        if self.candidate().is_some() {
            tracing::info!(
                "comparing what the policy folder holds with what decides, before anybody is served"
            );
            let mut proposals = self.proposals.clone();
            proposals.mark_unchanged();
            let halt = Halt {
                proposals,
                stop: app.stop.clone(),
                at: Some(Instant::now() + FIRST),
            };
            // Not cut off from outside: what it records it ends.
            self.adopt(app, &halt).await;
        }
    }

    /// Adopts what the folder proposes, until `stop`.
    pub(super) async fn follow_folder(&self, app: &App, mut stop: watch::Receiver<bool>) {
        let mut proposals = self.proposals.clone();
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = proposals.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let proposed = proposals.borrow_and_update().clone();
                    proposed.into_iter().for_each(|proposal| self.note(proposal));
                }
                _ = ticks.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            let halt = Halt {
                proposals: proposals.clone(),
                stop: stop.clone(),
                at: None,
            };
            self.adopt(app, &halt).await;
        }
    }

    /// Takes note of what the folder holds now.
    fn note(&self, proposal: Proposal) {
        report_problems(&proposal.problems);
        let mut candidate = self.candidate();
        let mut seen = self.seen();
        seen.problems.clone_from(&proposal.problems);
        // Held against what the folder said before, and not against what is live: that may be another
        // host's, and a mere problem here is no reason to go back. Which file a module comes from counts:
        // it is what stands when that file breaks.
        match &mut *candidate {
            Some(known) => {
                let is_same = is_same(&known.proposal, &proposal);
                if !is_same {
                    known.since = self.came(&proposal);
                    known.waited = false;
                    if matches!(known.standing, Standing::Denied { .. }) {
                        known.standing = Standing::Compared;
                    }
                }
                known.proposal = proposal;
            }
            None if is_same_as_seen(&seen, &proposal) => {}
            None => {
                let since = self.came(&proposal);
                *candidate = Some(Candidate::of(proposal, since));
            }
        }
    }

    /// The generation that is live as the folder comes to hold this. A start knows it then as well.
    fn came(&self, proposal: &Proposal) -> u64 {
        let recorded = self.behind().as_ref().map_or(0, |behind| behind.generation);
        let number = recorded.max(self.generation());
        self.mark.came(&records(proposal), number);
        number
    }

    /// Makes live what the folder holds, as far as it may be.
    async fn adopt(&self, app: &App, halt: &Halt) {
        loop {
            let Some(proposal) = self.open_candidate() else {
                return;
            };
            let adopted = match (self.keep_signatures(app, &proposal).await, self.mode) {
                (Err(error), _) => Err(error),
                (Ok(()), FolderMode::Trusted) => self.record(app, &proposal).await,
                (Ok(()), FolderMode::Reviewed) => self.promote(app, &proposal, halt).await,
            };
            if !matches!(adopted, Ok(Adopted::Done)) {
                self.waited();
            }
            match adopted {
                Ok(Adopted::Partly) => {}
                Ok(_) => {
                    *self.stuck() = None;
                    return;
                }
                Err(error) => {
                    let why = format!("{error:#}");
                    let mut stuck = self.stuck();
                    if stuck.as_ref() != Some(&why) {
                        tracing::error!(error = %why, "a change of policies cannot be recorded, and waits");
                    }
                    *stuck = Some(why);
                    return;
                }
            }
        }
    }

    fn waited(&self) {
        if let Some(candidate) = &mut *self.candidate() {
            candidate.waited = true;
        }
    }

    async fn keep_signatures(&self, app: &App, proposal: &Proposal) -> anyhow::Result<()> {
        if self.seen().signatures != proposal.signatures {
            let (ledger, clock) = (&*app.ledger, &*app.clock);
            self.signatures.keep(ledger, clock, proposal).await?;
            self.seen().signatures.clone_from(&proposal.signatures);
        }
        Ok(())
    }

    /// What the folder holds, but for what is older than what decides.
    pub(super) async fn upheld(
        &self,
        app: &App,
        newest: Option<&Genuine>,
        proposal: &Proposal,
    ) -> anyhow::Result<Proposal> {
        let known = self.known();
        downgrades::upheld(newest, proposal, &*app.ledger, self.workshop(&known)).await
    }

    /// Nothing of the proposal is left to be done.
    pub(super) fn adopted(&self, proposal: &Proposal) -> Adopted {
        self.mark.keep(&records(proposal));
        *self.seen() = proposal.clone().into();
        *self.candidate() = None;
        Adopted::Done
    }

    /// Makes live what a trusted folder holds.
    async fn record(&self, app: &App, proposal: &Proposal) -> anyhow::Result<Adopted> {
        let book = self.book(&*app.ledger);
        let newest = book.newest().await?;
        let upheld = self.upheld(app, newest.as_ref(), proposal).await?;
        let known = self.known();
        let plan = plan(newest.as_ref(), &upheld, book, self.workshop(&known)).await?;
        let overruled = newest
            .as_ref()
            .is_some_and(|newest| self.is_overruled(newest));
        let number = match &newest {
            Some(newest) if Modules::from(newest) == plan.modules => Some(newest.number),
            Some(newest) if overruled => {
                tracing::warn!(
                    generation = newest.number,
                    "what the policy folder holds waited, and is older than what a person chose meanwhile: that stands until the folder changes"
                );
                return Ok(self.adopted(proposal));
            }
            newest => {
                let with = (&upheld, &plan.modules);
                let change = change(newest.as_ref(), with, &self.key, &*app.clock);
                let number = app.ledger.record_generation(&change).await?;
                if let Some(number) = number {
                    tracing::info!(generation = number, summary = %change.summary, "other policies are recorded");
                }
                number
            }
        };
        let Some(number) = number else {
            // What another host records meanwhile comes first, and then this.
            self.look();
            return Ok(Adopted::Later);
        };
        self.swap(Generation::new(number, plan.policies), &plan.modules);
        Ok(self.adopted(proposal))
    }
}

fn is_same_as_seen(seen: &Seen, proposal: &Proposal) -> bool {
    seen.files == proposal.files
        && seen.signatures == proposal.signatures
        && are_same(&seen.policies, &proposal.policies)
}

fn is_same(one: &Proposal, other: &Proposal) -> bool {
    one.files == other.files
        && one.signatures == other.signatures
        && are_same(&one.policies, &other.policies)
}

fn are_same(a: &PolicySet, b: &PolicySet) -> bool {
    a.modules().len() == b.modules().len()
        && a.modules()
            .iter()
            .zip(b.modules())
            .all(|(a, b)| a.id() == b.id() && a.settings() == b.settings())
}
