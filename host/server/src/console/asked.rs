//! What a request asks, in words that the person who decides can weigh: the host's own words for what
//! would happen, and every field that the caller sent, marked where its words are the caller's.

mod spelling;

use countersign_core::action::{masked, workspaces_of};
use countersign_core::approval::Approval;
use countersign_core::decision::Decision;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::Value;

/// What a template writes of a name or another text from outside: `fields.html` does it for all pages.
pub use countersign_core::text::escaped as visible;

pub use self::spelling::{Long, oddity};
use super::moment::Moment;
use super::policy_change;

/// One field of what is asked.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, in words.
    pub label: String,
    /// Its value.
    pub value: Shown,
    /// Whether it is free text of the caller's, which proves nothing.
    pub is_claim: bool,
}

impl Field {
    /// Its text, folded, where it is long.
    pub fn long(&self) -> Option<Long<'_>> {
        match &self.value {
            Shown::Literal(text) => Long::of(text),
            _ => None,
        }
    }

    /// What a reader might not see in how it is written.
    pub fn oddity(&self) -> Option<String> {
        match &self.value {
            Shown::Literal(text) => spelling::oddity(text),
            _ => None,
        }
    }
}

/// A value, as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub enum Shown {
    /// Words of the host.
    Words(String),
    /// Text from outside, letter by letter.
    Literal(String),
    /// A secret: its fingerprint, by which the same value within one approval is known again.
    Secret(String),
    /// An instant.
    At(Moment),
}

/// What is asked, as a heading.
pub fn title(verb: Verb) -> String {
    match verb {
        Verb::OrgTokenMint => "Mint an organisation key".to_owned(),
        Verb::OrgTokenRevoke => "Revoke an organisation key".to_owned(),
        Verb::SecretWrite => "Write a secret".to_owned(),
        Verb::SecretDelete => "Delete a secret".to_owned(),
        Verb::WorkspaceCreate => "Create a workspace".to_owned(),
        Verb::WorkspaceUpdate => "Change a workspace".to_owned(),
        Verb::DeleteWorkspace => "Remove a workspace and all below it".to_owned(),
        Verb::WorkspaceTokenMint => "Mint a workspace key".to_owned(),
        Verb::WorkspaceTokenRevoke => "Revoke a workspace key".to_owned(),
        Verb::Deprovision => "Revoke and remove everything".to_owned(),
        Verb::PolicyActivate => "Make other policies live".to_owned(),
        Verb::PolicyRollback => "Go back to earlier policies".to_owned(),
        Verb::OrgTokenList => "List the organisation keys".to_owned(),
        Verb::SecretList => "List secrets".to_owned(),
        Verb::SecretRead => "Read the values of secrets".to_owned(),
        Verb::WorkspaceRead => "Look at a workspace".to_owned(),
        Verb::WorkspaceList => "List the workspaces".to_owned(),
        Verb::AuditRead => "Read the audit".to_owned(),
        Verb::DecisionRead => "Read the decisions".to_owned(),
        other => in_words(other.as_str()),
    }
}

/// What it is about: a name, an address.
pub struct Subject {
    /// Letter by letter.
    pub text: String,
    /// What the workspace or the key is called whose id this is, or begins with.
    pub called: Option<String>,
    /// How that is told.
    pub word: &'static str,
    /// Whether it is free text of the caller's, which proves nothing.
    pub is_claim: bool,
}

impl Subject {
    /// What a reader might not see in how it is written.
    pub fn oddity(&self) -> Option<String> {
        let texts = [Some(&*self.text), self.called.as_deref()];
        let told: Vec<String> = texts
            .into_iter()
            .flatten()
            .filter_map(spelling::oddity)
            .collect();
        (!told.is_empty()).then(|| told.join(" "))
    }
}

/// What it is about, where that can be said in a word.
pub fn subject(approval: &Approval) -> Option<Subject> {
    let (text, is_claim) = match approval.verb {
        Verb::OrgTokenMint | Verb::WorkspaceCreate => (argument(approval, "name")?.as_str()?, true),
        _ if approval.resource_kind == "organisation" => return None,
        _ => (approval.resource_id.as_str(), false),
    };
    Some(Subject {
        text: text.to_owned(),
        called: approval.resource_name.clone(),
        word: match approval.verb {
            Verb::SecretWrite | Verb::SecretDelete => "of",
            _ => "called",
        },
        is_claim,
    })
}

/// What a recorded decision was about. What does not exist yet has the name that the caller gave it.
pub fn about(decision: &Decision) -> Option<Subject> {
    let question = decision.question.as_ref()?;
    let resource = &question.resource;
    let (text, is_claim) = match decision.verb {
        Verb::OrgTokenMint | Verb::WorkspaceCreate => (question.arguments.text("name")?, true),
        _ if resource.kind == "organisation" || resource.id.is_empty() => return None,
        _ => (resource.id.as_str(), false),
    };
    Some(Subject {
        text: text.to_owned(),
        called: None,
        word: "called",
        is_claim,
    })
}

/// What follows if it is done, in the host's words.
pub fn consequence(approval: &Approval) -> Option<String> {
    let every = |id: &str| match id.split_once('/') {
        Some(("global", _)) => "every workspace",
        _ => "one workspace",
    };
    let text = match approval.verb {
        Verb::OrgTokenMint => {
            let reach = match argument(approval, "role").and_then(Value::as_str) {
                Some("reader") => "read what the organisation has",
                Some("editor") => "read, and change workspaces and secrets as the policies allow",
                _ => {
                    "ask for everything, keys and secrets included; the policies still stand before it"
                }
            };
            let end = match argument(approval, "expires_at") {
                None | Some(Value::Null) => "It never expires: it works until somebody revokes it.",
                Some(_) => "It stops working when it expires or somebody revokes it.",
            };
            format!("The caller gets a new key. Whoever holds it can {reach}. {end}")
        }
        Verb::OrgTokenRevoke => of_revocation(approval),
        Verb::Deprovision => {
            "Every key stops working, of the organisation and of workspaces, the caller’s own included. Every workspace is gone but the one under which requests are filed, and every secret, and what waits for people ends. People can still sign in and read what happened. None of it can be brought back."
                .to_owned()
        }
        Verb::SecretWrite => format!(
            "The secret gets a new value for {}, in place of the one it has, if it has one. The approval is for this very value: another one would have to be approved anew.",
            every(&approval.resource_id)
        ),
        Verb::SecretDelete => format!(
            "The secret is gone for {}. Its value cannot be brought back.",
            every(&approval.resource_id)
        ),
        Verb::PolicyActivate => {
            "From the next request on, these modules decide on every host of the organisation, in the place of those that do now.".to_owned()
        }
        _ => of_workspace(approval)?,
    };
    Some(text)
}

/// What follows for a key, and for those that it minted.
fn of_revocation(approval: &Approval) -> String {
    let drain = argument(approval, "drain_seconds").and_then(Value::as_u64);
    let along = argument(approval, "descendants").and_then(Value::as_bool);
    let key = match along {
        Some(true) => "The key and every key that it minted, as they are now, stop",
        _ => "The key stops",
    };
    let when = match drain {
        None | Some(0) => "at once".to_owned(),
        Some(seconds) => format!("in {seconds} seconds"),
    };
    format!("{key} working {when}, for whoever uses it. It cannot be brought back.")
}

/// What follows for a workspace.
fn of_workspace(approval: &Approval) -> Option<String> {
    let text = match approval.verb {
        Verb::WorkspaceCreate => {
            "There is a new workspace. The global secrets reach it, and it has no token yet.".to_owned()
        }
        Verb::WorkspaceUpdate => {
            let moved = match argument(approval, "parent_id") {
                Some(Value::Null) => "The workspace stands by itself from then on, with all below it. ",
                Some(_) => {
                    "The workspace is below another one from then on, with all below it, and falls when that one is removed. "
                }
                None => "",
            };
            let renamed = match argument(approval, "name") {
                Some(_) => "It gets another name. ",
                None => "",
            };
            format!("{moved}{renamed}Its secrets and keys stay as they are.")
        }
        Verb::DeleteWorkspace => {
            "The workspace is gone, and with it every workspace below it, with their keys and secrets, as they are now: the keys stop working, the secrets are deleted, and what waits for people about them ends. None of it can be brought back.".to_owned()
        }
        Verb::WorkspaceTokenMint => {
            "The caller gets a new key of this workspace. Whoever holds it can read the values of all secrets that reach the workspace, and change the workspace as the policies allow.".to_owned()
        }
        Verb::WorkspaceTokenRevoke => {
            "The key stops working at once, for whoever uses it. It cannot be brought back.".to_owned()
        }
        _ => return None,
    };
    Some(text)
}

/// Every field of what is asked, secrets hidden.
pub fn fields(approval: &Approval, now: Timestamp) -> Vec<Field> {
    let payload = masked(&approval.payload, &approval.id.to_string());
    let mut fields = vec![Field {
        label: capitalised(&in_words(&approval.resource_kind)),
        value: Shown::Literal(approval.resource_id.clone()),
        is_claim: false,
    }];
    // An id says little to a person, and the name is in the line that the host made.
    if approval.resource_name.is_some() || workspaces_of(&approval.payload).next().is_some() {
        fields.push(Field {
            label: "In one line".to_owned(),
            value: Shown::Literal(approval.asked().to_owned()),
            is_claim: false,
        });
    }
    if approval.verb == Verb::PolicyActivate {
        fields.extend(policy_change::fields(approval));
        return fields;
    }
    let mut arguments = Vec::new();
    flatten(
        "",
        payload.get("arguments").unwrap_or(&Value::Null),
        &mut arguments,
    );
    arguments.sort_by_key(|(name, _)| rank(name));
    fields.extend(
        arguments
            .into_iter()
            .map(|(name, value)| field(&name, &value, now)),
    );
    fields
}

/// What the requester adds to its request, of which nothing is verified and nothing is done: shown apart.
pub fn claims(approval: &Approval) -> Vec<Field> {
    let said = [
        ("Its reason", approval.claim.reason.clone()),
        ("Its task", approval.claim.task.clone()),
    ];
    let field = |(label, text): (&str, Option<String>)| {
        Some(Field {
            label: label.to_owned(),
            value: Shown::Literal(text?),
            is_claim: true,
        })
    };
    said.into_iter().filter_map(field).collect()
}

/// `value`'s leaves, with their dotted names. A hidden secret is a leaf.
pub fn flatten(name: &str, value: &Value, leaves: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() && fingerprint(value).is_none() => {
            for (member, value) in members {
                let name = if name.is_empty() {
                    member.clone()
                } else {
                    format!("{name}.{member}")
                };
                flatten(&name, value, leaves);
            }
        }
        // Nothing was sent at all.
        Value::Object(_) | Value::Null if name.is_empty() => {}
        leaf => leaves.push((name.to_owned(), leaf.clone())),
    }
}

/// A leaf as text.
pub fn leaf(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "—".to_owned(),
        other => other.to_string(),
    }
}

fn field(name: &str, value: &Value, now: Timestamp) -> Field {
    let label = match name {
        "expires_at" => "Expires".to_owned(),
        "workspace" => "Bound to".to_owned(),
        "parent_id" => "Below".to_owned(),
        "confirm" => "Others may fall with it".to_owned(),
        other => capitalised(&in_words(other)),
    };
    Field {
        label,
        value: shown(name, value, now),
        is_claim: matches!(name, "name" | "reason" | "task_id") && value.is_string(),
    }
}

fn shown(name: &str, value: &Value, now: Timestamp) -> Shown {
    if let Some(fingerprint) = fingerprint(value) {
        return Shown::Secret(fingerprint.to_owned());
    }
    let words = |text: &str| Shown::Words(text.to_owned());
    match (name, value) {
        ("name", Value::Null) => words("none given"),
        ("workspace", Value::Null) => words("no workspace: the whole organisation"),
        ("workspace", Value::String(id)) => Shown::Literal(format!("workspace {id}")),
        ("parent_id", Value::Null) => words("no workspace: it stands by itself"),
        ("parent_id", Value::String(id)) => Shown::Literal(format!("workspace {id}")),
        ("expires_at", Value::Null) => words("never"),
        (_, Value::Null) => words("not set"),
        (_, Value::Bool(true)) => words("yes"),
        (_, Value::Bool(false)) => words("no"),
        ("expires_at", Value::String(at)) => match Timestamp::parse(at) {
            Some(at) => Shown::At(Moment::new(at, now)),
            None => Shown::Literal(at.clone()),
        },
        (_, other) => Shown::Literal(leaf(other)),
    }
}

fn fingerprint(value: &Value) -> Option<&str> {
    value.get("secret")?;
    value.get("fingerprint")?.as_str()
}

/// One of the request's arguments.
pub fn argument<'a>(approval: &'a Approval, name: &str) -> Option<&'a Value> {
    approval.payload.get("arguments")?.get(name)
}

/// What a person looks for first comes first; the rest follows by name.
fn rank(name: &str) -> usize {
    const FIRST: [&str; 6] = ["name", "key", "value", "role", "workspace", "expires_at"];
    FIRST
        .iter()
        .position(|first| *first == name)
        .unwrap_or(FIRST.len())
}

/// A name of the wire, in words.
pub fn in_words(name: &str) -> String {
    capitalised(
        &name
            .replace("org_token", "organisation key")
            .replace("workspace_token", "workspace key")
            .replace(['_', '-', '.'], " "),
    )
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
