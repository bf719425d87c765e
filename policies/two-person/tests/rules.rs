//! What takes how many people, and who counts.

use countersign_policy::prelude::*;
use countersign_policy::testing::{RequestBuilder, configured, request, settings};
use countersign_two_person::TwoPerson;

type Given<'g> = &'g [(&'g str, &'g [&'g str])];

fn people(given: Given<'_>, asked: RequestBuilder) -> u32 {
    match asked.judged_by(&configured::<TwoPerson>(given)) {
        Verdict::Gate(terms) => {
            assert_eq!(terms.ground.rule, "two-person");
            assert_eq!(terms.quorums.len(), 1);
            terms.quorums[0].people
        }
        verdict => panic!("expected a gate, found {verdict:?}"),
    }
}

fn agent() -> RequestBuilder {
    request(Credential::OrgToken, "deprovision")
}

fn person() -> RequestBuilder {
    request(Credential::VerifiedSession, "deprovision")
}

#[test]
fn an_agent_needs_two_people_and_a_person_another_one() {
    assert_eq!(people(&[], agent()), 2);
    assert_eq!(people(&[], person()), 1);
    let provisioner = request(Credential::Provisioner, "delete_workspace");
    assert_eq!(people(&[], provisioner), 2);
}

#[test]
fn a_person_needs_two_others_where_the_asker_does_not_count() {
    let given: Given<'_> = &[("count_the_asker", &["false"])];
    assert_eq!(people(given, person()), 2);
    assert_eq!(people(given, agent()), 2);
}

#[test]
fn a_person_needs_another_one_at_least() {
    assert_eq!(people(&[("approvers", &["1"])], person()), 1);
    assert_eq!(people(&[("approvers", &["1"])], agent()), 1);
    assert_eq!(people(&[("approvers", &["9"])], person()), 8);
}

#[test]
fn who_is_in_none_of_the_groups_does_not_count() {
    let given: Given<'_> = &[("groups", &["security", "operations"])];
    assert_eq!(people(given, person()), 2);
    let member = |groups: [&str; 2]| person().caller_property("groups", groups);
    assert_eq!(people(given, member(["sales", "operations"])), 1);
    assert_eq!(people(given, member(["sales", "Operations"])), 2);
    // A group is a group where it is in a list of them.
    assert_eq!(
        people(given, person().caller_property("groups", "security")),
        2
    );
}

#[test]
fn a_program_counts_for_nobody_whatever_it_is_taken_for() {
    assert_eq!(people(&[], agent().class(CallerClass::Human)), 2);
    assert_eq!(people(&[], person().class(CallerClass::Agent)), 2);
}

#[test]
fn who_has_no_credential_of_this_host_is_refused_at_once() {
    for credential in [
        Credential::Anonymous,
        Credential::Vouched,
        Credential::Other,
    ] {
        let verdict = request(credential, "deprovision").judged_by(&configured::<TwoPerson>(&[]));
        assert!(verdict.is_deny(), "{verdict:?}");
    }
}

#[test]
fn it_abstains_from_everything_else() {
    let two_person: TwoPerson = configured(&[]);
    for &verb in Verb::ALL {
        let is_about = matches!(verb, Verb::Deprovision | Verb::DeleteWorkspace);
        for credential in [Credential::OrgToken, Credential::VerifiedSession] {
            let verdict = request(credential, verb.name()).judged_by(&two_person);
            assert_eq!(verdict.is_gate(), is_about, "{verb:?}");
            assert_eq!(verdict == Verdict::Abstain, !is_about, "{verb:?}");
        }
    }
    let unknown = request(Credential::OrgToken, "make_coffee").judged_by(&two_person);
    assert_eq!(unknown, Verdict::Abstain);
}

#[test]
fn the_verbs_the_groups_and_the_lives_are_settings() {
    let two_person: TwoPerson = configured(&[
        ("verbs", &["secret_write"]),
        ("approvers", &["3"]),
        ("groups", &["security"]),
        ("pending_ttl_seconds", &["600"]),
        ("grant_ttl_seconds", &["60"]),
    ]);
    let verdict = request(Credential::OrgToken, "secret_write").judged_by(&two_person);
    let Verdict::Gate(terms) = verdict else {
        panic!("expected a gate")
    };
    assert_eq!(terms.quorums[0].people, 3);
    assert_eq!(terms.quorums[0].groups, ["security"]);
    assert_eq!((terms.pending_ttl, terms.grant_ttl), (Some(600), Some(60)));
    assert_eq!(
        terms.ground.reason,
        "this takes 3 people, each of: security"
    );
    let removal = request(Credential::OrgToken, "deprovision").judged_by(&two_person);
    assert_eq!(removal, Verdict::Abstain);
}

#[test]
fn a_mistake_is_named_in_a_sentence() {
    let cases: [(Given<'_>, &str); 4] = [
        (
            &[("verbs", &[])],
            "the setting `verbs` is empty, so that nothing would take several people; \
             leave it out for `deprovision` and `delete_workspace`, or take the module away",
        ),
        (
            &[("verbs", &["delete_workspaces"])],
            "the setting `verbs` names `delete_workspaces`, which is not a verb; \
             did you mean `delete_workspace`?",
        ),
        (
            &[("approvers", &["two"])],
            "the setting `approvers` is a number from 1 to 9, not `two`",
        ),
        (
            &[("count_the_asker", &["no"])],
            "the setting `count_the_asker` is `true` or `false`, not `no`",
        ),
    ];
    for (given, expected) in cases {
        let refusal = countersign_policy::configure::<TwoPerson>(&settings(given));
        assert_eq!(refusal.expect_err("INVARIANT: each is a mistake"), expected);
    }
}
