//! What a host begins with: its folder, proven, and the generation that is live first.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::generation::ModuleRecord;
use countersign_core::ports::Ledger;
use countersign_core::signature::TrustedKeys;
use countersign_core::time::Clock;
use countersign_engine::folder::{self, Proposal, Recorded, Watcher};
use countersign_engine::{
    BASELINE, CLASSIFIER, Compiler, Engine, Generation, Limits, PolicySet, Proven, Settings,
};
use tokio::sync::watch;

use super::change::{change, plan, records};
use super::modules::Modules;
use super::signatures::Signatures;
use super::vetting::Vetting;
use super::{FolderMode, downgrades, recorded};

/// A folder that is watched, and what its modules are proven with.
pub(super) struct Opened {
    pub engine: Engine,
    pub vetting: Arc<Vetting>,
    /// The built-in one.
    pub baseline: Arc<Proven>,
    pub watcher: Watcher,
    pub first: Proposal,
}

/// Proves what is in the folder and watches it, in the engine in which all policies of this host run.
pub(super) fn open(
    path: std::path::PathBuf,
    (recorded, signatures): (Vec<Recorded>, &Arc<Signatures>),
    proposed: watch::Sender<Option<Proposal>>,
) -> anyhow::Result<Opened> {
    let compiler = Compiler::apart().context("cannot tell which program this is")?;
    let engine = Engine::with_compiler(Limits::default(), compiler)?;
    let baseline = engine
        .prove(BASELINE, &Settings::new())
        .context("the built-in baseline cannot be loaded")?;
    let baseline = Arc::new(baseline);
    let vetting = Arc::new(Vetting::new(engine.clone(), Arc::clone(&baseline)));
    let folder = folder::Folder {
        path,
        engine: engine.clone(),
        built_in: vec![Arc::clone(&baseline)],
        classifier: CLASSIFIER.to_owned(),
        recorded,
        trust: signatures.of_folder(),
        vet: vetting.of_folder(),
    };
    let (watcher, first) = Watcher::open(folder, move |proposal| {
        proposed.send_replace(Some(proposal));
    })?;
    Ok(Opened {
        engine,
        vetting,
        baseline,
        watcher,
        first,
    })
}

/// What the folder holds at a start, and what is to be made of it.
pub(super) struct Folder<'a> {
    pub first: &'a Proposal,
    pub baseline: &'a Arc<Proven>,
    /// Whether it holds something else than when this host last looked.
    pub is_changed: bool,
    pub mode: FolderMode,
}

/// What a host begins with.
pub(super) struct Begun {
    pub generation: Generation,
    /// What the folder is seen to hold from now on; none: what it held before.
    pub seen: Option<Vec<ModuleRecord>>,
    /// Whether what it holds is yet to be compared with what decides.
    pub is_candidate: bool,
}

/// The generation to begin with; `None` where another host has just recorded one.
///
/// The folder's content is a change only if the folder has changed since this host last looked. Else
/// another host has gone on meanwhile, or this one is new to the fleet, and a start rolls nothing back. Where
/// the folder is reviewed, a change is compared with what decides before it does.
pub(super) async fn first(
    folder: &Folder<'_>,
    loader: recorded::Loader<'_>,
    (ledger, clock): (&dyn Ledger, &dyn Clock),
) -> anyhow::Result<Option<Begun>> {
    loader.signatures.keep(ledger, clock, folder.first).await?;
    let newest = ledger.latest_generation().await?;
    let known = folder.first.policies.modules();
    let upheld = downgrades::upheld(newest.as_ref(), folder.first, ledger, (loader, known)).await?;
    let plan = plan(newest.as_ref(), &upheld);
    let seen = || Some(records(folder.first));
    match (&newest, plan) {
        (Some(newest), Ok(plan)) if Modules::from(newest) == plan.modules => Ok(Some(Begun {
            generation: Generation::new(newest.number, plan.policies),
            seen: seen(),
            is_candidate: false,
        })),
        (Some(newest), plan)
            if !folder.is_changed || plan.is_err() || folder.mode == FolderMode::Reviewed =>
        {
            let is_candidate = folder.is_changed && folder.mode == FolderMode::Reviewed;
            match plan {
                _ if is_candidate => {}
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
            let policies = recorded::proven(ledger, loader, &newest.modules, known).await;
            let policies = policies.with_context(|| {
                format!(
                    "cannot take over the live policies, generation {}",
                    newest.number
                )
            })?;
            Ok(Some(Begun {
                generation: Generation::new(newest.number, policies),
                seen: (!folder.is_changed).then(seen).flatten(),
                is_candidate,
            }))
        }
        // There is nothing yet that a folder could loosen but the built-in baseline.
        (None, _) if folder.mode == FolderMode::Reviewed && !is_built_in(folder) => {
            let policies = PolicySet::check(vec![Arc::clone(folder.baseline)], CLASSIFIER)?;
            let built_in = Proposal {
                policies,
                files: [].into(),
                problems: Vec::new(),
                signatures: [].into(),
            };
            let seen = records(&built_in);
            let modules = Modules::default().with_folder(seen.clone());
            let change = change(None, (&built_in, &modules), clock);
            let number = ledger.record_generation(&change).await?;
            Ok(number.map(|number| Begun {
                generation: Generation::new(number, built_in.policies),
                seen: Some(seen),
                is_candidate: true,
            }))
        }
        (newest, plan) => {
            let plan = plan?;
            let change = change(newest.as_ref(), (&upheld, &plan.modules), clock);
            let number = ledger.record_generation(&change).await?;
            Ok(number.map(|number| Begun {
                generation: Generation::new(number, plan.policies),
                seen: seen(),
                is_candidate: false,
            }))
        }
    }
}

/// Whether the folder adds nothing to what is built in.
fn is_built_in(folder: &Folder<'_>) -> bool {
    match folder.first.policies.modules() {
        [module] => Arc::ptr_eq(module, folder.baseline) && folder.first.files.is_empty(),
        _ => false,
    }
}

/// Proves what is in the folder, as a start would, for whoever only looks.
pub fn look(path: std::path::PathBuf, keys: TrustedKeys) -> anyhow::Result<Proposal> {
    let (proposed, _) = watch::channel(None);
    let signatures = Arc::new(Signatures::new(keys));
    Ok(open(path, (Vec::new(), &signatures), proposed)?.first)
}
