//! Sets of verbs, as settings name them.

use countersign_policy::{Request, Settings, Verb};

use crate::suggest::did_you_mean;

const EVERY: &str = "*";
const PRIVILEGED: &str = "privileged";

/// What a setting means by a list of verbs and of two words for many of them.
///
/// - `*` is every verb, those that the vocabulary does not know included.
/// - `privileged` is what the vocabulary calls so ([`Request::is_privileged`]): a move, but no renaming.
/// - A verb that is named is meant whatever it is done to.
///
/// What the host's core judges alone is never in a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VerbSet {
    /// One bit for each verb: membership is asked on every decision.
    named: u32,
    every: bool,
    privileged: bool,
}

const _: () = assert!(
    Verb::ALL.len() <= u32::BITS as usize,
    "a verb has no bit in the set"
);

impl VerbSet {
    /// The verbs and words that a setting names.
    ///
    /// # Errors
    ///
    /// A sentence, where one is neither a verb nor such a word, or is judged by the host's core alone.
    pub fn take(settings: &Settings, setting: &str) -> Result<Self, String> {
        let mut set = Self::default();
        for name in settings.texts(setting)? {
            match name.as_str() {
                EVERY => set.every = true,
                PRIVILEGED => set.privileged = true,
                name => {
                    set.named |= bit(governable(name)
                        .map_err(|mistake| format!("the setting `{setting}` {mistake}"))?);
                }
            }
        }
        Ok(set)
    }

    /// Whether it names nothing at all.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// Whether it is said by a word for many.
    #[must_use]
    pub fn has_words(self) -> bool {
        self.every || self.privileged
    }

    /// Whether the setting names this verb itself, and not by a word for many.
    #[must_use]
    pub fn names(self, verb: Verb) -> bool {
        self.named & bit(verb) != 0
    }

    /// Whether what is asked is in the set.
    #[must_use]
    pub fn covers(self, request: &Request) -> bool {
        match request.verb() {
            Some(verb) if is_judged_by_core_alone(verb) => false,
            Some(verb) if self.names(verb) => true,
            _ => self.every || (self.privileged && request.is_privileged()),
        }
    }
}

/// Whether no module is asked about it: signing approvals, and whatever is done with policies.
#[must_use]
pub fn is_judged_by_core_alone(verb: Verb) -> bool {
    verb.is_core_only() || matches!(verb, Verb::ApprovalList | Verb::PolicyRead)
}

/// Whether it changes nothing.
#[must_use]
pub fn only_reads(verb: Verb) -> bool {
    matches!(
        verb,
        Verb::OrgTokenList
            | Verb::SecretList
            | Verb::SecretRead
            | Verb::WorkspaceRead
            | Verb::WorkspaceList
            | Verb::ApprovalList
            | Verb::AuditRead
            | Verb::PolicyRead
            | Verb::DecisionRead
    )
}

fn governable(name: &str) -> Result<Verb, String> {
    let governable = |verb: &Verb| !is_judged_by_core_alone(*verb);
    match Verb::parse(name) {
        Some(verb) if governable(&verb) => Ok(verb),
        Some(_) => Err(format!(
            "names `{name}`, which the host's core judges alone; leave it out"
        )),
        None => {
            let verbs = Verb::ALL
                .iter()
                .filter(|verb| governable(verb))
                .map(|verb| verb.name());
            let meant = did_you_mean(name, verbs.chain([PRIVILEGED]));
            Err(format!("names `{name}`, which is not a verb{meant}"))
        }
    }
}

fn bit(verb: Verb) -> u32 {
    1 << verb as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_policy::testing::{request, settings};
    use countersign_policy::{Credential, Manifest};

    fn set(verbs: &[&str]) -> Result<VerbSet, String> {
        let manifest = Manifest::new("test", "0.1.0", "a test").setting("verbs", "which", &[]);
        let settings = Settings::resolve(&manifest, &settings(&[("verbs", verbs)]))?;
        VerbSet::take(&settings, "verbs")
    }

    fn covers(verbs: &[&str], verb: &str) -> Result<bool, String> {
        Ok(set(verbs)?.covers(&request(Credential::OrgToken, verb).build()))
    }

    #[test]
    fn what_only_reads_is_named_so() {
        for &verb in Verb::ALL {
            let name = verb.name();
            let reads = name.ends_with("_list") || name.ends_with("_read");
            assert_eq!(only_reads(verb), reads, "{name}");
        }
    }

    #[test]
    fn a_verb_is_meant_by_its_name_or_by_a_word_for_many() -> Result<(), String> {
        assert!(covers(&["secret_write"], "secret_write")?);
        assert!(!covers(&["secret_write"], "secret_delete")?);
        assert!(covers(&["privileged"], "secret_delete")?);
        assert!(!covers(&["privileged"], "workspace_list")?);
        assert!(covers(&["*"], "workspace_list")?);
        assert!(!covers(&[], "workspace_list")?);
        Ok(())
    }

    #[test]
    fn privileged_is_a_move_and_no_renaming_and_a_name_is_both() -> Result<(), String> {
        assert!(!covers(&["privileged"], "workspace_update")?);
        assert!(covers(&["workspace_update"], "workspace_update")?);
        let moves =
            request(Credential::OrgToken, "workspace_update").action_property("parent", "p");
        assert!(set(&["privileged"])?.covers(&moves.build()));
        Ok(())
    }

    #[test]
    fn a_verb_that_nobody_knows_is_in_both_words() -> Result<(), String> {
        assert!(covers(&["*"], "make_coffee")?);
        assert!(covers(&["privileged"], "make_coffee")?);
        assert!(!covers(&["secret_write"], "make_coffee")?);
        Ok(())
    }

    #[test]
    fn what_the_core_judges_alone_is_in_no_set() -> Result<(), String> {
        for verb in Verb::ALL
            .iter()
            .filter(|verb| is_judged_by_core_alone(**verb))
        {
            assert!(!covers(&["*", "privileged"], verb.name())?);
            let refusal = set(&[verb.name()]).expect_err("INVARIANT: it is refused");
            let name = verb.name();
            assert_eq!(
                refusal,
                format!(
                    "the setting `verbs` names `{name}`, which the host's core judges alone; leave it out"
                )
            );
        }
        Ok(())
    }

    #[test]
    fn a_word_that_is_no_verb_is_refused_with_the_verb_that_was_meant() {
        let refusal = |verb| set(&[verb]).expect_err("INVARIANT: it is refused");
        assert_eq!(
            refusal("secret_wirte"),
            "the setting `verbs` names `secret_wirte`, which is not a verb; did you mean `secret_write`?"
        );
        assert_eq!(
            refusal("make_coffee"),
            "the setting `verbs` names `make_coffee`, which is not a verb"
        );
    }
}
