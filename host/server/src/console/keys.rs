//! The organisation's keys: which live, minting one, revoking one.

use std::collections::HashMap;

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
use super::mint_form::{MintForm, mint_body};
use super::moment::Moment;
use super::{page, see_other};
use crate::problem::Problem;
use crate::routes::org_tokens::revocation;
use crate::routes::{Answer, Call, Routes};

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
    uses_24h: u64,
    expires: Option<Moment>,
    drains: Option<Moment>,
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
            uses_24h: token.uses_24h,
            expires: token.expires_at.map(moment),
            drains: token.draining_until.map(moment),
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
    let (token, plain) = match call.submit(action).await {
        Ok(Passed::Minted(token, plain)) => (token, plain),
        Ok(_) => return Err(Problem::internal()),
        // Some of what is wrong shows only when it is tried: a workspace that does not stand.
        Err(problem) => return mend(&call, &sent, problem),
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
    let form =
        MintForm::new(call.caller.role(), call.app.clock.now()).filled(sent, field, &complaint);
    let shown = MintPage {
        frame: Frame::of(&call.caller, Place::Keys),
        form,
    };
    Ok(page(problem.status, &shown))
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
    call.submit(revocation(token, &call.form()?)?).await?;
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
            uses_24h: 0,
            expires_at: Some(NOW.plus(std::time::Duration::from_secs(90 * 86_400))),
            draining_until: None,
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
            assert!(!html.contains("<script>"), "{html}");
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
    fn a_key_that_drains_says_until_when() {
        let draining = OrgToken {
            draining_until: Some(NOW.plus(std::time::Duration::from_secs(60))),
            ..token("ci")
        };
        let html = drawn(&KeysPage {
            frame: frame(),
            keys: vec![Key::new(draining, NOW)],
            form: MintForm::new(Role::Admin, NOW),
        });
        assert!(html.contains("Revoked, works until"), "{html}");
        assert!(!html.contains("in 90 days"), "{html}");
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
    fn a_form_that_is_wrong_comes_back_as_it_was_sent_and_says_where() {
        let sent = HashMap::from([
            ("name".to_owned(), HOSTILE.to_owned()),
            ("role".to_owned(), "editor".to_owned()),
        ]);
        let form =
            MintForm::new(Role::Admin, NOW).filled(&sent, "name", "is longer than 100 characters");
        let html = drawn(&MintPage {
            frame: frame(),
            form,
        });
        assert!(html.contains("aria-invalid"), "{html}");
        assert!(html.contains("is longer than 100 characters"), "{html}");
        assert!(html.contains(r#"value="editor" checked"#), "{html}");
        assert!(html.contains(r#"value="&#60;script&#62;"#), "{html}");
    }
}
