//! One budget: what is counted, for each actor and in all, and how much of it an hour has.

use countersign_policy::{Manifest, Request, Settings, TallyScope, Verb};

const HOUR_SECONDS: u32 = 3_600;

/// Beyond this a number is a slip, and `unlimited` says what is meant.
const LIMITS: std::ops::RangeInclusive<u32> = 0..=1_000_000;

const UNLIMITED: &str = "unlimited";

/// What is counted. The host is told before it gives the settings, so it counts all of it always.
pub struct Spec {
    /// What people call it, in the plural.
    pub noun: &'static str,
    /// The verbs of which each deed counts.
    pub verbs: &'static [&'static str],
    /// Of one actor.
    pub own: Share,
    /// Of everybody together.
    pub all: Share,
}

/// A count, its setting and the rule that it stops by.
pub struct Share {
    pub setting: &'static str,
    pub tally: &'static str,
    pub default: &'static str,
    pub rule: &'static str,
}

/// One count as it is limited.
#[derive(Clone, Debug)]
pub struct Limit {
    tally: &'static str,
    /// So many are still within it.
    most: u32,
    pub rule: &'static str,
    pub reason: String,
}

/// Where a request stands against a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Within,
    Beyond,
    /// The host told no count.
    Unknown,
}

impl Spec {
    /// Whether it counts that verb.
    pub fn counts(&self, verb: Verb) -> bool {
        self.verbs.contains(&verb.name())
    }

    pub fn declare(&self, manifest: Manifest) -> Manifest {
        let noun = self.noun;
        let (own, all) = (&self.own, &self.all);
        manifest
            .tally(own.tally, TallyScope::Actor, self.verbs, HOUR_SECONDS)
            .tally(
                all.tally,
                TallyScope::Organisation,
                self.verbs,
                HOUR_SECONDS,
            )
            .setting(
                own.setting,
                &format!("{noun} an hour for each actor, 0 to 1000000, or `unlimited`"),
                &[own.default],
            )
            .setting(
                all.setting,
                &format!("{noun} an hour for all together, 0 to 1000000, or `unlimited`"),
                &[all.default],
            )
    }

    /// The limits that the settings leave.
    pub fn take(&self, settings: &Settings) -> Result<Vec<Limit>, String> {
        let mut limits = Vec::new();
        for (share, whose) in [
            (&self.own, "for one actor"),
            (&self.all, "for all together"),
        ] {
            if settings.text(share.setting)? == UNLIMITED {
                continue;
            }
            let most = settings
                .number(share.setting, LIMITS)
                .map_err(|mistake| format!("{mistake}; `{UNLIMITED}` is no limit"))?;
            let noun = self.noun;
            limits.push(Limit {
                tally: share.tally,
                most,
                rule: share.rule,
                reason: format!("{most} {noun} an hour {whose} are done or asked for already"),
            });
        }
        Ok(limits)
    }
}

impl Limit {
    /// What was done and is asked for leaves room for one more, or does not.
    pub fn standing(&self, request: &Request) -> Standing {
        match request.tally(self.tally) {
            Some(count) if count < self.most => Standing::Within,
            Some(_) => Standing::Beyond,
            None => Standing::Unknown,
        }
    }
}
