//! Which policies were live, newest first.

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::generation::GenerationRecord;
use countersign_core::ledger::Page;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::super::frame::{Frame, Party, Place};
use super::super::moment::Moment;
use super::super::people::People;
use super::super::{assets, page};
use super::changes::{Changes, Sides};
use super::tabs::{Tab, Tabs};
use crate::routes::{Answer, Call, Cursor, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    let path = "/console/policies/history";
    routes.verb(Method::GET, path, Verb::PolicyRead, show)
}

/// A part of the history.
#[derive(Template)]
#[template(path = "policies/history.html")]
struct HistoryPage {
    frame: Frame,
    tabs: Tabs,
    generations: Vec<Line>,
    is_first: bool,
    next: Option<u64>,
}

/// One generation.
struct Line {
    number: u64,
    at: Moment,
    by: Party,
    approval: Option<String>,
    is_live: bool,
    /// Whether it is as a host recorded it.
    is_genuine: bool,
    changes: Changes,
}

impl Line {
    fn new(
        (record, before): (&GenerationRecord, Option<&GenerationRecord>),
        (live, is_genuine): (u64, bool),
        (people, now): (&People, Timestamp),
    ) -> Self {
        Self {
            number: record.number,
            at: Moment::new(record.at, now),
            by: people.party(&record.by),
            approval: record.approval.map(|id| id.to_string()),
            is_live: record.number == live,
            is_genuine,
            changes: Changes::between(Sides::of(before), Sides::of(Some(record))),
        }
    }
}

async fn show(call: Call) -> Answer {
    let wanted = call.page(Cursor::Number)?;
    // One more than is shown: the last of them is told apart from the one before it.
    let part = Page {
        limit: wanted.limit + 1,
        ..wanted.clone()
    };
    let permit = call.permit(Action::PolicyRead).await?;
    let found = call.app.ledger.generations(&permit, &part).await?;
    let policies = &call.app.policies;
    let (live, now) = (policies.generation(), call.app.clock.now());
    let shown = &found[..found.len().min(wanted.limit as usize)];
    let people = People::of(&call, shown.iter().map(|record| &*record.by)).await?;
    let lines = shown.iter().enumerate().map(|(at, record)| {
        let is_genuine = policies.is_genuine(record);
        Line::new(
            (record, found.get(at + 1)),
            (live, is_genuine),
            (&people, now),
        )
    });
    let shown = HistoryPage {
        frame: Frame::of(&call.caller, Place::Policies),
        tabs: Tabs::at(Tab::History),
        generations: lines.collect(),
        is_first: wanted.after.is_none(),
        next: shown
            .last()
            .filter(|_| found.len() > shown.len())
            .map(|last| last.number),
    };
    Ok(page(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests {
    use super::super::super::examples::{NOW, is_whole, person};
    use super::super::tests::generation;
    use super::*;

    fn drawn(generations: Vec<Line>, next: Option<u64>) -> String {
        let page = HistoryPage {
            frame: Frame::of(&person("ada"), Place::Policies),
            tabs: Tabs::at(Tab::History),
            generations,
            is_first: true,
            next,
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn each_generation_says_who_made_it_what_changed_and_by_which_approval() {
        let (older, newer) = (
            generation(6, &["baseline"]),
            generation(7, &["baseline", "<i>"]),
        );
        let people = People::default();
        let lines = vec![
            Line::new((&newer, Some(&older)), (7, true), (&people, NOW)),
            Line::new((&older, None), (7, false), (&people, NOW)),
        ];
        let html = drawn(lines, Some(6));
        for shown in [
            "href=\"/console/policies/generations/7\"",
            "the policy folder",
            "&#60;i&#62;",
            ">added<",
            "Live",
            "not as a host recorded it",
            "/console/approvals/019b76da-a800-7000-8000-000000000001",
            "cursor=6",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("<i>"), "{html}");
        assert!(!drawn(Vec::new(), None).contains("cursor="));
    }
}
