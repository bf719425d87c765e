//! The audit log, newest first, and how its chain stands.

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::audit::{Entry, EventKind, SignedHead};
use countersign_core::history::{AuditFilter, Found, Rest};
use countersign_core::id::{ApprovalId, DecisionId};
use countersign_core::ledger::Page;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::Value;

use super::frame::{Frame, Party, Place};
use super::moment::Moment;
use super::narrow::{Choice, Narrow};
use super::parts::Parts;
use super::people::People;
use super::{asked, assets, audit_entry, audit_export, page, people};
use crate::heads::LastWalk;
use crate::problem::Problem;
use crate::routes::{Answer, Call, Routes, history};

/// Entries on one page.
const PAGE: u32 = 50;
const PATH: &str = "/console/audit";
const FIELDS: &[&str] = &["kind", "actor", "about", "since", "until"];

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, PATH, Verb::AuditRead, show)
        .verb(
            Method::GET,
            audit_export::PATH,
            Verb::AuditRead,
            audit_export::export,
        )
        .verb(
            Method::GET,
            "/console/audit/{seq}",
            Verb::AuditRead,
            audit_entry::show,
        )
}

/// A part of the log.
#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    narrow: Narrow,
    chain: Chain,
    lines: Vec<Line>,
    parts: Parts,
    /// Where the days are to be had as a file.
    export: String,
}

/// How the chain stands, as far as this host knows.
struct Chain {
    /// The number of the newest entry, and its hash.
    head: (i64, String),
    signed: Option<(i64, Moment)>,
    walk: Option<Walk>,
}

/// A walk of the whole chain.
struct Walk {
    at: Moment,
    /// Whether it was done for this very page.
    is_now: bool,
    walked: Result<i64, String>,
}

/// One entry.
pub(super) struct Line {
    pub seq: i64,
    pub at: Moment,
    pub what: String,
    pub party: Party,
    pub approval: Option<String>,
    pub decision: Option<String>,
    pub particulars: Vec<(String, String)>,
}

impl Line {
    /// `entry`, seen from `now`.
    pub fn new(entry: &Entry, people: &People, now: Timestamp) -> Self {
        let mut leaves = Vec::new();
        asked::flatten("", &entry.detail, &mut leaves);
        let named = |name| entry.detail.get(name).and_then(Value::as_str);
        Self {
            seq: entry.seq,
            at: Moment::new(entry.at, now),
            what: asked::in_words(&entry.kind),
            party: people.party(&entry.actor),
            // Parsed, because they become parts of addresses.
            approval: named("approval")
                .and_then(ApprovalId::parse)
                .map(|id| id.to_string()),
            decision: named("decision")
                .and_then(DecisionId::parse)
                .map(|id| id.to_string()),
            particulars: leaves
                .iter()
                .map(|(name, value)| (asked::in_words(name), asked::leaf(value)))
                .collect(),
        }
    }
}

impl AuditPage {
    fn kinds(&self) -> Vec<Choice> {
        let mut all: Vec<_> = EventKind::ALL
            .iter()
            .map(|kind| (kind.as_str(), asked::in_words(kind.as_str())))
            .collect();
        all.sort_by(|a, b| a.1.cmp(&b.1));
        self.narrow.choices("kind", all)
    }

    fn check(&self) -> String {
        self.narrow.link(PATH, &[("check", "chain")])
    }
}

impl Chain {
    fn new(
        head: (i64, String),
        signed: Option<SignedHead>,
        walk: Option<LastWalk>,
        now: Timestamp,
    ) -> Self {
        Self {
            head,
            signed: signed.map(|signed| (signed.seq, Moment::new(signed.at, now))),
            walk: walk.map(|walk| Walk {
                at: Moment::new(walk.at, now),
                is_now: false,
                walked: walk.walked,
            }),
        }
    }
}

async fn show(call: Call) -> Answer {
    let before = match call.query.get("before") {
        None => None,
        Some(before) => Some(
            before
                .parse::<i64>()
                .ok()
                .filter(|before| *before > 0)
                .ok_or_else(|| Problem::bad_field("before", "is not the number of an entry"))?,
        ),
    };
    let (narrow, filter) = read(&call);
    let permit = call.permit(Action::AuditRead).await?;
    let is_checked = call.query.contains_key("check");
    if is_checked {
        history::walk(&call, &permit).await?;
    }
    let ledger = &call.app.ledger;
    let wanted = Page {
        after: before.map(|before| before.to_string()),
        limit: PAGE,
    };
    let (status, found) = match narrow.is_wrong() {
        true => (StatusCode::BAD_REQUEST, nothing()),
        false => (
            StatusCode::OK,
            ledger.find_entries(&permit, &filter, &wanted).await?,
        ),
    };
    let head = ledger.audit_head(0).await?;
    let heads = &call.app.heads;
    let now = call.app.clock.now();
    let chain = (head.seq, head.hash);
    let mut chain = Chain::new(chain, heads.last().await, heads.last_walk(), now);
    if let Some(walk) = &mut chain.walk {
        walk.is_now = is_checked;
    }
    let frame = Frame::of(&call.caller, Place::Audit);
    let people = People::of(&call, found.items.iter().map(|one| &*one.actor)).await?;
    let shown = AuditPage::new((frame, narrow, chain), (&found, &wanted), (&people, now));
    Ok(page(status, &shown))
}

fn nothing() -> Found<Entry> {
    Found {
        items: Vec::new(),
        rest: Rest::Nothing,
    }
}

fn read(call: &Call) -> (Narrow, AuditFilter) {
    let mut narrow = Narrow::of(&call.query, FIELDS);
    let actor = narrow.text("actor");
    let filter = AuditFilter {
        kind: narrow.word("kind", EventKind::parse),
        called: people::called(&call.caller, actor.as_deref()),
        actor,
        about: narrow.id("about"),
        span: narrow.span(),
    };
    (narrow, filter)
}

impl AuditPage {
    fn new(
        (frame, narrow, chain): (Frame, Narrow, Chain),
        (found, wanted): (&Found<Entry>, &Page),
        (people, now): (&People, Timestamp),
    ) -> Self {
        let parts = Parts::new(
            ("entries", PATH, "before"),
            &narrow,
            (&found.rest, wanted.after.is_none(), found.items.is_empty()),
            now,
        );
        let days: Vec<_> = ["since", "until"]
            .into_iter()
            .filter(|name| narrow.wrong(name).is_none() && !narrow.given(name).is_empty())
            .map(|name| (name, narrow.given(name)))
            .collect();
        Self {
            frame,
            chain,
            lines: found
                .items
                .iter()
                .map(|entry| Line::new(entry, people, now))
                .collect(),
            parts,
            export: Narrow::default().link(audit_export::PATH, &days),
            narrow,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use countersign_core::audit::{Event, GENESIS};
    use serde_json::json;

    use super::super::examples::{NOW, approval, decision, is_whole, person};
    use super::*;

    fn entry(detail: Value) -> Entry {
        let event = Event {
            kind: EventKind::OrgTokenMinted,
            actor: "org-token:cso_abcd".to_owned(),
            detail,
        };
        Entry::link(7, NOW, &event, GENESIS)
    }

    fn drawn(
        items: Vec<Entry>,
        rest: Rest,
        query: &[(&str, &str)],
        walked: Option<Result<i64, String>>,
    ) -> String {
        let query: HashMap<_, _> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut narrow = Narrow::of(&query, FIELDS);
        narrow.span();
        let walk = walked.map(|walked| LastWalk { at: NOW, walked });
        let chain = Chain::new((7, "ab".repeat(32)), None, walk, NOW);
        let wanted = Page {
            after: None,
            limit: PAGE,
        };
        let frame = Frame::of(&person("ada"), Place::Audit);
        let page = AuditPage::new(
            (frame, narrow, chain),
            (&Found { items, rest }, &wanted),
            (&People::default(), NOW),
        );
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn an_entry_is_told_in_words_with_all_its_particulars() {
        let detail = json!({
            "approval": approval().id,
            "decision": decision().id,
            "name": "<script>",
            "resource": { "kind": "organisation" },
            "expires_at": null,
        });
        let html = drawn(vec![entry(detail)], Rest::More("7".to_owned()), &[], None);
        for shown in [
            "Organisation key minted",
            "cso_abcd",
            "Resource kind",
            "&#60;script&#62;",
            "href=\"/console/audit/7\"",
            &format!("/console/approvals/{}", approval().id),
            &format!("/console/decisions/{}", decision().id),
            "before=7",
            "not signed yet",
            "has not checked",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
    }

    #[test]
    fn an_entry_about_something_else_leads_to_no_approval() {
        let detail = json!({ "approval": "../../elsewhere", "decision": "../x" });
        let html = drawn(vec![entry(detail)], Rest::Nothing, &[], None);
        assert!(!html.contains("/console/approvals/.."), "{html}");
        assert!(!html.contains("/console/decisions/.."), "{html}");
    }

    #[test]
    fn a_chain_that_does_not_hold_is_told_where() {
        let broken = "entry 3 was changed after it was written".to_owned();
        let html = drawn(Vec::new(), Rest::Nothing, &[], Some(Err(broken.clone())));
        assert!(html.contains(&broken) && html.contains("role=\"alert\""));
        let html = drawn(Vec::new(), Rest::Nothing, &[], Some(Ok(7)));
        assert!(html.contains("7 entries"), "{html}");
    }

    #[test]
    fn the_file_is_of_the_days_and_what_narrows_further_is_no_part_of_it() {
        let query = [("since", "2026-01-01"), ("actor", "x")];
        let html = drawn(Vec::new(), Rest::Nothing, &query, None);
        assert!(
            html.contains("href=\"/console/audit/export?since=2026-01-01\""),
            "{html}"
        );
        assert!(html.contains("No entry is like that"), "{html}");
    }

    #[test]
    fn where_the_search_ended_is_said() {
        let rest = Rest::Unsearched {
            after: "12".to_owned(),
            back_to: NOW,
        };
        let html = drawn(Vec::new(), rest, &[("about", "x")], None);
        assert!(
            html.contains("20000") && html.contains("about=x&#38;before=12"),
            "{html}"
        );
    }
}
