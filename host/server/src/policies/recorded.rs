//! What is recorded, made to decide again: kept bytes under recorded settings, proven as any module is.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::generation::{Genuine, ModuleRecord};
use countersign_core::keys::hex;
use countersign_core::ports::Ledger;
use countersign_engine::folder::Recorded;
use countersign_engine::{CLASSIFIER, Engine, PolicySet, Proven, Settings};
use sha2::{Digest as _, Sha256};

/// What modules are proven with.
#[derive(Clone, Copy)]
pub(super) struct Workshop<'w> {
    pub engine: &'w Engine,
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
        recorded.push(Recorded {
            file: file.clone(),
            component: component(ledger, &module).await?,
            settings: settings(&module),
        });
    }
    Ok(recorded)
}

/// The set of recorded modules. Those of `known` that are among them are proven already; the others are, off
/// the threads that serve requests.
pub(super) async fn proven(
    ledger: &dyn Ledger,
    workshop: Workshop<'_>,
    recorded: &[ModuleRecord],
) -> anyhow::Result<PolicySet> {
    let mut modules = Vec::new();
    let mut unproven = Vec::new();
    for module in recorded {
        let is_it = |known: &&Arc<Proven>| {
            *known.id() == module.id && *known.settings() == settings(module)
        };
        match workshop.known.iter().find(is_it) {
            Some(known) => modules.push(Arc::clone(known)),
            None => unproven.push((module.clone(), component(ledger, module).await?)),
        }
    }
    let engine = workshop.engine.clone();
    let prove = move || {
        for (module, component) in unproven {
            let proven = engine
                .prove(&component, &settings(&module))
                .with_context(|| format!("`{}` cannot be loaded here", module.id))?;
            if *proven.id() != module.id {
                anyhow::bail!(
                    "the component kept for `{}` is another one: `{}`",
                    module.id,
                    proven.id()
                );
            }
            modules.push(Arc::new(proven));
        }
        Ok(PolicySet::check(modules, CLASSIFIER)?)
    };
    tokio::task::spawn_blocking(prove)
        .await
        .context("proving the policies panicked")?
}

async fn component(ledger: &dyn Ledger, module: &ModuleRecord) -> anyhow::Result<Vec<u8>> {
    let component = ledger.component(&module.id.digest).await?;
    let component = component
        .with_context(|| format!("the datastore lacks the component of `{}`", module.id))?;
    if hex(&Sha256::digest(&component)) != module.id.digest {
        anyhow::bail!(
            "the component kept for `{}` is not the one with the digest {}, so somebody changed it in the database: restore it from a backup, or go back to a generation without it (`countersign policy history`, `countersign policy rollback`)",
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
