//! What cannot be undone takes several people, whoever asks for it.
//!
//! It gates the verbs that it is about, and abstains from everything else. A person who asks is one of
//! the people whom it takes, unless `count_the_asker` says otherwise.

use countersign_policy::prelude::*;
use countersign_scope::{Demand, VerbSet, is_by_person};

const RULE: &str = "two-person";

/// The configured policy.
#[derive(Clone, Debug)]
pub struct TwoPerson {
    verbs: VerbSet,
    demand: Demand,
    counts_the_asker: bool,
    reason: String,
}

impl Policy for TwoPerson {
    fn manifest() -> Manifest {
        let manifest = Manifest::new(
            "two-person",
            env!("CARGO_PKG_VERSION"),
            "what cannot be undone takes several people, whoever asks for it",
        )
        .setting(
            "verbs",
            "what takes several people: verbs, `privileged`, or `*` for every verb",
            &[Verb::Deprovision.name(), Verb::DeleteWorkspace.name()],
        );
        Demand::declare(manifest, "2").setting(
            "count_the_asker",
            "whether a person who asks is one of them, so that one fewer must approve",
            &["true"],
        )
    }

    fn configure(settings: &Settings) -> Result<Self, String> {
        let verbs = VerbSet::take(settings, "verbs")?;
        if verbs.is_empty() {
            return Err(
                "the setting `verbs` is empty, so that nothing would take several people; \
                 leave it out for `deprovision` and `delete_workspace`, or take the module away"
                    .to_owned(),
            );
        }
        let demand = Demand::take(settings)?;
        Ok(Self {
            verbs,
            counts_the_asker: settings.flag("count_the_asker")?,
            reason: reason(&demand),
            demand,
        })
    }

    fn decide(&self, request: &Request) -> Verdict {
        if !self.verbs.covers(request) {
            return Verdict::Abstain;
        }
        self.demand
            .gate(request, self.approvers(request), RULE, &self.reason)
    }
}

impl TwoPerson {
    /// How many must approve besides whoever asks. Nobody approves what they asked for, so it is never
    /// fewer than one.
    fn approvers(&self, request: &Request) -> u32 {
        let approvers = self.demand.approvers();
        if self.counts_the_asker && self.is_one_of_them(request) {
            return approvers.saturating_sub(1).max(1);
        }
        approvers
    }

    /// Whether the asker is a person who could have approved this if another had asked.
    fn is_one_of_them(&self, request: &Request) -> bool {
        let groups = self.demand.groups();
        is_by_person(request)
            && (groups.is_empty()
                || request
                    .caller
                    .texts("groups")
                    .iter()
                    .any(|group| groups.contains(group)))
    }
}

fn reason(demand: &Demand) -> String {
    let people = match demand.approvers() {
        1 => "another person".to_owned(),
        people => format!("{people} people"),
    };
    match demand.groups() {
        [] => format!("this takes {people}"),
        groups => format!("this takes {people}, each of: {}", groups.join(", ")),
    }
}

countersign_policy::export!(TwoPerson);
