//! What must hold of the expected answers themselves, whoever wrote them: the verb table of the HTTP
//! contract and the words of `docs/vocabulary.md`, transcribed once more and independently of any
//! policy's code.

use countersign_core::exhaustive::Row;
use countersign_core::policy::{CallerClass, Credential, Role};
use countersign_core::verb::Verb;
use countersign_lab::table::{Answer, Effect, Table};

use super::TABLE;

const AGENTS: [Credential; 3] = [
    Credential::OrgToken,
    Credential::AdminToken,
    Credential::WorkspaceToken,
];

/// Every row that `concerns` says must be answered with what `expected` says.
#[track_caller]
fn answered(concerns: impl Fn(&Row) -> bool, expected: impl Fn(&Row) -> Effect) {
    every(concerns, |row, answer| {
        let expected = expected(row);
        (answer.effect == expected)
            .then_some(())
            .ok_or(format!("must {expected}"))
    });
}

/// Every row that `concerns` names must satisfy `holds`; there must be such rows.
#[track_caller]
fn every(concerns: impl Fn(&Row) -> bool, holds: impl Fn(&Row, &Answer) -> Result<(), String>) {
    let table: &Table = &TABLE;
    let mut concerned = 0;
    for (row, answer) in table.iter().filter(|(row, _)| concerns(row)) {
        concerned += 1;
        if let Err(rule) = holds(row, answer) {
            panic!("`{}` is answered `{answer}`, and {rule}", row.key());
        }
    }
    assert_ne!(concerned, 0, "no row is concerned: the rule checks nothing");
}

fn is_agent(row: &Row) -> bool {
    AGENTS.contains(&row.credential)
}

fn is_person(row: &Row) -> bool {
    row.credential == Credential::VerifiedSession
}

fn has(row: &Row, flag: &str) -> bool {
    row.flags.contains(&flag)
}

/// The same row, but for one thing.
fn but(row: &Row, change: impl FnOnce(&mut Row)) -> Answer {
    let mut other = row.clone();
    change(&mut other);
    match TABLE.get(&other) {
        Some(answer) => answer.clone(),
        None => panic!("`{}` is not in the table", other.key()),
    }
}

/// The vocabulary's list of privileged verbs.
fn is_privileged(row: &Row) -> bool {
    match row.verb {
        Verb::OrgTokenMint
        | Verb::SecretWrite
        | Verb::SecretDelete
        | Verb::DeleteWorkspace
        | Verb::Deprovision => true,
        Verb::OrgTokenRevoke => !has(row, "own"),
        Verb::WorkspaceUpdate => has(row, "moves"),
        Verb::WorkspaceTokenMint => {
            !(row.credential == Credential::WorkspaceToken && has(row, "own"))
        }
        _ => false,
    }
}

fn is_for_people_only(row: &Row) -> bool {
    matches!(row.verb, Verb::AuditRead | Verb::DecisionRead)
}

#[test]
fn agents_get_for_each_verb_what_the_http_contract_promises() {
    answered(is_agent, |row| match row.verb {
        Verb::SecretRead => match row.credential {
            Credential::WorkspaceToken if has(row, "self") => Effect::Allow,
            _ => Effect::Deny,
        },
        Verb::AuditRead | Verb::DecisionRead => Effect::Deny,
        Verb::SecretWrite if has(row, "self") => Effect::Deny,
        _ if is_privileged(row) => Effect::Gate,
        _ => Effect::Allow,
    });
}

#[test]
fn no_agent_does_anything_privileged_without_a_person() {
    every(
        |row| is_agent(row) && is_privileged(row),
        |_, answer| {
            (answer.effect >= Effect::Gate)
                .then_some(())
                .ok_or("it is privileged".to_owned())
        },
    );
}

#[test]
fn agents_never_write_secrets_of_the_workspace_that_they_act_from() {
    answered(
        |row| is_agent(row) && row.verb == Verb::SecretWrite && has(row, "self"),
        |_| Effect::Deny,
    );
}

#[test]
fn agents_revoke_what_their_own_lineage_minted_and_ask_for_the_rest() {
    answered(
        |row| is_agent(row) && row.verb == Verb::OrgTokenRevoke,
        |row| {
            if has(row, "own") {
                Effect::Allow
            } else {
                Effect::Gate
            }
        },
    );
}

#[test]
fn only_a_workspaces_own_token_rotates_without_a_person() {
    answered(
        |row| is_agent(row) && row.verb == Verb::WorkspaceTokenMint,
        |row| match row.credential {
            Credential::WorkspaceToken if has(row, "own") => Effect::Allow,
            _ => Effect::Gate,
        },
    );
}

#[test]
fn secret_values_are_read_by_a_workspaces_own_token_and_by_nothing_else() {
    answered(
        |row| row.verb == Verb::SecretRead,
        |row| {
            let own = row.credential == Credential::WorkspaceToken && has(row, "self");
            if own { Effect::Allow } else { Effect::Deny }
        },
    );
}

#[test]
fn the_record_of_what_was_decided_is_for_people_only() {
    answered(is_for_people_only, |row| {
        if is_person(row) {
            Effect::Allow
        } else {
            Effect::Deny
        }
    });
}

#[test]
fn people_need_nobody_for_anything_but_secret_values() {
    answered(
        |row| is_person(row) && row.verb != Verb::SecretRead,
        |_| Effect::Allow,
    );
}

#[test]
fn the_provisioner_has_four_verbs_and_no_other() {
    answered(
        |row| row.credential == Credential::Provisioner,
        |row| match row.verb {
            Verb::WorkspaceCreate
            | Verb::WorkspaceTokenMint
            | Verb::SecretWrite
            | Verb::OrgTokenMint => Effect::Allow,
            _ => Effect::Deny,
        },
    );
}

#[test]
fn whoever_did_not_prove_who_it_is_gets_nothing() {
    answered(
        |row| matches!(row.credential, Credential::Anonymous | Credential::Other),
        |_| Effect::Deny,
    );
}

#[test]
fn a_subject_that_others_vouch_for_does_nothing_privileged_and_waits_for_nobody() {
    answered(
        |row| row.credential == Credential::Vouched,
        |row| match row.verb {
            Verb::SecretRead | Verb::AuditRead | Verb::DecisionRead => Effect::Deny,
            _ if is_privileged(row) => Effect::Deny,
            _ => Effect::Allow,
        },
    );
}

#[test]
fn a_verified_session_is_a_person_and_nothing_else_is() {
    every(
        |_| true,
        |row, answer| {
            let expected = match row.credential {
                Credential::VerifiedSession => CallerClass::Human,
                Credential::OrgToken | Credential::AdminToken | Credential::WorkspaceToken => {
                    CallerClass::Agent
                }
                Credential::Provisioner => CallerClass::Service,
                Credential::Anonymous | Credential::Vouched | Credential::Other => {
                    CallerClass::Unknown
                }
            };
            (answer.class == expected)
                .then_some(())
                .ok_or(format!("must be of class {expected}"))
        },
    );
}

#[test]
fn no_program_gets_more_than_a_person_but_a_workspaces_own_values() {
    every(
        |row| !is_person(row) && row.verb != Verb::SecretRead,
        |row, answer| {
            let person = but(row, |row| row.credential = Credential::VerifiedSession);
            (answer.effect >= person.effect)
                .then_some(())
                .ok_or(format!("a person only gets `{person}`"))
        },
    );
}

#[test]
fn nothing_gets_more_than_an_agent_but_people_and_the_provisioner() {
    every(
        |row| !is_person(row) && !is_agent(row) && row.credential != Credential::Provisioner,
        |row, answer| {
            let agent = but(row, |row| row.credential = Credential::OrgToken);
            (answer.effect >= agent.effect)
                .then_some(())
                .ok_or(format!("an agent only gets `{agent}`"))
        },
    );
}

#[test]
fn a_narrower_role_never_gets_more_than_a_wider_one() {
    every(
        |row| row.role != Role::None,
        |row, wider| {
            let role = Role::ALL.iter().rfind(|role| **role < row.role);
            let role = *role.expect("INVARIANT: `none` is below every other role");
            let narrower = but(row, |row| row.role = role);
            (narrower.effect >= wider.effect)
                .then_some(())
                .ok_or(format!("{role} gets `{narrower}`"))
        },
    );
}

#[test]
fn no_flag_loosens_but_own_and_a_workspaces_own_values() {
    every(
        |row| !row.flags.is_empty(),
        |row, answer| {
            for &flag in row.flags.iter().filter(|flag| **flag != "own") {
                if flag == "self" && row.verb == Verb::SecretRead {
                    continue;
                }
                // What is asked for is one of four; nobody gets more for asking for more than nothing.
                let without = but(row, |row| match flag.starts_with("asks-") {
                    true => row.flags[0] = "asks-none",
                    false => row.flags.retain(|other| *other != flag),
                });
                if answer.effect < without.effect {
                    return Err(format!("without `{flag}` it is `{without}`"));
                }
            }
            Ok(())
        },
    );
}

#[test]
fn what_is_asked_for_its_end_and_what_falls_with_it_change_nothing_for_anybody() {
    const PLAIN: [&str; 3] = ["expires", "exists", "descendants"];
    every(
        |row| PLAIN.iter().any(|flag| has(row, flag)) || row.verb == Verb::OrgTokenMint,
        |row, answer| {
            let plain = but(row, |row| {
                row.flags.retain(|flag| !PLAIN.contains(flag));
                if row.verb == Verb::OrgTokenMint {
                    row.flags = vec!["asks-none"];
                }
            });
            (*answer == plain)
                .then_some(())
                .ok_or(format!("plainly it is `{plain}`"))
        },
    );
}

#[test]
fn every_row_is_answered_by_a_named_rule() {
    every(
        |_| true,
        |_, answer| {
            let kebab = |c: char| c.is_ascii_lowercase() || c == '-';
            (answer.effect != Effect::Abstain && answer.rule.chars().all(kebab))
                .then_some(())
                .ok_or("the baseline answers everything, by a kebab-case rule".to_owned())
        },
    );
}

#[test]
fn a_rule_has_one_verdict() {
    let mut verdicts = std::collections::BTreeMap::new();
    for (row, answer) in TABLE.iter() {
        let verdict = verdicts.entry(&answer.rule).or_insert(answer.effect);
        assert_eq!(
            *verdict,
            answer.effect,
            "rule `{}` in `{}`",
            answer.rule,
            row.key()
        );
    }
}
