//! The organisation's keys: which live, minting one, revoking one.

use std::collections::HashMap;

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::id::TokenId;
use countersign_core::ledger::{HourOfUse, OrgToken};
use countersign_core::policy::Role;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::Value;

use super::assets;
use super::chart::{A_DAY, Chart};
use super::frame::{Frame, Party, Place};
use super::mint_form::{MintForm, mint_body};
use super::moment::Moment;
use super::page;
use super::tree;
use super::waiting::{self, Sent};
use crate::problem::Problem;
use crate::routes::{Answer, Call, Routes};

/// As many keys as the ledger lists.
const LIST_LIMIT: usize = 500;

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, "/console/keys", Verb::OrgTokenList, list)
        .verb(Method::POST, "/console/keys", Verb::OrgTokenMint, mint)
}

/// A key, as it is listed.
pub struct Key {
    pub id: String,
    pub prefix: String,
    pub name: Option<String>,
    pub role: Role,
    pub workspace: Option<String>,
    pub minter: Party,
    pub minter_user: Option<String>,
    pub created: Moment,
    pub last_used: Option<Moment>,
    pub uses_24h: u64,
    pub expires: Option<Moment>,
    pub drains: Option<Moment>,
}

/// A key in the list, with its picture.
struct Listed {
    key: Key,
    chart: Chart,
}

impl Key {
    /// `token`, seen at `now`.
    pub fn new(token: OrgToken, now: Timestamp) -> Self {
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
    keys: Vec<Listed>,
    /// Whether there may be more than are listed.
    is_cut: bool,
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

async fn list(call: Call) -> Answer {
    let now = call.app.clock.now();
    let permit = call.permit(Action::OrgTokenList).await?;
    let keys = call.app.ledger.org_tokens(&permit, now).await?;
    let since = now.minus(A_DAY);
    let uses = call.app.ledger.uses_by_hour(&permit, since, now).await?;
    let mut hours: HashMap<TokenId, Vec<HourOfUse>> = HashMap::new();
    for (token, hour) in uses {
        hours.entry(token).or_default().push(hour);
    }
    let listed = |token: OrgToken| Listed {
        chart: Chart::new(hours.get(&token.id).into_iter().flatten(), now),
        key: Key::new(token, now),
    };
    let shown = KeysPage {
        frame: Frame::of(&call.caller, Place::Keys),
        is_cut: keys.len() >= LIST_LIMIT,
        keys: keys.into_iter().map(listed).collect(),
        form: form(&call, now).await,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// An empty form. Where it cannot be seen which workspaces there are, one is named by its id.
async fn form(call: &Call, now: Timestamp) -> MintForm {
    let form = MintForm::new(call.caller.role(), now);
    match tree::standing(call).await {
        Ok(workspaces) => form.offering(&workspaces),
        Err(_) => form,
    }
}

async fn mint(call: Call) -> Answer {
    let sent = call.form()?;
    let action = match mint_body(&sent).into_action(&call) {
        Ok(action) => action,
        Err(problem) => return mend(&call, &sent, problem).await,
    };
    let (token, plain) = match waiting::submit(&call, Place::Keys, action).await {
        Ok(Sent::Done(Passed::Minted(token, plain))) => (token, plain),
        Ok(Sent::Waits(page)) => return Ok(page),
        Ok(Sent::Done(_)) => return Err(Problem::internal()),
        // Some of what is wrong shows only when it is tried: a workspace that does not stand.
        Err(problem) => return mend(&call, &sent, problem).await,
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
async fn mend(call: &Call, sent: &HashMap<String, String>, problem: Problem) -> Answer {
    let Some(field) = problem.body.get("field").and_then(Value::as_str) else {
        return Err(problem);
    };
    let complaint = problem.error().replacen(&format!("`{field}` "), "", 1);
    let form = form(call, call.app.clock.now()).await;
    let shown = MintPage {
        frame: Frame::of(&call.caller, Place::Keys),
        form: form.filled(sent, field, &complaint),
    };
    Ok(page(problem.status, &shown))
}

#[cfg(test)]
mod tests {
    use super::super::examples::{NOW, is_whole, org_token as token, person, workspace};
    use super::*;

    fn listed(token: OrgToken) -> Listed {
        Listed {
            key: Key::new(token, NOW),
            chart: Chart::new(&[], NOW),
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
                keys: vec![listed(token(HOSTILE))],
                is_cut: false,
                form: MintForm::new(Role::Admin, NOW),
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
            keys: vec![listed(token("ci"))],
            is_cut: false,
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
        let used = OrgToken {
            last_used_at: Some(NOW),
            ..token("ci")
        };
        let html = drawn(&KeysPage {
            frame: frame(),
            keys: vec![listed(used)],
            is_cut: false,
            form: MintForm::new(Role::Admin, NOW),
        });
        assert!(html.contains("Not used in the last 24 hours"), "{html}");
        assert!(!html.contains("Look twice."), "{html}");
        let minted = OrgToken {
            created_by_user: Some("\u{430}da".to_owned()),
            workspace: Some(workspace(1, "", None).id),
            ..token("ci")
        };
        let html = drawn(&KeysPage {
            frame: frame(),
            keys: vec![listed(minted)],
            is_cut: false,
            form: MintForm::new(Role::Admin, NOW),
        });
        assert!(html.contains("looks like “ada” and is not"), "{html}");
        let bound = r#"href="/console/workspaces/00000000-0000-4000-8000-000000000001""#;
        assert!(html.contains(bound), "{html}");
        let empty = drawn(&KeysPage {
            frame: frame(),
            keys: Vec::new(),
            is_cut: false,
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
            keys: vec![listed(draining)],
            is_cut: true,
            form: MintForm::new(Role::Admin, NOW),
        });
        assert!(html.contains("Revoked, works until"), "{html}");
        assert!(!html.contains("in 90 days"), "{html}");
        assert!(
            html.contains("Only the newest 500"),
            "a cut list says so: {html}"
        );
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
