//! Building a [`Manifest`].

use crate::{Manifest, Property, SettingSpec, TallyScope, TallySpec, Value};

impl Manifest {
    /// A module's kebab-case `name`, its semantic `version` (`env!("CARGO_PKG_VERSION")`), and one
    /// sentence on what it is for. It asks for nothing yet.
    #[must_use]
    pub fn new(name: &str, version: &str, description: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            description: description.to_owned(),
            settings: Vec::new(),
            tallies: Vec::new(),
            context: Vec::new(),
            clock_seconds: 0,
            annotations: Vec::new(),
        }
    }

    /// Declares a setting with the values it has where none are given.
    #[must_use]
    pub fn setting(mut self, name: &str, description: &str, default: &[&str]) -> Self {
        self.settings.push(SettingSpec {
            name: name.to_owned(),
            description: description.to_owned(),
            default: default.iter().map(|&value| value.to_owned()).collect(),
        });
        self
    }

    /// Asks for a context name, such as `host.door`.
    #[must_use]
    pub fn context(mut self, name: &str) -> Self {
        self.context.push(name.to_owned());
        self
    }

    /// Asks for the time, rounded down to so many seconds. The coarser, the longer the host may
    /// remember an answer.
    #[must_use]
    pub fn clock_seconds(mut self, seconds: u32) -> Self {
        self.clock_seconds = seconds;
        self
    }

    /// Asks for a count of deeds done and approvals pending within a sliding window; no `verbs` means
    /// every verb.
    #[must_use]
    pub fn tally(
        mut self,
        name: &str,
        scope: TallyScope,
        verbs: &[&str],
        window_seconds: u32,
    ) -> Self {
        self.tallies.push(TallySpec {
            name: name.to_owned(),
            scope,
            verbs: verbs.iter().map(|&verb| verb.to_owned()).collect(),
            window_seconds,
        });
        self
    }

    /// Adds an annotation, for people and tools that list modules.
    #[must_use]
    pub fn annotation(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.annotations.push(Property {
            name: name.to_owned(),
            value: value.into(),
        });
        self
    }
}
