//! The audit log, newest first.

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::audit::Entry;
use countersign_core::id::ApprovalId;
use countersign_core::ledger::Page;
use countersign_core::permit::Permit;
use countersign_core::ports::LedgerError;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde_json::Value;

use super::frame::{Frame, Party, Place};
use super::moment::Moment;
use super::{asked, assets, page};
use crate::problem::Problem;
use crate::routes::{Answer, Call, Routes};

/// Entries on one page.
const PAGE: u32 = 50;

pub(super) fn add(routes: Routes) -> Routes {
    routes.verb(Method::GET, "/console/audit", Verb::AuditRead, show)
}

/// A part of the log.
#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    frame: Frame,
    lines: Vec<Line>,
    /// Where the next older part begins.
    older: Option<i64>,
    is_newest: bool,
    /// What a walk of the whole chain found, if one was asked for.
    checked: Option<Checked>,
}

/// One entry.
struct Line {
    seq: i64,
    at: Moment,
    what: String,
    party: Party,
    approval: Option<String>,
    particulars: Vec<(String, String)>,
}

/// What became of a walk of the whole chain.
enum Checked {
    /// So many entries, and each follows from the one before it.
    Whole(i64),
    /// Where it does not hold.
    Broken(String),
}

impl Line {
    fn new(entry: &Entry, now: Timestamp) -> Self {
        let mut leaves = Vec::new();
        asked::flatten("", &entry.detail, &mut leaves);
        Self {
            seq: entry.seq,
            at: Moment::new(entry.at, now),
            what: asked::in_words(&entry.kind),
            party: Party::of(&entry.actor),
            // Parsed, because it becomes part of an address.
            approval: entry
                .detail
                .get("approval")
                .and_then(Value::as_str)
                .and_then(ApprovalId::parse)
                .map(|id| id.to_string()),
            particulars: leaves
                .iter()
                .map(|(name, value)| (asked::in_words(name), asked::leaf(value)))
                .collect(),
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
    let permit = call.permit(Action::AuditRead).await?;
    let head = head(&call, &permit).await?;
    let end = before.map_or(head, |before| (before - 1).min(head));
    let start = (end - i64::from(PAGE)).max(0);
    let mut entries = after(&call, &permit, start, PAGE).await?;
    entries.retain(|entry| entry.seq <= end);
    let checked = match call.query.get("check") {
        None => None,
        Some(_) => Some(match call.app.ledger.verify_audit(&permit).await? {
            Ok(entries) => Checked::Whole(entries),
            Err(broken) => Checked::Broken(broken.to_string()),
        }),
    };
    let now = call.app.clock.now();
    let shown = AuditPage {
        frame: Frame::of(&call.caller, Place::Audit),
        lines: entries
            .iter()
            .rev()
            .map(|entry| Line::new(entry, now))
            .collect(),
        older: (start > 0).then_some(start + 1),
        is_newest: end == head,
        checked,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// The number of the newest entry; 0 where there is none. The ledger pages from the oldest on, and
/// numbers have no gaps: so doubling and halving finds the end in some forty reads of one row, of a
/// log of a million entries.
async fn head(call: &Call, permit: &Permit) -> Result<i64, LedgerError> {
    let (mut there, mut gone) = (0, 1);
    while exists(call, permit, gone).await? {
        there = gone;
        gone *= 2;
    }
    while gone - there > 1 {
        let middle = there + (gone - there) / 2;
        if exists(call, permit, middle).await? {
            there = middle;
        } else {
            gone = middle;
        }
    }
    Ok(there)
}

async fn exists(call: &Call, permit: &Permit, seq: i64) -> Result<bool, LedgerError> {
    Ok(!after(call, permit, seq - 1, 1).await?.is_empty())
}

async fn after(
    call: &Call,
    permit: &Permit,
    seq: i64,
    limit: u32,
) -> Result<Vec<Entry>, LedgerError> {
    let part = Page {
        after: Some(seq.to_string()),
        limit,
    };
    call.app.ledger.audit(permit, &part).await
}

#[cfg(test)]
mod tests {
    use countersign_core::audit::{Event, EventKind, GENESIS};
    use serde_json::json;

    use super::super::examples::{NOW, approval, is_whole, person};
    use super::*;

    fn drawn(detail: Value, checked: Option<Checked>) -> String {
        let event = Event {
            kind: EventKind::OrgTokenMinted,
            actor: "org-token:cso_abcd".to_owned(),
            detail,
        };
        let entry = Entry::link(7, NOW, &event, GENESIS);
        let page = AuditPage {
            frame: Frame::of(&person("ada"), Place::Audit),
            lines: vec![Line::new(&entry, NOW)],
            older: Some(7),
            is_newest: true,
            checked,
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn an_entry_is_told_in_words_with_all_its_particulars() {
        let detail = json!({
            "approval": approval().id,
            "name": "<script>",
            "resource": { "kind": "organisation" },
            "expires_at": null,
        });
        let html = drawn(detail, None);
        for shown in [
            "Organisation key minted",
            "cso_abcd",
            "Resource kind",
            "&#60;script&#62;",
            &format!("/console/approvals/{}", approval().id),
            "before=7",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
    }

    #[test]
    fn an_entry_about_something_else_leads_to_no_approval() {
        let html = drawn(json!({ "approval": "../../elsewhere" }), None);
        assert!(!html.contains("/console/approvals/.."), "{html}");
    }

    #[test]
    fn a_chain_that_does_not_hold_is_told_where() {
        let broken = "entry 3 was changed after it was written".to_owned();
        assert!(drawn(json!({}), Some(Checked::Broken(broken.clone()))).contains(&broken));
        assert!(drawn(json!({}), Some(Checked::Whole(7))).contains("7 entries"));
    }
}
