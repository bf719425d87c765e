//! The organisation's keys: which live, minting one, revoking one.

use std::collections::HashMap;
use std::time::Duration;

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::id::TokenId;
use countersign_core::ledger::OrgToken;
use countersign_core::policy::Role;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::Value;

use super::assets;
use super::frame::{Frame, Party, Place};
use super::moment::Moment;
use super::{page, see_other};
use crate::problem::Problem;
use crate::routes::org_tokens::MintBody;
use crate::routes::{Answer, Call, Routes};

/// What the form proposes: a key that nobody needs any more dies by itself.
const PROPOSED_LIFE: Duration = Duration::from_secs(90 * 86_400);

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, "/console/keys", Verb::OrgTokenList, list)
        .verb(Method::POST, "/console/keys", Verb::OrgTokenMint, mint)
        .verb(
            Method::GET,
            "/console/keys/{id}/revoke",
            Verb::OrgTokenList,
            confirm,
        )
        .verb(
            Method::POST,
            "/console/keys/{id}/revoke",
            Verb::OrgTokenRevoke,
            revoke,
        )
}

/// A key, as it is listed.
struct Key {
    id: String,
    prefix: String,
    name: Option<String>,
    role: Role,
    workspace: Option<String>,
    minter: Party,
    minter_user: Option<String>,
    created: Moment,
    last_used: Option<Moment>,
    expires: Option<Moment>,
}

impl Key {
    fn new(token: OrgToken, now: Timestamp) -> Self {
        let moment = |at| Moment::new(at, now);
        Self {
            id: token.id.to_string(),
            prefix: token.prefix,
            name: token.name,
            role: token.role,
            workspace: token.workspace.map(|id| id.to_string()),
            minter: Party::of(&token.created_by),
            minter_user: token.created_by_user,
            created: moment(token.created_at),
            last_used: token.last_used_at.map(moment),
            expires: token.expires_at.map(moment),
        }
    }
}

/// The live keys, and the form for another.
#[derive(Template)]
#[template(path = "keys.html")]
struct KeysPage {
    frame: Frame,
    keys: Vec<Key>,
    form: MintForm,
}

/// The form alone, with what is wrong with it.
#[derive(Template)]
#[template(path = "mint.html")]
struct MintPage {
    frame: Frame,
    form: MintForm,
}

/// A new key, shown this once.
#[derive(Template)]
#[template(path = "minted.html")]
struct MintedPage<'a> {
    frame: Frame,
    key: Key,
    plain: &'a str,
}

/// Whether a key should really go.
#[derive(Template)]
#[template(path = "revoke.html")]
struct RevokePage {
    frame: Frame,
    key: Key,
}

/// What a person fills in to mint a key.
struct MintForm {
    name: String,
    role: Role,
    /// Those that the minter may give.
    roles: Vec<RoleChoice>,
    /// The last day on which it works, in UTC: a day, and not a span, so that asking again for the
    /// same key is the same request.
    expires_on: String,
    earliest: String,
    workspace: String,
    /// What is wrong, and with which field.
    error: Option<(String, String)>,
}

struct RoleChoice {
    role: Role,
    reach: &'static str,
}

impl MintForm {
    fn new(most: Role, now: Timestamp) -> Self {
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
            error: None,
        }
    }

    /// As it was sent, to be mended.
    fn filled(mut self, sent: &HashMap<String, String>, error: (String, String)) -> Self {
        let text = |name| sent.get(name).cloned().unwrap_or_default();
        self.name = text("name");
        self.role = Role::parse(&text("role")).unwrap_or(self.role);
        self.expires_on = text("expires_on");
        self.workspace = text("workspace_id");
        self.error = Some(error);
        self
    }

    fn is_wrong(&self, field: &str) -> bool {
        self.error.as_ref().is_some_and(|(wrong, _)| wrong == field)
    }

    fn complaint(&self) -> &str {
        self.error.as_ref().map_or("", |(_, complaint)| complaint)
    }
}

fn day(at: Timestamp) -> String {
    at.to_string().get(..10).unwrap_or_default().to_owned()
}

async fn list(call: Call) -> Answer {
    let keys = live(&call).await?;
    let now = call.app.clock.now();
    let shown = KeysPage {
        frame: Frame::of(&call.caller, Place::Keys),
        keys: keys.into_iter().map(|token| Key::new(token, now)).collect(),
        form: MintForm::new(call.caller.role(), now),
    };
    Ok(page(StatusCode::OK, &shown))
}

async fn mint(call: Call) -> Answer {
    let sent = call.form()?;
    let action = match mint_body(&sent).into_action(&call) {
        Ok(action) => action,
        Err(problem) => return mend(&call, &sent, problem),
    };
    let Passed::Minted(token, plain) = call.submit(action).await? else {
        return Err(Problem::internal());
    };
    let shown = MintedPage {
        frame: Frame::of(&call.caller, Place::Keys),
        key: Key::new(token, call.app.clock.now()),
        plain: plain.reveal(),
    };
    // No redirect: an address can be shown again, and this must not be.
    Ok(page(StatusCode::OK, &shown))
}

/// The form as it was sent, with what is wrong at the field that is wrong.
fn mend(call: &Call, sent: &HashMap<String, String>, problem: Problem) -> Answer {
    let Some(field) = problem.body.get("field").and_then(Value::as_str) else {
        return Err(problem);
    };
    let complaint = problem.error().replacen(&format!("`{field}` "), "", 1);
    let error = match field {
        "expires_at" => ("expires_on", "is not a day from today on".to_owned()),
        other => (other, complaint),
    };
    let form = MintForm::new(call.caller.role(), call.app.clock.now())
        .filled(sent, (error.0.to_owned(), error.1));
    let shown = MintPage {
        frame: Frame::of(&call.caller, Place::Keys),
        form,
    };
    Ok(page(problem.status, &shown))
}

/// A form sends every field; an empty one says nothing.
fn mint_body(sent: &HashMap<String, String>) -> MintBody {
    let text = |name| {
        sent.get(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    MintBody {
        name: text("name"),
        role: text("role"),
        workspace_id: text("workspace_id"),
        // The form of an approved request repeats the instant that was approved.
        expires_at: text("expires_at")
            .or_else(|| text("expires_on").map(|day| format!("{day}T23:59:59Z"))),
    }
}

async fn confirm(call: Call) -> Answer {
    let id = call.path("id", TokenId::parse)?;
    let token = live(&call)
        .await?
        .into_iter()
        .find(|token| token.id == id)
        .ok_or_else(|| {
            Problem::new(
                StatusCode::NOT_FOUND,
                "not_found",
                "there is no such key, or it was revoked already",
            )
        })?;
    let shown = RevokePage {
        frame: Frame::of(&call.caller, Place::Keys),
        key: Key::new(token, call.app.clock.now()),
    };
    Ok(page(StatusCode::OK, &shown))
}

async fn revoke(call: Call) -> Answer {
    let token = call.path("id", TokenId::parse)?;
    call.submit(Action::OrgTokenRevoke { token }).await?;
    Ok(see_other("/console/keys"))
}

async fn live(call: &Call) -> Result<Vec<OrgToken>, Problem> {
    let permit = call.permit(Action::OrgTokenList).await?;
    let now = call.app.clock.now();
    Ok(call.app.ledger.org_tokens(&permit, now).await?)
}

#[cfg(test)]
mod tests {
    use super::super::examples::{NOW, is_whole, person};
    use super::*;

    fn token(name: &str) -> OrgToken {
        OrgToken {
            id: TokenId::parse("019b76da-a800-7000-8000-000000000003").expect("a UUID"),
            prefix: "cso_abcd".to_owned(),
            name: Some(name.to_owned()),
            role: Role::Admin,
            workspace: None,
            created_by: "session:0123456789abcdef".to_owned(),
            created_by_user: Some("ada@example".to_owned()),
            lineage: "person:control-plane:ada".to_owned(),
            created_at: NOW,
            last_used_at: None,
            expires_at: Some(NOW.plus(PROPOSED_LIFE)),
        }
    }

    fn frame() -> Frame {
        Frame::of(&person("ada"), Place::Keys)
    }

    fn drawn(template: &impl Template) -> String {
        let html = template.render().expect("drawn");
        is_whole(&html);
        html
    }

    const HOSTILE: &str = "<script>alert('x')</script>";

    #[test]
    fn a_keys_name_cannot_be_markup() {
        for html in [
            drawn(&KeysPage {
                frame: frame(),
                keys: vec![Key::new(token(HOSTILE), NOW)],
                form: MintForm::new(Role::Admin, NOW),
            }),
            drawn(&RevokePage {
                frame: frame(),
                key: Key::new(token(HOSTILE), NOW),
            }),
            drawn(&MintedPage {
                frame: frame(),
                key: Key::new(token(HOSTILE), NOW),
                plain: "cso_secret",
            }),
        ] {
            assert!(!html.contains("<script"), "{html}");
            assert!(html.contains("&#60;script&#62;"), "{html}");
        }
    }

    #[test]
    fn the_list_tells_keys_apart_and_leads_to_revoking_each() {
        let html = drawn(&KeysPage {
            frame: frame(),
            keys: vec![Key::new(token("ci"), NOW)],
            form: MintForm::new(Role::Admin, NOW),
        });
        for shown in [
            "cso_abcd",
            "ci",
            "admin",
            "ada@example",
            "never",
            "in 90 days",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(html.contains("/console/keys/019b76da-a800-7000-8000-000000000003/revoke"));
        let empty = drawn(&KeysPage {
            frame: frame(),
            keys: Vec::new(),
            form: MintForm::new(Role::Admin, NOW),
        });
        assert!(!empty.contains("<table"), "{empty}");
    }

    #[test]
    fn a_new_key_is_shown_once_and_in_no_address() {
        let html = drawn(&MintedPage {
            frame: frame(),
            key: Key::new(token("ci"), NOW),
            plain: "cso_secret",
        });
        assert_eq!(html.matches("cso_secret").count(), 1, "{html}");
        assert!(!html.contains("=\"cso_secret"), "{html}");
    }

    #[test]
    fn the_form_proposes_little_and_offers_no_more_than_the_minter_has() {
        let form = MintForm::new(Role::Editor, NOW);
        assert_eq!(form.role, Role::Reader);
        assert_eq!(form.roles.len(), 2);
        assert_eq!(form.expires_on, "2026-04-01");
        assert_eq!(form.earliest, "2026-01-01");
    }

    #[test]
    fn a_form_that_is_wrong_comes_back_as_it_was_sent_and_says_where() {
        let sent = HashMap::from([
            ("name".to_owned(), HOSTILE.to_owned()),
            ("role".to_owned(), "editor".to_owned()),
        ]);
        let form = MintForm::new(Role::Admin, NOW).filled(
            &sent,
            (
                "name".to_owned(),
                "is longer than 100 characters".to_owned(),
            ),
        );
        let html = drawn(&MintPage {
            frame: frame(),
            form,
        });
        assert!(html.contains("aria-invalid"), "{html}");
        assert!(html.contains("is longer than 100 characters"), "{html}");
        assert!(html.contains(r#"value="editor" checked"#), "{html}");
        assert!(html.contains(r#"value="&#60;script&#62;"#), "{html}");
    }

    #[test]
    fn the_same_day_asks_for_the_same_instant() {
        let sent = HashMap::from([
            ("name".to_owned(), " ci ".to_owned()),
            ("expires_on".to_owned(), "2026-04-01".to_owned()),
            ("workspace_id".to_owned(), String::new()),
        ]);
        let body = mint_body(&sent);
        assert_eq!(body.name.as_deref(), Some("ci"));
        assert_eq!(body.expires_at.as_deref(), Some("2026-04-01T23:59:59Z"));
        assert_eq!(body.workspace_id, None);
    }
}
