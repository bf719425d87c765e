//! The live policies: what the folder proposes is recorded under a number, and only then decides.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use countersign_core::ledger::{GenerationChange, GenerationRecord, ModuleRecord};
use countersign_core::ports::{Judge, Ledger, LedgerError};
use countersign_core::time::Clock;
use countersign_engine::folder::{Folder, Problem, Proposal, Recorded, Watcher};
use countersign_engine::{
    BASELINE, CLASSIFIER, Compiler, Engine, Generation, Limits, Live, PolicySet, Proven, Settings,
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::report;

/// A change that could not be recorded is tried again so often, unless a newer one comes.
const RETRY: Duration = Duration::from_secs(1);
/// Who changes the policies by changing the folder.
const FOLDER: &str = "policy-folder";

/// The live generation, what is wrong in the folder, and what the folder proposes.
pub struct Policies {
    live: Arc<Live>,
    folder: Mutex<Seen>,
    proposals: watch::Receiver<Option<Proposal>>,
    _watcher: Watcher,
}

/// What the folder last said, besides the modules themselves.
#[derive(Clone)]
struct Seen {
    problems: Vec<Problem>,
    files: BTreeMap<String, String>,
}

impl Policies {
    /// Proves the built-in baseline and what is in the folder, and makes them the live generation.
    pub async fn start(
        folder: &Path,
        ledger: &dyn Ledger,
        clock: &dyn Clock,
    ) -> anyhow::Result<Self> {
        let (proposed, proposals) = watch::channel(None);
        let latest = ledger.latest_generation().await?;
        let recorded = recorded(ledger, latest.as_ref()).await?;
        let path = folder.to_owned();
        let (watcher, first) = tokio::task::spawn_blocking(move || open(path, recorded, proposed))
            .await
            .context("proving the policies panicked")??;
        report_problems(&first.problems);
        let generation = number(ledger, clock, latest, &first).await?;
        Ok(Self {
            live: Arc::new(Live::new(generation)),
            folder: Mutex::new(Seen {
                problems: first.problems,
                files: first.files,
            }),
            proposals,
            _watcher: watcher,
        })
    }

    /// What judges.
    pub fn judge(&self) -> Arc<dyn Judge> {
        Arc::clone(&self.live) as Arc<dyn Judge>
    }

    /// The number of the live generation.
    pub fn generation(&self) -> u64 {
        self.live.generation().number()
    }

    /// The live generation and what is wrong, for people and programs.
    pub fn shown(&self) -> Value {
        let live = self.live.generation();
        let problems = self.seen().problems.clone();
        let modules: Vec<Value> = live
            .policies()
            .modules()
            .iter()
            .map(|module| {
                let id = module.id();
                json!({
                    "name": id.name,
                    "version": id.version,
                    "digest": id.digest,
                    "description": module.manifest().description,
                    "mode": "enforce",
                    "runs": module.mode(),
                    "settings": module.settings(),
                    "classifier": id.name == live.policies().classifier().id().name,
                })
            })
            .collect();
        json!({
            "generation": live.number(),
            "modules": modules,
            "problems": problems,
        })
    }

    /// Adopts what the folder proposes, until `stop`. A change that cannot be recorded does not decide.
    pub async fn adopt_changes(
        self: Arc<Self>,
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut proposals = self.proposals.clone();
        loop {
            tokio::select! {
                changed = proposals.changed() => if changed.is_err() { return },
                _ = stop.wait_for(|stop| *stop) => return,
            }
            loop {
                let Some(proposal) = proposals.borrow_and_update().clone() else {
                    break;
                };
                match self.adopt(&*ledger, &*clock, proposal).await {
                    Ok(()) => break,
                    Err(error) => {
                        tracing::error!(error = %report(&error), "a change of policies cannot be recorded, and waits");
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(RETRY) => {}
                    _ = stop.wait_for(|stop| *stop) => return,
                }
            }
        }
    }

    async fn adopt(
        &self,
        ledger: &dyn Ledger,
        clock: &dyn Clock,
        proposal: Proposal,
    ) -> Result<(), LedgerError> {
        report_problems(&proposal.problems);
        let live = self.live.generation();
        // Which file a module comes from counts: it is what stands when that file breaks.
        let is_same_files = self.seen().files == proposal.files;
        if is_same_files && is_same(live.policies(), &proposal.policies) {
            self.seen().problems = proposal.problems;
            return Ok(());
        }
        let change = change(Some(live.policies()), &proposal, clock);
        let number = ledger.record_generation(&change).await?;
        self.live.swap(Generation::new(number, proposal.policies));
        *self.seen() = Seen {
            problems: proposal.problems,
            files: proposal.files,
        };
        tracing::info!(generation = number, summary = %change.summary, "other policies are live");
        Ok(())
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.folder.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(
    path: std::path::PathBuf,
    recorded: Vec<Recorded>,
    proposed: watch::Sender<Option<Proposal>>,
) -> anyhow::Result<(Watcher, Proposal)> {
    let compiler = Compiler::apart().context("cannot tell which program this is")?;
    let engine = Engine::with_compiler(Limits::default(), compiler)?;
    let baseline = engine
        .prove(BASELINE, &Settings::new())
        .context("the built-in baseline cannot be loaded")?;
    let folder = Folder {
        path,
        engine,
        built_in: vec![Arc::new(baseline)],
        classifier: CLASSIFIER.to_owned(),
        recorded,
    };
    Ok(Watcher::open(folder, move |proposal| {
        proposed.send_replace(Some(proposal));
    })?)
}

/// The folder's modules of the generation that was live last, so that a file that is broken now stands
/// as it decided then.
async fn recorded(
    ledger: &dyn Ledger,
    latest: Option<&GenerationRecord>,
) -> anyhow::Result<Vec<Recorded>> {
    let mut recorded = Vec::new();
    for module in latest.into_iter().flat_map(|latest| &latest.modules) {
        let Some(file) = &module.file else {
            continue;
        };
        let component = ledger.component(&module.id.digest).await?;
        let component = component
            .with_context(|| format!("the datastore lacks the component of `{}`", module.id))?;
        let settings = module
            .settings
            .iter()
            .fold(Settings::new(), |settings, (name, values)| {
                settings.with(name, values.clone())
            });
        recorded.push(Recorded {
            file: file.clone(),
            component,
            settings,
        });
    }
    Ok(recorded)
}

/// The proposed policies under the number of the generation that was live last, if it is the same, else
/// under a new one.
async fn number(
    ledger: &dyn Ledger,
    clock: &dyn Clock,
    latest: Option<GenerationRecord>,
    proposal: &Proposal,
) -> Result<Generation, LedgerError> {
    let policies = proposal.policies.clone();
    if let Some(latest) = latest
        && latest.modules == records(proposal)
    {
        return Ok(Generation::new(latest.number, policies));
    }
    let number = ledger
        .record_generation(&change(None, proposal, clock))
        .await?;
    Ok(Generation::new(number, policies))
}

fn change(from: Option<&PolicySet>, proposal: &Proposal, clock: &dyn Clock) -> GenerationChange {
    let to = &proposal.policies;
    GenerationChange {
        modules: records(proposal),
        components: to
            .modules()
            .iter()
            .map(|module| (module.id().digest.clone(), module.bytes().to_vec()))
            .collect(),
        by: FOLDER.to_owned(),
        summary: summary(from, to),
        at: clock.now(),
    }
}

fn records(proposal: &Proposal) -> Vec<ModuleRecord> {
    let record = |module: &Arc<Proven>| ModuleRecord {
        id: module.id().clone(),
        settings: module
            .settings()
            .iter()
            .map(|(name, values)| (name.clone(), values.clone()))
            .collect(),
        file: proposal.files.get(&module.id().name).cloned(),
    };
    proposal.policies.modules().iter().map(record).collect()
}

/// What changed, in one line.
fn summary(from: Option<&PolicySet>, to: &PolicySet) -> String {
    let modules = |set: &PolicySet| -> Vec<(String, String, Settings)> {
        set.modules()
            .iter()
            .map(|module| {
                let id = module.id();
                (
                    id.name.clone(),
                    format!("{id} ({})", &id.digest[..12]),
                    module.settings().clone(),
                )
            })
            .collect()
    };
    let to = modules(to);
    let Some(from) = from.map(modules) else {
        let names: Vec<_> = to.into_iter().map(|(_, id, _)| id).collect();
        return format!("at start: {}", names.join(", "));
    };
    let mut changes = Vec::new();
    for (name, id, settings) in &to {
        match from.iter().find(|(known, ..)| known == name) {
            None => changes.push(format!("{id} added")),
            Some((_, old, _)) if old != id => changes.push(format!("{old} replaced by {id}")),
            Some((_, _, old)) if old != settings => changes.push(format!("{id} configured anew")),
            Some(_) => {}
        }
    }
    for (name, id, _) in &from {
        if !to.iter().any(|(known, ..)| known == name) {
            changes.push(format!("{id} removed"));
        }
    }
    if changes.is_empty() {
        changes.push("the same modules from other files".to_owned());
    }
    changes.join(", ")
}

fn is_same(a: &PolicySet, b: &PolicySet) -> bool {
    a.modules().len() == b.modules().len()
        && a.modules()
            .iter()
            .zip(b.modules())
            .all(|(a, b)| a.id() == b.id() && a.settings() == b.settings())
}

fn report_problems(problems: &[Problem]) {
    for problem in problems {
        tracing::warn!(
            file = problem.file.as_deref().unwrap_or("-"),
            problem = %problem.sentence,
            "a policy is not loaded; the last good one stands"
        );
    }
}
