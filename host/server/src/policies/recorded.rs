//! What is recorded, made to decide again: kept bytes under recorded settings, signed and proven as any module
//! is.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::generation::{Genuine, ModuleRecord};
use countersign_core::keys::hex;
use countersign_core::ports::Ledger;
use countersign_engine::folder::Recorded;
use countersign_engine::{CLASSIFIER, Engine, PolicySet, Proven, Settings};
use sha2::{Digest as _, Sha256};

use super::signatures::Signatures;

/// What modules are proven with.
#[derive(Clone, Copy)]
pub(super) struct Workshop<'w> {
    pub engine: &'w Engine,
    pub signatures: &'w Arc<Signatures>,
    /// What is proven already.
    pub known: &'w [Arc<Proven>],
}

/// The folder's modules of the generation that was live last, so that a file that is broken now stands
/// as it decided then.
pub(super) async fn stand_ins(
    ledger: &dyn Ledger,
    newest: Option<&Genuine>,
) -> anyhow::Result<Vec<Recorded>> {
    let mut recorded = Vec::new();
    let modules = |newest: &'_ Genuine| {
        let all = newest.modules.iter().chain(&newest.shadow);
        all.cloned().collect::<Vec<_>>()
    };
    for module in newest.map(modules).unwrap_or_default() {
        let Some(file) = &module.file else {
            continue;
        };
        let signatures = ledger.policy_signatures(&module.id.digest).await?;
        recorded.push(Recorded {
            file: file.clone(),
            component: component(ledger, &module).await?,
            settings: settings(&module),
            signatures: signatures.into_iter().map(|kept| kept.text).collect(),
        });
    }
    Ok(recorded)
}

/// The set of recorded modules. Those that are known already need not be proven again; the others are, off
/// the threads that serve requests. Whether they are signed is asked of all of them.
pub(super) async fn proven(
    ledger: &dyn Ledger,
    workshop: Workshop<'_>,
    recorded: &[ModuleRecord],
) -> anyhow::Result<PolicySet> {
    checked(modules(ledger, workshop, recorded).await?).await
}

/// The set of modules that are proven, if they stand together.
pub(super) async fn checked(modules: Vec<Arc<Proven>>) -> anyhow::Result<PolicySet> {
    let check = move || PolicySet::check(modules, CLASSIFIER);
    let checked = tokio::task::spawn_blocking(check).await;
    Ok(checked.context("proving the policies panicked")??)
}

/// The same modules, each by itself.
pub(super) async fn modules(
    ledger: &dyn Ledger,
    workshop: Workshop<'_>,
    recorded: &[ModuleRecord],
) -> anyhow::Result<Vec<Arc<Proven>>> {
    let mut loads = Vec::new();
    for module in recorded {
        let is_it = |known: &&Arc<Proven>| {
            *known.id() == module.id && *known.settings() == settings(module)
        };
        let content = match workshop.known.iter().find(is_it) {
            Some(known) => Content::Proven(Arc::clone(known)),
            None => Content::Kept(component(ledger, module).await?),
        };
        let kept = ledger.policy_signatures(&module.id.digest).await?;
        loads.push((module.clone(), content, kept));
    }
    let (engine, signatures) = (workshop.engine.clone(), Arc::clone(workshop.signatures));
    let prove = move || {
        let mut modules = Vec::new();
        for (module, content, kept) in loads {
            let cannot = || format!("`{}` cannot be loaded here", module.id);
            let bytes = match &content {
                Content::Proven(proven) => proven.bytes(),
                Content::Kept(bytes) => bytes,
            };
            signatures
                .check_kept(&module.id, bytes, &kept)
                .with_context(cannot)?;
            let proven = match content {
                Content::Proven(proven) => proven,
                Content::Kept(bytes) => {
                    let proven = engine.prove(&bytes, &settings(&module));
                    Arc::new(proven.with_context(cannot)?)
                }
            };
            if *proven.id() != module.id {
                anyhow::bail!(
                    "the component kept for `{}` is another one: `{}`",
                    module.id,
                    proven.id()
                );
            }
            modules.push(proven);
        }
        Ok(modules)
    };
    tokio::task::spawn_blocking(prove)
        .await
        .context("proving the policies panicked")?
}

enum Content {
    Proven(Arc<Proven>),
    Kept(Vec<u8>),
}

/// The bytes that are kept of a module, which have its digest: nothing is made of others.
async fn component(ledger: &dyn Ledger, module: &ModuleRecord) -> anyhow::Result<Vec<u8>> {
    let component = ledger.component(&module.id.digest).await?;
    let component = component
        .with_context(|| format!("the datastore lacks the component of `{}`", module.id))?;
    let digest = hex(&Sha256::digest(&component));
    if digest != module.id.digest {
        anyhow::bail!(
            "the component that the datastore keeps for `{}` was changed there: its digest is {digest}, and not {}. Restore a backup, or put the module into the policy folder again",
            module.id,
            module.id.digest
        );
    }
    Ok(component)
}

fn settings(module: &ModuleRecord) -> Settings {
    module
        .settings
        .iter()
        .fold(Settings::new(), |settings, (name, values)| {
            settings.with(name, values.clone())
        })
}
