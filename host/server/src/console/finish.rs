//! The form by which a person does what they asked for, once others have approved it: it repeats the very
//! same request, which uses the approval. A page that was to be read is opened again.

use std::borrow::Cow;

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::verb::Verb;
use serde_json::Value;

use super::inside::Inside;

/// What reads again.
const READ: &str = "Read it now";

/// Draws itself as a `<form>`.
#[derive(Debug, PartialEq, Eq, Template)]
#[template(path = "finish.html")]
pub struct Finish {
    /// `get` for what only reads.
    method: &'static str,
    action: String,
    label: &'static str,
    fields: Vec<(Cow<'static, str>, String)>,
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
        let texts = |names: &[&'static str]| -> Vec<(Cow<'static, str>, String)> {
            names
                .iter()
                .filter_map(|name| argument(name))
                .filter_map(|(name, value)| Some((field(name).into(), value.as_str()?.to_owned())))
                .collect()
        };
        let plain = |names: &[&'static str]| -> Vec<(Cow<'static, str>, String)> {
            names
                .iter()
                .filter_map(|name| argument(name))
                .map(|(name, value)| (name.into(), value.to_string()))
                .collect()
        };
        let verb = Verb::parse(text("/verb")?)?;
        if verb.is_read() {
            let is_of_workspace = text("/resource/kind") == Some("workspace");
            return reading(verb, id, is_of_workspace).map(|page| Self::reads(page, Vec::new()));
        }
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
            method: "post",
            action,
            label,
            fields,
            needs_value: verb == Verb::SecretWrite,
            waits_for: None,
        })
    }

    /// Of a page that was to be read, as it was narrowed.
    pub fn again(page: &Inside) -> Self {
        let narrowed = page.query().unwrap_or_default();
        let narrowed = form_urlencoded::parse(narrowed.as_bytes());
        let fields = narrowed.map(|(name, value)| (name.into_owned().into(), value.into_owned()));
        Self::reads(page.path().to_owned(), fields.collect())
    }

    fn reads(action: String, fields: Vec<(Cow<'static, str>, String)>) -> Self {
        Self {
            method: "get",
            action,
            label: READ,
            fields,
            needs_value: false,
            waits_for: None,
        }
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
        self.fields.push((name.into(), value.to_owned()));
        self
    }

    /// Whether nothing has to be typed.
    pub fn goes_by_itself(&self) -> bool {
        !self.needs_value
    }
}

/// The page by which a person does what `verb` is.
fn reading(verb: Verb, id: &str, is_of_workspace: bool) -> Option<String> {
    Some(match verb {
        Verb::OrgTokenList => "/console/keys".to_owned(),
        Verb::SecretList if is_of_workspace => format!("/console/workspaces/{id}/secrets"),
        Verb::SecretList => "/console/secrets".to_owned(),
        Verb::WorkspaceRead => format!("/console/workspaces/{id}"),
        Verb::WorkspaceList => "/console/workspaces".to_owned(),
        Verb::AuditRead => "/console/audit".to_owned(),
        Verb::DecisionRead => "/console/decisions".to_owned(),
        _ => return None,
    })
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
    fn what_was_to_be_read_is_opened_again_as_it_was_narrowed() {
        let narrowed = "/console/decisions?actor=a%26b+%22%3E&effect=deny";
        let page = Inside::to_come_back_to(narrowed).expect("inside");
        let html = Finish::again(&page).render().expect("drawn");
        for part in [
            r#"method="get" action="/console/decisions""#,
            r#"name="actor" value="a&#38;b &#34;&#62;""#,
            r#"name="effect" value="deny""#,
            READ,
        ] {
            assert!(html.contains(part), "{part}: {html}");
        }
        for (verb, kind, action) in [
            (Verb::AuditRead, "organisation", "/console/audit"),
            (Verb::SecretList, "organisation", "/console/secrets"),
            (
                Verb::SecretList,
                "workspace",
                "/console/workspaces/w/secrets",
            ),
            (Verb::WorkspaceRead, "workspace", "/console/workspaces/w"),
        ] {
            let asked =
                json!({ "verb": verb, "resource": { "kind": kind, "id": "w" }, "arguments": {} });
            let html = drawn(&asked);
            let form = format!(r#"method="get" action="{action}""#);
            assert!(html.contains(&form), "{form}: {html}");
        }
    }

    #[test]
    fn what_has_no_page_cannot_be_finished_on_one() {
        assert!(Finish::of(&payload(Verb::SecretRead, "w", &json!({}))).is_none());
        assert!(Finish::of(&payload(Verb::Deprovision, "o", &json!({}))).is_none());
        assert!(Finish::of(&json!({})).is_none());
    }
}
