//! Schemas (JSON Schema 2020-12), in few words. And those that more than one route refers to.

use countersign_core::approval::{Choice, State};
use countersign_core::policy::Role;
use countersign_core::verb::Verb;
use countersign_core::workspace::Status;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::call::MAX_WAIT;

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

/// An instant (RFC 3339), in UTC.
pub(super) fn instant() -> Value {
    json!({ "type": "string", "format": "date-time" })
}

pub(super) fn count() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

/// So many seconds to wait for an answer; so many where nobody says.
pub(super) fn wait(unsaid: u64) -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": MAX_WAIT, "default": unsaid })
}

pub(super) fn flag() -> Value {
    json!({ "type": "boolean" })
}

/// Any JSON.
pub(super) fn any() -> Value {
    json!({})
}

pub(super) fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// An object whose members' names are data.
pub(super) fn map(values: Value) -> Value {
    json!({ "type": "object", "additionalProperties": values })
}

pub(super) fn or_null(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }] })
}

/// Exactly this word.
pub(super) fn word(word: &str) -> Value {
    json!({ "type": "string", "enum": [word] })
}

/// One of these words.
pub(super) fn words<T: Serialize>(all: &[T]) -> Value {
    json!({ "type": "string", "enum": all })
}

pub(super) fn shared(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// An object. A member whose name ends in `?` may be absent.
pub(super) fn object(members: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = members
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !name.ends_with('?'))
        .collect();
    let properties: Map<String, Value> = members
        .iter()
        .map(|(name, schema)| (name.trim_end_matches('?').to_owned(), schema.clone()))
        .collect();
    json!({ "type": "object", "properties": properties, "required": required })
}

/// A part of a list under `name`, and where the next one begins.
pub(super) fn part(name: &str, items: Value) -> Value {
    object(&[(name, items), ("next_cursor", or_null(text()))])
}

/// The schemas that more than one route refers to.
pub(super) fn all_shared() -> Vec<(&'static str, Value)> {
    vec![
        ("Error", error()),
        ("Pending", pending()),
        ("Verb", words(Verb::ALL)),
        ("Role", words(&[Role::Admin, Role::Editor, Role::Reader])),
        ("ApprovalState", words(State::ALL)),
        ("Usage", usage()),
        ("Workspace", workspace()),
        ("Approval", approval()),
        ("ApprovalOutcome", outcome()),
        ("ApprovalEvent", event()),
        ("SecretListed", secret()),
        ("SecretSaved", about_secret("saved")),
        ("SecretDeleted", about_secret("deleted")),
        ("Module", module()),
    ]
}

fn error() -> Value {
    let child = object(&[("id", uuid()), ("name", text())]);
    let mut error = object(&[
        ("error", text()),
        ("code", text()),
        ("field?", text()),
        ("rule?", text()),
        ("policy?", text()),
        ("again_at?", instant()),
        ("denial_reason?", or_null(text())),
        ("revoke_reason?", or_null(text())),
        ("status?", text()),
        ("children?", list(child)),
        ("children_count?", count()),
        ("failed_keys?", list(text())),
    ]);
    for (member, what) in [
        ("error", "What happened, and what to do next."),
        ("code", "Stable: for programs."),
        ("field", "What of the request is wrong."),
        (
            "rule",
            "The rule that denies, or that asks for an approval.",
        ),
        ("policy", "Whose rule it is: `name@version`, or `core`."),
        ("again_at", "From when on it may be asked again."),
        ("denial_reason", "What the person said who denied it."),
        (
            "revoke_reason",
            "What the person said who took the approval back.",
        ),
        ("status", "The state that something is in."),
        (
            "children",
            "What would fall with a workspace, at its first level.",
        ),
        ("failed_keys", "The secrets that do not open."),
    ] {
        error["properties"][member]["description"] = json!(what);
    }
    error
}

/// Nothing was done: people are asked.
fn pending() -> Value {
    object(&[
        ("status", word("pending_approval")),
        ("approval_id", uuid()),
        ("action", shared("Verb")),
        ("reason", text()),
        ("expires_at", instant()),
        ("poll", text()),
        ("approve_url", text()),
        ("accepted_by?", words(&["you", "another_operator"])),
    ])
}

fn usage() -> Value {
    let hour = object(&[("hour", instant()), ("uses", count())]);
    object(&[("token", uuid()), ("hours", list(hour)), ("uses", count())])
}

fn workspace() -> Value {
    object(&[
        ("id", uuid()),
        ("name", text()),
        ("parent_id", or_null(uuid())),
        ("status", words(Status::ALL)),
        ("created_by", text()),
        ("created_at", instant()),
        ("updated_at", instant()),
    ])
}

fn approval() -> Value {
    let claim = object(&[("reason", or_null(text())), ("task_id", or_null(text()))]);
    let vote = object(&[
        ("by", text()),
        ("user", text()),
        ("issuer", text()),
        ("decision", words(Choice::ALL)),
        ("reason", or_null(text())),
        ("at", instant()),
    ]);
    let quorum = object(&[("people", count()), ("groups?", list(text()))]);
    object(&[
        ("id", uuid()),
        ("workspace_id", uuid()),
        ("workspace_name", text()),
        ("action", shared("Verb")),
        ("reason", text()),
        ("claim", or_null(claim)),
        ("status", shared("ApprovalState")),
        ("created_at", instant()),
        ("expires_at", instant()),
        ("grant_expires_at", or_null(instant())),
        ("decided_at", or_null(instant())),
        ("revoke_reason", or_null(text())),
        ("ended_at", or_null(instant())),
        ("ended_by", or_null(text())),
        ("ended_by_user", or_null(text())),
        ("ended_because", or_null(text())),
        ("requester", text()),
        ("resource", object(&[("kind", text()), ("id", text())])),
        ("payload", map(any())),
        ("digest", text()),
        ("rule", text()),
        ("policy", text()),
        ("decision_id", uuid()),
        ("people_needed", count()),
        ("quorums", list(quorum)),
        ("votes", list(vote)),
    ])
}

/// What happened to an approval, and the state that this left it in.
fn event() -> Value {
    object(&[
        ("approval_id", uuid()),
        ("workspace_id", uuid()),
        ("action", shared("Verb")),
        ("reason", text()),
        ("status", shared("ApprovalState")),
        ("event", text()),
        ("at", instant()),
    ])
}

fn outcome() -> Value {
    object(&[("status", shared("ApprovalState")), ("approval_id", uuid())])
}

fn secret() -> Value {
    object(&[
        ("key", text()),
        ("has_value", json!({ "type": "boolean", "enum": [true] })),
        ("scope", words(&["global", "workspace"])),
        ("created_at", instant()),
        ("updated_at", instant()),
    ])
}

fn about_secret(status: &str) -> Value {
    object(&[
        ("status", word(status)),
        ("key", text()),
        ("scope?", word("global")),
    ])
}

/// A component: its own name and version, and the digest of its bytes.
fn module() -> Value {
    object(&[("name", text()), ("version", text()), ("digest", text())])
}
