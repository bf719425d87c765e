//! Sets of verbs, as the settings name them.

use countersign_policy::{Settings, Verb};

/// A set of verbs in one word: membership is asked on every decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerbSet(u32);

const _: () = assert!(
    Verb::ALL.len() <= u32::BITS as usize,
    "a verb has no bit in the set"
);

impl VerbSet {
    /// The verbs that a setting names.
    pub fn take(settings: &Settings, setting: &str) -> Result<Self, String> {
        let mut set = Self::default();
        for name in settings.texts(setting)? {
            let verb =
                governable(name).map_err(|mistake| format!("the setting `{setting}` {mistake}"))?;
            set.0 |= bit(verb);
        }
        Ok(set)
    }

    pub fn contains(self, verb: Verb) -> bool {
        self.0 & bit(verb) != 0
    }
}

/// The verb of that name, where a setting can govern it at all.
pub fn governable(name: &str) -> Result<Verb, String> {
    match Verb::parse(name) {
        None => Err(format!("names `{name}`, which is not a verb")),
        Some(verb) if verb.is_core_only() => Err(format!(
            "names `{name}`, which the host's core judges alone"
        )),
        Some(verb) if is_for_people_only(verb) => {
            Err(format!("names `{name}`, which is for people only"))
        }
        Some(verb) => Ok(verb),
    }
}

/// What no program reads, whatever the settings say.
pub fn is_for_people_only(verb: Verb) -> bool {
    matches!(verb, Verb::AuditRead | Verb::DecisionRead)
}

fn bit(verb: Verb) -> u32 {
    1 << verb as u32
}
