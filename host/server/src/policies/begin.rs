//! What a host begins with: its folder, proven, and the generation that is live first.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::ports::Ledger;
use countersign_core::time::Clock;
use countersign_engine::folder::{Folder, Proposal, Recorded, Watcher};
use countersign_engine::{
    BASELINE, CLASSIFIER, Cache, Compiler, Engine, Generation, Limits, Settings,
};
use tokio::sync::watch;

use super::change::{change, plan};
use super::modules::Modules;
use super::recorded;
use super::vetting::Vetting;

/// A folder that is watched, and what its modules are proven with.
pub(super) struct Opened {
    pub engine: Engine,
    pub vetting: Arc<Vetting>,
    pub watcher: Watcher,
    pub first: Proposal,
}

/// Proves what is in the folder and watches it, in the engine in which all policies of this host run.
pub(super) fn open(
    path: std::path::PathBuf,
    cache: Option<Arc<Cache>>,
    recorded: Vec<Recorded>,
    proposed: watch::Sender<Option<Proposal>>,
) -> anyhow::Result<Opened> {
    let compiler = Compiler::apart().context("cannot tell which program this is")?;
    let limits = Limits::default();
    let engine = match cache {
        Some(cache) => Engine::with_cache(limits, compiler, cache)?,
        None => Engine::with_compiler(limits, compiler)?,
    };
    let baseline = engine
        .prove(BASELINE, &Settings::new())
        .context("the built-in baseline cannot be loaded")?;
    let baseline = Arc::new(baseline);
    let vetting = Arc::new(Vetting::new(engine.clone(), Arc::clone(&baseline)));
    let folder = Folder {
        path,
        engine: engine.clone(),
        built_in: vec![baseline],
        classifier: CLASSIFIER.to_owned(),
        recorded,
        vet: vetting.of_folder(),
    };
    let (watcher, first) = Watcher::open(folder, move |proposal| {
        proposed.send_replace(Some(proposal));
    })?;
    Ok(Opened {
        engine,
        vetting,
        watcher,
        first,
    })
}

/// The generation to begin with; `None` where another host has just recorded one.
///
/// The folder's content is a change only if the folder `is_changed` since this host last looked. Else
/// another host has gone on meanwhile, or this one is new to the fleet, and a start rolls nothing back.
pub(super) async fn first(
    proposal: &Proposal,
    is_changed: bool,
    engine: &Engine,
    ledger: &dyn Ledger,
    clock: &dyn Clock,
) -> anyhow::Result<Option<Generation>> {
    let newest = ledger.latest_generation().await?;
    let plan = plan(newest.as_ref(), proposal);
    match (&newest, plan) {
        (Some(newest), Ok(plan)) if Modules::from(newest) == plan.modules => {
            Ok(Some(Generation::new(newest.number, plan.policies)))
        }
        (Some(newest), plan) if !is_changed || plan.is_err() => {
            match plan {
                Ok(_) => tracing::warn!(
                    generation = newest.number,
                    "this host's policy folder is not what is live: what another host recorded stands"
                ),
                Err(error) => tracing::warn!(
                    generation = newest.number,
                    %error,
                    "this host's policy folder does not stand without what is in shadow: what was recorded stands"
                ),
            }
            let known = proposal.policies.modules();
            let policies = recorded::proven(ledger, engine, &newest.modules, known).await;
            let policies = policies.with_context(|| {
                format!(
                    "cannot take over the live policies, generation {}",
                    newest.number
                )
            })?;
            Ok(Some(Generation::new(newest.number, policies)))
        }
        (newest, plan) => {
            let plan = plan?;
            let change = change(newest.as_ref(), (proposal, &plan.modules), clock);
            let number = ledger.record_generation(&change).await?;
            Ok(number.map(|number| Generation::new(number, plan.policies)))
        }
    }
}

/// Proves what is in the folder, as a start would, for whoever only looks.
pub fn look(path: std::path::PathBuf) -> anyhow::Result<Proposal> {
    let (proposed, _) = watch::channel(None);
    Ok(open(path, None, Vec::new(), proposed)?.first)
}
