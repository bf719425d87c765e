//! What a person chooses to make live: an earlier generation, a set of kept versions, or another mode of one.
//!
//! It is proven before it is recorded, so that nobody records what no host could take over. What is live
//! stays what was recorded last, by whichever way: the next change in a folder comes after it.

use std::sync::Arc;

use countersign_core::generation::{
    Component, GenerationChange, GenerationRecord, Mode, ModuleRecord, VersionRecord,
};
use countersign_core::keys::hex;
use countersign_core::ports::{Ledger, LedgerError};
use countersign_core::review::Reviewed;
use countersign_core::signature::Signer;
use countersign_core::time::Timestamp;
use countersign_engine::{PolicySet, Proven, Settings};
use sha2::{Digest as _, Sha256};

use super::change::record;
use super::modules::{Modules, named};
use super::review::ReviewError;
use super::{Policies, recorded};

/// One module of a set that somebody chose.
pub struct Chosen {
    /// Its name.
    pub name: String,
    /// Its digest or its version.
    pub which: String,
    /// Its settings; where none are given, those under which it decides now, or its defaults.
    pub settings: Option<Settings>,
    /// Whether it decides.
    pub mode: Mode,
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
    /// It is in neither mode.
    #[error(
        "no policy `{0}` is live: name the digest or version that is meant, of GET /policies/{0}/versions"
    )]
    NotLive(String),
    /// It is in both modes.
    #[error(
        "`{0}` decides, and another version of it is in shadow: name the digest or version that is meant"
    )]
    Both(String),
    /// A set names it twice.
    #[error("names `{name}` more than once in the mode `{mode}`")]
    Twice {
        /// The policy.
        name: String,
        /// In which mode.
        mode: Mode,
    },
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
    /// Nothing is known of what it would change.
    #[error(transparent)]
    Unreviewed(#[from] ReviewError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A change that is proven, and what it is made of.
struct Ready {
    change: GenerationChange,
    deciding: PolicySet,
    newest: Option<GenerationRecord>,
}

impl Policies {
    /// The component of `bytes`, if it is a policy, and who signed it: its signatures do, it compiles, says what
    /// it is, and the cases that it carries hold.
    pub async fn component(
        &self,
        ledger: &dyn Ledger,
        bytes: Vec<u8>,
        signature: Option<String>,
    ) -> Result<(Component, Vec<Signer>), ChoiceError> {
        let kept = ledger
            .policy_signatures(&hex(&Sha256::digest(&bytes)))
            .await?;
        let _one_at_a_time = self.proving.acquire().await;
        let (engine, vetting) = (self.engine.clone(), Arc::clone(&self.vetting));
        let signatures = Arc::clone(&self.signatures);
        let described = tokio::task::spawn_blocking(move || {
            // First of all: nothing is made of bytes that nobody answers for.
            let signers = signatures.pushed(&bytes, signature.as_ref(), &kept)?;
            let id = engine.describe(&bytes)?;
            vetting.hold(&id.digest, &bytes, None)?;
            let signer = signers.first().filter(|signer| signer.trusted);
            let component = Component {
                id,
                bytes: bytes.into(),
                signature: signature.and_then(|text| Some((signer?.key_id, text))),
            };
            Ok::<_, anyhow::Error>((component, signers))
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
        // What was in shadow then need not stand now: nothing hangs on it.
        let (wanted, proving) = (Modules::from(&earlier), Proving::Deciding);
        let ready = self.ready(ledger, (newest, proving), wanted).await;
        let Ready { change, .. } = ready.map_err(|error| match error {
            ChoiceError::NoChange(_) => ChoiceError::NoChange(number),
            error => error,
        })?;
        Ok(GenerationChange {
            summary: format!("back to generation {number}: {}", change.summary),
            ..change
        })
    }

    /// The change that makes `chosen` live.
    pub async fn set(
        &self,
        ledger: &dyn Ledger,
        chosen: Vec<Chosen>,
    ) -> Result<Reviewed, ChoiceError> {
        let newest = ledger.latest_generation().await?;
        let live = newest.as_ref().map(Modules::from).unwrap_or_default();
        let mut wanted = Modules::default();
        for chosen in chosen {
            let mode = chosen.mode;
            let module = version(ledger, chosen, &live.first(mode)).await?;
            if named(wanted.of(mode), &module.id.name).is_some() {
                return Err(ChoiceError::Twice {
                    name: module.id.name,
                    mode,
                });
            }
            wanted.of(mode).push(module);
        }
        for mode in [Mode::Enforce, Mode::Shadow] {
            wanted.of(mode).sort_by(|a, b| a.id.cmp(&b.id));
        }
        let ready = self.ready(ledger, (newest, Proving::All), wanted).await?;
        self.review(ledger, ready).await
    }

    /// The change that gives the policy `name` another mode: the kept version that is named, or else the one that
    /// has the other mode now.
    pub async fn mode(
        &self,
        ledger: &dyn Ledger,
        name: &str,
        (mode, version_named): (Mode, Option<Chosen>),
    ) -> Result<Reviewed, ChoiceError> {
        let newest = ledger.latest_generation().await?;
        let mut wanted = newest.as_ref().map(Modules::from).unwrap_or_default();
        let module = match version_named {
            Some(chosen) => version(ledger, chosen, &wanted.first(mode.other())).await?,
            None if named(&wanted.decide, name).is_some()
                && named(&wanted.shadow, name).is_some()
                && mode == Mode::Shadow =>
            {
                return Err(ChoiceError::Both(name.to_owned()));
            }
            None => {
                let other = match mode {
                    Mode::Enforce => &wanted.shadow,
                    Mode::Shadow => &wanted.decide,
                };
                let module = named(other, name).cloned();
                let number = newest.as_ref().map_or(0, |newest| newest.number);
                let has_it = named(wanted.of(mode), name).is_some();
                module.ok_or_else(|| match has_it {
                    true => ChoiceError::NoChange(number),
                    false => ChoiceError::NotLive(name.to_owned()),
                })?
            }
        };
        wanted.put(module, mode);
        let ready = self.ready(ledger, (newest, Proving::All), wanted).await?;
        self.review(ledger, ready).await
    }

    /// What is known of a change that is ready.
    async fn review(&self, ledger: &dyn Ledger, ready: Ready) -> Result<Reviewed, ChoiceError> {
        let Ready {
            change,
            deciding,
            newest,
        } = ready;
        let newest = newest.ok_or(ChoiceError::NoGeneration(0))?;
        let known = self.known();
        let live = recorded::proven(ledger, self.loader(), &newest.modules, &known).await;
        let live = live.map_err(|error| refused(&error))?;
        let (live, candidate) = ((&newest, live), (change, deciding));
        Ok(self.reviewer.review(ledger, live, candidate).await?)
    }

    /// The change from `newest` to what is wanted, with every default, proven to stand together, with those in
    /// shadow and without, and remembered for when it is taken over.
    async fn ready(
        &self,
        ledger: &dyn Ledger,
        (newest, proving): (Option<GenerationRecord>, Proving),
        wanted: Modules,
    ) -> Result<Ready, ChoiceError> {
        let _one_at_a_time = self.proving.acquire().await;
        let mut known = self.known();
        let prove = async |modules: &[ModuleRecord], known: &[Arc<Proven>]| {
            let set = recorded::proven(ledger, self.loader(), modules, known).await;
            set.map_err(|error| refused(&error))
        };
        let deciding = prove(&wanted.decide, &known).await?;
        known.extend_from_slice(deciding.modules());
        let mut proven = deciding.modules().to_vec();
        let mut would_stand = None;
        if proving == Proving::All && !wanted.shadow.is_empty() {
            let would_decide = prove(&wanted.if_enforced(), &known).await?;
            let is_shadow =
                |module: &&Arc<Proven>| named(&wanted.shadow, &module.id().name).is_some();
            proven.extend(would_decide.modules().iter().filter(is_shadow).cloned());
            would_stand = Some(would_decide);
        }
        let settled = |wanted: &[ModuleRecord], proven: &[Arc<Proven>]| {
            let mut settled = Vec::new();
            for module in wanted {
                let proven = proven.iter().find(|proven| *proven.id() == module.id);
                settled.extend(proven.map(|proven| ModuleRecord {
                    file: module.file.clone(),
                    ..record(proven)
                }));
            }
            settled
        };
        let (decide, shadow) = proven.split_at(deciding.modules().len());
        let modules = Modules {
            decide: settled(&wanted.decide, decide),
            shadow: match proving {
                Proving::All => settled(&wanted.shadow, shadow),
                Proving::Deciding => wanted.shadow,
            },
        };
        *self.chosen() = proven;
        self.shadow.keep(would_stand);
        let live = newest.as_ref().map(Modules::from).unwrap_or_default();
        match &newest {
            Some(newest) if live == modules => Err(ChoiceError::NoChange(newest.number)),
            _ => Ok(Ready {
                change: GenerationChange {
                    summary: live.change_to(&modules),
                    modules: modules.decide,
                    shadow: modules.shadow,
                    // All of them are kept already.
                    components: Vec::new(),
                    follows: newest.as_ref().map_or(0, |newest| newest.number),
                    // Who makes it, when and by whose leave is written when it is recorded.
                    by: String::new(),
                    at: Timestamp::from_micros(0),
                    approval: None,
                },
                deciding,
                newest,
            }),
        }
    }
}

/// The kept version that is meant, with the settings that it is to have: those that it has in `live`, or else
/// those of the first of its name there.
async fn version(
    ledger: &dyn Ledger,
    chosen: Chosen,
    live: &[ModuleRecord],
) -> Result<ModuleRecord, ChoiceError> {
    let Chosen {
        name,
        which,
        settings,
        ..
    } = chosen;
    let kept = ledger.policy_versions(&name).await?;
    let is_meant = |kept: &VersionRecord| kept.id.digest == which || kept.id.version == which;
    let mut meant = kept.into_iter().filter(is_meant);
    let id = match (meant.next(), meant.next()) {
        (None, _) => return Err(ChoiceError::NoVersion { name, which }),
        (Some(one), None) => one.id,
        (Some(_), Some(_)) => return Err(ChoiceError::Ambiguous { name, which }),
    };
    // This very version is meant as it stands.
    let known = live.iter().find(|known| known.id == id);
    let file = known.and_then(|known| known.file.clone());
    let settings = match settings {
        Some(settings) => settings
            .iter()
            .map(|(name, values)| (name.clone(), values.clone()))
            .collect(),
        None => known
            .or_else(|| named(live, &id.name))
            .map(|module| module.settings.clone())
            .unwrap_or_default(),
    };
    Ok(ModuleRecord { id, settings, file })
}

/// What of a choice is proven.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Proving {
    /// What decides, and what would decide.
    All,
    /// What decides.
    Deciding,
}

/// What the engine says is a sentence for whoever chose; what the ledger says is not.
fn refused(error: &anyhow::Error) -> ChoiceError {
    ChoiceError::Refused(format!("{error:#}"))
}
