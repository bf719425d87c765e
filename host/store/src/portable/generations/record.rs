//! How a generation comes into the record.

use std::collections::BTreeMap;

use countersign_core::audit::EventKind;
use countersign_core::generation::{GenerationChange, Pin};
use serde_json::json;

use super::super::columns::to_json;
use super::super::endings::{self, Ending};
use super::super::{Connection, audit, signatures, versions};
use super::{DECIDE, SHADOW, numbered, signed};
use crate::fault::Fault;

/// Numbers and records a set of policies, with the bytes that are not kept yet; nothing where it follows
/// another generation than the newest.
pub(in super::super) async fn record(
    connection: &mut Connection,
    change: &GenerationChange,
) -> Result<Option<u64>, Fault> {
    let number: Option<i64> = sqlx::query_scalar(
        "INSERT INTO generations (number, at, changed_by, summary, seal, approval)
         SELECT newest.number + 1, $1, $2, $3, $5, $6
         FROM (SELECT COALESCE(MAX(number), 0) AS number FROM generations) AS newest
         WHERE newest.number = $4
         RETURNING number",
    )
    .bind(change.at.as_micros())
    .bind(&change.by)
    .bind(&change.summary)
    .bind(signed(change.follows))
    .bind(change.seal.as_str())
    .bind(change.approval.map(|id| id.to_string()))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(number) = number else {
        return Ok(None);
    };
    for (digest, bytes) in &change.components {
        versions::keep_bytes(connection, digest, bytes).await?;
    }
    let decide = change.modules.iter().map(|module| (DECIDE, module));
    let shadow = change.shadow.iter().map(|module| (SHADOW, module));
    for (table, module) in decide.chain(shadow) {
        versions::keep(connection, &module.id, &change.by, change.at).await?;
        sqlx::query(table.insert)
            .bind(number)
            .bind(&module.id.name)
            .bind(&module.id.version)
            .bind(&module.id.digest)
            .bind(to_json(&module.settings))
            .bind(&module.file)
            .execute(&mut *connection)
            .await?;
    }
    for module in &change.modules {
        if let Some(pin) = &module.pinned {
            keep_pin(connection, number, (&module.id.name, pin)).await?;
        }
    }
    let mut detail = json!({
        "generation": number,
        "summary": change.summary,
        "modules": change.modules,
    });
    if !change.shadow.is_empty() {
        detail["shadow"] = json!(change.shadow);
    }
    if let Some(approval) = change.approval {
        detail["approval"] = json!(approval);
    }
    let signed = signers(connection, change).await?;
    if !signed.is_empty() {
        detail["signed_by"] = json!(signed);
    }
    audit::append(
        &mut *connection,
        change.at,
        EventKind::PoliciesChanged,
        &change.by,
        detail,
    )
    .await?;
    end_others(connection, change, number).await?;
    numbered(number).map(Some)
}

/// Ends what waits, or was accepted, in the place of the policies that are replaced: it was held against those.
async fn end_others(
    connection: &mut Connection,
    change: &GenerationChange,
    number: i64,
) -> Result<(), Fault> {
    let about = json!({ "generation": number });
    let ending = Ending::by_host(change.at, "other policies are live by now", about);
    endings::end_activations(connection, &ending).await
}

/// The keys that signed each of the modules, by its digest.
async fn signers(
    connection: &mut Connection,
    change: &GenerationChange,
) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let mut signers = BTreeMap::new();
    for module in change.modules.iter().chain(&change.shadow) {
        let digest = &module.id.digest;
        let signatures = signatures::list(connection, digest).await?;
        let keys: Vec<_> = signatures.into_iter().map(|one| one.key_id).collect();
        if !keys.is_empty() {
            signers.insert(digest.clone(), keys);
        }
    }
    Ok(signers)
}

async fn keep_pin(
    connection: &mut Connection,
    generation: i64,
    (module, pin): (&str, &Pin),
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE generation_modules SET pinned_by = $1, pinned_since = $2
         WHERE generation = $3 AND name = $4",
    )
    .bind(&pin.by)
    .bind(signed(pin.since))
    .bind(generation)
    .bind(module)
    .execute(connection)
    .await?;
    Ok(())
}
