//! Decisions and the audit log.

use countersign_core::decision::Outcome;
use countersign_core::policy::{CallerClass, Credential, Role};
use countersign_core::tally::TallyScope;
use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    any, count, flag, instant, list, map, object, or_null, part, shared, text, uuid, word, words,
};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/decisions", "Lists decisions, the newest first.")
            .paged()
            .query(
                "whole",
                flag(),
                "Whether each is as whole as `/decisions/{id}` has it.",
            )
            .answers(
                200,
                "A part of the list.",
                part("decisions", list(listed())),
            ),
        Operation::get(
            "/decisions/{id}",
            "Reads a decision: what was asked, what each policy said, and what came of it.",
        )
        .answers(200, "The decision.", whole()),
        Operation::get("/audit", "Lists what happened, the newest first.")
            .paged()
            .answers(200, "A part of the list.", part("entries", list(entry()))),
        Operation::get(
            "/audit/verify",
            "Says whether the audit log is whole, and signs where it ends.",
        )
        .answers(200, "What was found.", verified()),
    ]
}

fn summary() -> Vec<(&'static str, Value)> {
    vec![
        ("id", uuid()),
        ("at", instant()),
        ("actor", text()),
        ("class", words(CallerClass::ALL)),
        ("verb", shared("Verb")),
        ("digest", text()),
        ("effect", words(&["allow", "gate", "deny"])),
        ("rule", text()),
        ("reason", text()),
        ("policy", text()),
        ("policy_generation", count()),
        ("outcome", words(Outcome::ALL)),
        ("approval_id", or_null(uuid())),
        ("duration_us?", count()),
    ]
}

fn whole() -> Value {
    let mut members = summary();
    members.extend(asked_and_said(["question", "opinions", "ruling"]));
    object(&members)
}

/// As a list has it, where the rest is there if it is asked for.
fn listed() -> Value {
    let mut members = summary();
    members.extend(asked_and_said(["question?", "opinions?", "ruling?"]));
    object(&members)
}

/// What policies were asked, what they said, and what stands, under these names.
fn asked_and_said(names: [&'static str; 3]) -> [(&'static str, Value); 3] {
    let [asked, said, stands] = names;
    [
        (asked, or_null(question())),
        (said, list(opinion())),
        (stands, ruling()),
    ]
}

fn properties() -> Value {
    let value = map(any());
    list(object(&[("name", text()), ("value", value)]))
}

fn entity() -> Value {
    object(&[
        ("kind", text()),
        ("id", text()),
        ("properties", properties()),
    ])
}

/// What policies were told.
fn question() -> Value {
    let subject = object(&[
        ("credential", words(Credential::ALL)),
        ("principal", text()),
        ("role", words(Role::ALL)),
        ("actor", text()),
        ("workspace", text()),
        ("entity", entity()),
        ("properties", properties()),
    ]);
    let tally = object(&[
        ("scope", words(TallyScope::ALL)),
        ("verbs", list(shared("Verb"))),
        ("window_seconds", count()),
        ("count", count()),
    ]);
    object(&[
        ("subject", subject),
        ("verb", shared("Verb")),
        ("arguments", properties()),
        ("resource", entity()),
        ("time", count()),
        ("tallies", list(tally)),
        ("context", properties()),
    ])
}

fn ground() -> Value {
    object(&[
        ("rule", text()),
        ("reason", text()),
        ("details?", properties()),
    ])
}

fn terms() -> Value {
    let quorum = object(&[("people", count()), ("groups?", list(text()))]);
    object(&[
        ("ground", ground()),
        ("quorums", list(quorum)),
        ("pending_ttl", or_null(count())),
        ("grant_ttl", or_null(count())),
    ])
}

/// What a policy answered, or why it did not.
pub(super) fn opinion() -> Value {
    let verdict = json!({ "anyOf": [
        word("abstain"),
        object(&[("allow", ground())]),
        object(&[("gate", terms())]),
        object(&[("deny", ground())]),
    ]});
    let one = |member| {
        object(&[
            ("module", shared("Module")),
            member,
            ("notes?", list(text())),
            ("duration_us?", count()),
        ])
    };
    json!({ "anyOf": [one(("verdict", verdict)), one(("failure", text()))] })
}

pub(super) fn ruling() -> Value {
    json!({ "anyOf": [
        object(&[("effect", words(&["allow", "deny"])), ("ground", ground()), ("policy", text())]),
        object(&[("effect", word("gate")), ("terms", terms()), ("policy", text())]),
    ]})
}

fn entry() -> Value {
    object(&[
        ("seq", count()),
        ("at", instant()),
        ("kind", text()),
        ("actor", text()),
        ("detail", map(any())),
        ("previous", text()),
        ("hash", text()),
    ])
}

fn verified() -> Value {
    let head = object(&[
        ("seq", count()),
        ("hash", text()),
        ("at", instant()),
        ("public_key", text()),
        ("signature", text()),
    ]);
    object(&[
        ("whole", flag()),
        ("entries?", count()),
        ("broken?", text()),
        ("head?", head),
        ("public_key", text()),
    ])
}
