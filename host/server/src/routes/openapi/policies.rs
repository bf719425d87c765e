//! Policies, and their change by people.

use countersign_core::generation::Mode;
use countersign_core::history::Effect;
use countersign_core::policy::CallerClass;
use countersign_core::strictness::Change;
use countersign_engine::FailureKind;

use super::super::call::MAX_WAIT;
use super::super::policies::{ActivateBody, ModeBody};
use super::super::policy_pins::PinBody;
use super::super::rollback::RollbackBody;
use super::history::{opinion, ruling};
use super::operation::{Callers, Operation};
use super::schema::{
    count, flag, instant, list, map, object, or_null, part, shared, text, uuid, wait, words,
};

/// Why the policies are not changed as somebody asks.
const CHANGES: &[&str] = &[
    "no_change",
    "ambiguous_version",
    "policies_moved",
    "policy_pinned",
    "generation_not_genuine",
];

pub(super) fn operations() -> Vec<Operation> {
    let versions = object(&[("name", text()), ("versions", list(version()))]);
    vec![
        Operation::get(
            "/policies",
            "Says which policies are live, and what is wrong with others.",
        )
        .answers(200, "The live generation.", live()),
        Operation::get(
            "/policies/generations",
            "Lists the sets of policies that were live, the newest first.",
        )
        .paged()
        .answers(
            200,
            "A part of the list.",
            part("generations", list(generation())),
        ),
        compares(Operation::post("/policies/generations", "Makes a set of policies live.")
            .takes::<ActivateBody>()),
        changes(Operation::post(
            "/policies/rollback",
            "Makes an earlier generation's set live again.",
        )
        .takes::<RollbackBody>()),
        Operation::put(
            "/policies/{name}",
            "Keeps a version of a policy, which decides nothing yet.",
        )
        .only_for(Callers::People)
        .takes_a_component()
        .header(
            "Policy-Signature",
            text(),
            "The component's signature: the text of a minisign `.minisig` file, in base64.",
        )
        .answers(201, "It is kept, and so signed.", kept())
        .refuses(400, &["policy_refused"])
        .refuses(409, &["version_taken"]),
        compares(Operation::put(
            "/policies/{name}/mode",
            "Says whether a policy decides, or is only asked.",
        )
        .takes::<ModeBody>()),
        compares(Operation::put(
            "/policies/{name}/pin",
            "Has a policy stay as it is, whatever the folder holds.",
        )
        .takes::<PinBody>()),
        compares(Operation::delete("/policies/{name}/pin", "Lets go of a policy that stays.")),
        Operation::get(
            "/policies/generations/{number}/differences",
            "Lists the decisions that the policies in shadow would have made otherwise, the newest first.",
        )
        .paged()
        .query("kind", count(), "Only those of the kind with this number.")
        .answers(
            200,
            "All kinds of differences with how many there are of each, and a part of the list.",
            differences(),
        )
        .refuses(404, &["not_found"]),
        Operation::get(
            "/policies/{name}/versions",
            "Lists the versions of a policy that are kept.",
        )
        .answers(200, "The versions.", versions)
        .refuses(404, &["not_found"]),
    ]
}

/// What is compared with what decides before it is made.
fn compares(operation: Operation) -> Operation {
    changes(operation)
        .query(
            "wait",
            wait(MAX_WAIT),
            "So many seconds the answer is held for the comparison, which goes on after that as well.",
        )
        .refuses(503, &["comparing"])
}

/// What changes which policies are live, and so is for people, and answered alike.
fn changes(operation: Operation) -> Operation {
    let changed = object(&[("generation", count()), ("live", flag())]);
    operation
        .only_for(Callers::People)
        .answers(
            200,
            "It is recorded, and live here if `live` says so.",
            changed,
        )
        .refuses(400, &["policy_refused"])
        .refuses(404, &["not_found"])
        .refuses(409, CHANGES)
}

fn settings() -> serde_json::Value {
    map(list(text()))
}

/// Who signed a module, as far as a trusted key says so.
fn signature() -> serde_json::Value {
    object(&[
        ("key_id", or_null(text())),
        ("name", or_null(text())),
        ("trusted", flag()),
        ("comment", text()),
    ])
}

fn kept() -> serde_json::Value {
    object(&[
        ("name", text()),
        ("version", text()),
        ("digest", text()),
        ("signatures", list(signature())),
    ])
}

fn live() -> serde_json::Value {
    let module = object(&[
        ("name", text()),
        ("version", text()),
        ("digest", text()),
        ("description", or_null(text())),
        ("mode", words(Mode::ALL)),
        ("runs", or_null(words(&["snapshot", "reconfigured"]))),
        ("settings", settings()),
        ("classifier", flag()),
        ("signatures", list(signature())),
        ("built_in", flag()),
        ("pinned?", pinned()),
        ("failures", failures()),
        ("last_error", or_null(text())),
    ]);
    let problem = object(&[("file", or_null(text())), ("sentence", text())]);
    let candidate = object(&[
        ("state", words(&["compared", "waits", "denied"])),
        ("summary?", text()),
        ("approval_id?", uuid()),
        ("approve_url?", text()),
        ("loosens?", count()),
        ("tightens?", count()),
        ("broken?", count()),
        ("sentence?", text()),
    ]);
    object(&[
        ("generation", count()),
        ("modules", list(module)),
        ("shadow", or_null(counts())),
        ("folder", words(&["reviewed", "trusted"])),
        ("candidate", or_null(candidate)),
        ("problems", list(problem)),
    ])
}

/// By whom, and since which generation.
fn pinned() -> serde_json::Value {
    object(&[("by", text()), ("since", count())])
}

/// How often a module failed since this host started: while it decided, or was in shadow.
fn failures() -> serde_json::Value {
    object(&[
        ("count", count()),
        ("last_kind", or_null(words(&FailureKind::ALL))),
        ("last_at", or_null(instant())),
    ])
}

fn generation() -> serde_json::Value {
    let module = object(&[
        ("name", text()),
        ("version", text()),
        ("digest", text()),
        ("settings", settings()),
        ("file?", text()),
        ("pinned?", pinned()),
    ]);
    object(&[
        ("number", count()),
        ("at", instant()),
        ("by", text()),
        ("summary", text()),
        ("modules", list(module.clone())),
        ("shadow", list(module)),
        ("genuine", flag()),
        ("shadow_counts?", counts()),
        ("approval?", uuid()),
    ])
}

/// What came of the policies in shadow.
fn counts() -> serde_json::Value {
    object(&[
        ("asked", count()),
        ("looser", count()),
        ("mixed", count()),
        ("tighter", count()),
        ("reworded", count()),
        ("missed", count()),
    ])
}

fn differences() -> serde_json::Value {
    let gist = object(&[
        ("class", words(CallerClass::ALL)),
        ("effect", words(Effect::ALL)),
        ("rule", text()),
        ("policy", text()),
    ]);
    let kind = object(&[
        ("kind", count()),
        ("verb", shared("Verb")),
        ("change", words(Change::ALL)),
        ("was", gist.clone()),
        ("would_be", gist.clone()),
        ("count", count()),
        ("last_decision_id", uuid()),
    ]);
    let difference = object(&[
        ("decision_id", uuid()),
        ("verb", shared("Verb")),
        ("change", words(Change::ALL)),
        ("was", gist),
        ("class", words(CallerClass::ALL)),
        ("effect", words(&["allow", "gate", "deny"])),
        ("rule", text()),
        ("reason", text()),
        ("policy", text()),
        ("ruling", ruling()),
        ("opinions", list(opinion())),
    ]);
    object(&[
        ("generation", count()),
        ("kinds", list(kind)),
        ("differences", list(difference)),
        ("next_cursor", or_null(text())),
    ])
}

fn version() -> serde_json::Value {
    object(&[
        ("name", text()),
        ("version", text()),
        ("digest", text()),
        ("at", instant()),
        ("by", text()),
        ("generations?", list(count())),
    ])
}
