//! Workspaces.

use countersign_core::workspace::MAX_NAME;
use serde_json::json;

use super::super::workspaces::{CreateBody, UpdateBody};
use super::operation::Operation;
use super::schema::{list, object, shared, uuid, word};

pub(super) fn operations() -> Vec<Operation> {
    let (all, one) = ("/workspaces", "/workspaces/{workspace}");
    let confirm = json!({ "type": "boolean", "default": false });
    let removed = object(&[
        ("status", word("removed")),
        ("id", uuid()),
        ("removed", list(uuid())),
    ]);
    vec![
        Operation::get(all, "Lists the workspaces that stand.").answers(
            200,
            "The workspaces.",
            list(shared("Workspace")),
        ),
        Operation::post(all, "Creates a workspace.")
            .takes::<CreateBody>()
            .bound("name", json!({ "maxLength": MAX_NAME, "minLength": 1 }))
            .bound("parent_id", json!({ "format": "uuid" }))
            .answers(201, "It is created.", shared("Workspace"))
            .refuses(429, &["too_many_workspaces"]),
        Operation::get(one, "Reads a workspace.").answers(
            200,
            "The workspace.",
            shared("Workspace"),
        ),
        Operation::new(
            "PATCH",
            one,
            "Renames a workspace, or moves it below another one.",
        )
        .takes::<UpdateBody>()
        .bound("name", json!({ "maxLength": MAX_NAME, "minLength": 1 }))
        .bound("parent_id", json!({ "format": "uuid" }))
        .answers(200, "It is changed.", shared("Workspace")),
        Operation::delete(
            one,
            "Removes a workspace and all below it, revokes their tokens and removes their secrets.",
        )
        .query(
            "confirm",
            confirm,
            "Whether those below it may fall with it.",
        )
        .answers(200, "They are removed.", removed)
        .refuses(403, &["approval_anchor"])
        .refuses(409, &["confirmation_required"]),
    ]
}
