//! So many mints, writes and creations an hour, and beyond them people are asked, or nothing more is done.
//!
//! Within its budgets it abstains, and so it does from everything that it does not count. Where the host
//! tells no count, it denies.

mod limit;

use countersign_policy::prelude::*;
use countersign_scope::{Demand, Held, choice};

use limit::{Limit, Share, Spec, Standing};

const MINTS: Spec = Spec {
    noun: "mints of tokens",
    verbs: &[Verb::OrgTokenMint.name(), Verb::WorkspaceTokenMint.name()],
    own: Share {
        setting: "mints_per_hour",
        tally: "mints-of-actor",
        default: "10",
        rule: "mints-of-actor",
    },
    all: Share {
        setting: "mints_per_hour_in_all",
        tally: "mints-in-all",
        default: "100",
        rule: "mints-in-all",
    },
};
const SECRET_WRITES: Spec = Spec {
    noun: "changes of secrets",
    verbs: &[Verb::SecretWrite.name(), Verb::SecretDelete.name()],
    own: Share {
        setting: "secret_writes_per_hour",
        tally: "secret-writes-of-actor",
        default: "60",
        rule: "secret-writes-of-actor",
    },
    all: Share {
        setting: "secret_writes_per_hour_in_all",
        tally: "secret-writes-in-all",
        default: "600",
        rule: "secret-writes-in-all",
    },
};
const WORKSPACES: Spec = Spec {
    noun: "new workspaces",
    verbs: &[Verb::WorkspaceCreate.name()],
    own: Share {
        setting: "workspaces_per_hour",
        tally: "workspaces-of-actor",
        default: "30",
        rule: "workspaces-of-actor",
    },
    all: Share {
        setting: "workspaces_per_hour_in_all",
        tally: "workspaces-in-all",
        default: "300",
        rule: "workspaces-in-all",
    },
};
const SPECS: [Spec; 3] = [MINTS, SECRET_WRITES, WORKSPACES];

const GATE: &str = "gate";
const DENY: &str = "deny";

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Budget {
    held: Held,
    /// In the order of `SPECS`.
    limits: [Vec<Limit>; 3],
    gates: bool,
    demand: Demand,
}

impl Policy for Budget {
    fn manifest() -> Manifest {
        let manifest = Manifest::new(
            "budget",
            env!("CARGO_PKG_VERSION"),
            "so many mints, writes and creations an hour, and beyond them people are asked",
        );
        let manifest = SPECS
            .iter()
            .fold(manifest, |manifest, spec| spec.declare(manifest))
            .setting(
                "beyond",
                "what becomes of what is beyond: `gate` for the people below, or `deny`",
                &[GATE],
            );
        Demand::declare(Held::declare(manifest), "1")
    }

    fn configure(settings: &Settings) -> Result<Self, String> {
        let [mints, secret_writes, workspaces] = &SPECS;
        Ok(Self {
            held: Held::take(settings)?,
            limits: [
                mints.take(settings)?,
                secret_writes.take(settings)?,
                workspaces.take(settings)?,
            ],
            gates: choice(settings, "beyond", &[GATE, DENY])? == GATE,
            demand: Demand::take(settings)?,
        })
    }

    fn decide(&self, request: &Request) -> Verdict {
        let Some(verb) = request.verb() else {
            return Verdict::Abstain;
        };
        if !self.held.holds(request) {
            return Verdict::Abstain;
        }
        let spent = SPECS
            .iter()
            .zip(&self.limits)
            .filter(|(spec, _)| spec.counts(verb))
            .flat_map(|(_, limits)| limits)
            .map(|limit| (limit, limit.standing(request)));
        let mut beyond = None;
        for (limit, standing) in spent {
            match standing {
                Standing::Within => {}
                Standing::Beyond => beyond = beyond.or(Some(limit)),
                Standing::Unknown => {
                    return Verdict::deny(
                        "no-count",
                        "without a count nobody knows whether it is within the budget",
                    )
                    .advice("tell whoever runs this host that policies are given no tallies");
                }
            }
        }
        match beyond {
            None => Verdict::Abstain,
            Some(limit) if self.gates => {
                let approvers = self.demand.approvers();
                self.demand
                    .gate(request, approvers, limit.rule, &limit.reason)
            }
            Some(limit) => Verdict::deny(limit.rule, &limit.reason)
                .advice("wait until an hour has passed since some of it, then repeat the request"),
        }
    }
}

countersign_policy::export!(Budget);
