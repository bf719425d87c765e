//! What stands still, for whom, and what goes on.

use countersign_lockdown::Lockdown;
use countersign_policy::prelude::*;
use countersign_policy::testing::{configured, request, settings};

const PROGRAMS: [Credential; 7] = [
    Credential::OrgToken,
    Credential::AdminToken,
    Credential::WorkspaceToken,
    Credential::Provisioner,
    Credential::Vouched,
    Credential::Anonymous,
    Credential::Other,
];
const READING: [Verb; 7] = [
    Verb::OrgTokenList,
    Verb::SecretList,
    Verb::SecretRead,
    Verb::WorkspaceRead,
    Verb::WorkspaceList,
    Verb::AuditRead,
    Verb::DecisionRead,
];
const CORE: [Verb; 6] = [
    Verb::PolicyPush,
    Verb::PolicyActivate,
    Verb::PolicyRollback,
    Verb::PolicyRead,
    Verb::ApprovalList,
    Verb::ApprovalDecide,
];

type Given<'g> = &'g [(&'g str, &'g [&'g str])];

fn stops(given: Given<'_>, credential: Credential, verb: &str) -> bool {
    let verdict = request(credential, verb).judged_by(&configured::<Lockdown>(given));
    match verdict {
        Verdict::Abstain => false,
        _ => {
            assert_eq!(verdict.rule(), Some("lockdown"));
            assert!(verdict.is_deny(), "{verdict:?}");
            true
        }
    }
}

fn refusal(given: Given<'_>) -> String {
    countersign_policy::configure::<Lockdown>(&settings(given))
        .expect_err("INVARIANT: each case is a mistake")
}

#[test]
fn no_program_changes_anything_and_all_of_them_read() {
    for credential in PROGRAMS {
        for &verb in Verb::ALL {
            let goes_on = READING.contains(&verb) || CORE.contains(&verb);
            assert_eq!(
                stops(&[], credential, verb.name()),
                !goes_on,
                "{credential:?} {verb:?}"
            );
        }
    }
}

#[test]
fn people_go_on() {
    for &verb in Verb::ALL {
        assert!(
            !stops(&[], Credential::VerifiedSession, verb.name()),
            "{verb:?}"
        );
    }
}

#[test]
fn a_session_that_is_no_person_stands_still() {
    let asked = request(Credential::VerifiedSession, "secret_write").class(CallerClass::Agent);
    assert!(asked.judged_by(&configured::<Lockdown>(&[])).is_deny());
}

#[test]
fn people_stand_still_where_the_setting_says_so() {
    let given: Given<'_> = &[("people_too", &["true"])];
    for &verb in Verb::ALL {
        let goes_on = READING.contains(&verb) || CORE.contains(&verb);
        let stopped = stops(given, Credential::VerifiedSession, verb.name());
        assert_eq!(stopped, !goes_on, "{verb:?}");
    }
}

#[test]
fn nothing_stops_what_lifts_the_lockdown() {
    let given: Given<'_> = &[("people_too", &["true"]), ("reading", &["false"])];
    for verb in CORE {
        assert!(
            !stops(given, Credential::VerifiedSession, verb.name()),
            "{verb:?}"
        );
    }
}

#[test]
fn reading_stands_still_where_the_setting_says_so() {
    for verb in READING {
        assert!(stops(
            &[("reading", &["false"])],
            Credential::OrgToken,
            verb.name()
        ));
    }
}

#[test]
fn a_reading_verb_that_is_named_stands_still_while_the_others_go_on() {
    let given: Given<'_> = &[("verbs", &["*", "secret_read"])];
    assert!(stops(given, Credential::WorkspaceToken, "secret_read"));
    assert!(!stops(given, Credential::WorkspaceToken, "secret_list"));
    assert!(stops(given, Credential::WorkspaceToken, "secret_write"));
}

#[test]
fn what_is_excepted_goes_on() {
    let given: Given<'_> = &[("except", &["org_token_revoke"])];
    assert!(!stops(given, Credential::OrgToken, "org_token_revoke"));
    assert!(stops(given, Credential::OrgToken, "workspace_token_revoke"));
}

#[test]
fn fewer_verbs_stand_still_where_they_are_named() {
    let given: Given<'_> = &[("verbs", &["org_token_mint"])];
    assert!(stops(given, Credential::OrgToken, "org_token_mint"));
    assert!(!stops(given, Credential::OrgToken, "secret_write"));
}

#[test]
fn privileged_leaves_what_is_not() {
    let given: Given<'_> = &[("verbs", &["privileged"])];
    assert!(stops(given, Credential::OrgToken, "deprovision"));
    assert!(!stops(given, Credential::OrgToken, "workspace_create"));
}

#[test]
fn a_verb_that_nobody_knows_stands_still() {
    for verb in ["", "make_coffee", "WORKSPACE_LIST", "workspace_list "] {
        assert!(stops(&[], Credential::OrgToken, verb), "{verb:?}");
    }
}

#[test]
fn whoever_is_stopped_is_told_why_and_what_to_do() {
    let lockdown: Lockdown = configured(&[
        ("reason", &["incident 812: tokens leaked"]),
        ("advice", &["call the people on duty"]),
    ]);
    let verdict = request(Credential::OrgToken, "org_token_mint").judged_by(&lockdown);
    let ground = verdict.ground().expect("INVARIANT: a denial has a ground");
    assert_eq!(ground.reason, "incident 812: tokens leaked");
    let advice = &ground.details[0];
    assert_eq!(advice.name, "advice");
    assert_eq!(advice.value, "call the people on duty".into());
}

#[test]
fn a_mistake_is_named_in_a_sentence() {
    let cases: [(Given<'_>, &str); 8] = [
        (
            &[("verbs", &[])],
            "the setting `verbs` is empty, so that nothing would stand still; \
             leave it out for every verb, or take the module away",
        ),
        (
            &[("verbs", &["org_token_mnt"])],
            "the setting `verbs` names `org_token_mnt`, which is not a verb; \
             did you mean `org_token_mint`?",
        ),
        (
            &[("verbs", &["policy_rollback"])],
            "the setting `verbs` names `policy_rollback`, which the host's core judges alone; \
             leave it out",
        ),
        (
            &[("except", &["*"])],
            "the setting `except` takes verbs by their names, and neither `*` nor `privileged`",
        ),
        (
            &[("verbs", &["secret_write"]), ("except", &["secret_write"])],
            "the setting `except` names `secret_write`, which `verbs` names as well; \
             take it out of one",
        ),
        (
            &[("reading", &["yes"])],
            "the setting `reading` is `true` or `false`, not `yes`",
        ),
        (
            &[("reason", &[""])],
            "the setting `reason` is blank; leave it out for what it says by default",
        ),
        (
            &[("people", &["true"])],
            "the setting `people` is unknown; `lockdown` has `verbs`, `except`, `reading`, \
             `people_too`, `reason`, `advice`",
        ),
    ];
    for (given, expected) in cases {
        assert_eq!(refusal(given), expected);
    }
}
