//! Policies, and their change by people.

use super::super::policies::{ActivateBody, RollbackBody};
use super::operation::{Callers, Operation};
use super::schema::{
    count, flag, instant, list, map, object, or_null, part, shared, text, word, words,
};

pub(super) fn operations() -> Vec<Operation> {
    let changed = object(&[("generation", count()), ("live", flag())]);
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
        Operation::post("/policies/generations", "Makes a set of policies live.")
            .only_for(Callers::People)
            .takes::<ActivateBody>()
            .answers(
                200,
                "It is recorded, and live here if `live` says so.",
                changed.clone(),
            )
            .refuses(400, &["policy_refused"])
            .refuses(404, &["not_found"])
            .refuses(409, &["no_change", "ambiguous_version", "policies_moved"]),
        Operation::post(
            "/policies/rollback",
            "Makes an earlier generation's set live again.",
        )
        .only_for(Callers::People)
        .takes::<RollbackBody>()
        .answers(
            200,
            "It is recorded, and live here if `live` says so.",
            changed,
        )
        .refuses(400, &["policy_refused"])
        .refuses(404, &["not_found"])
        .refuses(409, &["no_change", "ambiguous_version", "policies_moved"]),
        Operation::put(
            "/policies/{name}",
            "Keeps a version of a policy, which decides nothing yet.",
        )
        .only_for(Callers::People)
        .takes_a_component()
        .answers(201, "It is kept.", shared("Module"))
        .refuses(400, &["policy_refused"])
        .refuses(409, &["version_taken"]),
        Operation::get(
            "/policies/{name}/versions",
            "Lists the versions of a policy that are kept.",
        )
        .answers(200, "The versions.", versions)
        .refuses(404, &["not_found"]),
    ]
}

fn settings() -> serde_json::Value {
    map(list(text()))
}

fn live() -> serde_json::Value {
    let module = object(&[
        ("name", text()),
        ("version", text()),
        ("digest", text()),
        ("description", text()),
        ("mode", word("enforce")),
        ("runs", words(&["snapshot", "reconfigured"])),
        ("settings", settings()),
        ("classifier", flag()),
    ]);
    let problem = object(&[("file", or_null(text())), ("sentence", text())]);
    object(&[
        ("generation", count()),
        ("modules", list(module)),
        ("problems", list(problem)),
    ])
}

fn generation() -> serde_json::Value {
    let module = object(&[
        ("name", text()),
        ("version", text()),
        ("digest", text()),
        ("settings", settings()),
        ("file?", text()),
    ]);
    object(&[
        ("number", count()),
        ("at", instant()),
        ("by", text()),
        ("summary", text()),
        ("modules", list(module)),
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
