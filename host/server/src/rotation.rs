//! The keys of the ledger, at a start and while one replaces another: every secret is sealed again, in
//! batches between which others go on, and what is left over is found again after any end.

use std::sync::Arc;
use std::time::Duration;

use countersign_core::chance::Chance;
use countersign_core::keys::{Keys, KeysError, Resealed};
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::secret::{self, SecretAddress};
use countersign_core::time::Clock;
use tokio::sync::watch;

use crate::app::App;
use crate::data_dir::{DataDir, Roots};
use crate::report;

/// Secrets that are sealed again in one transaction: others wait as long as that takes, and each may have
/// 256 KiB.
const BATCH: u32 = 16;
/// How often a host looks whether another one, or an earlier run of itself, has left something over.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Opens the ledger's keys: makes them where there are none, and opens the ledger to the current root
/// where it opens to the old one only.
pub async fn open(
    ledger: &dyn Ledger,
    roots: &Roots,
    chance: &dyn Chance,
    clock: &dyn Clock,
) -> anyhow::Result<Keys> {
    // What an earlier version made knows the old root by name, and nothing else.
    let eldest = roots.old.as_ref().unwrap_or(&roots.current);
    let first = Keys::first(eldest, chance);
    let stored = ledger.keys(&first, clock.now()).await?;
    let keys = Keys::open(roots.all(), &stored).map_err(explained)?;
    if stored.roots.iter().any(|root| root == keys.root()) {
        // The current one must open all of it: the old one will be gone.
        let current = vec![roots.current.clone()];
        Keys::open(current, &stored).map_err(explained)?;
        return Ok(keys);
    }
    if !ledger
        .add_root(&keys.change_root(chance), clock.now())
        .await?
    {
        let stored = ledger.stored_keys().await?;
        // Another host may have done it in this moment.
        if !stored.roots.iter().any(|root| root == keys.root()) {
            anyhow::bail!(
                "the database opens to a key that this host does not have, because the key is already being replaced by another: start this host with that one, and replace it when nothing is left to do"
            );
        }
    }
    keys.refresh(&ledger.stored_keys().await?)
        .map_err(explained)?;
    tracing::info!(
        root_key = keys.root(),
        "the key is replaced: secrets are sealed again"
    );
    Ok(keys)
}

fn explained(error: KeysError) -> anyhow::Error {
    match error {
        KeysError::Foreign => anyhow::anyhow!(
            "the database was made under another key: restore `secrets.key` in the data folder, or SECRETS_ENCRYPTION_KEY, from a backup; without that key the stored secrets cannot be opened. If you mean to replace it, give the former key too: SECRETS_ENCRYPTION_KEY_OLD"
        ),
        KeysError::Damaged(_) => anyhow::anyhow!(
            "{error}: restore the database from a backup; its stored secrets cannot be opened as it is"
        ),
    }
}

/// How far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Secrets that were sealed again.
    pub done: u64,
    /// Those that do not open, and so stay as they are.
    pub stuck: Vec<SecretAddress>,
}

/// Seals again what is sealed with another key than the one in use. `tell` is told after each batch.
pub async fn reseal(
    ledger: &dyn Ledger,
    keys: &Keys,
    chance: &dyn Chance,
    mut tell: impl FnMut(&Progress),
) -> Result<Progress, LedgerError> {
    let mut progress = Progress::default();
    let mut after: Option<SecretAddress> = None;
    loop {
        let sealing = keys.sealing();
        let found = ledger
            .sealed_otherwise(sealing.id(), after.as_ref(), BATCH)
            .await?;
        let Some((last, _)) = found.last() else {
            return Ok(progress);
        };
        after = Some(last.clone());
        let mut batch = Vec::new();
        for (address, from) in found {
            match secret::reseal(keys, &address, &from, chance) {
                Ok(to) => batch.push(Resealed { address, from, to }),
                Err(_) => progress.stuck.push(address),
            }
        }
        progress.done += ledger.reseal(&batch).await?;
        tell(&progress);
    }
}

/// Forgets what is not needed any more, where nothing is left to do: the former keys for sealing, and, if
/// `may_forget`, the roots before the current one. Whether the current root is the only one now.
pub async fn finish(
    ledger: &dyn Ledger,
    keys: &Keys,
    clock: &dyn Clock,
    may_forget: bool,
) -> Result<bool, LedgerError> {
    let retired = ledger.retire_keys(clock.now()).await?;
    if !retired.is_empty() {
        tracing::info!("no secret needs the former key any more");
    }
    if may_forget {
        let forgotten = ledger.forget_roots(keys.root(), clock.now()).await?;
        if !forgotten.is_empty() {
            tracing::info!(?forgotten, "the database no longer opens to the former key");
        }
    }
    let stored = ledger.stored_keys().await?;
    Ok(!stored.is_changing() && stored.roots == [keys.root()])
}

/// Looks now and then, for as long as the host runs.
pub struct Rotation {
    /// The host.
    pub app: App,
    /// Where the former root is, if it is in a file.
    pub data: Arc<DataDir>,
}

impl Rotation {
    /// Runs until told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut stuck = Vec::new();
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stop.wait_for(|stop| *stop) => return,
            }
            tokio::select! {
                looked = self.look(&mut stuck) => if let Err(error) = looked {
                    tracing::warn!(error = %report(error.as_ref()), "the keys cannot be looked after");
                },
                // Between two transactions, or within one, which is then undone.
                _ = stop.wait_for(|stop| *stop) => return,
            }
        }
    }

    async fn look(&self, known_stuck: &mut Vec<SecretAddress>) -> anyhow::Result<()> {
        let gate = &self.app.gate;
        let (ledger, keys) = (&*self.app.ledger, &gate.keys);
        let stored = ledger.stored_keys().await?;
        keys.refresh(&stored)?;
        let is_settled = !stored.is_changing() && stored.roots == [keys.root()];
        if is_settled {
            return Ok(self.data.forget_old_root_key()?);
        }
        let all = ledger.count_sealed_otherwise(keys.sealing().id()).await?;
        let progress = reseal(ledger, keys, &*gate.chance, |progress| {
            tracing::info!(done = progress.done, all, "secrets are sealed again");
        })
        .await?;
        if progress.stuck != *known_stuck {
            for secret in &progress.stuck {
                tracing::error!(%secret, "a stored secret does not open, and keeps the former key needed: write it anew or delete it");
            }
            *known_stuck = progress.stuck;
        }
        if finish(ledger, keys, &*self.app.clock, self.app.forgets_roots).await? {
            self.data.forget_old_root_key()?;
        }
        Ok(())
    }
}
