//! What it takes to pass a gate, as settings say it: how many people, of which groups, how long.

use std::ops::RangeInclusive;

use countersign_policy::{Credential, Manifest, Request, Settings, Verdict};

/// Nobody gathers ten people for one deed.
const APPROVERS: RangeInclusive<u32> = 1..=9;

/// As many as a sentence can name; the host takes at most 64.
const GROUPS: usize = 16;

/// A minute to read the request; a week, so that no question outlives the reason it was asked for.
const PENDING_TTL_SECONDS: RangeInclusive<u32> = 60..=604_800;

/// Half a minute to retry; an hour, because a grant that lies around is a key that lies around.
const GRANT_TTL_SECONDS: RangeInclusive<u32> = 30..=3_600;

/// The settings `approvers`, `groups`, `pending_ttl_seconds` and `grant_ttl_seconds`.
#[derive(Clone, Debug)]
pub struct Demand {
    approvers: u32,
    groups: Vec<String>,
    pending_ttl_seconds: u32,
    grant_ttl_seconds: u32,
}

impl Default for Demand {
    /// One person, and the lives that the settings have by default.
    fn default() -> Self {
        Self {
            approvers: 1,
            groups: Vec::new(),
            pending_ttl_seconds: 3_600,
            grant_ttl_seconds: 900,
        }
    }
}

impl Demand {
    /// Declares the settings, with so many people by default.
    #[must_use]
    pub fn declare(manifest: Manifest, approvers: &str) -> Manifest {
        manifest
            .setting(
                "approvers",
                "how many different people must approve, 1 to 9; nobody approves what they asked for",
                &[approvers],
            )
            .setting(
                "groups",
                "the groups of which each of them must be in one; none: any approver",
                &[],
            )
            .setting(
                "pending_ttl_seconds",
                "how long people have to decide, 60 to 604800",
                &["3600"],
            )
            .setting(
                "grant_ttl_seconds",
                "how long an approval can be used, 30 to 3600",
                &["900"],
            )
    }

    /// Takes them in.
    ///
    /// # Errors
    ///
    /// A sentence that names the setting and the mistake.
    pub fn take(settings: &Settings) -> Result<Self, String> {
        let groups = settings.texts("groups")?;
        if groups.len() > GROUPS {
            return Err(format!(
                "the setting `groups` names {} groups, and takes at most {GROUPS}",
                groups.len()
            ));
        }
        for (position, group) in groups.iter().enumerate() {
            if group.is_empty() || group.trim() != group {
                return Err(format!(
                    "the setting `groups` has `{group}`, and a group's name has no white space at its \
                     ends and is not empty"
                ));
            }
            if groups[..position].contains(group) {
                return Err(format!("the setting `groups` names `{group}` twice"));
            }
        }
        Ok(Self {
            approvers: settings.number("approvers", APPROVERS)?,
            groups: groups.to_vec(),
            pending_ttl_seconds: settings.number("pending_ttl_seconds", PENDING_TTL_SECONDS)?,
            grant_ttl_seconds: settings.number("grant_ttl_seconds", GRANT_TTL_SECONDS)?,
        })
    }

    /// How many people must approve.
    #[must_use]
    pub fn approvers(&self) -> u32 {
        self.approvers
    }

    /// The groups of which each must be in one; none: anybody may approve.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// A gate that so many people open, or a denial where the caller has no credential of this host with
    /// which it could come back.
    #[must_use]
    pub fn gate(&self, request: &Request, approvers: u32, rule: &str, reason: &str) -> Verdict {
        match request.caller.credential {
            Credential::VerifiedSession
            | Credential::OrgToken
            | Credential::AdminToken
            | Credential::WorkspaceToken
            | Credential::Provisioner => {}
            Credential::Anonymous | Credential::Vouched | Credential::Other => {
                return Verdict::deny(rule, reason).advice(
                    "people approve what is asked with a credential of this host: use an organisation \
                     token, or sign in as a person",
                );
            }
        }
        let groups: Vec<&str> = self.groups.iter().map(String::as_str).collect();
        let who = match approvers {
            1 => "wait until a person approves",
            _ => "wait until enough people approve",
        };
        Verdict::gate(rule, reason)
            .people_of(approvers, &groups)
            .pending_ttl(self.pending_ttl_seconds)
            .grant_ttl(self.grant_ttl_seconds)
            .advice(&format!("{who}, then repeat the same request"))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use countersign_policy::testing::{request, settings};

    fn demand(given: &[(&str, &[&str])]) -> Result<Demand, String> {
        let manifest = Demand::declare(Manifest::new("test", "0.1.0", "a test"), "2");
        Demand::take(&Settings::resolve(&manifest, &settings(given))?)
    }

    #[test]
    fn a_gate_has_what_the_settings_say() -> Result<(), String> {
        let demand = demand(&[("groups", &["security"]), ("grant_ttl_seconds", &["60"])])?;
        let asked = request(Credential::OrgToken, "deprovision").build();
        let Verdict::Gate(terms) = demand.gate(&asked, demand.approvers(), "rule", "reason") else {
            panic!("expected a gate")
        };
        assert_eq!(terms.quorums.len(), 1);
        assert_eq!(terms.quorums[0].people, 2);
        assert_eq!(terms.quorums[0].groups, ["security"]);
        assert_eq!(
            (terms.pending_ttl, terms.grant_ttl),
            (Some(3_600), Some(60))
        );
        Ok(())
    }

    #[test]
    fn who_cannot_come_back_does_not_wait() -> Result<(), String> {
        let demand = demand(&[])?;
        for credential in [
            Credential::Anonymous,
            Credential::Vouched,
            Credential::Other,
        ] {
            let asked = request(credential, "deprovision").build();
            assert!(demand.gate(&asked, 2, "rule", "reason").is_deny());
        }
        Ok(())
    }

    #[test]
    fn a_mistake_is_named_in_a_sentence() {
        let many = [
            "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q",
        ];
        let cases: [(&str, &[&str], &str); 6] = [
            (
                "approvers",
                &["0"],
                "the setting `approvers` is a number from 1 to 9, not `0`",
            ),
            (
                "groups",
                &[" ops"],
                "the setting `groups` has ` ops`, and a group's name has no white space at its ends and is not empty",
            ),
            (
                "groups",
                &["ops", "ops"],
                "the setting `groups` names `ops` twice",
            ),
            (
                "groups",
                &many,
                "the setting `groups` names 17 groups, and takes at most 16",
            ),
            (
                "pending_ttl_seconds",
                &["59"],
                "the setting `pending_ttl_seconds` is a number from 60 to 604800, not `59`",
            ),
            (
                "grant_ttl_seconds",
                &["1h"],
                "the setting `grant_ttl_seconds` is a number from 30 to 3600, not `1h`",
            ),
        ];
        for (setting, values, expected) in cases {
            let refusal = demand(&[(setting, values)]).expect_err("INVARIANT: each is a mistake");
            assert_eq!(refusal, expected);
        }
    }
}
