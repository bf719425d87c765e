//! What a person chooses to make live: an earlier generation, a set of kept versions, or another mode of one.
//!
//! It is proven before it is recorded, so that nobody records what no host could take over. What is live
//! stays what was recorded last, by whichever way: the next change in a folder comes after it.

use std::sync::Arc;

use countersign_core::generation::{
    Component, GenerationChange, Mode, ModuleRecord, Pin, VersionRecord,
};
use countersign_core::keys::hex;
use countersign_core::ports::Ledger;
use countersign_core::review::Reviewed;
use countersign_core::signature::Signer;
use countersign_core::time::Timestamp;
use countersign_engine::{PolicySet, Proven, Settings};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::change::record;
use super::choice_error::ChoiceError;
use super::modules::{Modules, named};
use super::review::Alone;
use super::{Policies, pins, recorded};

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
    /// Whether it is pinned from now on; where that is not said, what is pinned stays, and nothing else is.
    pub pinned: Option<bool>,
}

/// What a change follows.
pub(super) struct Base {
    /// The number of the newest generation; 0 where there is none.
    pub number: u64,
    /// Its modules; none where they are not as they were recorded.
    pub modules: Modules,
}

/// A change that is proven, and what it is made of. What it would change is not known yet.
pub struct Ready {
    change: GenerationChange,
    deciding: PolicySet,
    base: Modules,
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
        let _one_at_a_time = self.vetted.acquire().await;
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
        let earlier = self.book(ledger).numbered(number).await?;
        let earlier = earlier.ok_or(ChoiceError::NoGeneration(number))?;
        let base = match self.base(ledger).await {
            // This is the way away from it, and takes nothing of it along.
            Err(ChoiceError::Unsealed(_)) => Base {
                number: ledger.newest_generation().await?,
                modules: Modules::default(),
            },
            base => base?,
        };
        // What was in shadow then need not stand now: nothing hangs on it.
        let (wanted, proving) = (Modules::from(&earlier), Proving::Deciding);
        let ready = self.ready(ledger, (base, proving), wanted).await;
        let Ready { change, .. } = ready.map_err(|error| match error {
            ChoiceError::NoChange(_) => ChoiceError::NoChange(number),
            error => error,
        })?;
        Ok(GenerationChange {
            summary: format!("back to generation {number}: {}", change.summary),
            ..change
        })
    }

    /// What a change follows that keeps something of it.
    pub(super) async fn base(&self, ledger: &dyn Ledger) -> Result<Base, ChoiceError> {
        let newest = self.book(ledger).newest().await?;
        Ok(Base {
            number: newest.as_ref().map_or(0, |newest| newest.number),
            modules: newest.as_ref().map(Modules::from).unwrap_or_default(),
        })
    }

    /// The change that makes `chosen` live. What is pinned and not named stays.
    pub async fn set(
        &self,
        ledger: &dyn Ledger,
        (by, chosen): (String, Vec<Chosen>),
    ) -> Result<Ready, ChoiceError> {
        let base = self.base(ledger).await?;
        let mut live = base.modules.clone();
        let mut wanted = Modules::default();
        for chosen in chosen {
            let (mode, pinned) = (chosen.mode, chosen.pinned);
            let mut module = version(ledger, chosen, &live.first(mode)).await?;
            if mode == Mode::Enforce {
                let name = module.id.name.clone();
                let is_same = |known: &ModuleRecord| {
                    known.id == module.id && known.settings == module.settings
                };
                let kept = live.pin(&name);
                let kept = kept.filter(|(known, _)| pinned.is_none() || is_same(known));
                let kept = kept.map(|(_, pin)| pin.clone());
                let fresh = || Pin {
                    by: by.clone(),
                    since: base.number.saturating_add(1),
                };
                module.pinned = match pinned {
                    None => kept,
                    Some(true) => Some(kept.unwrap_or_else(fresh)),
                    Some(false) => None,
                };
                if pinned.is_some() {
                    live.let_go(&name);
                }
            }
            if named(wanted.of(mode), &module.id.name).is_some() {
                return Err(ChoiceError::Twice {
                    name: module.id.name,
                    mode,
                });
            }
            wanted.of(mode).push(module);
        }
        for (module, _) in live.pinned() {
            if named(&wanted.decide, &module.id.name).is_none() {
                wanted.decide.push(module.clone());
            }
        }
        pins::keep(&live, &wanted)?;
        for mode in [Mode::Enforce, Mode::Shadow] {
            wanted.of(mode).sort_by(|a, b| a.id.cmp(&b.id));
        }
        self.ready(ledger, (base, Proving::All), wanted).await
    }

    /// The change that gives the policy `name` another mode: the kept version that is named, or else the one that
    /// has the other mode now.
    pub async fn mode(
        &self,
        ledger: &dyn Ledger,
        name: &str,
        (mode, version_named): (Mode, Option<Chosen>),
    ) -> Result<Ready, ChoiceError> {
        let base = self.base(ledger).await?;
        let mut wanted = base.modules.clone();
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
                let has_it = named(wanted.of(mode), name).is_some();
                module.ok_or_else(|| match has_it {
                    true => ChoiceError::NoChange(base.number),
                    false => ChoiceError::NotLive(name.to_owned()),
                })?
            }
        };
        wanted.put(module, mode);
        pins::keep(&base.modules, &wanted)?;
        self.ready(ledger, (base, Proving::All), wanted).await
    }

    /// A change that is ready with what it would change, if that is known by then. It is found out all the same,
    /// for whoever asks again.
    pub async fn review(
        &self,
        ledger: &dyn Ledger,
        ready: Ready,
        until: Instant,
    ) -> Result<Reviewed, ChoiceError> {
        let Ready {
            change,
            deciding,
            base,
        } = ready;
        let known = self.known();
        let live = recorded::proven(ledger, self.workshop(&known), &base.decide).await;
        let live = live.map_err(|error| refused(&error))?;
        let (live, candidate) = ((&base, live), (change, deciding));
        Ok(self
            .reviewer
            .review(ledger, live, candidate, Alone::GoesOn(until))
            .await?)
    }

    /// The change from `base` to what is wanted, with every default, proven to stand together, with those in
    /// shadow and without, and remembered for when it is taken over.
    pub(super) async fn ready(
        &self,
        ledger: &dyn Ledger,
        (base, proving): (Base, Proving),
        wanted: Modules,
    ) -> Result<Ready, ChoiceError> {
        let _one_at_a_time = self.proving.acquire().await;
        let mut known = self.known();
        let prove = async |modules: &[ModuleRecord], known: &[Arc<Proven>]| {
            let set = recorded::proven(ledger, self.workshop(known), modules).await;
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
                    pinned: module.pinned.clone(),
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
        if base.modules == modules {
            return Err(ChoiceError::NoChange(base.number));
        }
        let number = base.number.saturating_add(1);
        Ok(Ready {
            change: GenerationChange {
                summary: base.modules.change_to(&modules),
                seal: self.key.seal(number, &modules.decide, &modules.shadow),
                modules: modules.decide,
                shadow: modules.shadow,
                // All of them are kept already.
                components: Vec::new(),
                follows: base.number,
                // Who makes it, when and by whose leave is written when it is recorded.
                by: String::new(),
                at: Timestamp::from_micros(0),
                approval: None,
            },
            deciding,
            base: base.modules,
        })
    }
}

/// The kept version that is meant, with the settings that it is to have: those that it has in `live`, or else
/// those of the first of its name there.
pub(super) async fn version(
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
    Ok(ModuleRecord {
        id,
        settings,
        file,
        pinned: None,
    })
}

/// What of a choice is proven.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Proving {
    /// What decides, and what would decide.
    All,
    /// What decides.
    Deciding,
}

/// What the engine says is a sentence for whoever chose; what the ledger says is not.
fn refused(error: &anyhow::Error) -> ChoiceError {
    ChoiceError::Refused(format!("{error:#}"))
}
