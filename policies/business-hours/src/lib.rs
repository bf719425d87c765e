//! What is privileged waits for the hours at which people are there to notice.
//!
//! Outside of the hours the verbs that it is about are denied, or gated where `outside` says so; within
//! them, and for everything else, it abstains. Without a clock it denies.

mod calendar;
mod hours;

use countersign_policy::prelude::*;
use countersign_scope::{Demand, Held, VerbSet, choice};

use hours::{Hours, Now};

/// The bounds of the hours are whole minutes, and so is the clock.
const CLOCK_SECONDS: u32 = 60;

const DENY: &str = "deny";
const GATE: &str = "gate";

/// The configured policy.
#[derive(Clone, Debug)]
pub struct BusinessHours {
    verbs: VerbSet,
    held: Held,
    hours: Hours,
    gates: bool,
    demand: Demand,
    reason: String,
    advice: String,
}

impl Policy for BusinessHours {
    fn manifest() -> Manifest {
        let manifest = Manifest::new(
            "business-hours",
            env!("CARGO_PKG_VERSION"),
            "what is privileged waits for the hours at which people are there",
        )
        .clock_seconds(CLOCK_SECONDS);
        let manifest = Hours::declare(manifest)
            .setting(
                "verbs",
                "what waits for the hours: verbs, `privileged`, or `*` for every verb",
                &["privileged"],
            )
            .setting(
                "outside",
                "what becomes of it outside of the hours: `deny`, or `gate` for the people below",
                &[DENY],
            );
        Demand::declare(Held::declare(manifest), "1")
    }

    fn configure(settings: &Settings) -> Result<Self, String> {
        let verbs = VerbSet::take(settings, "verbs")?;
        if verbs.is_empty() {
            return Err(
                "the setting `verbs` is empty, so that nothing would wait for the hours; \
                 leave it out for what is privileged, or take the module away"
                    .to_owned(),
            );
        }
        let hours = Hours::take(settings)?;
        Ok(Self {
            verbs,
            held: Held::take(settings)?,
            gates: choice(settings, "outside", &[DENY, GATE])? == GATE,
            demand: Demand::take(settings)?,
            reason: format!("this is done within business hours: {}", hours.text()),
            advice: format!("repeat the request within the hours: {}", hours.text()),
            hours,
        })
    }

    fn decide(&self, request: &Request) -> Verdict {
        if !self.held.holds(request) || !self.verbs.covers(request) {
            return Verdict::Abstain;
        }
        match self.hours.at(request.time) {
            Now::Open => Verdict::Abstain,
            Now::Closed if self.gates => {
                let approvers = self.demand.approvers();
                self.demand
                    .gate(request, approvers, "outside-hours", &self.reason)
            }
            Now::Closed => Verdict::deny("outside-hours", &self.reason).advice(&self.advice),
            Now::Unknown => Verdict::deny(
                "no-clock",
                "without a clock nobody knows whether it is within business hours",
            )
            .advice("tell whoever runs this host that policies are given no time"),
        }
    }
}

countersign_policy::export!(BusinessHours);
