//! The form by which a person does what they asked for, once others have approved it: it repeats the very
//! same request, which uses the approval.

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::verb::Verb;
use serde_json::Value;

/// Draws itself as a `<form>`.
#[derive(Debug, PartialEq, Eq, Template)]
#[template(path = "finish.html")]
pub struct Finish {
    action: String,
    label: &'static str,
    fields: Vec<(&'static str, String)>,
    /// Whether a secret's value must be typed again: none is kept that was not written.
    needs_value: bool,
    /// The approval that its page waits for, where the request was sent from there.
    waits_for: Option<String>,
}

/// Its template escapes what was asked.
impl HtmlSafe for Finish {}

impl Finish {
    /// Of an action's canonical form ([`countersign_core::action::Intent::payload`]).
    pub fn of(payload: &Value) -> Option<Self> {
        let text = |path| payload.pointer(path).and_then(Value::as_str);
        let id = text("/resource/id")?;
        let argument =
            |name: &'static str| Some((name, payload.pointer(&format!("/arguments/{name}"))?));
        let texts = |names: &[&'static str]| -> Vec<(&'static str, String)> {
            names
                .iter()
                .filter_map(|name| argument(name))
                .filter_map(|(name, value)| Some((field(name), value.as_str()?.to_owned())))
                .collect()
        };
        let plain = |names: &[&'static str]| -> Vec<(&'static str, String)> {
            names
                .iter()
                .filter_map(|name| argument(name))
                .map(|(name, value)| (name, value.to_string()))
                .collect()
        };
        let verb = Verb::ALL
            .iter()
            .find(|verb| Some(verb.as_str()) == text("/verb"))?;
        let (action, label, fields) = match verb {
            Verb::OrgTokenMint => (
                "/console/keys".to_owned(),
                "Mint the key now",
                texts(&["name", "role", "workspace", "expires_at"]),
            ),
            Verb::OrgTokenRevoke => (
                format!("/console/keys/{id}/revoke"),
                "Revoke the key now",
                plain(&["drain_seconds", "descendants"]),
            ),
            Verb::WorkspaceCreate => (
                "/console/workspaces".to_owned(),
                "Create the workspace now",
                texts(&["name", "parent_id"]),
            ),
            Verb::DeleteWorkspace => (
                format!("/console/workspaces/{id}/remove"),
                "See what falls, and remove it",
                plain(&["confirm"]),
            ),
            Verb::SecretWrite => (secrets(id)?, "Save the secret now", texts(&["key"])),
            Verb::SecretDelete => {
                let (_, key) = id.split_once('/')?;
                (
                    format!("{}/{key}/delete", secrets(id)?),
                    "Delete the secret now",
                    Vec::new(),
                )
            }
            _ => return None,
        };
        Some(Self {
            action,
            label,
            fields,
            needs_value: *verb == Verb::SecretWrite,
            waits_for: None,
        })
    }

    /// On the page that the request was sent from, and that waits for `approval`.
    pub fn waiting_for(self, approval: &str) -> Self {
        Self {
            waits_for: Some(approval.to_owned()),
            ..self
        }
    }

    /// With a further field.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }

    /// Whether nothing has to be typed.
    pub fn goes_by_itself(&self) -> bool {
        !self.needs_value
    }
}

/// The form's name for an argument.
fn field(argument: &'static str) -> &'static str {
    match argument {
        "workspace" => "workspace_id",
        other => other,
    }
}

/// The page of the secrets among which the one at `address` is.
fn secrets(address: &str) -> Option<String> {
    Some(match address.split_once('/')? {
        ("global", _) => "/console/secrets".to_owned(),
        (workspace, _) => format!("/console/workspaces/{workspace}/secrets"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn drawn(payload: &Value) -> String {
        let finish = Finish::of(payload).expect("it can be finished");
        finish.render().expect("drawn")
    }

    fn payload(verb: Verb, id: &str, arguments: &Value) -> Value {
        json!({ "verb": verb, "resource": { "kind": "x", "id": id }, "arguments": arguments })
    }

    #[test]
    fn a_form_repeats_what_was_asked_and_cannot_be_markup() {
        let html = drawn(&payload(
            Verb::OrgTokenMint,
            "o",
            &json!({ "name": "\"><script>", "role": "admin", "workspace": "w", "expires_at": null }),
        ));
        assert!(html.contains(r#"action="/console/keys""#), "{html}");
        assert!(html.contains(r#"name="workspace_id" value="w""#), "{html}");
        assert!(
            !html.contains("expires_at") && !html.contains("<script"),
            "{html}"
        );
        let html = drawn(&payload(
            Verb::OrgTokenRevoke,
            "t",
            &json!({ "drain_seconds": 60, "descendants": true }),
        ));
        assert!(
            html.contains(r#"name="drain_seconds" value="60""#),
            "{html}"
        );
        let html = drawn(&payload(
            Verb::DeleteWorkspace,
            "w",
            &json!({ "confirm": true }),
        ));
        assert!(html.contains("/console/workspaces/w/remove"), "{html}");
    }

    #[test]
    fn a_secrets_value_has_to_be_typed_again() {
        let asked = json!({ "key": "KEY", "value": { "commitment": "c0ffee" } });
        let written = payload(Verb::SecretWrite, "w/KEY", &asked);
        let html = drawn(&written);
        assert!(
            html.contains(r#"action="/console/workspaces/w/secrets""#),
            "{html}"
        );
        assert!(
            html.contains(r#"name="value""#) && html.contains("keeps no value"),
            "{html}"
        );
        assert!(!html.contains("c0ffee"), "{html}");
        assert!(!Finish::of(&written).is_some_and(|finish| finish.goes_by_itself()));
        let html = drawn(&payload(
            Verb::SecretDelete,
            "global/KEY",
            &json!({ "key": "KEY" }),
        ));
        assert!(
            html.contains(r#"action="/console/secrets/KEY/delete""#),
            "{html}"
        );
        assert!(!html.contains("textarea"), "{html}");
    }

    #[test]
    fn what_has_no_page_cannot_be_finished_on_one() {
        assert!(Finish::of(&payload(Verb::Deprovision, "o", &json!({}))).is_none());
        assert!(Finish::of(&json!({})).is_none());
    }
}
