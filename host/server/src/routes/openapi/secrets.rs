//! Secrets.

use serde_json::json;

use super::super::secrets::{MAX_VALUE, WriteBody};
use super::operation::{Callers, Operation};
use super::schema::{list, map, shared, text};

/// What a secret may be called.
pub(super) const KEY: &str = "^[A-Za-z_][A-Za-z0-9_]{0,127}$";

pub(super) fn operations() -> Vec<Operation> {
    let places = [
        (
            "/settings/secrets",
            "/settings/secrets/{key}",
            [
                "Lists the organisation's secrets, and no value.",
                "Writes a secret of the organisation.",
                "Deletes a secret of the organisation.",
            ],
        ),
        (
            "/admin/secrets",
            "/admin/secrets/{key}",
            [
                "Lists the organisation's secrets, and no value: as /settings/secrets.",
                "Writes a secret of the organisation: as /settings/secrets.",
                "Deletes a secret of the organisation: as /settings/secrets.",
            ],
        ),
        (
            "/workspaces/{workspace}/secrets",
            "/workspaces/{workspace}/secrets/{key}",
            [
                "Lists the secrets that a workspace sees, its own before the organisation's, and no value.",
                "Writes a secret of a workspace.",
                "Deletes a secret of a workspace.",
            ],
        ),
    ];
    let mut operations: Vec<Operation> = places
        .into_iter()
        .flat_map(|(all, one, [lists, writes, deletes])| {
            let listed = list(shared("SecretListed"));
            [
                Operation::get(all, lists).answers(200, "The secrets.", listed),
                write(Operation::post(all, writes)),
                write(Operation::put(all, writes)),
                delete(one, deletes),
            ]
        })
        .collect();
    let values = "/workspaces/{workspace}/secrets/values";
    operations.push(
        Operation::get(
            values,
            "Reads all secrets that a workspace sees, values included.",
        )
        .only_for(Callers::OwnToken)
        .answers(200, "The values, by key.", map(text()))
        .refuses(500, &["secrets_unreadable"]),
    );
    operations.push(delete(
        values,
        "Deletes a workspace's secret of the name `values`.",
    ));
    operations
}

fn write(operation: Operation) -> Operation {
    operation
        .takes::<WriteBody>()
        .bound("key", json!({ "pattern": KEY }))
        .bound("value", json!({ "maxLength": MAX_VALUE }))
        .answers(200, "It is written.", shared("SecretSaved"))
}

fn delete(path: &'static str, summary: &'static str) -> Operation {
    Operation::delete(path, summary).answers(200, "It is gone.", shared("SecretDeleted"))
}
