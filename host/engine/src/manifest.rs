//! What a module says about itself, once it has been checked.

use std::collections::BTreeSet;

use countersign_core::policy::Properties;
use countersign_core::tally::{TallyKind, TallyScope};
use countersign_core::text::nearest;
use countersign_core::verb::Verb;

use crate::bindings::types as wit;
use crate::contract::{few, properties, quoted, text};
use crate::failure::Failure;
use crate::limits::Limits;
use crate::text::{NAME_BYTES, is_kebab, is_plain};
use crate::{LoadError, Settings};

/// The facts of the context that this host knows; `claim.…` comes beside them.
const CONTEXT: &[&str] = &["host.address", "host.door"];

/// What a module says about itself.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Manifest {
    /// Kebab-case, and not `core`.
    pub name: String,
    /// Semantic version.
    pub version: String,
    /// What it is for.
    pub description: String,
    /// What can be set, in the module's order.
    pub settings: Vec<SettingSpec>,
    /// The counts that it asks for, in its order.
    pub tallies: Vec<TallySpec>,
    /// The facts of the context that it reads.
    pub context: Vec<String>,
    /// How fine a clock it needs, in seconds; 0: none.
    pub clock_seconds: u32,
    /// Whatever else it says.
    pub annotations: Properties,
}

/// One thing that can be set.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct SettingSpec {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Its values where none are given.
    pub default: Vec<String>,
}

/// A count that a module asks for: deeds done and approvals pending, within a sliding window.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TallySpec {
    /// What the module knows it by.
    pub name: String,
    /// What is counted.
    #[serde(flatten)]
    pub kind: TallyKind,
}

impl Manifest {
    pub(crate) fn lift(said: wit::Manifest, limits: &Limits) -> Result<Self, LoadError> {
        checked(said, limits).map_err(|failure| LoadError::Manifest(failure.into()))
    }

    /// `given` with the default of every setting that is not given.
    pub(crate) fn apply(&self, given: &Settings, limits: &Limits) -> Result<Settings, LoadError> {
        let wrong = |sentence: String| Err(LoadError::Settings(Failure::new(sentence).into()));
        if given.bytes() > limits.settings_bytes {
            let most = limits.settings_bytes;
            return wrong(format!("they are larger than {most} bytes"));
        }
        let known = |name: &str| self.settings.iter().any(|spec| spec.name == name);
        if let Some((name, _)) = given.iter().find(|(name, _)| !known(name)) {
            let names: Vec<_> = self.settings.iter().map(|spec| &*spec.name).collect();
            let meant = match nearest(name, &names) {
                Some(meant) => format!(": is `{meant}` meant?"),
                None => String::new(),
            };
            let name = quoted(name);
            return wrong(match names.as_slice() {
                [] => format!("{name} is not known, nor is any other setting"),
                names => format!("{name} is not known, only {}{meant}", names.join(", ")),
            });
        }
        Ok(self.settings.iter().fold(Settings::new(), |all, spec| {
            let values = given.get(&spec.name).unwrap_or(&spec.default);
            all.with(&spec.name, values.to_vec())
        }))
    }
}

fn checked(said: wit::Manifest, limits: &Limits) -> Result<Manifest, Failure> {
    if !is_kebab(&said.name) || said.name == countersign_core::verdict::CORE {
        return Err(Failure::new(format!(
            "its name {} must be kebab-case and not `core`",
            quoted(&said.name)
        )));
    }
    if said.version.len() > NAME_BYTES || semver::Version::parse(&said.version).is_err() {
        return Err(Failure::new(format!(
            "its version {} is not a semantic version such as `1.0.0`",
            quoted(&said.version)
        )));
    }
    text("description", &said.description, limits)?;
    few("context", said.context.len(), limits)?;
    if let Some(name) = said.context.iter().find(|name| !is_context(name)) {
        return Err(Failure::new(format!(
            "it reads {} of the context, and there are only {} and `claim.…`",
            quoted(name),
            CONTEXT.join(", ")
        )));
    }
    Ok(Manifest {
        name: said.name,
        version: said.version,
        description: said.description,
        settings: specs(said.settings, limits)?,
        tallies: tallies(said.tallies, limits)?,
        context: said.context,
        clock_seconds: said.clock_seconds,
        annotations: properties("annotation", said.annotations, limits)?,
    })
}

fn is_context(name: &str) -> bool {
    let is_claim = name.strip_prefix("claim.").is_some_and(|claim| {
        !claim.is_empty() && name.len() <= NAME_BYTES && is_plain(claim) && !claim.contains(' ')
    });
    is_claim || CONTEXT.contains(&name)
}

fn specs(specs: Vec<wit::SettingSpec>, limits: &Limits) -> Result<Vec<SettingSpec>, Failure> {
    few("settings", specs.len(), limits)?;
    let mut names = BTreeSet::new();
    specs
        .into_iter()
        .map(|spec| {
            let name = quoted(&spec.name);
            if !is_name(&spec.name) {
                return Err(Failure::new(format!("its setting {name} has a bad name")));
            }
            if !names.insert(spec.name.clone()) {
                return Err(Failure::new(format!("its setting {name} is there twice")));
            }
            text("setting's description", &spec.description, limits)?;
            few("default values", spec.default.len(), limits)?;
            if spec
                .default
                .iter()
                .any(|value| value.len() > limits.text_bytes)
            {
                return Err(Failure::new(format!(
                    "its setting {name} has too long a default"
                )));
            }
            Ok(SettingSpec {
                name: spec.name,
                description: spec.description,
                default: spec.default,
            })
        })
        .collect()
}

fn tallies(specs: Vec<wit::TallySpec>, limits: &Limits) -> Result<Vec<TallySpec>, Failure> {
    few("tallies", specs.len(), limits)?;
    let mut names = BTreeSet::new();
    specs
        .into_iter()
        .map(|spec| {
            let name = quoted(&spec.name);
            if !is_name(&spec.name) {
                return Err(Failure::new(format!("its tally {name} has a bad name")));
            }
            if !names.insert(spec.name.clone()) {
                return Err(Failure::new(format!("its tally {name} is there twice")));
            }
            if spec.window_seconds == 0 {
                let why = format!("its tally {name} has a window of 0 s, in which nothing happens");
                return Err(Failure::new(why));
            }
            few("a tally's verbs", spec.verbs.len(), limits)?;
            // Of a verb that there is not, nothing is ever counted: what is to be bounded would not be.
            let verbs = spec.verbs.iter().map(|verb| {
                let named = quoted(verb);
                match Verb::parse(verb) {
                    Some(verb) if verb.is_counted() => Ok(verb),
                    Some(_) => Err(Failure::new(format!(
                        "its tally {name} counts {named}, which is no deed: it only reads, or the core judges it alone"
                    ))),
                    None => Err(Failure::new(format!(
                        "its tally {name} counts {named}, which is no verb"
                    ))),
                }
            });
            let mut verbs: Vec<Verb> = verbs.collect::<Result<_, _>>()?;
            verbs.sort_unstable();
            verbs.dedup();
            let kind = TallyKind {
                verbs,
                scope: match spec.scope {
                    wit::TallyScope::Actor => TallyScope::Actor,
                    wit::TallyScope::User => TallyScope::User,
                    wit::TallyScope::Workspace => TallyScope::Workspace,
                    wit::TallyScope::Organisation => TallyScope::Organisation,
                },
                window_seconds: spec.window_seconds,
            };
            Ok(TallySpec {
                name: spec.name,
                kind,
            })
        })
        .collect()
}

fn is_name(name: &str) -> bool {
    name.len() <= NAME_BYTES
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}
