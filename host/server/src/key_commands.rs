//! `countersign keys …`: the key replaced while the host of the data folder is stopped.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_core::chance::OsChance;
use countersign_core::keys::RootKey;
use countersign_core::ports::Ledger;
use countersign_core::time::Clock;
use countersign_store::Address;

use crate::cli::KeysCommand;
use crate::clock::{Machine, SteadyClock};
use crate::config::Config;
use crate::data_dir::{DataDir, Roots};
use crate::rotation;
use crate::say;

/// Runs one of them.
pub fn run(command: KeysCommand, config: &Config) -> anyhow::Result<()> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let KeysCommand::Rotate = command;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(rotate(config))
}

async fn rotate(config: &Config) -> anyhow::Result<()> {
    let data = DataDir::take(&config.data_dir)?;
    let is_in_file = config.root_key.is_none();
    let ledger = countersign_store::open(&config.database).await?;
    let roots = new_roots(config, &data, &*ledger).await?;
    let latest = ledger.latest_instant().await?;
    let clock: Arc<dyn Clock> = Arc::new(SteadyClock::start(Machine::default(), latest)?);
    let keys = rotation::open(&*ledger, &roots, &OsChance, &*clock).await?;
    let all = ledger.count_sealed_otherwise(keys.sealing().id()).await?;
    say(&format!("{all} secrets are to be sealed again."));
    let progress = rotation::reseal(&*ledger, &keys, &OsChance, |progress| {
        say(&format!("  {} of {all}", progress.done));
    })
    .await?;
    if !progress.stuck.is_empty() {
        let stuck: Vec<String> = progress.stuck.iter().map(ToString::to_string).collect();
        anyhow::bail!(
            "these secrets do not open, and keep the former key needed: {}. Start the host, write them anew or delete them, and it does the rest by itself",
            stuck.join(", ")
        );
    }
    // A file is no other host's; of a server nobody knows who else uses it.
    let may_forget = matches!(config.database, Address::Sqlite(_));
    let is_over = rotation::finish(&*ledger, &keys, &*clock, may_forget).await?;
    if is_over {
        if is_in_file {
            data.forget_old_root_key()?;
        }
        say("The key is replaced, and the former one is no longer needed. Back up the new one.");
    } else if is_in_file {
        say(
            "Every secret is sealed again. Copy `secrets.key` to the data folder of every other host of this database and start them anew; then delete `secrets.key.old` here, and start this one.",
        );
    } else {
        say(
            "Every secret is sealed again. Start every host of this database with the new key; then take SECRETS_ENCRYPTION_KEY_OLD away, and start them once more.",
        );
    }
    Ok(())
}

async fn new_roots(config: &Config, data: &DataDir, ledger: &dyn Ledger) -> anyhow::Result<Roots> {
    let Some(current) = &config.root_key else {
        // Not before it is known that the present one is right, and alone: it is the former one from then on.
        let present = data.root_keys(&OsChance)?;
        let known = ledger.stored_keys().await?.roots;
        let opens = |key: &RootKey| known.iter().any(|root| root == key.id());
        match &present.old {
            _ if known.is_empty() => {}
            _ if opens(&present.current) && (present.old.is_some() || known.len() == 1) => {}
            None if known
                .last()
                .is_some_and(|newest| newest != present.current.id())
                && opens(&present.current) =>
            {
                anyhow::bail!(
                    "the key was replaced at another host, and this one still has the former one: copy `secrets.key` from there to the data folder of this host"
                )
            }
            None if opens(&present.current) => anyhow::bail!(
                "the last replacement of the key is not over, because the database still opens to the former one: see that every host of this database has this `secrets.key`, start this one, which forgets the former one within a minute, and run this again"
            ),
            Some(old) if opens(old) && known.len() == 1 => {}
            Some(old) if opens(old) => anyhow::bail!(
                "the key was to be replaced before its last replacement was over, and `secrets.key` opens nothing yet: put `secrets.key.old` in its place, see that every host of this database has it, start this one, which forgets the former key within a minute, and run this again"
            ),
            _ => anyhow::bail!(
                "the database was made under another key than `secrets.key` in the data folder: restore that from a backup first"
            ),
        }
        return Ok(data.replace_root_key(&OsChance)?);
    };
    let Some(old) = &config.old_root_key else {
        anyhow::bail!(
            "the key is in SECRETS_ENCRYPTION_KEY: put a new one there, for example of `openssl rand -base64 32`, and the present one into SECRETS_ENCRYPTION_KEY_OLD, and run this again; or start the host with both, and it does the same while it serves"
        );
    };
    Ok(Roots {
        current: current.clone(),
        old: Some(old.clone()),
    })
}
