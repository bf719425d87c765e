//! One entry of the audit, with its place in the chain.

use askama::Template;
use axum::http::StatusCode;
use countersign_core::action::Action;
use countersign_core::audit::{Entry, GENESIS};
use countersign_core::ledger::Page;
use countersign_core::time::Timestamp;

use super::audit::Line;
use super::frame::{Frame, Place};
use super::people::People;
use super::{assets, page};
use crate::problem::Problem;
use crate::routes::{Answer, Call};

/// The page.
#[derive(Template)]
#[template(path = "audit_entry.html")]
struct EntryPage {
    frame: Frame,
    line: Line,
    kind: String,
    actor: String,
    hash: String,
    previous: String,
    /// Why it does not hold, if it does not.
    broken: Option<&'static str>,
    is_first: bool,
    is_last: bool,
}

impl EntryPage {
    /// `entry`, between the one before it and the one after it, where those are there.
    fn new(
        frame: Frame,
        (entry, people): (&Entry, &People),
        (before, is_last): (Option<&Entry>, bool),
        now: Timestamp,
    ) -> Self {
        let follows = before.map_or(GENESIS, |before| &before.hash);
        let broken = if entry.hash != entry.computed_hash() {
            Some("this entry was changed after it was written")
        } else if entry.previous != follows {
            Some("this entry does not follow from the one before it")
        } else {
            None
        };
        Self {
            frame,
            line: Line::new(entry, people, now),
            kind: entry.kind.clone(),
            actor: entry.actor.clone(),
            hash: entry.hash.clone(),
            previous: entry.previous.clone(),
            broken,
            is_first: entry.seq == 1,
            is_last,
        }
    }
}

/// Shows one.
pub(super) async fn show(call: Call) -> Answer {
    let seq = call.path_text("seq").parse::<i64>().ok();
    let seq = seq.filter(|seq| *seq > 0).ok_or_else(not_there)?;
    let permit = call.permit(Action::AuditRead).await?;
    // With the one before it and the one after it.
    let around = Page {
        after: Some((seq.saturating_sub(2)).to_string()),
        limit: 3,
    };
    let entries = call.app.ledger.audit(&permit, &around).await?;
    let at = |seq: i64| entries.iter().find(|entry| entry.seq == seq);
    let entry = at(seq).ok_or_else(not_there)?;
    let people = People::of(&call, [&*entry.actor]).await?;
    let shown = EntryPage::new(
        Frame::of(&call.caller, Place::Audit),
        (entry, &people),
        (at(seq - 1), at(seq.saturating_add(1)).is_none()),
        call.app.clock.now(),
    );
    Ok(page(StatusCode::OK, &shown))
}

fn not_there() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "the audit has no entry of this number: look for it in the audit's list",
    )
}

#[cfg(test)]
mod tests {
    use countersign_core::audit::{Event, EventKind};
    use serde_json::json;

    use super::super::examples::{NOW, approval, decision, is_whole, person};
    use super::*;

    fn entry(seq: i64, previous: &str) -> Entry {
        let event = Event {
            kind: EventKind::SecretWritten,
            actor: "session:0a1b".to_owned(),
            detail: json!({
                "key": "<script>", "decision": decision().id, "approval": approval().id,
            }),
        };
        Entry::link(seq, NOW, &event, previous)
    }

    fn drawn(entry: &Entry, before: Option<&Entry>) -> String {
        let frame = Frame::of(&person("ada"), Place::Audit);
        let page = EntryPage::new(frame, (entry, &People::default()), (before, false), NOW);
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn an_entry_is_shown_whole_and_leads_to_what_it_is_about() {
        let first = entry(1, GENESIS);
        let second = entry(2, &first.hash);
        let html = drawn(&second, Some(&first));
        for shown in [
            "Secret written",
            "secret_written",
            "session:0a1b",
            "&#60;script&#62;",
            &first.hash,
            &second.hash,
            &format!("/console/decisions/{}", decision().id),
            &format!("/console/approvals/{}", approval().id),
            "href=\"/console/audit/1\"",
            "href=\"/console/audit/3\"",
            "Its hash fits",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!drawn(&first, None).contains("href=\"/console/audit/0\""));
    }

    #[test]
    fn an_entry_that_does_not_hold_says_so() {
        let first = entry(1, GENESIS);
        let mut second = entry(2, &first.hash);
        second.actor = "nobody".to_owned();
        assert!(drawn(&second, Some(&first)).contains("was changed after"));
        let unlinked = entry(2, GENESIS);
        assert!(drawn(&unlinked, Some(&first)).contains("does not follow"));
    }
}
