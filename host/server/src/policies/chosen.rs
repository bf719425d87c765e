//! What a person chooses to make live: an earlier generation, or a set of kept versions.
//!
//! It is proven before it is recorded, so that nobody records what no host could take over. What is live
//! stays what was recorded last, by whichever way: the next change in a folder comes after it.

use std::sync::Arc;

use countersign_core::generation::{
    Component, GenerationChange, GenerationRecord, ModuleRecord, VersionRecord,
};
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::time::Timestamp;
use countersign_engine::{PolicySet, Settings};

use super::change::{difference, record};
use super::{Policies, recorded};

/// One module of a set that somebody chose.
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// Its digest or its version.
    pub which: String,
    /// Its settings; where none are given, those under which it decides now, or its defaults.
    pub settings: Option<Settings>,
}

/// Why a choice cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum ChoiceError {
    /// No generation was recorded under this number.
    #[error("no generation {0} was recorded: GET /policies/generations lists them")]
    NoGeneration(u64),
    /// It is what decides now.
    #[error("generation {0} has the modules and settings that decide now")]
    NoChange(u64),
    /// No such version is kept.
    #[error("no version `{which}` of `{name}` is kept: GET /policies/{name}/versions lists them")]
    NoVersion {
        /// The policy.
        name: String,
        /// What was asked for.
        which: String,
    },
    /// Several components have this version.
    #[error("`{name}` is kept under the version `{which}` more than once: name the digest")]
    Ambiguous {
        /// The policy.
        name: String,
        /// What was asked for.
        which: String,
    },
    /// It does not work, or not together.
    #[error("{0}")]
    Refused(String),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Policies {
    /// The component of `bytes`, if it is a policy: it compiles, says what it is, and the cases that it
    /// carries hold.
    pub async fn component(&self, bytes: Vec<u8>) -> Result<Component, ChoiceError> {
        let _one_at_a_time = self.proving.acquire().await;
        let (engine, vetting) = (self.engine.clone(), Arc::clone(&self.vetting));
        let described = tokio::task::spawn_blocking(move || {
            let id = engine.describe(&bytes)?;
            vetting.hold(&id.digest, &bytes, None)?;
            Ok::<_, anyhow::Error>(Component {
                id,
                bytes: bytes.into(),
            })
        });
        match described.await {
            Ok(Ok(component)) => Ok(component),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(ChoiceError::Refused("reading it panicked".to_owned())),
        }
    }

    /// The change that makes generation `number` live again.
    pub async fn again(
        &self,
        ledger: &dyn Ledger,
        number: u64,
    ) -> Result<GenerationChange, ChoiceError> {
        let earlier = ledger.generation(number).await?;
        let earlier = earlier.ok_or(ChoiceError::NoGeneration(number))?;
        let newest = ledger.latest_generation().await?;
        let from = newest.as_ref().map_or(&[][..], |newest| &newest.modules);
        if from == earlier.modules {
            return Err(ChoiceError::NoChange(number));
        }
        self.proven(ledger, &earlier).await?;
        let difference = difference(from, &earlier.modules);
        Ok(GenerationChange {
            summary: format!("back to generation {number}: {difference}"),
            ..following(newest.as_ref(), earlier.modules)
        })
    }

    /// The change that makes `chosen` live.
    pub async fn set(
        &self,
        ledger: &dyn Ledger,
        chosen: Vec<Chosen>,
    ) -> Result<GenerationChange, ChoiceError> {
        let newest = ledger.latest_generation().await?;
        let from = newest.as_ref().map_or(&[][..], |newest| &newest.modules);
        let mut modules = Vec::new();
        for chosen in chosen {
            modules.push(version(ledger, chosen, from).await?);
        }
        let wanted = GenerationRecord {
            number: 0,
            at: Timestamp::from_micros(0),
            by: String::new(),
            summary: String::new(),
            modules,
        };
        let set = self.proven(ledger, &wanted).await?;
        // As they were proven: with every default.
        let modules: Vec<_> = set.modules().iter().map(|proven| record(proven)).collect();
        if let Some(newest) = &newest
            && newest.modules == modules
        {
            return Err(ChoiceError::NoChange(newest.number));
        }
        Ok(GenerationChange {
            summary: difference(from, &modules),
            ..following(newest.as_ref(), modules)
        })
    }

    /// The modules of `record`, proven to stand together, and remembered for when they are taken over.
    async fn proven(
        &self,
        ledger: &dyn Ledger,
        record: &GenerationRecord,
    ) -> Result<PolicySet, ChoiceError> {
        let _one_at_a_time = self.proving.acquire().await;
        let mut known = self.live.generation().policies().modules().to_vec();
        known.extend_from_slice(self.seen().policies.modules());
        let set = recorded::proven(ledger, &self.engine, record, &known).await;
        let set = set.map_err(|error| refused(&error))?;
        *self.chosen() = set.modules().to_vec();
        Ok(set)
    }
}

/// The kept version that is meant, with the settings that it is to have.
async fn version(
    ledger: &dyn Ledger,
    chosen: Chosen,
    live: &[ModuleRecord],
) -> Result<ModuleRecord, ChoiceError> {
    let Chosen {
        name,
        which,
        settings,
    } = chosen;
    let kept = ledger.policy_versions(&name).await?;
    let is_meant = |kept: &VersionRecord| kept.id.digest == which || kept.id.version == which;
    let mut meant = kept.into_iter().filter(is_meant);
    let id = match (meant.next(), meant.next()) {
        (None, _) => return Err(ChoiceError::NoVersion { name, which }),
        (Some(one), None) => one.id,
        (Some(_), Some(_)) => return Err(ChoiceError::Ambiguous { name, which }),
    };
    let settings = match settings {
        Some(settings) => settings
            .iter()
            .map(|(name, values)| (name.clone(), values.clone()))
            .collect(),
        None => live
            .iter()
            .find(|module| module.id.name == id.name)
            .map(|module| module.settings.clone())
            .unwrap_or_default(),
    };
    Ok(ModuleRecord {
        id,
        settings,
        file: None,
    })
}

/// A change to `modules` from `newest`. Who makes it, and when, is written when it is recorded.
fn following(newest: Option<&GenerationRecord>, modules: Vec<ModuleRecord>) -> GenerationChange {
    GenerationChange {
        modules,
        // All of them are kept already.
        components: Vec::new(),
        follows: newest.map_or(0, |newest| newest.number),
        by: String::new(),
        summary: String::new(),
        at: Timestamp::from_micros(0),
    }
}

/// What the engine says is a sentence for whoever chose; what the ledger says is not.
fn refused(error: &anyhow::Error) -> ChoiceError {
    ChoiceError::Refused(format!("{error:#}"))
}
