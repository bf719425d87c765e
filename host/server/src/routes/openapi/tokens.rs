//! Organisation tokens, a workspace's tokens, and the end of both.

use serde_json::json;

use super::super::deprovision::DeprovisionBody;
use super::super::org_tokens::{MAX_DRAIN, MAX_NAME, MintBody};
use super::super::usage::{HOURS, MAX_HOURS};
use super::operation::Operation;
use super::schema::{count, instant, list, object, or_null, shared, text, uuid, word, words};

pub(super) fn operations() -> Vec<Operation> {
    let all = "/org/tokens";
    let drain = json!({ "type": "integer", "minimum": 0, "maximum": MAX_DRAIN, "default": 0 });
    let otherwise = json!({ "type": "boolean", "default": false });
    let mut operations = vec![
        Operation::get(all, "Lists the live organisation tokens, the newest first, at most 500.")
            .answers(
                200,
                "The tokens.",
                object(&[("tokens", list(listed())), ("count", count())]),
            ),
        Operation::post(all, "Mints an organisation token.")
            .takes::<MintBody>()
            .bound("name", json!({ "maxLength": MAX_NAME }))
            .bound("role", json!({ "enum": ["admin", "editor", "reader", null] }))
            .bound("workspace_id", json!({ "format": "uuid" }))
            .bound("expires_at", json!({ "format": "date-time" }))
            .answers(200, "The token, which is shown this once.", minted())
            .refuses(429, &["too_many_mints", "too_many_tokens"]),
        Operation::delete("/org/tokens/{id}", "Revokes an organisation token.")
            .query("drain_seconds", drain, "So long it still works, and every answer to it says so.")
            .query(
                "descendants",
                otherwise,
                "Whether what it minted falls with it, its pending requests and unused grants too.",
            )
            .answers(200, "It is revoked.", revoked()),
        hours(Operation::get(
            "/org/tokens/{id}/usage",
            "Says how often an organisation token was used, hour by hour.",
        ))
        .answers(200, "The hours in which it was used.", shared("Usage")),
        Operation::post(
            "/org/deprovision",
            "Ends the organisation here: revokes every token, removes every workspace and secret, keeps the history.",
        )
        .takes::<DeprovisionBody>()
        .answers(
            200,
            "How much has fallen.",
            object(&[
                ("status", word("deprovisioned")),
                ("workspaces", count()),
                ("tokens", count()),
                ("secrets", count()),
            ]),
        ),
    ];
    operations.extend(of_workspaces());
    operations
}

fn of_workspaces() -> Vec<Operation> {
    let all = "/workspaces/{workspace}/tokens";
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 });
    let offset = json!({ "type": "integer", "minimum": 0, "default": 0 });
    let listed = object(&[
        ("id", uuid()),
        ("prefix", text()),
        ("created_by", text()),
        ("created_at", instant()),
        ("last_used_at", or_null(instant())),
        ("uses_24h", count()),
        ("expires_at?", instant()),
        ("draining_until?", instant()),
    ]);
    let minted = object(&[
        ("id", uuid()),
        ("prefix", text()),
        ("auth_token", text()),
        ("workspace_id", uuid()),
        ("message", text()),
        ("expires_at?", instant()),
    ]);
    vec![
        Operation::get(
            all,
            "Lists the live tokens of a workspace, the newest first.",
        )
        .query("limit", limit, "At most so many.")
        .query("offset", offset, "So many are skipped.")
        .answers(
            200,
            "The tokens.",
            object(&[("tokens", list(listed)), ("count", count())]),
        ),
        Operation::post(all, "Mints a token of a workspace.")
            .answers(201, "The token, which is shown this once.", minted)
            .refuses(429, &["too_many_tokens"]),
        Operation::delete(
            "/workspaces/{workspace}/tokens/{token}",
            "Revokes a token of a workspace.",
        )
        .answers(
            200,
            "It is revoked.",
            object(&[("status", word("revoked")), ("id", uuid())]),
        ),
        hours(Operation::get(
            "/workspaces/{workspace}/tokens/{token}/usage",
            "Says how often a workspace's token was used, hour by hour.",
        ))
        .answers(200, "The hours in which it was used.", shared("Usage")),
    ]
}

fn listed() -> serde_json::Value {
    object(&[
        ("id", uuid()),
        ("prefix", text()),
        ("name?", text()),
        ("org_id", uuid()),
        ("role", shared("Role")),
        ("workspace_id?", uuid()),
        ("created_by", text()),
        ("created_by_user?", text()),
        ("created_at", instant()),
        ("last_used_at?", instant()),
        ("uses_24h", count()),
        ("expires_at?", instant()),
        ("draining_until?", instant()),
    ])
}

fn minted() -> serde_json::Value {
    object(&[
        ("id", uuid()),
        ("prefix", text()),
        ("auth_token", text()),
        ("warning", text()),
        ("role", shared("Role")),
        ("name?", text()),
        ("expires_at?", instant()),
        ("workspace_id?", uuid()),
    ])
}

fn revoked() -> serde_json::Value {
    let fallen = object(&[
        ("id", uuid()),
        ("prefix", text()),
        ("kind", words(&["organisation", "workspace"])),
        ("workspace_id?", uuid()),
        ("draining_until?", instant()),
    ]);
    object(&[
        ("revoked", uuid()),
        ("draining_until?", instant()),
        ("descendants?", list(fallen)),
        ("approvals?", list(uuid())),
    ])
}

/// What says how often something was used, hour by hour.
fn hours(operation: Operation) -> Operation {
    let hours = json!({ "type": "integer", "minimum": 1, "maximum": MAX_HOURS, "default": HOURS });
    operation.query(
        "hours",
        hours,
        "How many hours back, the one under way included.",
    )
}
