//! What a host begins with: its folder, proven, and the generation that is live first.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Context as _;
use countersign_core::approval::Lives;
use countersign_core::generation::{GenerationKey, Genuine, ModuleRecord};
use countersign_core::ports::Ledger;
use countersign_core::signature::TrustedKeys;
use countersign_core::time::Clock;
use countersign_engine::folder::{Folder, Proposal, Recorded, Watcher};
use countersign_engine::{
    BASELINE, CLASSIFIER, Cache, Compiler, Engine, Generation, Limits, Live, PolicySet, Proven,
    Settings,
};
use tokio::sync::{Notify, Semaphore, watch};

use super::book::{Book, Standing};
use super::candidate::{Candidate, is_overruled};
use super::change::{Plan, change, plan, records};
use super::counts::Counts;
use super::mark::FolderMark;
use super::matrix::Matrices;
use super::modules::Modules;
use super::recorded::{self, Workshop};
use super::review::Reviewer;
use super::seen::GenerationMark;
use super::signatures::Signatures;
use super::vetting::Vetting;
use super::{Behind, FolderMode, Policies, Shadow, downgrades, pins, report_problems};
use crate::data_dir::DataDir;

/// Where a host's policies come from.
pub struct Sources<'s> {
    /// The folder of its modules.
    pub folder: &'s Path,
    /// Where it keeps what it saw last.
    pub data: &'s Arc<DataDir>,
    /// What recorded generations are sealed with.
    pub key: GenerationKey,
    /// Whose word counts for what is in the folder.
    pub mode: FolderMode,
    /// How long approvals live.
    pub lives: Lives,
    /// Whose signatures count.
    pub trusted: TrustedKeys,
    /// What was compiled before, where it is kept.
    pub cache: Option<Arc<Cache>>,
}

/// A folder that is watched, and what its modules are proven with.
pub(super) struct Opened {
    pub engine: Engine,
    pub vetting: Arc<Vetting>,
    /// The built-in one.
    pub baseline: Arc<Proven>,
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
        let Sources {
            folder,
            data,
            key,
            mode,
            lives,
            trusted,
            cache,
        } = sources;
        let (mark, last) = (
            FolderMark::new(Arc::clone(data)),
            GenerationMark::new(Arc::clone(data)),
        );
        let book = Book { ledger, key: &key };
        last.check(book).await?;
        let standing = book.standing().await?;
        let stand_ins = recorded::stand_ins(ledger, standing.genuine.as_ref()).await?;
        let path = folder.to_owned();
        let signatures = Arc::new(Signatures::new(trusted));
        let trusting = Arc::clone(&signatures);
        let kept = cache.clone();
        let opened = move || open(path, kept, (stand_ins, &trusting), proposed);
        let Opened {
            engine,
            vetting,
            baseline,
            watcher,
            first: proposal,
        } = tokio::task::spawn_blocking(opened)
            .await
            .context("proving the policies panicked")??;
        report_problems(&proposal.problems);
        let held = Held {
            proposal: &proposal,
            baseline: &baseline,
            is_changed: mark.is_of_others(&records(&proposal)),
            since: mark.since(&records(&proposal)),
            mode,
        };
        let (beginning, refused) = loop {
            let standing = book.standing().await?;
            let workshop = Workshop {
                engine: &engine,
                signatures: &signatures,
                known: proposal.policies.modules(),
            };
            let (told, with) = ((book, &standing), (workshop, clock));
            if let Some(beginning) = first(&held, told, with).await? {
                break (beginning, standing.refused);
            }
        };
        let Beginning {
            generation,
            modules,
            seen,
            is_candidate,
        } = beginning;
        let number = generation.number();
        // Else what was live last is still missed, and what the folder holds by now still a change, once that
        // is out of the way.
        if refused.is_none() {
            if let Some(seen) = &seen {
                mark.keep(seen);
            }
            last.keep(number, &key.seal(number, &modules.decide, &modules.shadow));
        }
        // What came while no host was there, and is not live, is seen to be there from now on.
        let since = held.since.unwrap_or(number);
        let is_open = is_candidate || (held.is_changed && refused.is_some());
        if is_open && held.since.is_none() {
            mark.came(&records(&proposal), since);
        }
        let candidate = is_candidate.then(|| Candidate::of(proposal.clone(), since));
        let shadow = Arc::new(Shadow::since(clock.now()));
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
            counts: Arc::new(Counts::since(clock.now())),
            matrices: Matrices::default(),
            asking: Arc::new(Semaphore::new(1)),
            pinned: Mutex::new(pins::of(&modules)),
            key,
            last,
            bell: Notify::new(),
            engine,
            cache,
            vetting,
            signatures,
            shadow,
            mark,
            mode,
            candidate: Mutex::new(candidate),
            reviewer: Reviewer::new(lives),
            swapping: Mutex::new(()),
            folder: Mutex::new(proposal.into()),
            behind: Mutex::new(behind),
            stuck: Mutex::new(None),
            chosen: Mutex::new(Vec::new()),
            proving: Semaphore::new(1),
            vetted: Semaphore::new(1),
            proposals,
            _watcher: watcher,
        })
    }
}

/// Proves what is in the folder and watches it, in the engine in which all policies of this host run.
pub(super) fn open(
    path: std::path::PathBuf,
    cache: Option<Arc<Cache>>,
    (recorded, signatures): (Vec<Recorded>, &Arc<Signatures>),
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
struct Held<'a> {
    proposal: &'a Proposal,
    baseline: &'a Arc<Proven>,
    /// Whether it is something else than when this host last looked.
    is_changed: bool,
    /// The generation that was live as it came there, if a host saw it come.
    since: Option<u64>,
    mode: FolderMode,
}

impl Held<'_> {
    /// Whether it adds nothing to what is built in.
    fn is_built_in(&self) -> bool {
        match self.proposal.policies.modules() {
            [module] => Arc::ptr_eq(module, self.baseline) && self.proposal.files.is_empty(),
            _ => false,
        }
    }

    /// Whether it has changed since, and a person did not choose otherwise after that.
    fn is_to_be_recorded(&self, newest: &Genuine) -> bool {
        self.is_changed && !self.since.is_some_and(|since| is_overruled(since, newest))
    }
}

/// What a host begins with.
struct Beginning {
    generation: Generation,
    modules: Modules,
    /// What the folder is seen to hold from now on; none: what it held before.
    seen: Option<Vec<ModuleRecord>>,
    /// Whether what it holds is yet to be compared with what decides.
    is_candidate: bool,
}

/// The generation to begin with; `None` where another host has just recorded one.
///
/// The folder's content is a change only if the folder has changed since this host last looked. Else
/// another host has gone on meanwhile, or this one is new to the fleet, and a start rolls nothing back. Where
/// the folder is reviewed, a change is compared with what decides before it does.
/// Where the newest recorded one is refused, the newest that is genuine stands by, and nothing is recorded:
/// whoever wrote that one would else have the folder decide in the place of what people chose.
async fn first(
    held: &Held<'_>,
    (book, standing): (Book<'_>, &Standing),
    (workshop, clock): (Workshop<'_>, &dyn Clock),
) -> anyhow::Result<Option<Beginning>> {
    let newest = standing.genuine.as_ref();
    if let Some((_, error)) = standing.refused {
        let genuine = newest.ok_or(error)?;
        return Ok(Some(take_over(genuine, book, workshop).await?));
    }
    let signatures = workshop.signatures;
    signatures.keep(book.ledger, clock, held.proposal).await?;
    let upheld = downgrades::upheld(newest, held.proposal, book.ledger, workshop).await?;
    let plan = plan(newest, &upheld, book, workshop).await;
    let seen = || Some(records(held.proposal));
    let is_reviewed = held.mode == FolderMode::Reviewed;
    match (newest, plan) {
        (Some(newest), Ok(plan)) if Modules::from(newest) == plan.modules => Ok(Some(Beginning {
            generation: Generation::new(newest.number, plan.policies),
            modules: plan.modules,
            seen: seen(),
            is_candidate: false,
        })),
        (Some(newest), plan) if is_reviewed || plan.is_err() || !held.is_to_be_recorded(newest) => {
            let is_candidate = held.is_changed && is_reviewed;
            match plan {
                _ if is_candidate => {}
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
            Ok(Some(Beginning {
                seen: match is_candidate || held.is_to_be_recorded(newest) {
                    true => None,
                    false => seen(),
                },
                is_candidate,
                ..take_over(newest, book, workshop).await?
            }))
        }
        // There is nothing yet that a folder could loosen but the built-in baseline.
        (None, _) if is_reviewed && !held.is_built_in() => {
            let policies = PolicySet::check(vec![Arc::clone(held.baseline)], CLASSIFIER)?;
            let built_in = Proposal {
                policies,
                files: [].into(),
                signatures: [].into(),
                problems: Vec::new(),
            };
            let modules = Modules::default().with_folder(records(&built_in));
            record(None, (&built_in, modules), book, clock)
                .await
                .map(|number| {
                    number.map(|(number, modules)| Beginning {
                        generation: Generation::new(number, built_in.policies.clone()),
                        modules,
                        seen: Some(records(&built_in)),
                        is_candidate: true,
                    })
                })
        }
        (newest, plan) => {
            let Plan { modules, policies } = plan?;
            let recorded = record(newest, (&upheld, modules), book, clock).await?;
            Ok(recorded.map(|(number, modules)| Beginning {
                generation: Generation::new(number, policies),
                modules,
                seen: seen(),
                is_candidate: false,
            }))
        }
    }
}

async fn record(
    newest: Option<&Genuine>,
    (proposal, modules): (&Proposal, Modules),
    book: Book<'_>,
    clock: &dyn Clock,
) -> anyhow::Result<Option<(u64, Modules)>> {
    let change = change(newest, (proposal, &modules), book.key, clock);
    let number = book.ledger.record_generation(&change).await?;
    Ok(number.map(|number| (number, modules)))
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
        seen: None,
        is_candidate: false,
    })
}

/// Proves what is in the folder, as a start would, for whoever only looks.
pub fn look(path: std::path::PathBuf, keys: TrustedKeys) -> anyhow::Result<Proposal> {
    let (proposed, _) = watch::channel(None);
    let signatures = Arc::new(Signatures::new(keys));
    Ok(open(path, None, (Vec::new(), &signatures), proposed)?.first)
}
