//! Where each value comes from, and what else of the environment concerns the commands.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ArgMatches;
use clap::parser::ValueSource;

use super::Hidden;
use super::values::secret;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// The environment.
    Environment,
}

/// What the command line and the environment say of each setting that is a flag, by the setting's name.
#[derive(Debug, Default)]
pub struct Sources(BTreeMap<String, (Source, String)>);

impl Sources {
    /// Of a command line that was parsed.
    pub fn of(matches: &ArgMatches, settings: impl Iterator<Item = clap::Arg>) -> Self {
        let found = settings.filter_map(|arg| {
            let id = arg.get_id().as_str();
            let source = match matches.value_source(id)? {
                ValueSource::CommandLine => Source::Flag,
                ValueSource::EnvVariable => Source::Environment,
                _ => return None,
            };
            let value = matches.get_raw(id)?.next_back()?.to_string_lossy();
            // An empty setting is an unset one.
            (!value.is_empty()).then(|| (id.to_owned(), (source, value.into_owned())))
        });
        Self(found.collect())
    }

    /// Of one setting.
    pub fn get(&self, setting: &str) -> Option<(&Source, &str)> {
        let (source, value) = self.0.get(setting)?;
        Some((source, value))
    }
}

/// The folder for a person's own settings (XDG Base Directory Specification).
pub fn config_home() -> Option<PathBuf> {
    let named = |name| {
        let path = PathBuf::from(std::env::var_os(name)?);
        // A relative one is invalid by the specification.
        path.is_absolute().then_some(path)
    };
    named("XDG_CONFIG_HOME").or_else(|| named("HOME").map(|home| home.join(".config")))
}

/// The bearer of a program that runs a command.
pub fn token_of_environment() -> Result<Option<Hidden>, String> {
    let mut mistakes = Vec::new();
    let token = secret("COUNTERSIGN_TOKEN", None, &mut mistakes);
    match mistakes.pop() {
        Some(mistake) => Err(mistake),
        None => Ok(token),
    }
}

/// Whether the environment says the secret setting `name`.
pub fn is_in_environment(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}
