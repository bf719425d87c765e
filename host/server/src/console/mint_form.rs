//! The form by which a person mints a key, and what it says.

use std::collections::HashMap;
use std::time::Duration;

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::policy::Role;
use countersign_core::time::Timestamp;
use countersign_core::workspace::Workspace;

use crate::routes::org_tokens::MintBody;

/// What the form proposes: a key that nobody needs any more dies by itself.
const PROPOSED_LIFE: Duration = Duration::from_secs(90 * 86_400);

/// As many workspaces as can be chosen from. Where there are more, one is named by its id.
const MOST_CHOICES: usize = 50;

/// What a person fills in to mint a key. Draws itself as a `<form>`.
#[derive(Template)]
#[template(path = "mint_form.html")]
pub struct MintForm {
    name: String,
    role: Role,
    /// Those that the minter may give.
    roles: Vec<RoleChoice>,
    /// The last day on which it works, in UTC: a day, and not a span, so that asking again for the
    /// same key is the same request.
    expires_on: String,
    earliest: String,
    workspace: String,
    /// The workspaces to choose from: their ids and names. None where there are too many, or where the minter
    /// cannot see them.
    workspaces: Vec<(String, String)>,
    error: Option<Mistake>,
}

/// Its template escapes what was sent.
impl HtmlSafe for MintForm {}

/// A role that can be chosen.
struct RoleChoice {
    role: Role,
    reach: &'static str,
}

/// What is wrong with what was sent.
struct Mistake {
    field: &'static str,
    complaint: String,
}

impl MintForm {
    /// An empty one, for a minter that has the role `most`.
    pub fn new(most: Role, now: Timestamp) -> Self {
        Self {
            name: String::new(),
            role: Role::Reader,
            roles: [
                (Role::Reader, "Reads."),
                (Role::Editor, "Reads, and changes workspaces and secrets."),
                (Role::Admin, "Everything, these keys included."),
            ]
            .into_iter()
            .filter(|(role, _)| *role <= most)
            .map(|(role, reach)| RoleChoice { role, reach })
            .collect(),
            expires_on: day(now.plus(PROPOSED_LIFE)),
            earliest: day(now),
            workspace: String::new(),
            workspaces: Vec::new(),
            error: None,
        }
    }

    /// With these workspaces to choose from, where they are few enough.
    pub fn offering(mut self, workspaces: &[Workspace]) -> Self {
        self.workspaces = choices(workspaces);
        self
    }

    /// As it was sent, to be mended: `field` is the request's name for what is wrong.
    pub fn filled(mut self, sent: &HashMap<String, String>, field: &str, complaint: &str) -> Self {
        let text = |name| sent.get(name).cloned().unwrap_or_default();
        self.name = text("name");
        self.role = Role::parse(&text("role")).unwrap_or(self.role);
        self.expires_on = text("expires_on");
        self.workspace = text("workspace_id");
        self.workspaces = that_hold(self.workspaces, &self.workspace);
        self.error = Some(match field {
            "name" => Mistake::new("name", complaint),
            "role" => Mistake::new("role", complaint),
            "workspace_id" => Mistake::new("workspace_id", complaint),
            // The only field that is left; people send a day, and not the instant that it becomes.
            _ => Mistake::new("expires_on", "is not a day from today on"),
        });
        self
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.error
            .as_ref()
            .is_some_and(|mistake| mistake.field == field)
    }

    fn complaint(&self) -> &str {
        self.error.as_ref().map_or("", |mistake| &mistake.complaint)
    }
}

impl Mistake {
    fn new(field: &'static str, complaint: &str) -> Self {
        Self {
            field,
            complaint: complaint.to_owned(),
        }
    }
}

/// Ids and names of `workspaces`, unless nobody could find one among so many.
pub fn choices(workspaces: &[Workspace]) -> Vec<(String, String)> {
    if workspaces.len() > MOST_CHOICES {
        return Vec::new();
    }
    let choice = |one: &Workspace| (one.id.to_string(), one.name.clone());
    workspaces.iter().map(choice).collect()
}

/// `choices`, unless `chosen` is none of them: then it is shown as it was sent, in a field for an id.
pub fn that_hold(choices: Vec<(String, String)>, chosen: &str) -> Vec<(String, String)> {
    let holds = chosen.is_empty() || choices.iter().any(|(id, _)| id == chosen);
    if holds { choices } else { Vec::new() }
}

fn day(at: Timestamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

/// What the form asks for. It sends every field; an empty one says nothing.
pub fn mint_body(sent: &HashMap<String, String>) -> MintBody {
    let text = |name| {
        sent.get(name)
            .filter(|text| !text.trim().is_empty())
            .cloned()
    };
    MintBody {
        name: text("name"),
        role: text("role"),
        workspace_id: text("workspace_id").map(|id| id.trim().to_owned()),
        // The form of an approved request repeats the instant that was approved.
        expires_at: text("expires_at")
            .or_else(|| text("expires_on").map(|day| format!("{day}T23:59:59Z"))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::NOW;
    use super::*;

    #[test]
    fn the_form_proposes_little_and_offers_no_more_than_the_minter_has() {
        let form = MintForm::new(Role::Editor, NOW);
        assert_eq!(form.role, Role::Reader);
        assert_eq!(form.roles.len(), 2);
        assert_eq!(form.expires_on, "2026-04-01");
        assert_eq!(form.earliest, "2026-01-01");
    }

    #[test]
    fn what_is_wrong_with_the_role_is_told_of_all_its_choices() {
        let sent = HashMap::from([("role".to_owned(), "owner".to_owned())]);
        let form = MintForm::new(Role::Admin, NOW).filled(&sent, "role", "is none of them");
        let html = form.render().expect("drawn");
        for shown in [
            r#"<fieldset class="field" aria-describedby="role-wrong">"#,
            r#"id="role-wrong">The role is none of them."#,
            r#"value="reader" checked autofocus>"#,
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
    }

    #[test]
    fn the_same_day_asks_for_the_same_instant() {
        let sent = HashMap::from([
            ("name".to_owned(), "ci".to_owned()),
            ("expires_on".to_owned(), "2026-04-01".to_owned()),
            ("workspace_id".to_owned(), " ".to_owned()),
        ]);
        let body = mint_body(&sent);
        assert_eq!(body.name.as_deref(), Some("ci"));
        assert_eq!(body.expires_at.as_deref(), Some("2026-04-01T23:59:59Z"));
        assert_eq!(body.workspace_id, None);
    }
}
