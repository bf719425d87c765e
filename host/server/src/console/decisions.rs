//! What was decided, newest first.

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::decision::{Decision, Outcome};
use countersign_core::history::{DecisionFilter, Effect, Found, Rest};
use countersign_core::ledger::Page;
use countersign_core::policy::CallerClass;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::asked::Subject;
use super::frame::{Frame, Party, Place};
use super::moment::Moment;
use super::narrow::{Choice, Narrow};
use super::parts::Parts;
use super::people::People;
use super::{asked, assets, decision_page, page, people};
use crate::routes::{Answer, Call, Cursor, Routes};

const PATH: &str = "/console/decisions";
const FIELDS: &[&str] = &[
    "effect", "outcome", "verb", "about", "actor", "class", "rule", "since", "until", "reads",
    "limit",
];

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, PATH, Verb::DecisionRead, list)
        .verb(
            Method::GET,
            "/console/decisions/{id}",
            Verb::DecisionRead,
            decision_page::show,
        )
}

/// A part of the list.
#[derive(Template)]
#[template(path = "decisions.html")]
struct DecisionsPage {
    frame: Frame,
    narrow: Narrow,
    /// Whether reads that were allowed are shown.
    reads: bool,
    lines: Vec<Line>,
    parts: Parts,
}

/// One decision, in short.
struct Line {
    id: String,
    at: Moment,
    title: String,
    verb: Verb,
    about: Option<Subject>,
    effect: &'static str,
    outcome: &'static str,
    party: Party,
    class: CallerClass,
    rule: String,
    policy: String,
}

impl Line {
    fn new(decision: &Decision, people: &People, now: Timestamp) -> Self {
        let ruling = &decision.judgement.ruling;
        Self {
            id: decision.id.to_string(),
            at: Moment::new(decision.at, now),
            title: asked::title(decision.verb),
            verb: decision.verb,
            about: asked::about(decision),
            effect: ruling.effect(),
            outcome: outcome(decision.outcome),
            party: people.party(&decision.actor),
            class: decision.judgement.class,
            rule: ruling.ground().rule.clone(),
            policy: ruling.policy().to_owned(),
        }
    }
}

/// What came of a request, in words.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "done",
        Outcome::Granted => "done, as people approved",
        Outcome::Pending => "waits for people",
        Outcome::Refused => "refused",
    }
}

impl DecisionsPage {
    fn effects(&self) -> Vec<Choice> {
        let all = Effect::ALL.iter();
        let all = all.map(|effect| (effect.as_str(), effect.to_string()));
        self.narrow.choices("effect", all)
    }

    fn outcomes(&self) -> Vec<Choice> {
        let all = Outcome::ALL.iter();
        let all = all.map(|one| (one.as_str(), outcome(*one).to_owned()));
        self.narrow.choices("outcome", all)
    }

    fn verbs(&self) -> Vec<Choice> {
        let mut all: Vec<_> = Verb::ALL
            .iter()
            .map(|verb| (verb.as_str(), asked::title(*verb)))
            .collect();
        all.sort_by(|a, b| a.1.cmp(&b.1));
        self.narrow.choices("verb", all)
    }

    fn classes(&self) -> Vec<Choice> {
        let all = CallerClass::ALL.iter();
        let all = all.map(|class| (class.as_str(), class.to_string()));
        self.narrow.choices("class", all)
    }

    /// The list with reads, and without.
    fn other_reads(&self) -> String {
        let mut given = FIELDS
            .iter()
            .filter(|name| **name != "reads" && !self.narrow.given(name).is_empty())
            .map(|name| (*name, self.narrow.given(name)))
            .collect::<Vec<_>>();
        if !self.reads {
            given.push(("reads", "shown"));
        }
        Narrow::default().link(PATH, &given)
    }
}

async fn list(call: Call) -> Answer {
    let wanted = call.page(Cursor::Id)?;
    let (narrow, filter) = read(&call);
    let permit = call.permit(Action::DecisionRead).await?;
    let found = match narrow.is_wrong() {
        true => Found {
            items: Vec::new(),
            rest: Rest::Nothing,
        },
        false => {
            let ledger = &call.app.ledger;
            ledger.find_decisions(&permit, &filter, &wanted).await?
        }
    };
    let status = match narrow.is_wrong() {
        true => StatusCode::BAD_REQUEST,
        false => StatusCode::OK,
    };
    let people = People::of(&call, found.items.iter().map(|one| &*one.actor)).await?;
    let shown = DecisionsPage::new(
        (Frame::of(&call.caller, Place::Decisions), &people),
        (narrow, &filter),
        (&found, &wanted),
        call.app.clock.now(),
    );
    Ok(page(status, &shown))
}

fn read(call: &Call) -> (Narrow, DecisionFilter) {
    let mut narrow = Narrow::of(&call.query, FIELDS);
    let verb: Option<Verb> = narrow.word("verb", Verb::parse);
    let shown = |word: &str| (word == "shown").then_some(());
    let reads = narrow.word("reads", shown).is_some();
    let actor = narrow.text("actor");
    let filter = DecisionFilter {
        effect: narrow.word("effect", Effect::parse),
        outcome: narrow.word("outcome", Outcome::parse),
        verb,
        about: narrow.id("about"),
        called: people::called(&call.caller, actor.as_deref()),
        actor,
        class: narrow.word("class", CallerClass::parse),
        rule: narrow.text("rule"),
        span: narrow.span(),
        // Whoever asks for a read by name wants to see it.
        reads: reads || verb.is_some_and(Verb::is_read),
    };
    (narrow, filter)
}

impl DecisionsPage {
    fn new(
        (frame, people): (Frame, &People),
        (narrow, filter): (Narrow, &DecisionFilter),
        (found, wanted): (&Found<Decision>, &Page),
        now: Timestamp,
    ) -> Self {
        let parts = Parts::new(
            ("decisions", PATH, "cursor"),
            &narrow,
            (&found.rest, wanted.after.is_none(), found.items.is_empty()),
            now,
        );
        Self {
            frame,
            reads: filter.reads,
            lines: found
                .items
                .iter()
                .map(|decision| Line::new(decision, people, now))
                .collect(),
            parts,
            narrow,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use countersign_core::policy::{Properties, Value};

    use super::super::examples::{NOW, decision, is_whole, person};
    use super::*;

    fn drawn(items: Vec<Decision>, rest: Rest, query: &[(&str, &str)]) -> String {
        let query: HashMap<_, _> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut narrow = Narrow::of(&query, FIELDS);
        narrow.span();
        let wanted = Page {
            after: None,
            limit: 50,
        };
        let page = DecisionsPage::new(
            (
                Frame::of(&person("ada"), Place::Decisions),
                &People::default(),
            ),
            (narrow, &DecisionFilter::default()),
            (&Found { items, rest }, &wanted),
            NOW,
        );
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn a_decision_leads_to_its_page_and_cannot_be_markup() {
        let mut hostile = decision();
        hostile.actor = "session:<b>".to_owned();
        let html = drawn(vec![hostile], Rest::Nothing, &[]);
        for shown in [
            &*format!(r#"href="/console/decisions/{}""#, decision().id),
            "Write a secret",
            "global/API_KEY",
            "effect deny",
            "self-targeted",
            "&#60;b&#62;",
            "names@0.1.0",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("<b>"), "{html}");
    }

    #[test]
    fn a_mint_is_told_by_the_name_that_its_caller_gave_it_as_the_callers_words() {
        let mut mint = decision();
        mint.verb = Verb::OrgTokenMint;
        let question = mint.question.as_mut().expect("a question");
        question.resource.kind = "organisation".to_owned();
        let name = Value::Text("<i>\u{440}\u{430}ypal".to_owned());
        question.arguments.set("name", name);
        let html = drawn(vec![mint.clone()], Rest::Nothing, &[]);
        let shown = "<code><bdi>&#60;i&#62;\u{440}\u{430}ypal</bdi></code> <span class=\"claim\">";
        for shown in [shown, "mixes letters of Cyrillic and Latin"] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        let question = mint.question.as_mut().expect("a question");
        question.arguments = Properties::new();
        let html = drawn(vec![mint], Rest::Nothing, &[]);
        assert!(html.contains("org_token_mint</code>"), "{html}");
        assert!(!html.contains("caller’s words"), "{html}");
    }

    #[test]
    fn where_the_search_ended_is_said_and_leads_on_with_what_was_given() {
        let rest = Rest::Unsearched {
            after: decision().id.to_string(),
            back_to: NOW,
        };
        let html = drawn(Vec::new(), rest, &[("rule", "a b"), ("effect", "deny")]);
        assert!(html.contains("20000"), "{html}");
        let link = format!("effect=deny&#38;rule=a+b&#38;cursor={}", decision().id);
        assert!(html.contains(&link), "{html}");
        assert!(html.contains(r#"value="deny" selected"#), "{html}");
        let html = drawn(vec![decision()], Rest::More("x".to_owned()), &[]);
        assert!(
            html.contains("cursor=x") && !html.contains("20000"),
            "{html}"
        );
    }

    #[test]
    fn what_is_sought_is_in_the_form_again_and_in_every_link_that_leads_on() {
        let query = [
            ("about", "global/API_KEY"),
            ("outcome", "allowed"),
            ("limit", "5"),
        ];
        let html = drawn(vec![decision()], Rest::More("x".to_owned()), &query);
        for shown in [
            r#"id="about" name="about" value="global/API_KEY" maxlength="201""#,
            r#"<option value="allowed" selected>done</option>"#,
            r#"<option value="granted">done, as people approved</option>"#,
            r#"<option value="pending">waits for people</option>"#,
            r#"<option value="refused">refused</option>"#,
            "about=global%2FAPI_KEY&#38;limit=5&#38;outcome=allowed&#38;cursor=x",
            // What is not among them is said, and how it can be.
            "Reads that were allowed are left out",
            "outcome=allowed&#38;about=global%2FAPI_KEY&#38;limit=5&#38;reads=shown",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        let html = drawn(Vec::new(), Rest::Nothing, &[("outcome", "pending")]);
        assert!(html.contains("No decision is like that"), "{html}");
    }

    #[test]
    fn nothing_found_and_what_cannot_be_read_say_what_to_do() {
        assert!(drawn(Vec::new(), Rest::Nothing, &[]).contains("Nothing was decided yet"));
        let html = drawn(Vec::new(), Rest::Nothing, &[("rule", "x")]);
        assert!(html.contains("Show all"), "{html}");
        let html = drawn(Vec::new(), Rest::Nothing, &[("since", "<i>")]);
        assert!(html.contains("This is no day"), "{html}");
        assert!(html.contains(r#"value="&#60;i&#62;""#), "{html}");
        let all = "countersign decision export";
        assert!(!html.contains(all), "{html}");
        assert!(drawn(Vec::new(), Rest::Nothing, &[]).contains(all));
    }
}
