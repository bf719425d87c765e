//! One recorded generation, and going back to it.

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::generation::GenerationRecord;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::super::frame::{Frame, Party, Place};
use super::super::moment::Moment;
use super::super::people::People;
use super::super::{assets, page, see_other};
use super::changes::{Changes, Sides};
use super::tabs::{Tab, Tabs};
use super::{Mode, Module, modules, name_who_pinned};
use crate::policies::ChoiceError;
use crate::problem::Problem;
use crate::routes::rollback::go_back;
use crate::routes::{Answer, Call, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    let path = "/console/policies/generations/{number}";
    let back = "/console/policies/generations/{number}/rollback";
    routes
        .verb(Method::GET, path, Verb::PolicyRead, show)
        .verb(Method::GET, back, Verb::PolicyRead, ask)
        .verb(Method::POST, back, Verb::PolicyRollback, roll_back)
}

/// One generation, as it was recorded.
#[derive(Template)]
#[template(path = "policies/generation.html")]
struct GenerationPage {
    frame: Frame,
    tabs: Tabs,
    facts: Facts,
    modules: Vec<Module>,
    /// Against the one before it.
    changes: Changes,
    now: Timestamp,
}

/// What is known of it besides its modules.
struct Facts {
    number: u64,
    live: u64,
    at: Moment,
    by: Party,
    summary: String,
    approval: Option<String>,
    is_genuine: bool,
    /// Whether anything is in shadow of it.
    has_shadow: bool,
    /// Whether the reader may change the policies.
    is_operator: bool,
}

/// What going back to one changes.
#[derive(Template)]
#[template(path = "policies/rollback.html")]
struct RollbackPage {
    frame: Frame,
    tabs: Tabs,
    facts: Facts,
    changes: Changes,
}

impl Facts {
    async fn new(call: &Call, record: &GenerationRecord, live: u64) -> Result<Self, Problem> {
        let app = &call.app;
        let people = People::of(call, [&*record.by]).await?;
        Ok(Self {
            number: record.number,
            live,
            at: Moment::new(record.at, app.clock.now()),
            by: people.party(&record.by),
            summary: record.summary.clone(),
            approval: record.approval.map(|id| id.to_string()),
            is_genuine: app.policies.is_genuine(record),
            has_shadow: !record.shadow.is_empty(),
            is_operator: app.gate.lets(&call.caller, Verb::PolicyRollback),
        })
    }

    fn is_live(&self) -> bool {
        self.number == self.live
    }

    /// Whether the reader can go back to it.
    fn can_be_chosen(&self) -> bool {
        self.is_operator && self.is_genuine && !self.is_live()
    }
}

fn number(call: &Call) -> Result<u64, Problem> {
    let number = call.path_text("number").parse().ok();
    number.ok_or_else(|| Problem::bad_field("number", "in the path is not that of a generation"))
}

async fn recorded(call: &Call, number: u64) -> Result<GenerationRecord, Problem> {
    let found = call.app.ledger.generation(number).await?;
    found.ok_or_else(|| ChoiceError::NoGeneration(number).into())
}

async fn show(call: Call) -> Answer {
    let number = number(&call)?;
    call.permit(Action::PolicyRead).await?;
    let record = recorded(&call, number).await?;
    let app = &call.app;
    let before = app.ledger.generation_before(number).await?;
    let shown = app.policies.shown_record(&*app.ledger, &record).await?;
    let mut modules = modules(shown)?;
    name_who_pinned(&call, &mut modules).await?;
    let shown = GenerationPage {
        frame: Frame::of(&call.caller, Place::Policies),
        tabs: Tabs::at(Tab::History),
        facts: Facts::new(&call, &record, app.policies.generation()).await?,
        modules,
        changes: Changes::between(Sides::of(before.as_ref()), Sides::of(Some(&record))),
        now: app.clock.now(),
    };
    Ok(page(StatusCode::OK, &shown))
}

/// What it would change, before anybody says so.
async fn ask(call: Call) -> Answer {
    let number = number(&call)?;
    call.permit(Action::PolicyRead).await?;
    let record = recorded(&call, number).await?;
    // What is recorded last is what a change follows, whether or not it decides here yet.
    let newest = call.app.ledger.latest_generation().await?;
    let newest = newest.ok_or_else(Problem::internal)?;
    let shown = RollbackPage {
        frame: Frame::of(&call.caller, Place::Policies),
        tabs: Tabs::at(Tab::History),
        facts: Facts::new(&call, &record, newest.number).await?,
        changes: Changes::between(Sides::of(Some(&newest)), Sides::of(Some(&record))),
    };
    Ok(page(StatusCode::OK, &shown))
}

async fn roll_back(call: Call) -> Answer {
    let number = number(&call)?;
    let follows = call.form()?.remove("follows");
    let follows = follows
        .and_then(|follows| follows.parse().ok())
        .ok_or_else(|| {
            let why = "is missing: it says what was live when you read what going back changes";
            Problem::bad_field("follows", why)
        })?;
    go_back(&call, number, Some(follows)).await?;
    Ok(see_other("/console/policies"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::examples::{NOW, is_whole, person};
    use super::super::tests::generation;
    use super::*;

    fn facts(number: u64, is_operator: bool) -> Facts {
        Facts {
            number,
            live: 7,
            at: Moment::new(NOW, NOW),
            by: Party::of("session:0123456789abcdef"),
            summary: "<i>freeze</i> removed".to_owned(),
            approval: Some("019b76da-a800-7000-8000-000000000001".to_owned()),
            is_genuine: true,
            has_shadow: true,
            is_operator,
        }
    }

    fn shown(facts: Facts) -> String {
        let module = json!([{
            "name": "<i>", "version": "1.0.0", "digest": "ab".repeat(32), "description": null,
            "mode": "enforce", "settings": { "x": ["1"] }, "classifier": false,
            "failures": { "count": 0, "last_at": null }, "last_error": null, "built_in": false,
            "signatures": [{ "key_id": "F00D", "name": null, "trusted": true, "comment": "", "unchecked": true }],
        }]);
        let page = GenerationPage {
            frame: Frame::of(&person("ada"), Place::Policies),
            tabs: Tabs::at(Tab::History),
            facts,
            modules: modules(module).expect("understood"),
            changes: Changes::between(Sides::default(), Sides::default()),
            now: NOW,
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        assert!(!html.contains("<i>"), "{html}");
        html
    }

    fn asked(facts: Facts) -> String {
        let (old, new) = (
            generation(3, &["baseline"]),
            generation(7, &["baseline", "<i>"]),
        );
        let page = RollbackPage {
            frame: Frame::of(&person("ada"), Place::Policies),
            tabs: Tabs::at(Tab::History),
            facts,
            changes: Changes::between(Sides::of(Some(&new)), Sides::of(Some(&old))),
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        assert!(!html.contains("<i>"), "{html}");
        html
    }

    #[test]
    fn a_generation_is_shown_with_its_modules_and_the_way_back_to_it() {
        let html = shown(facts(3, true));
        for shown in [
            "Generation 3",
            "&#60;i&#62;freeze&#60;/i&#62; removed",
            "a person",
            "F00D",
            "verified when it is to decide",
            "/console/approvals/019b76da-a800-7000-8000-000000000001",
            "/console/policies/generations/3/rollback",
            "/console/policies/shadow?generation=3",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        for closed in [facts(7, true), facts(3, false)] {
            let html = shown(closed);
            assert!(!html.contains("/rollback"), "{html}");
        }
    }

    #[test]
    fn going_back_says_what_it_changes_and_is_offered_to_operators_alone() {
        let html = asked(facts(3, true));
        for shown in [
            "removed",
            "name=\"follows\" value=\"7\"",
            "Go back to generation 3",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        let forbidden = asked(facts(3, false));
        assert!(!forbidden.contains("<button"), "{forbidden}");
        assert!(forbidden.contains("COUNTERSIGN_OPERATORS"), "{forbidden}");
        let live = asked(facts(7, true));
        assert!(!live.contains("<button"), "{live}");
        let changed = Facts {
            is_genuine: false,
            ..facts(3, true)
        };
        assert!(!asked(changed).contains("<button"));
    }
}
