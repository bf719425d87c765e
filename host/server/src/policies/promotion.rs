//! How what a reviewed folder holds becomes live: compared with what decides, and through the gate.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::action::Action;
use countersign_core::approval::State;
use countersign_core::caller::{Caller, Door, Identity};
use countersign_core::gate::{Passed, Stopped};
use countersign_core::generation::{GenerationChange, Genuine, ModuleRecord};
use countersign_core::id::ApprovalId;
use countersign_core::ledger::{Done, Refusal};
use countersign_core::review::Reviewed;
use countersign_engine::folder::Proposal;
use countersign_engine::{CLASSIFIER, Generation, PolicySet, Proven};

use super::candidate::{Standing, Waiting};
use super::change::{Plan, change, plan, record, records};
use super::folder::{Adopted, Halt};
use super::modules::{Modules, named};
use super::review::Alone;
use super::{Policies, recorded};
use crate::app::App;
use crate::problem;

/// Of so many changes at once, those that only tighten are found out one by one; of more, all wait together.
const ONE_BY_ONE: usize = 8;

/// A change that is to go live, with its modules ready to decide.
struct Promotion {
    reviewed: Reviewed,
    policies: PolicySet,
    modules: Modules,
}

/// What of several changes at once only tightens.
enum Part {
    Tightens(Box<Promotion>),
    None,
    /// It was not found out: the whole does not wait for an operator because of that.
    CalledOff,
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

impl Policies {
    /// Makes live what a reviewed folder holds, or asks an operator.
    pub(super) async fn promote(
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
                        return Ok(self.denied(proposal, Some(waiting.approval), &waiting.summary));
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
        let called = halt.called(proposal);
        let compared = self.compare(app, (&newest, &live), candidate, called);
        let Some(mut reviewed) = compared.await? else {
            return Ok(Adopted::Later);
        };
        // What a person chose since the folder holds this is not undone by the folder, in part or whole.
        if let Some(number) = self.overruled_by(&newest) {
            reviewed.review.undoes = Some(number);
        }
        // What an operator is asked, or has accepted, is used as it is, and not taken apart again.
        let is_asked = is_asked || app.ledger.open_review(&reviewed.change).await?.is_some();
        let is_to_be_parted =
            reviewed.review.undoes.is_none() && !is_asked && reviewed.review.needs_a_person();
        let part = match is_to_be_parted {
            true => {
                self.tightening(app, (&newest, &live), &plan, (proposal, halt))
                    .await?
            }
            false => Part::None,
        };
        if let Part::CalledOff = part {
            return Ok(Adopted::Later);
        }
        if let Part::Tightens(part) = part {
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
            Submitted::Denied => self.denied(proposal, None, &summary),
            Submitted::Moved => {
                self.look();
                Adopted::Later
            }
        })
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
        called: impl Future<Output = ()>,
    ) -> anyhow::Result<Option<Reviewed>> {
        let recorded = Modules::from(newest);
        let live = (&recorded, live.clone());
        tokio::select! {
            reviewed = self.reviewer.review(&*app.ledger, live, candidate, Alone::Ends) => Ok(Some(reviewed?)),
            () = called => Ok(None),
        }
    }

    /// Those of several changes that only tighten: who freezes everything does not wait for what else is in the
    /// folder.
    async fn tightening(
        &self,
        app: &App,
        (newest, live): (&Genuine, &PolicySet),
        plan: &Plan,
        (proposal, halt): (&Proposal, &Halt),
    ) -> anyhow::Result<Part> {
        let from = Modules::from(newest);
        let names = from.names_changed(&plan.modules);
        if !(2..=ONE_BY_ONE).contains(&names.len()) {
            return Ok(Part::None);
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
            let reviewed = self
                .compare(app, (newest, live), candidate, halt.called(proposal))
                .await?;
            let Some(reviewed) = reviewed else {
                return Ok(promotion.map_or(Part::CalledOff, Part::Tightens));
            };
            if !reviewed.review.needs_a_person() {
                modules = next;
                promotion = Some(Box::new(Promotion {
                    reviewed,
                    policies,
                    modules: modules.clone(),
                }));
            }
        }
        Ok(promotion.map_or(Part::None, Part::Tightens))
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

    /// What was denied is seen, and asked about again when the folder changes.
    fn denied(&self, proposal: &Proposal, approval: Option<ApprovalId>, summary: &str) -> Adopted {
        self.mark.keep(&records(proposal));
        let summary = summary.to_owned();
        self.stand(Standing::Denied { approval, summary });
        Adopted::Done
    }
}

/// The set of these modules, which are all among `proven`; none where they do not stand together.
async fn set_of(modules: &[ModuleRecord], proven: &[&PolicySet]) -> Option<PolicySet> {
    let find = |module: &ModuleRecord| {
        let mut all = proven.iter().flat_map(|set| set.modules());
        all.find(|proven| record(proven).decides_as(module))
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
