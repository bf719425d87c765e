//! Approvals.

use serde_json::{Value, json};

use super::super::ahead::{AskBody, Elsewhere, MAX_TASK};
use super::super::approvals::{DecideBody, MAX_REASON};
use super::super::endings::RevokeBody;
use super::operation::{Callers, Operation};
use super::schema::{instant, list, object, or_null, shared, text, uuid, wait};

pub(super) fn operations() -> Vec<Operation> {
    let last = json!({ "type": "integer", "minimum": 0 });
    let of_workspace = "/workspaces/{workspace}/approvals";
    let mut operations = vec![
        part(Operation::get(
            "/approvals/pending",
            "Lists what waits for people: people see all, others their own.",
        )),
        Operation::get(
            "/approvals/{id}",
            "Reads an approval, if wanted once it has changed.",
        )
        .query(
            "wait",
            wait(0),
            "So many seconds the answer is held for a change.",
        )
        .answers(200, "The approval.", shared("Approval")),
        part(Operation::get(
            of_workspace,
            "Lists the approvals that are filed under a workspace, the newest first.",
        )),
        Operation::post(
            of_workspace,
            "Asks people ahead for what `action` and `context` describe; nothing is done.",
        )
        .takes::<AskBody>()
        .bound("action", shared("Verb"))
        .bound("reason", json!({ "maxLength": MAX_REASON }))
        .bound("task_id", json!({ "maxLength": MAX_TASK }))
        .bound("context", context())
        .within::<Elsewhere>()
        .answers(200, "It is approved already.", asked())
        .with_headers(&["Location"])
        .answers(201, "It waits for people.", asked())
        .with_headers(&["Location"])
        .refuses(409, &["approval_not_needed"]),
        Operation::get("/events", "Tells what happens to approvals, as it happens.")
            .header(
                "Last-Event-ID",
                last,
                "The id of the last event that was heard.",
            )
            .answers_as(
                200,
                "Server-sent events of the name `approval`, whose data are each an `ApprovalEvent` in JSON.",
                ("text/event-stream", stream()),
            )
            .with_headers(&["X-Accel-Buffering"])
            .refuses(429, &["too_many_streams"]),
    ];
    for path in [
        "/approvals/{id}/decide",
        "/workspaces/{workspace}/approvals/{id}/decide",
    ] {
        operations.push(decide(path));
    }
    for path in [
        "/approvals/{id}/withdraw",
        "/workspaces/{workspace}/approvals/{id}/withdraw",
    ] {
        operations.push(
            Operation::post(
                path,
                "Takes back a request that is pending, by whoever asked.",
            )
            .answers(200, "It is withdrawn.", shared("ApprovalOutcome"))
            .refuses(403, &["not_the_requester"])
            .refuses(409, &["not_pending"]),
        );
    }
    operations.push(
        Operation::post(
            "/approvals/{id}/revoke",
            "Cancels an approval that is not used yet.",
        )
        .only_for(Callers::People)
        .takes::<RevokeBody>()
        .bound("reason", json!({ "maxLength": MAX_REASON }))
        .answers(200, "It is revoked.", shared("ApprovalOutcome"))
        .refuses(403, &["approver_must_be_human"])
        .refuses(409, &["not_approved"]),
    );
    operations
}

fn decide(path: &'static str) -> Operation {
    Operation::post(path, "Approves or denies what waits.")
        .only_for(Callers::People)
        .takes::<DecideBody>()
        .bound("decision", json!({ "enum": ["approved", "denied"] }))
        .bound("reason", json!({ "maxLength": MAX_REASON }))
        .answers(
            200,
            "It is counted; it may be that more people are needed.",
            shared("ApprovalOutcome"),
        )
        .refuses(
            403,
            &[
                "approver_must_be_human",
                "requester_cannot_approve",
                "approver_must_be_operator",
                "minter_cannot_approve",
            ],
        )
        .refuses(404, &["not_pending"])
        .refuses(409, &["approval_stale", "digest_mismatch"])
}

fn part(operation: Operation) -> Operation {
    operation
        .paged()
        .answers(200, "A part of the list.", list(shared("Approval")))
        .with_headers(&["X-Next-Cursor"])
}

/// What the verb's own route takes in its body, and in path and query.
fn context() -> Value {
    let mut context = shared("Elsewhere");
    context["type"] = json!("object");
    context["description"] = json!(
        "What the body of the verb's own route holds, and beside it what that route takes in path and query."
    );
    context
}

/// OpenAPI 3.1 has no word for what a stream is made of.
fn stream() -> Value {
    json!({ "type": "string", "x-data": shared("ApprovalEvent") })
}

fn asked() -> Value {
    object(&[
        ("approval_id", uuid()),
        ("status", shared("ApprovalState")),
        ("action", shared("Verb")),
        ("reason", text()),
        ("expires_at", or_null(instant())),
        ("poll", text()),
        ("approve_url", text()),
    ])
}
