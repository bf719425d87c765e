//! One key: what it is, by which keys it came about, what it minted, how it is used, and how it ends.

mod revocation;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::approval::Approval;
use countersign_core::caller::Caller;
use countersign_core::holdings::{Family, Kin, MAX_KIN};
use countersign_core::id::TokenId;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::approval_page::{Signature, signatures};
use super::chart::{A_DAY, Chart};
use super::frame::{Frame, Place};
use super::keys::Key;
use super::moment::Moment;
use super::{assets, page};
use crate::problem::Problem;
use crate::routes::{Answer, Call, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    let (one, end) = ("/console/keys/{id}", "/console/keys/{id}/revoke");
    routes
        .verb(Method::GET, one, Verb::OrgTokenList, show)
        .verb(Method::GET, end, Verb::OrgTokenList, revocation::confirm)
        .verb(Method::POST, end, Verb::OrgTokenRevoke, revocation::revoke)
}

/// One key.
#[derive(Template)]
#[template(path = "key.html")]
struct KeyPage {
    frame: Frame,
    key: Key,
    is_live: bool,
    chart: Chart,
    approved: Option<Approved>,
    minters: Vec<Relative>,
    descent: Descent,
}

/// By what a key came about, where people had to approve that.
struct Approved {
    id: String,
    by: Vec<Signature>,
}

/// What a key minted. Draws itself as a list.
#[derive(Template)]
#[template(path = "descent.html")]
pub struct Descent {
    keys: Vec<Relative>,
    of_workspaces: Vec<OfWorkspace>,
    /// Whether there may be more than are here.
    is_cut: bool,
}

/// A key above or below another.
struct Relative {
    key: Key,
    is_live: bool,
    created_at: Timestamp,
    /// Whether it came about after somebody looked.
    is_new: bool,
}

/// A live token of a workspace.
struct OfWorkspace {
    prefix: String,
    workspace: String,
    created: Moment,
    created_at: Timestamp,
    is_new: bool,
}

impl Approved {
    /// As `reader` may know it: a program sees no requests but its own.
    fn new(approval: &Approval, reader: &Caller, now: Timestamp) -> Option<Self> {
        reader.person()?;
        Some(Self {
            id: approval.id.to_string(),
            by: signatures(approval, now),
        })
    }
}

/// Its template escapes what was given.
impl HtmlSafe for Descent {}

impl Descent {
    /// What of it works.
    pub fn live(family: &Family, now: Timestamp) -> Self {
        let mut descent = Self::new(family, now);
        descent.keys.retain(|kin| kin.is_live);
        descent
    }

    fn new(family: &Family, now: Timestamp) -> Self {
        let most = usize::try_from(MAX_KIN).unwrap_or(usize::MAX);
        let (minted, of_workspaces) = (&family.minted, &family.of_workspaces);
        Self {
            is_cut: minted.len() >= most || of_workspaces.len() >= most,
            keys: relatives(minted, now),
            of_workspaces: of_workspaces
                .iter()
                .map(|token| OfWorkspace {
                    prefix: token.prefix.clone(),
                    workspace: token.workspace.to_string(),
                    created: Moment::new(token.created_at, now),
                    created_at: token.created_at,
                    is_new: false,
                })
                .collect(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.of_workspaces.is_empty()
    }
}

fn relatives(kin: &[Kin], now: Timestamp) -> Vec<Relative> {
    kin.iter()
        .map(|kin| Relative {
            key: Key::new(kin.token.clone(), now),
            is_live: kin.is_live,
            created_at: kin.token.created_at,
            is_new: false,
        })
        .collect()
}

async fn show(call: Call) -> Answer {
    let id = call.path("id", TokenId::parse)?;
    let now = call.app.clock.now();
    let permit = call.permit(Action::OrgTokenList).await?;
    let ledger = &call.app.ledger;
    let family = ledger.family(&permit, id, now).await?;
    let family = family.ok_or_else(|| nothing("there is no such key, and there was none"))?;
    let uses = ledger.token_uses(&permit, id, now.minus(A_DAY)).await?;
    let shown = KeyPage {
        frame: Frame::of(&call.caller, Place::Keys),
        minters: relatives(&family.minters, now),
        descent: Descent::new(&family, now),
        key: Key::new(family.token.token, now),
        is_live: family.token.is_live,
        chart: Chart::new(uses.iter().flatten(), now),
        approved: family
            .approval
            .and_then(|approval| Approved::new(&approval, &call.caller, now)),
    };
    Ok(page(StatusCode::OK, &shown))
}

fn nothing(error: &str) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", error)
}

#[cfg(test)]
mod tests {
    use countersign_core::approval::{Choice, State};
    use countersign_core::ledger::{HourOfUse, OrgToken};
    use countersign_core::workspace::FallDigest;

    use super::super::examples::{NOW, agent, approval, is_whole, org_token, person, vote};
    use super::*;

    const HOSTILE: &str = "<script>alert('x')</script>";

    fn kin(name: &str, is_live: bool) -> Kin {
        Kin {
            token: org_token(name),
            is_live,
        }
    }

    fn approved() -> Approval {
        let mut approval = approval();
        approval.state = State::Used;
        approval.votes.push(vote("be\u{430}", Choice::Approve));
        approval
    }

    fn family(minted: Vec<Kin>) -> Family {
        Family {
            token: kin("ci", true),
            minters: Vec::new(),
            minted,
            of_workspaces: Vec::new(),
            approval: None,
            descent: FallDigest::of([("a", "organisation")]),
        }
    }

    fn drawn(template: &impl Template) -> String {
        let html = template.render().expect("drawn");
        is_whole(&html);
        assert!(!html.contains("<script>"), "{html}");
        html
    }

    #[test]
    fn a_key_is_shown_with_those_above_and_below_it() {
        let minted = OrgToken {
            created_by_user: Some("\u{430}da".to_owned()),
            ..org_token("ci")
        };
        let html = drawn(&KeyPage {
            frame: Frame::of(&person("ada"), Place::Keys),
            key: Key::new(minted, NOW),
            is_live: true,
            chart: Chart::new(&[HourOfUse { hour: NOW, uses: 7 }], NOW),
            approved: Approved::new(&approved(), &person("ada"), NOW),
            minters: relatives(&[kin("root", true)], NOW),
            descent: Descent::new(&family(vec![kin(HOSTILE, true), kin("dead", false)]), NOW),
        });
        let approval = format!("/console/approvals/{}", approved().id);
        let about = format!("\"/console/decisions?about={}\"", org_token("ci").id);
        let actor = format!(
            "\"/console/decisions?actor=org-token%3A{}\"",
            org_token("ci").prefix
        );
        for shown in [
            "ci",
            "root",
            "dead",
            "&#60;script&#62;",
            "ended",
            "/revoke",
            "<bdi>be\u{430}</bdi>",
            "looks like “bea” and is not",
            "<bdi>\u{430}da</bdi>",
            "looks like “ada” and is not",
            "<span>2025-12-31 01:00</span> <span>2026-01-01 00:00 UTC</span>",
            "<details id=\"hours\">",
            "2026-01-01 00:00 UTC</span> 7 ×",
            &approval,
            &about,
            &actor,
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
    }

    #[test]
    fn a_program_is_not_told_who_approved_a_key() {
        assert!(Approved::new(&approved(), &agent(), NOW).is_none());
    }

    #[test]
    fn a_key_that_has_ended_and_was_minted_by_a_person_offers_nothing_to_revoke() {
        let html = drawn(&KeyPage {
            frame: Frame::of(&person("ada"), Place::Keys),
            key: Key::new(org_token("ci"), NOW),
            is_live: false,
            chart: Chart::new(&[], NOW),
            approved: None,
            minters: Vec::new(),
            descent: Descent::new(&family(Vec::new()), NOW),
        });
        assert!(html.contains("does not work any more"), "{html}");
        assert!(!html.contains("/revoke"), "{html}");
        assert!(!html.contains("Hour by hour"), "it was not used: {html}");
    }
}
