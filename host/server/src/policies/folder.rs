//! How what the folder holds becomes live.
//!
//! A folder that is `trusted` decides at once: whoever may write to it may change the policies. One that is
//! `reviewed` is compared with what decides: what only tightens goes live at once, and what loosens waits until
//! an operator accepts the list of it, through the same gate as every deed. Of several changes at once, those
//! that only tighten do not wait for the others.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::action::Action;
use countersign_core::approval::State;
use countersign_core::caller::{Caller, Door, Identity, POLICY_FOLDER};
use countersign_core::gate::{Passed, Stopped};
use countersign_core::generation::{GenerationChange, Genuine, ModuleRecord};
use countersign_core::id::ApprovalId;
use countersign_core::ledger::{Done, Refusal};
use countersign_core::review::{Review, Reviewed};
use countersign_engine::folder::Proposal;
use countersign_engine::{CLASSIFIER, Generation, PolicySet, Proven};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Duration, Instant, sleep_until};

use super::change::{Plan, change, plan, records};
use super::modules::{Modules, named};
use super::{LOOK_EVERY, Policies, Seen, downgrades, recorded, report_problems};
use crate::app::App;
use crate::problem;

/// Of so many changes at once, those that only tighten are found out one by one; of more, all wait together.
const ONE_BY_ONE: usize = 8;

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

/// What the folder holds, and does not decide yet.
pub(super) struct Candidate {
    proposal: Proposal,
    /// The generation that was live when the folder came to hold it; none at a start, where nobody knows.
    since: Option<u64>,
    /// What became of it so far.
    pub standing: Standing,
}

/// How far a candidate is.
#[derive(Clone)]
pub(super) enum Standing {
    /// It is compared with what decides.
    Compared,
    /// It waits for an operator.
    Waits(Waiting),
    /// An operator said no: it is asked about again when the folder changes.
    Denied { summary: String },
}

/// What an operator is asked.
#[derive(Clone)]
pub(super) struct Waiting {
    pub approval: ApprovalId,
    pub summary: String,
    pub review: Arc<Review>,
    /// Against which generation.
    follows: u64,
    modules: Modules,
}

impl Candidate {
    /// What people and programs see of it.
    pub fn shown(&self, base_url: &str) -> Value {
        let mut shown = match &self.standing {
            Standing::Compared => json!({ "state": "compared" }),
            Standing::Denied { summary } => json!({ "state": "denied", "summary": summary }),
            Standing::Waits(waiting) => json!({
                "state": "waits",
                "summary": waiting.summary,
                "approval_id": waiting.approval,
                "approve_url": format!("{base_url}/console/approvals/{}", waiting.approval),
                "loosens": waiting.review.loosens.len(),
                "tightens": waiting.review.tightens.len(),
                "broken": waiting.review.broken.len(),
            }),
        };
        // The same as among the problems, so that whoever shows both can tell.
        if let Some(sentence) = self.sentence() {
            shown["sentence"] = sentence.into();
        }
        shown
    }

    /// Why what the folder holds does not decide.
    pub fn sentence(&self) -> Option<String> {
        match &self.standing {
            Standing::Compared => None,
            Standing::Waits(waiting) => Some(format!(
                "what the folder holds waits for an operator, because {}: {} (approval {})",
                waiting.review.sentence(),
                waiting.summary,
                waiting.approval
            )),
            Standing::Denied { summary } => Some(format!(
                "an operator denied what the folder holds, and what was live stands: {summary}; when the folder changes, it is asked about again"
            )),
        }
    }

    /// What the folder holds now.
    pub fn of(proposal: Proposal, since: Option<u64>) -> Self {
        Self {
            proposal,
            since,
            standing: Standing::Compared,
        }
    }
}

/// What came of a look at a candidate.
enum Adopted {
    /// Nothing more is to be done.
    Done,
    /// It is looked at again in a moment.
    Later,
    /// It is looked at again at once: a part of it went live.
    Partly,
}

/// What ends a comparison that takes long.
#[derive(Clone)]
struct Halt {
    proposals: watch::Receiver<Option<Proposal>>,
    stop: watch::Receiver<bool>,
    /// Where somebody waits for it.
    at: Option<Instant>,
}

impl Halt {
    /// Ends when the folder holds something else, the host is told to stop, or it is time.
    async fn called(&self) {
        let (mut proposals, mut stop) = (self.proposals.clone(), self.stop.clone());
        let its_time = async {
            match self.at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = proposals.changed() => {}
            _ = stop.wait_for(|stop| *stop) => {}
            () = its_time => {}
        }
    }
}

/// A change that is to go live, with its modules ready to decide.
struct Promotion {
    reviewed: Reviewed,
    policies: PolicySet,
    modules: Modules,
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
                    known.since = Some(self.generation());
                    if matches!(known.standing, Standing::Denied { .. }) {
                        known.standing = Standing::Compared;
                    }
                }
                known.proposal = proposal;
            }
            None if is_same_as_seen(&seen, &proposal) => {}
            None => *candidate = Some(Candidate::of(proposal, Some(self.generation()))),
        }
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

    async fn keep_signatures(&self, app: &App, proposal: &Proposal) -> anyhow::Result<()> {
        if self.seen().signatures != proposal.signatures {
            let (ledger, clock) = (&*app.ledger, &*app.clock);
            self.signatures.keep(ledger, clock, proposal).await?;
            self.seen().signatures.clone_from(&proposal.signatures);
        }
        Ok(())
    }

    /// What the folder holds, but for what is older than what decides.
    async fn upheld(
        &self,
        app: &App,
        newest: Option<&Genuine>,
        proposal: &Proposal,
    ) -> anyhow::Result<Proposal> {
        let known = self.known();
        downgrades::upheld(newest, proposal, &*app.ledger, self.workshop(&known)).await
    }

    /// What the folder holds and nobody has denied.
    fn open_candidate(&self) -> Option<Proposal> {
        let candidate = self.candidate();
        let candidate = candidate.as_ref()?;
        let is_denied = matches!(candidate.standing, Standing::Denied { .. });
        (!is_denied).then(|| candidate.proposal.clone())
    }

    /// Nothing of the proposal is left to be done.
    fn adopted(&self, proposal: &Proposal) -> Adopted {
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
        let number = match &newest {
            Some(newest) if Modules::from(newest) == plan.modules => Some(newest.number),
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

    /// Makes live what a reviewed folder holds, or asks an operator.
    async fn promote(
        &self,
        app: &App,
        proposal: &Proposal,
        halt: &Halt,
    ) -> anyhow::Result<Adopted> {
        let book = self.book(&*app.ledger);
        let newest = book.newest().await?;
        let newest = newest.context("the datastore has lost its policies")?;
        let upheld = self.upheld(app, Some(&newest), proposal).await?;
        let known = self.known();
        let plan = plan(Some(&newest), &upheld, book, self.workshop(&known)).await?;
        let waiting = self.waiting();
        if Modules::from(&newest) == plan.modules {
            self.take_back(app, waiting).await?;
            return Ok(self.adopted(proposal));
        }
        let is_asked = waiting
            .as_ref()
            .is_some_and(|waiting| waiting.is_for(&newest, &plan.modules));
        match waiting {
            Some(waiting) if is_asked => {
                let state = app
                    .ledger
                    .approval_state(waiting.approval, app.clock.now())
                    .await?;
                match state {
                    Some(State::Pending) => return Ok(Adopted::Later),
                    Some(State::Denied | State::Revoked) => {
                        return Ok(self.denied(proposal, &waiting.summary));
                    }
                    // Accepted, or ended by itself: then an operator is asked again.
                    _ => {}
                }
            }
            waiting => self.take_back(app, waiting).await?,
        }
        let live = self.proven(app, &newest).await?;
        let with = (&upheld, &plan.modules);
        let change = change(Some(&newest), with, &self.key, &*app.clock);
        let candidate = (change, plan.policies.clone());
        let compared = self.compare(app, (&newest, &live), candidate, halt);
        let Some(mut reviewed) = compared.await? else {
            return Ok(Adopted::Later);
        };
        // What a person chose since the folder holds this is not undone by the folder, in part or whole.
        if let Some(number) = self.overruled_by(&newest) {
            reviewed.review.undoes = Some(number);
        }
        // What an operator is asked, or has accepted, is used as it is, and not taken apart again.
        let is_asked = is_asked || app.ledger.open_review(&reviewed.change).await?.is_some();
        if reviewed.review.undoes.is_none()
            && !is_asked
            && reviewed.review.needs_a_person()
            && let Some(part) = self.tightening(app, (&newest, &live), &plan, halt).await?
        {
            let number = self.submit(app, &part.reviewed).await?;
            if let Submitted::Live(number) = number {
                self.swap(Generation::new(number, part.policies), &part.modules);
                return Ok(Adopted::Partly);
            }
            self.look();
            return Ok(Adopted::Later);
        }
        let summary = reviewed.change.summary.clone();
        Ok(match self.submit(app, &reviewed).await? {
            Submitted::Live(number) => {
                self.swap(Generation::new(number, plan.policies), &plan.modules);
                self.adopted(proposal)
            }
            Submitted::Waits(approval) => {
                self.stand(Standing::Waits(Waiting {
                    approval,
                    summary,
                    review: Arc::new(reviewed.review),
                    follows: newest.number,
                    modules: plan.modules,
                }));
                Adopted::Later
            }
            Submitted::Denied => self.denied(proposal, &summary),
            Submitted::Moved => {
                self.look();
                Adopted::Later
            }
        })
    }

    /// The generation that somebody else than the folder made live since the folder holds what it holds.
    fn overruled_by(&self, newest: &Genuine) -> Option<u64> {
        let candidate = self.candidate();
        let since = candidate.as_ref()?.since?;
        (newest.number > since && newest.by != POLICY_FOLDER).then_some(newest.number)
    }

    /// What is live, proven.
    async fn proven(&self, app: &App, newest: &Genuine) -> anyhow::Result<PolicySet> {
        let live = self.live.generation();
        if live.number() == newest.number {
            return Ok(live.policies().clone());
        }
        let known = self.known();
        recorded::proven(&*app.ledger, self.workshop(&known), &newest.modules).await
    }

    /// `None`: it was called off.
    async fn compare(
        &self,
        app: &App,
        (newest, live): (&Genuine, &PolicySet),
        candidate: (GenerationChange, PolicySet),
        halt: &Halt,
    ) -> anyhow::Result<Option<Reviewed>> {
        let recorded = Modules::from(newest);
        let live = (&recorded, live.clone());
        tokio::select! {
            reviewed = self.reviewer.review(&*app.ledger, live, candidate, true) => Ok(Some(reviewed?)),
            () = halt.called() => Ok(None),
        }
    }

    /// Those of several changes that only tighten: who freezes everything does not wait for what else is in the
    /// folder.
    async fn tightening(
        &self,
        app: &App,
        (newest, live): (&Genuine, &PolicySet),
        plan: &Plan,
        halt: &Halt,
    ) -> anyhow::Result<Option<Promotion>> {
        let from = Modules::from(newest);
        let names = from.names_changed(&plan.modules);
        if !(2..=ONE_BY_ONE).contains(&names.len()) {
            return Ok(None);
        }
        let (mut modules, mut promotion) = (from.clone(), None);
        for name in names {
            let mut next = modules.clone();
            next.decide.retain(|module| module.id.name != name);
            next.decide
                .extend(named(&plan.modules.decide, &name).cloned());
            next.decide.sort_by(|a, b| a.id.cmp(&b.id));
            let Some(policies) = set_of(&next.decide, &[live, &plan.policies]).await else {
                continue;
            };
            let change = GenerationChange {
                components: components(&plan.policies, &next.decide),
                summary: from.change_to(&next),
                modules: next.decide.clone(),
                shadow: next.shadow.clone(),
                follows: newest.number,
                seal: self
                    .key
                    .seal(newest.number.saturating_add(1), &next.decide, &next.shadow),
                by: String::new(),
                at: app.clock.now(),
                approval: None,
            };
            let candidate = (change, policies.clone());
            let reviewed = self.compare(app, (newest, live), candidate, halt).await?;
            let Some(reviewed) = reviewed else {
                return Ok(None);
            };
            if !reviewed.review.needs_a_person() {
                modules = next;
                promotion = Some(Promotion {
                    reviewed,
                    policies,
                    modules: modules.clone(),
                });
            }
        }
        Ok(promotion)
    }

    /// Takes a change to the gate.
    async fn submit(&self, app: &App, reviewed: &Reviewed) -> anyhow::Result<Submitted> {
        let action = Action::PolicyActivate {
            change: Some(Arc::new(reviewed.clone())),
        };
        let verb = action.verb();
        let answer = app.gate.submit(&self.folder(app), action, None).await?;
        app.changed();
        Ok(match answer.result {
            Ok(Passed::Done(Done::PoliciesChanged(number))) => {
                tracing::info!(generation = number, summary = %reviewed.change.summary, "other policies are recorded");
                Submitted::Live(number)
            }
            Err(Stopped::Pending(approval)) => {
                tracing::warn!(
                    summary = %reviewed.change.summary,
                    found = %reviewed.review.sentence(),
                    approval = %approval.id,
                    "what the policy folder holds loosens, and waits for an operator"
                );
                Submitted::Waits(approval.id)
            }
            Err(Stopped::Refused(Refusal::PoliciesMoved)) => Submitted::Moved,
            Err(Stopped::Refused(Refusal::ApprovalDenied { .. })) => Submitted::Denied,
            Err(stopped) => {
                let problem = problem::stopped(stopped, verb, &app.base_url);
                anyhow::bail!(
                    "an operator has to accept it, and cannot be asked: {}",
                    problem.error()
                )
            }
            Ok(_) => anyhow::bail!("INVARIANT: a change of policies was done as something else"),
        })
    }

    /// The folder, as a caller.
    fn folder(&self, app: &App) -> Caller {
        Caller {
            identity: Identity::PolicyFolder,
            anchor: app.credentials.anchor(),
            door: Door::Host,
            address: String::new(),
        }
    }

    /// Ends what an operator was asked, where the folder holds something else by now.
    async fn take_back(&self, app: &App, waiting: Option<Waiting>) -> anyhow::Result<()> {
        if let Some(waiting) = waiting {
            let caller = self.folder(app);
            app.gate.withdraw(&caller, waiting.approval, None).await?;
            app.changed();
            self.stand(Standing::Compared);
        }
        Ok(())
    }

    fn waiting(&self) -> Option<Waiting> {
        match &self.candidate().as_ref()?.standing {
            Standing::Waits(waiting) => Some(waiting.clone()),
            Standing::Compared | Standing::Denied { .. } => None,
        }
    }

    fn stand(&self, standing: Standing) {
        if let Some(candidate) = &mut *self.candidate() {
            candidate.standing = standing;
        }
    }

    /// What was denied is seen, and asked about again when the folder changes.
    fn denied(&self, proposal: &Proposal, summary: &str) -> Adopted {
        self.mark.keep(&records(proposal));
        let summary = summary.to_owned();
        self.stand(Standing::Denied { summary });
        Adopted::Done
    }
}

/// What came of a change at the gate.
enum Submitted {
    /// It is recorded under this number.
    Live(u64),
    /// An operator is asked.
    Waits(ApprovalId),
    /// An operator said no.
    Denied,
    /// Other policies are live by now.
    Moved,
}

impl Waiting {
    fn is_for(&self, newest: &Genuine, modules: &Modules) -> bool {
        self.follows == newest.number && self.modules == *modules
    }
}

/// The set of these modules, which are all among `proven`; none where they do not stand together.
async fn set_of(modules: &[ModuleRecord], proven: &[&PolicySet]) -> Option<PolicySet> {
    let find = |module: &ModuleRecord| {
        let mut all = proven.iter().flat_map(|set| set.modules());
        all.find(|proven| super::change::record(proven).decides_as(module))
            .cloned()
    };
    let modules: Vec<Arc<Proven>> = modules.iter().map(find).collect::<Option<_>>()?;
    let check = move || PolicySet::check(modules, CLASSIFIER).ok();
    tokio::task::spawn_blocking(check).await.ok().flatten()
}

/// The bytes of those of `proven` that are among `modules`.
fn components(proven: &PolicySet, modules: &[ModuleRecord]) -> Vec<(String, Vec<u8>)> {
    let is_wanted = |proven: &&Arc<Proven>| modules.iter().any(|module| module.id == *proven.id());
    let wanted = proven.modules().iter().filter(is_wanted);
    wanted
        .map(|module| (module.id().digest.clone(), module.bytes().to_vec()))
        .collect()
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
