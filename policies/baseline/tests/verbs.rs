//! One test for each row of the verb table, and for each caller that is not an agent.

use countersign_baseline::Baseline;
use countersign_policy::prelude::*;
use countersign_policy::testing::{RequestBuilder, configured, request};

const AGENTS: [Credential; 3] = [
    Credential::OrgToken,
    Credential::AdminToken,
    Credential::WorkspaceToken,
];
const CREDENTIALS: [Credential; 8] = [
    Credential::Anonymous,
    Credential::VerifiedSession,
    Credential::OrgToken,
    Credential::AdminToken,
    Credential::WorkspaceToken,
    Credential::Provisioner,
    Credential::Vouched,
    Credential::Other,
];

/// What the baseline says with its default settings, after classifying the caller itself.
fn verdict(asked: RequestBuilder) -> Verdict {
    let baseline: Baseline = configured(&[]);
    let class = baseline.classify(&asked.clone().build().caller);
    asked.class(class).judged_by(&baseline)
}

#[track_caller]
fn rule(asked: RequestBuilder, expected: &str) -> Verdict {
    let verdict = verdict(asked);
    assert_eq!(verdict.rule(), Some(expected), "{verdict:?}");
    verdict
}

#[track_caller]
fn agents_are_gated(verb: &str) {
    for credential in AGENTS {
        let verdict = rule(request(credential, verb), "agents-need-a-person");
        assert!(verdict.is_gate(), "{verdict:?}");
    }
}

#[track_caller]
fn agents_are_allowed(verb: &str) {
    for credential in AGENTS {
        let verdict = verdict(request(credential, verb));
        assert!(verdict.is_allow(), "{verdict:?}");
    }
}

fn secret(credential: Credential, verb: &str) -> RequestBuilder {
    request(credential, verb)
        .workspace("anchor")
        .resource("secret", "anchor/KEY")
        .resource_property("scope", "workspace")
        .resource_property("workspace", "anchor")
        .action_property("key", "KEY")
}

#[test]
fn agents_need_a_person_to_mint_organisation_tokens() {
    agents_are_gated("org_token_mint");
}

#[test]
fn agents_need_a_person_to_revoke_what_others_minted_and_nobody_for_their_own_lineage() {
    agents_are_gated("org_token_revoke");
    for credential in AGENTS {
        let token = request(credential, "org_token_revoke").resource("org-token", "t");
        rule(
            token.clone().resource_property("own-lineage", false),
            "agents-need-a-person",
        );
        assert!(rule(token.resource_property("own-lineage", true), "own-lineage").is_allow());
    }
}

#[test]
fn agents_need_a_person_to_write_secrets_and_cannot_write_their_own_workspaces() {
    agents_are_gated("secret_write");
    for credential in AGENTS {
        assert!(rule(secret(credential, "secret_write"), "own-secret").is_deny());
        rule(
            secret(credential, "secret_write").workspace("other"),
            "agents-need-a-person",
        );
        let global = request(credential, "secret_write")
            .workspace("anchor")
            .resource("secret", "global/KEY")
            .resource_property("scope", "global");
        rule(global, "agents-need-a-person");
    }
}

#[test]
fn a_refused_secret_comes_with_the_next_step() {
    let verdict = verdict(secret(Credential::AdminToken, "secret_write"));
    let advice = verdict
        .ground()
        .and_then(|ground| ground.details.as_slice().text("advice"));
    assert_eq!(advice, Some("set env or config instead"));
}

#[test]
fn agents_need_a_person_to_delete_secrets_their_own_included() {
    agents_are_gated("secret_delete");
    rule(
        secret(Credential::AdminToken, "secret_delete"),
        "agents-need-a-person",
    );
}

#[test]
fn agents_list_secrets() {
    agents_are_allowed("secret_list");
}

#[test]
fn secret_values_are_for_the_workspaces_own_token_only() {
    for credential in CREDENTIALS {
        let own = request(credential, "secret_read")
            .workspace("w")
            .resource("workspace", "w");
        let verdict = verdict(own.clone());
        assert_eq!(
            verdict.is_allow(),
            credential == Credential::WorkspaceToken,
            "{verdict:?}"
        );
        rule(own.workspace("other"), "secret-values");
    }
    let values = request(Credential::OrgToken, "secret_list").action_property("values", true);
    rule(values, "secret-values");
}

#[test]
fn agents_create_workspaces() {
    agents_are_allowed("workspace_create");
}

#[test]
fn agents_need_a_person_to_move_a_workspace_and_nobody_to_rename_it() {
    for credential in AGENTS {
        let update = request(credential, "workspace_update").resource("workspace", "w");
        let fields = |fields: [&str; 2]| update.clone().action_property("fields", fields);
        assert!(rule(fields(["name", "status"]), "stays-in-place").is_allow());
        rule(fields(["name", "parent_id"]), "agents-need-a-person");
        rule(
            update.clone().action_property("parent", "p"),
            "agents-need-a-person",
        );
    }
}

#[test]
fn agents_need_a_person_to_delete_a_workspace() {
    agents_are_gated("delete_workspace");
}

#[test]
fn agents_need_a_person_to_mint_workspace_tokens_but_not_for_their_own_rotation() {
    agents_are_gated("workspace_token_mint");
    for credential in AGENTS {
        let own = request(credential, "workspace_token_mint")
            .workspace("w")
            .resource("workspace", "w")
            .resource_property("own", true);
        let expected = match credential {
            Credential::WorkspaceToken => "own-rotation",
            _ => "agents-need-a-person",
        };
        rule(own, expected);
    }
}

#[test]
fn agents_revoke_workspace_tokens() {
    agents_are_allowed("workspace_token_revoke");
}

#[test]
fn agents_need_a_person_to_deprovision() {
    agents_are_gated("deprovision");
}

#[test]
fn agents_read_what_is_not_for_people_only() {
    for verb in [
        "org_token_list",
        "workspace_list",
        "workspace_read",
        "approval_list",
        "policy_read",
    ] {
        agents_are_allowed(verb);
    }
}

#[test]
fn only_people_read_the_audit_and_the_decisions() {
    for verb in ["audit_read", "decision_read"] {
        for credential in AGENTS {
            assert!(rule(request(credential, verb), "people-only").is_deny());
        }
        assert!(verdict(request(Credential::VerifiedSession, verb)).is_allow());
    }
}

#[test]
fn no_module_is_the_judge_of_the_cores_own_verbs() {
    for verb in [
        "policy_push",
        "policy_activate",
        "policy_rollback",
        "approval_decide",
    ] {
        for credential in CREDENTIALS {
            assert!(rule(request(credential, verb), "core-only").is_deny());
        }
    }
}

#[test]
fn an_unknown_verb_is_denied_to_everybody() {
    for credential in CREDENTIALS {
        for verb in ["", "org_token_mint2", "ORG_TOKEN_MINT", "make_coffee"] {
            assert!(rule(request(credential, verb), "unknown-verb").is_deny());
        }
    }
}

#[test]
fn people_do_everything_but_read_secret_values() {
    for &verb in Verb::ALL {
        if verb.is_core_only() {
            continue;
        }
        let verdict = verdict(request(Credential::VerifiedSession, verb.name()));
        assert_eq!(
            verdict.is_allow(),
            verb != Verb::SecretRead,
            "{verb:?}: {verdict:?}"
        );
    }
}

#[test]
fn the_provisioner_does_what_provisioning_takes_and_nothing_else() {
    let provisioning = [
        "workspace_create",
        "workspace_token_mint",
        "secret_write",
        "org_token_mint",
    ];
    for &verb in Verb::ALL {
        let verdict = verdict(request(Credential::Provisioner, verb.name()));
        assert_eq!(
            verdict.is_allow(),
            provisioning.contains(&verb.name()),
            "{verb:?}: {verdict:?}"
        );
        assert!(!verdict.is_gate(), "{verb:?}: {verdict:?}");
    }
}

#[test]
fn a_vouched_subject_does_nothing_privileged() {
    for &verb in Verb::ALL {
        let asked = request(Credential::Vouched, verb.name());
        let privileged = asked.clone().build().is_privileged();
        let verdict = verdict(asked);
        assert!(!verdict.is_gate(), "{verb:?}: {verdict:?}");
        assert!(!(privileged && verdict.is_allow()), "{verb:?}: {verdict:?}");
    }
    assert!(verdict(request(Credential::Vouched, "workspace_list")).is_allow());
    rule(
        request(Credential::Vouched, "org_token_mint"),
        "vouched-scope",
    );
}

#[test]
fn nobody_and_anybody_unknown_do_nothing() {
    for credential in [Credential::Anonymous, Credential::Other] {
        for &verb in Verb::ALL {
            let verdict = verdict(request(credential, verb.name()));
            assert!(verdict.is_deny(), "{verb:?}: {verdict:?}");
        }
    }
}

#[test]
fn a_class_that_the_credential_does_not_bear_out_opens_nothing() {
    use CallerClass::{Agent, Human, Service, Unknown};
    let baseline: Baseline = configured(&[]);
    for credential in CREDENTIALS {
        for class in [Human, Agent, Service, Unknown] {
            let verdict = request(credential, "org_token_mint")
                .class(class)
                .judged_by(&baseline);
            let opens = matches!(
                (credential, class),
                (Credential::VerifiedSession, Human) | (Credential::Provisioner, Service)
            );
            assert_eq!(
                verdict.is_allow(),
                opens,
                "{credential:?} as {class:?}: {verdict:?}"
            );
        }
    }
}

#[test]
fn programs_never_get_more_than_people_but_for_a_workspaces_own_values() {
    for &verb in Verb::ALL {
        let people = verdict(request(Credential::VerifiedSession, verb.name()));
        for credential in AGENTS {
            let agent = verdict(request(credential, verb.name()));
            assert!(
                !agent.is_allow() || people.is_allow(),
                "{verb:?}: {agent:?}"
            );
        }
    }
}

#[test]
fn the_baseline_never_abstains() {
    for credential in CREDENTIALS {
        for &verb in Verb::ALL {
            assert!(verdict(request(credential, verb.name())) != Verdict::Abstain);
        }
    }
}

#[test]
fn a_role_changes_nothing_here_because_the_host_narrows_first() {
    for role in [
        Role::None,
        Role::Reader,
        Role::Editor,
        Role::Admin,
        Role::Other,
    ] {
        rule(
            request(Credential::OrgToken, "org_token_mint").role(role),
            "agents-need-a-person",
        );
    }
}
