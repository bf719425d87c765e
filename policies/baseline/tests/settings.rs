//! What the settings change, and what they refuse.

use countersign_baseline::Baseline;
use countersign_policy::prelude::*;
use countersign_policy::testing::{RequestBuilder, configured, request, settings};

const EXEMPTION: &str = "actor=org-token:Zk3p91aB verb=org_token_mint \
                         until=2026-12-31T00:00:00Z reason=the rotation job, ticket 812";
const UNTIL_UNIX_MS: u64 = 1_798_675_200_000;
const MINUTE_MS: u64 = 60_000;

fn refusal(given: &[(&str, &[&str])]) -> String {
    countersign_policy::configure::<Baseline>(&settings(given))
        .expect_err("INVARIANT: each case is a mistake")
}

fn mint() -> RequestBuilder {
    request(Credential::OrgToken, "org_token_mint")
        .actor("org-token:Zk3p91aB")
        .at(UNTIL_UNIX_MS - MINUTE_MS)
}

#[test]
fn what_is_taken_out_of_the_gated_verbs_agents_do_alone() {
    let baseline: Baseline = configured(&[("gated_verbs", &["deprovision"])]);
    assert!(mint().judged_by(&baseline).is_allow());
    assert!(
        request(Credential::OrgToken, "deprovision")
            .judged_by(&baseline)
            .is_gate()
    );
}

#[test]
fn what_is_added_to_the_gated_verbs_needs_a_person() {
    let baseline: Baseline = configured(&[("gated_verbs", &["workspace_create"])]);
    assert!(
        request(Credential::OrgToken, "workspace_create")
            .judged_by(&baseline)
            .is_gate()
    );
    assert!(
        request(Credential::Vouched, "workspace_create")
            .judged_by(&baseline)
            .is_deny()
    );
}

#[test]
fn opening_a_verb_lifts_no_denial() {
    let baseline: Baseline = configured(&[("gated_verbs", &[])]);
    let own = request(Credential::AdminToken, "secret_write")
        .workspace("anchor")
        .resource("secret", "anchor/KEY")
        .resource_property("workspace", "anchor");
    assert!(own.judged_by(&baseline).is_deny());
    assert!(
        request(Credential::OrgToken, "audit_read")
            .judged_by(&baseline)
            .is_deny()
    );
    assert!(
        request(Credential::Vouched, "org_token_mint")
            .judged_by(&baseline)
            .is_deny()
    );
}

#[test]
fn a_setting_cannot_govern_what_is_not_its_to_govern() {
    for setting in ["gated_verbs", "provisioner_verbs"] {
        assert_eq!(
            refusal(&[(setting, &["org_token_mnt"])]),
            format!("the setting `{setting}` names `org_token_mnt`, which is not a verb")
        );
        assert_eq!(
            refusal(&[(setting, &["approval_decide"])]),
            format!(
                "the setting `{setting}` names `approval_decide`, which the host's core judges alone"
            )
        );
        assert_eq!(
            refusal(&[(setting, &["audit_read"])]),
            format!("the setting `{setting}` names `audit_read`, which is for people only")
        );
    }
}

#[test]
fn the_provisioners_verbs_are_a_setting() {
    let baseline: Baseline = configured(&[("provisioner_verbs", &["workspace_create"])]);
    let asked = |verb| request(Credential::Provisioner, verb).judged_by(&baseline);
    assert!(asked("workspace_create").is_allow());
    assert!(asked("org_token_mint").is_deny());
}

#[test]
fn the_lives_of_a_request_are_settings_with_bounds() {
    let baseline: Baseline = configured(&[
        ("pending_ttl_seconds", &["600"]),
        ("grant_ttl_seconds", &["60"]),
    ]);
    let Verdict::Gate(terms) = mint().judged_by(&baseline) else {
        panic!("expected a gate")
    };
    assert_eq!((terms.pending_ttl, terms.grant_ttl), (Some(600), Some(60)));

    let defaults: Baseline = configured(&[]);
    let Verdict::Gate(terms) = mint().judged_by(&defaults) else {
        panic!("expected a gate")
    };
    assert_eq!(
        (terms.pending_ttl, terms.grant_ttl),
        (Some(3_600), Some(900))
    );

    assert_eq!(
        refusal(&[("pending_ttl_seconds", &["0"])]),
        "the setting `pending_ttl_seconds` is a number from 60 to 604800, not `0`"
    );
    assert_eq!(
        refusal(&[("grant_ttl_seconds", &["forever"])]),
        "the setting `grant_ttl_seconds` is a number from 30 to 3600, not `forever`"
    );
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let refusal = refusal(&[("gated_verb", &["deprovision"])]);
    assert!(
        refusal.starts_with("the setting `gated_verb` is unknown; `baseline` has"),
        "{refusal}"
    );
}

#[test]
fn an_exempt_actor_needs_nobody_for_that_verb_until_that_instant() {
    let baseline: Baseline = configured(&[("exempt", &[EXEMPTION])]);
    let verdict = mint().judged_by(&baseline);
    assert_eq!(verdict.rule(), Some("exempt"));
    assert_eq!(
        verdict.ground().map(|ground| ground.reason.as_str()),
        Some("exempt until 2026-12-31T00:00:00Z: the rotation job, ticket 812")
    );

    for other in [
        mint().actor("org-token:Zk3p91aC"),
        mint().at(UNTIL_UNIX_MS),
        mint().at(UNTIL_UNIX_MS - MINUTE_MS + 1),
        mint().at(u64::MAX),
        mint().at(0),
        request(Credential::OrgToken, "secret_write")
            .actor("org-token:Zk3p91aB")
            .at(1),
    ] {
        assert!(other.judged_by(&baseline).is_gate());
    }
}

#[test]
fn an_exemption_lifts_no_denial() {
    let exemption = EXEMPTION.replace("org_token_mint", "secret_write");
    let baseline: Baseline = configured(&[("exempt", &[&exemption])]);
    let write = request(Credential::OrgToken, "secret_write")
        .actor("org-token:Zk3p91aB")
        .at(1)
        .workspace("w")
        .resource("workspace", "w");
    assert!(write.clone().judged_by(&baseline).is_deny());
    assert!(
        write
            .clone()
            .workspace("other")
            .judged_by(&baseline)
            .is_allow()
    );
    assert!(
        write
            .class(CallerClass::Unknown)
            .judged_by(&baseline)
            .is_deny()
    );
}

#[test]
fn a_mistake_in_an_exemption_is_named() {
    for (from, to, mistake) in [
        (
            " reason=the rotation job, ticket 812",
            "",
            "lacks a `reason=` at its end",
        ),
        ("the rotation job, ticket 812", " ", "gives no reason"),
        ("actor=org-token:Zk3p91aB ", "", "lacks `actor=`"),
        ("verb=org_token_mint ", "", "lacks `verb=`"),
        ("until=2026-12-31T00:00:00Z ", "", "lacks `until=`"),
        ("actor=org-token:Zk3p91aB", "actor=", "has an empty `actor`"),
        ("verb=", "verb=deprovision verb=", "has `verb` twice"),
        (
            "verb=",
            "role=admin verb=",
            "has `role`, which is not actor, verb, until or reason",
        ),
        ("verb=", "now verb=", "has `now` where `name=value` belongs"),
        (
            "org_token_mint",
            "make_coffee",
            "names `make_coffee`, which is not a verb",
        ),
        (
            "org_token_mint",
            "audit_read",
            "names `audit_read`, which is for people only",
        ),
        (
            "2026-12-31T00:00:00Z",
            "tomorrow",
            "has `until=tomorrow`, which is not an instant such as 2026-12-31T00:00:00Z",
        ),
    ] {
        let text = EXEMPTION.replace(from, to);
        assert_eq!(
            refusal(&[("exempt", &[&text])]),
            format!("the setting `exempt` has `{text}`, which {mistake}")
        );
    }
}

#[test]
fn the_manifest_declares_every_setting_with_defaults_that_it_takes() {
    let manifest = Baseline::manifest();
    assert_eq!(
        (manifest.name.as_str(), manifest.version.as_str()),
        ("baseline", "0.1.0")
    );
    let names: Vec<_> = manifest
        .settings
        .iter()
        .map(|setting| setting.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "gated_verbs",
            "exempt",
            "provisioner_verbs",
            "pending_ttl_seconds",
            "grant_ttl_seconds"
        ]
    );
    assert!(countersign_policy::configure::<Baseline>(&[]).is_ok());
}
