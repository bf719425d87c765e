//! Secrets: which there are, setting one, deleting one. A value goes in and is never shown.

use std::collections::HashMap;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::SecretEntry;
use countersign_core::secret::{PlainSecret, SecretScope};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::Value;

use super::frame::{Frame, Place};
use super::moment::Moment;
use super::waiting::{self, Sent};
use super::{assets, page, see_other};
use crate::problem::Problem;
use crate::routes::secrets::{address, written};
use crate::routes::{Answer, Call, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    let (global, one) = ("/console/secrets", "/console/secrets/{key}/delete");
    let own = "/console/workspaces/{workspace}/secrets";
    let own_one = "/console/workspaces/{workspace}/secrets/{key}/delete";
    [(global, one), (own, own_one)]
        .into_iter()
        .fold(routes, |routes, (all, one)| {
            routes
                .verb(Method::GET, all, Verb::SecretList, list)
                .verb(Method::POST, all, Verb::SecretWrite, write)
                .verb(Method::GET, one, Verb::SecretList, confirm)
                .verb(Method::POST, one, Verb::SecretDelete, delete)
        })
}

/// The secrets of a scope.
#[derive(Template)]
#[template(path = "secrets.html")]
struct SecretsPage {
    frame: Frame,
    workspace: Option<String>,
    secrets: Secrets,
}

/// The form alone, with what is wrong with it.
#[derive(Template)]
#[template(path = "secret_set.html")]
struct SetPage {
    frame: Frame,
    path: String,
    form: SecretForm,
}

/// Whether a secret should really go.
#[derive(Template)]
#[template(path = "secret_delete.html")]
struct DeletePage {
    frame: Frame,
    path: String,
    secret: Listed,
}

/// A secret, as it is listed.
struct Listed {
    key: String,
    /// What decisions about it name.
    address: String,
    is_global: bool,
    created: Moment,
    updated: Moment,
}

/// Which secrets reach a scope, and the form for another. Draws itself as a part of a page.
#[derive(Template)]
#[template(path = "secret_list.html")]
pub struct Secrets {
    path: String,
    is_of_workspace: bool,
    /// Whether the page is about something else, and has a heading for them.
    is_part: bool,
    /// What there is, or why it is not shown.
    listed: Result<Vec<Listed>, String>,
    form: SecretForm,
}

/// Its templates escape what was sent.
impl HtmlSafe for Secrets {}
impl HtmlSafe for SecretForm {}

/// What a person fills in to set a secret. Draws itself as a `<form>`, which never has a value in it.
#[derive(Template)]
#[template(path = "secret_form.html")]
struct SecretForm {
    path: String,
    key: String,
    /// The field that is wrong, and how.
    error: Option<(String, String)>,
}

impl SecretForm {
    fn complaint(&self, field: &str) -> Option<&str> {
        let (wrong, complaint) = self.error.as_ref()?;
        (wrong == field).then_some(complaint.as_str())
    }
}

impl Listed {
    fn new(entry: &SecretEntry, now: Timestamp) -> Self {
        Self {
            key: entry.key.as_str().to_owned(),
            address: format!("{}/{}", entry.scope, entry.key),
            is_global: entry.scope == SecretScope::Global,
            created: Moment::new(entry.created_at, now),
            updated: Moment::new(entry.updated_at, now),
        }
    }
}

impl Secrets {
    fn new(scope: SecretScope, listed: Result<Vec<Listed>, String>) -> Self {
        let path = path_of(scope);
        Self {
            is_of_workspace: scope.workspace().is_some(),
            is_part: false,
            listed,
            form: SecretForm {
                path: path.clone(),
                key: String::new(),
                error: None,
            },
            path,
        }
    }

    fn beside(scope: SecretScope, listed: Result<Vec<Listed>, String>) -> Self {
        Self {
            is_part: true,
            ..Self::new(scope, listed)
        }
    }

    /// On a page that is about something else: where they may not be seen, and why.
    pub fn forbidden(scope: SecretScope, why: &str) -> Self {
        Self::beside(scope, Err(why.to_owned()))
    }
}

/// The secrets that reach `scope`, on a page that is about something else: where they may not be seen, it
/// shows the rest.
pub async fn beside(call: &Call, scope: SecretScope) -> Secrets {
    let read = async {
        let permit = call.permit_beside(Action::SecretList { scope }).await?;
        Ok::<_, Problem>(call.app.ledger.secrets(&permit, scope).await?)
    };
    match read.await {
        Ok(entries) => Secrets::beside(scope, Ok(listed(&entries, call.app.clock.now()))),
        Err(problem) => Secrets::forbidden(scope, problem.error()),
    }
}

fn listed(entries: &[SecretEntry], now: Timestamp) -> Vec<Listed> {
    entries
        .iter()
        .map(|entry| Listed::new(entry, now))
        .collect()
}

async fn list(call: Call) -> Answer {
    let scope = scope(&call)?;
    let permit = call.permit(Action::SecretList { scope }).await?;
    let entries = call.app.ledger.secrets(&permit, scope).await?;
    let shown = SecretsPage {
        frame: Frame::of(&call.caller, Place::Workspaces),
        workspace: scope.workspace().map(|id| id.to_string()),
        secrets: Secrets::new(scope, Ok(listed(&entries, call.app.clock.now()))),
    };
    Ok(page(StatusCode::OK, &shown))
}

async fn write(call: Call) -> Answer {
    let scope = scope(&call)?;
    let mut sent = call.form()?;
    let value = sent.remove("value").unwrap_or_default();
    let action = match writing(scope, &sent, value) {
        Ok(action) => action,
        Err(problem) => return mend(&call, &sent, problem),
    };
    match waiting::submit(&call, Place::Workspaces, action).await {
        Ok(Sent::Waits(page)) => Ok(page),
        Ok(Sent::Done(_)) => Ok(see_other(&shown_on(scope))),
        Err(problem) => mend(&call, &sent, problem),
    }
}

fn writing(
    scope: SecretScope,
    sent: &HashMap<String, String>,
    value: String,
) -> Result<Action, Problem> {
    let address = address(scope, sent.get("key").map_or("", |key| key.trim()))?;
    // A form ends each line with a carriage return and a line feed, whatever was pasted into it; in a
    // private key, programs want the line feed.
    let value = PlainSecret::new(value.replace("\r\n", "\n"));
    if value.reveal().is_empty() {
        return Err(Problem::bad_field("value", "is empty: type or paste it"));
    }
    written(address, value)
}

/// The form as it was sent, but for the value, with what is wrong at the field that is wrong.
fn mend(call: &Call, sent: &HashMap<String, String>, problem: Problem) -> Answer {
    let Some(field) = problem.body.get("field").and_then(Value::as_str) else {
        return Err(problem);
    };
    let complaint = problem.error().replacen(&format!("`{field}` "), "", 1);
    let path = path_of(scope(call)?);
    let shown = SetPage {
        frame: Frame::of(&call.caller, Place::Workspaces),
        form: SecretForm {
            path: path.clone(),
            key: sent.get("key").cloned().unwrap_or_default(),
            error: Some((field.to_owned(), complaint)),
        },
        path,
    };
    Ok(page(problem.status, &shown))
}

async fn confirm(call: Call) -> Answer {
    let scope = scope(&call)?;
    let wanted = address(scope, call.path_text("key"))?;
    let permit = call.permit(Action::SecretList { scope }).await?;
    let entries = call.app.ledger.secrets(&permit, scope).await?;
    // A global one that reaches the workspace is not the workspace's to delete.
    let entry = entries
        .iter()
        .find(|entry| entry.key == wanted.key && entry.scope == scope)
        .ok_or_else(|| {
            let error = "there is no such secret here, or it was deleted";
            Problem::new(StatusCode::NOT_FOUND, "not_found", error)
        })?;
    let shown = DeletePage {
        frame: Frame::of(&call.caller, Place::Workspaces),
        path: path_of(scope),
        secret: Listed::new(entry, call.app.clock.now()),
    };
    Ok(page(StatusCode::OK, &shown))
}

async fn delete(call: Call) -> Answer {
    let scope = scope(&call)?;
    let address = address(scope, call.path_text("key"))?;
    let action = Action::SecretDelete { address };
    match waiting::submit(&call, Place::Workspaces, action).await? {
        Sent::Waits(page) => Ok(page),
        Sent::Done(_) => Ok(see_other(&shown_on(scope))),
    }
}

/// That of the workspace in the path, or of all of them.
fn scope(call: &Call) -> Result<SecretScope, Problem> {
    if call.path_text("workspace").is_empty() {
        return Ok(SecretScope::Global);
    }
    let workspace = call.path("workspace", WorkspaceId::parse)?;
    Ok(SecretScope::Workspace(workspace))
}

/// Where the secrets of a scope are read and written.
fn path_of(scope: SecretScope) -> String {
    match scope {
        SecretScope::Global => "/console/secrets".to_owned(),
        SecretScope::Workspace(id) => format!("/console/workspaces/{id}/secrets"),
    }
}

/// The page on which people look for them.
fn shown_on(scope: SecretScope) -> String {
    match scope {
        SecretScope::Global => "/console/secrets".to_owned(),
        SecretScope::Workspace(id) => format!("/console/workspaces/{id}"),
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::secret::SecretKey;

    use super::super::examples::{NOW, is_whole, person, workspace};
    use super::*;

    fn entry(key: &str, scope: SecretScope) -> SecretEntry {
        SecretEntry {
            scope,
            key: SecretKey::parse(key).expect("a key"),
            created_at: NOW,
            updated_at: NOW,
        }
    }

    fn frame() -> Frame {
        Frame::of(&person("ada"), Place::Workspaces)
    }

    fn drawn(template: &impl Template) -> String {
        let html = template.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn a_workspace_deletes_its_own_secrets_and_not_those_of_all() {
        let scope = SecretScope::Workspace(workspace(1, "x", None).id);
        let entries = [entry("OWN", scope), entry("SHARED", SecretScope::Global)];
        let html = drawn(&SecretsPage {
            frame: frame(),
            workspace: Some("x".to_owned()),
            secrets: Secrets::new(scope, Ok(listed(&entries, NOW))),
        });
        assert!(html.contains("/secrets/OWN/delete"), "{html}");
        assert!(!html.contains("SHARED/delete"), "{html}");
        for address in [
            &*format!("{}/OWN", workspace(1, "x", None).id),
            "global/SHARED",
        ] {
            let address = address.replace('/', "%2F");
            let link = format!("\"/console/decisions?about={address}\"");
            assert!(html.contains(&link), "{link}: {html}");
        }
        assert!(html.contains(r#"autocomplete="off""#), "{html}");
        let html = drawn(&SecretsPage {
            frame: frame(),
            workspace: None,
            secrets: Secrets::new(SecretScope::Global, Ok(Vec::new())),
        });
        assert!(html.contains("No secret"), "{html}");
    }

    #[test]
    fn a_form_that_is_wrong_comes_back_without_the_value() {
        let html = drawn(&SetPage {
            frame: frame(),
            path: "/console/secrets".to_owned(),
            form: SecretForm {
                path: "/console/secrets".to_owned(),
                key: "<script>".to_owned(),
                error: Some(("key".to_owned(), "is no key".to_owned())),
            },
        });
        assert!(
            html.contains("is no key") && html.contains("aria-invalid"),
            "{html}"
        );
        assert!(html.contains("></textarea>"), "{html}");
        assert!(!html.contains("<script>"), "{html}");
        let html = drawn(&DeletePage {
            frame: frame(),
            path: "/console/secrets".to_owned(),
            secret: Listed::new(&entry("KEY", SecretScope::Global), NOW),
        });
        assert!(
            html.contains(r#"action="/console/secrets/KEY/delete""#),
            "{html}"
        );
    }

    #[test]
    fn lines_are_kept_as_programs_write_them_and_nothing_is_no_value() {
        let sent = HashMap::from([("key".to_owned(), " KEY ".to_owned())]);
        let action = writing(SecretScope::Global, &sent, "a\r\nb\r\n".to_owned());
        let Ok(Action::SecretWrite { address, value }) = action else {
            panic!("a secret to be written");
        };
        assert_eq!((address.key.as_str(), value.reveal()), ("KEY", "a\nb\n"));
        let empty = writing(SecretScope::Global, &sent, String::new());
        let field = empty.expect_err("refused").body["field"].clone();
        assert_eq!(field, "value");
    }
}
