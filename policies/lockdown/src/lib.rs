//! Everything stands still, for agents or for everybody, until it is lifted.
//!
//! | who asks | for what | verdict |
//! |---|---|---|
//! | a person, unless `people_too` | anything | abstain |
//! | anybody | what the host's core judges alone | abstain |
//! | anybody | what `verbs` names itself | deny |
//! | anybody | what `except` names | abstain |
//! | anybody | what only reads, while `reading` | abstain |
//! | anybody | the rest of what `verbs` covers | deny |
//!
//! It never allows and never gates: beside other modules it can only stop more.

use countersign_policy::prelude::*;
use countersign_scope::{Held, VerbSet, only_reads, sentence};

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Lockdown {
    verbs: VerbSet,
    except: VerbSet,
    reading: bool,
    held: Held,
    reason: String,
    advice: String,
}

impl Policy for Lockdown {
    fn manifest() -> Manifest {
        let manifest = Manifest::new(
            "lockdown",
            env!("CARGO_PKG_VERSION"),
            "everything stands still, for agents or for everybody, until it is lifted",
        )
        .setting(
            "verbs",
            "what stands still: verbs, `privileged`, or `*` for every verb",
            &["*"],
        )
        .setting("except", "verbs that go on", &[])
        .setting(
            "reading",
            "whether what only reads goes on, unless `verbs` names it itself",
            &["true"],
        );
        Held::declare(manifest)
            .setting(
                "reason",
                "what whoever is stopped is told",
                &["everything stands still here until the lockdown is lifted"],
            )
            .setting(
                "advice",
                "what whoever is stopped can do",
                &[
                    "do not retry; ask a person who can sign in when the lockdown ends, \
                   and repeat the request after that",
                ],
            )
    }

    fn configure(settings: &Settings) -> Result<Self, String> {
        let verbs = VerbSet::take(settings, "verbs")?;
        let except = VerbSet::take(settings, "except")?;
        if verbs.is_empty() {
            return Err(
                "the setting `verbs` is empty, so that nothing would stand still; \
                 leave it out for every verb, or take the module away"
                    .to_owned(),
            );
        }
        if except.has_words() {
            return Err(
                "the setting `except` takes verbs by their names, and neither `*` nor `privileged`"
                    .to_owned(),
            );
        }
        if let Some(verb) = Verb::ALL
            .iter()
            .find(|verb| verbs.names(**verb) && except.names(**verb))
        {
            let name = verb.name();
            return Err(format!(
                "the setting `except` names `{name}`, which `verbs` names as well; take it out of one"
            ));
        }
        Ok(Self {
            verbs,
            except,
            reading: settings.flag("reading")?,
            held: Held::take(settings)?,
            reason: sentence(settings, "reason")?.to_owned(),
            advice: sentence(settings, "advice")?.to_owned(),
        })
    }

    fn decide(&self, request: &Request) -> Verdict {
        if self.held.holds(request) && self.freezes(request) {
            return Verdict::deny("lockdown", &self.reason).advice(&self.advice);
        }
        Verdict::Abstain
    }
}

impl Lockdown {
    fn freezes(&self, request: &Request) -> bool {
        if !self.verbs.covers(request) {
            return false;
        }
        // A verb that nobody knows is neither named nor known to read only.
        request.verb().is_none_or(|verb| {
            self.verbs.names(verb)
                || !(self.except.names(verb) || (self.reading && only_reads(verb)))
        })
    }
}

countersign_policy::export!(Lockdown);
