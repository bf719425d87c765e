//! What a host begins with: its folder, proven, and the generation that is live first.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Context as _;
use countersign_core::generation::{GenerationKey, Genuine};
use countersign_core::ports::Ledger;
use countersign_core::time::Clock;
use countersign_engine::folder::{Folder, Proposal, Recorded, Watcher};
use countersign_engine::{
    BASELINE, CLASSIFIER, Compiler, Engine, Generation, Limits, Live, Settings,
};
use tokio::sync::{Notify, Semaphore, watch};

use super::book::{Book, Standing};
use super::change::{change, plan, records};
use super::mark::FolderMark;
use super::modules::Modules;
use super::recorded::{self, Workshop};
use super::seen::GenerationMark;
use super::vetting::Vetting;
use super::{Behind, Policies, Shadow, pins, report_problems};
use crate::data_dir::DataDir;

/// Where a host's policies come from.
pub struct Sources<'s> {
    /// The folder of its modules.
    pub folder: &'s Path,
    /// Where it keeps what it saw last.
    pub data: &'s Arc<DataDir>,
    /// What recorded generations are sealed with.
    pub key: GenerationKey,
}

/// A folder that is watched, and what its modules are proven with.
pub(super) struct Opened {
    pub engine: Engine,
    pub vetting: Arc<Vetting>,
    pub watcher: Watcher,
    pub first: Proposal,
}

impl Policies {
    /// Proves the built-in baseline and what is in the folder, and makes them the live generation, or the
    /// one that another host has recorded since this one last looked into its folder.
    pub async fn start(
        sources: Sources<'_>,
        ledger: &dyn Ledger,
        clock: &dyn Clock,
    ) -> anyhow::Result<Self> {
        let (proposed, proposals) = watch::channel(None);
        let Sources { folder, data, key } = sources;
        let (mark, last) = (
            FolderMark::new(Arc::clone(data)),
            GenerationMark::new(Arc::clone(data)),
        );
        let book = Book { ledger, key: &key };
        last.check(book).await?;
        let standing = book.standing().await?;
        let stand_ins = recorded::stand_ins(ledger, standing.genuine.as_ref()).await?;
        let path = folder.to_owned();
        let opened = tokio::task::spawn_blocking(move || open(path, stand_ins, proposed));
        let Opened {
            engine,
            vetting,
            watcher,
            first: proposal,
        } = opened.await.context("proving the policies panicked")??;
        report_problems(&proposal.problems);
        let is_changed = mark.is_of_others(&records(&proposal));
        let (beginning, refused) = loop {
            let standing = book.standing().await?;
            let (told, with) = ((book, &standing), (&engine, clock));
            if let Some(beginning) = first(&proposal, is_changed, told, with).await? {
                break (beginning, standing.refused);
            }
        };
        let Beginning {
            generation,
            modules,
        } = beginning;
        let number = generation.number();
        // Else what was live last is still missed, and what the folder holds by now still a change, once that
        // is out of the way.
        if refused.is_none() {
            mark.keep(&records(&proposal));
            last.keep(number, &key.seal(number, &modules.decide, &modules.shadow));
        }
        let shadow = Arc::<Shadow>::default();
        shadow.begin(number, &modules.shadow);
        let behind = refused.map(|(generation, error)| {
            tracing::error!(generation, %error, "nothing is decided until other policies are live");
            Behind {
                generation,
                why: error.to_string(),
                since: Instant::now(),
            }
        });
        Ok(Self {
            number: watch::Sender::new(number),
            live: Arc::new(Live::new(generation)),
            pinned: Mutex::new(pins::of(&modules)),
            key,
            last,
            bell: Notify::new(),
            engine,
            vetting,
            shadow,
            mark,
            folder: Mutex::new(proposal.into()),
            behind: Mutex::new(behind),
            stuck: Mutex::new(None),
            chosen: Mutex::new(Vec::new()),
            proving: Semaphore::new(1),
            proposals,
            _watcher: watcher,
        })
    }
}

/// Proves what is in the folder and watches it, in the engine in which all policies of this host run.
pub(super) fn open(
    path: std::path::PathBuf,
    recorded: Vec<Recorded>,
    proposed: watch::Sender<Option<Proposal>>,
) -> anyhow::Result<Opened> {
    let compiler = Compiler::apart().context("cannot tell which program this is")?;
    let engine = Engine::with_compiler(Limits::default(), compiler)?;
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

/// What a host begins with.
pub(super) struct Beginning {
    pub generation: Generation,
    pub modules: Modules,
}

/// The generation to begin with; `None` where another host has just recorded one.
///
/// The folder's content is a change only if the folder `is_changed` since this host last looked. Else
/// another host has gone on meanwhile, or this one is new to the fleet, and a start rolls nothing back.
/// Where the newest recorded one is refused, the newest that is genuine stands by, and nothing is recorded:
/// whoever wrote that one would else have the folder decide in the place of what people chose.
pub(super) async fn first(
    proposal: &Proposal,
    is_changed: bool,
    (book, standing): (Book<'_>, &Standing),
    (engine, clock): (&Engine, &dyn Clock),
) -> anyhow::Result<Option<Beginning>> {
    let newest = standing.genuine.as_ref();
    let known = proposal.policies.modules();
    let workshop = Workshop { engine, known };
    if let Some((_, error)) = standing.refused {
        let genuine = newest.ok_or(error)?;
        return Ok(Some(take_over(genuine, book, workshop).await?));
    }
    let plan = plan(newest, proposal, book, workshop).await;
    match (newest, plan) {
        (Some(newest), Ok(plan)) if Modules::from(newest) == plan.modules => Ok(Some(Beginning {
            generation: Generation::new(newest.number, plan.policies),
            modules: plan.modules,
        })),
        (Some(newest), plan) if !is_changed || plan.is_err() => {
            match plan {
                Ok(_) => tracing::warn!(
                    generation = newest.number,
                    "this host's policy folder is not what is live: what another host recorded stands"
                ),
                Err(error) => tracing::warn!(
                    generation = newest.number,
                    error = format!("{error:#}"),
                    "this host's policy folder does not stand without what is in shadow, or with what is pinned: what was recorded stands"
                ),
            }
            Ok(Some(take_over(newest, book, workshop).await?))
        }
        (newest, plan) => {
            let plan = plan?;
            let change = change(newest, (proposal, &plan.modules), book.key, clock);
            let number = book.ledger.record_generation(&change).await?;
            Ok(number.map(|number| Beginning {
                generation: Generation::new(number, plan.policies),
                modules: plan.modules,
            }))
        }
    }
}

async fn take_over(
    recorded: &Genuine,
    book: Book<'_>,
    workshop: Workshop<'_>,
) -> anyhow::Result<Beginning> {
    let policies = recorded::proven(book.ledger, workshop, &recorded.modules).await;
    let policies = policies.with_context(|| {
        format!(
            "cannot take over the live policies, generation {}",
            recorded.number
        )
    })?;
    Ok(Beginning {
        generation: Generation::new(recorded.number, policies),
        modules: Modules::from(recorded),
    })
}

/// Proves what is in the folder, as a start would, for whoever only looks.
pub fn look(path: std::path::PathBuf) -> anyhow::Result<Proposal> {
    let (proposed, _) = watch::channel(None);
    Ok(open(path, Vec::new(), proposed)?.first)
}
