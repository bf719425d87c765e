//! What was asked before, whatever became of it: narrowed by a form, the newest first.

use askama::Template;
use axum::http::StatusCode;
use countersign_core::action::Action;
use countersign_core::approval::{Approval, State};
use countersign_core::ledger::Page;
use countersign_core::provenance::Sought;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use form_urlencoded::Serializer;

use super::super::asked::{self, Subject};
use super::super::frame::{Frame, Party, Place};
use super::super::moment::Moment;
use super::super::{assets, page};
use crate::problem::Problem;
use crate::routes::{Answer, Call, Cursor};

/// Longer than any actor's label is.
const LONGEST_WHO: usize = 120;

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    past: Vec<Past>,
    states: Vec<Pick>,
    verbs: Vec<Pick>,
    who: String,
    since: String,
    is_narrowed: bool,
    /// Whether the reader sees everybody's requests, as people do.
    sees_all: bool,
    first: String,
    is_first: bool,
    next: Option<String>,
}

/// A choice of a list.
struct Pick {
    value: &'static str,
    label: String,
    is_picked: bool,
}

/// One request.
struct Past {
    id: String,
    title: String,
    subject: Option<Subject>,
    party: Party,
    created: Moment,
    state: State,
    signers: Vec<String>,
    decided: Option<Moment>,
}

/// What the form asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    state: Option<State>,
    verb: Option<Verb>,
    who: String,
    since: String,
}

pub async fn list(call: Call) -> Answer {
    let filter = Filter::read(&call)?;
    let wanted = call.page(Cursor::Id)?;
    // One more than is shown tells whether the list goes on.
    let part = Page {
        limit: wanted.limit + 1,
        ..wanted.clone()
    };
    let sought = filter.sought()?;
    let permit = call.permit(Action::ApprovalList).await?;
    let now = call.app.clock.now();
    let whose = call.whose();
    let ledger = &call.app.ledger;
    let mut found = ledger
        .approvals_sought(&permit, &whose, (&sought, &part), now)
        .await?;
    let goes_on = found.len() > wanted.limit as usize;
    found.truncate(wanted.limit as usize);
    let next = found.last().filter(|_| goes_on);
    let next = next.map(|last| filter.address(&last.id.to_string()));
    let shown = HistoryPage {
        frame: Frame::of(&call.caller, Place::Approvals),
        past: found.iter().map(|one| Past::new(one, now)).collect(),
        states: filter.states(),
        verbs: filter.verbs(),
        first: filter.address(""),
        is_narrowed: filter != Filter::default(),
        who: filter.who,
        since: filter.since,
        sees_all: call.caller.person().is_some(),
        is_first: wanted.after.is_none(),
        next,
    };
    Ok(page(StatusCode::OK, &shown))
}

impl Filter {
    fn read(call: &Call) -> Result<Self, Problem> {
        let text = |name: &str| call.query.get(name).map_or("", |text| text.trim());
        let state = match text("state") {
            "" => None,
            state => Some(
                State::parse(state)
                    .ok_or_else(|| Problem::bad_field("state", "is no state of an approval"))?,
            ),
        };
        let verb = match text("verb") {
            "" => None,
            verb => {
                Some(Verb::parse(verb).ok_or_else(|| Problem::bad_field("verb", "is no verb"))?)
            }
        };
        let who = text("who");
        if who.chars().count() > LONGEST_WHO || who.chars().any(char::is_control) {
            return Err(Problem::bad_field("who", "is no caller's name"));
        }
        Ok(Self {
            state,
            verb,
            who: who.to_owned(),
            since: text("since").to_owned(),
        })
    }

    fn sought(&self) -> Result<Sought, Problem> {
        let since = match self.since.as_str() {
            "" => None,
            day => Some(
                begin_of(day)
                    .ok_or_else(|| Problem::bad_field("since", "is not a day like 2026-01-31"))?,
            ),
        };
        Ok(Sought {
            state: self.state,
            verb: self.verb,
            actor: (!self.who.is_empty()).then(|| actor(&self.who)),
            since,
        })
    }

    /// The part of the same list that begins after `cursor`.
    fn address(&self, cursor: &str) -> String {
        let mut query = Serializer::new(String::new());
        for (name, text) in [
            ("state", self.state.map_or("", State::as_str)),
            ("verb", self.verb.map_or("", Verb::as_str)),
            ("who", &self.who),
            ("since", &self.since),
            ("cursor", cursor),
        ] {
            if !text.is_empty() {
                query.append_pair(name, text);
            }
        }
        let query = query.finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("/console/approvals/history{mark}{query}")
    }

    fn states(&self) -> Vec<Pick> {
        let pick = |state: &State| Pick {
            value: state.as_str(),
            label: asked::in_words(state.as_str()),
            is_picked: self.state == Some(*state),
        };
        State::ALL.iter().map(pick).collect()
    }

    /// Those that people can be asked about.
    fn verbs(&self) -> Vec<Pick> {
        let pick = |verb: &Verb| Pick {
            value: verb.as_str(),
            label: asked::title(*verb),
            is_picked: self.verb == Some(*verb),
        };
        let can_wait = |verb: &&Verb| !verb.is_read() && **verb != Verb::ApprovalDecide;
        Verb::ALL.iter().filter(can_wait).map(pick).collect()
    }
}

impl Past {
    fn new(approval: &Approval, now: Timestamp) -> Self {
        Self {
            id: approval.id.to_string(),
            title: asked::title(approval.verb),
            subject: asked::subject(approval),
            party: Party::of(&approval.requester.actor),
            created: Moment::new(approval.created_at, now),
            state: approval.state_at(now),
            signers: approval
                .votes
                .iter()
                .map(|vote| vote.person.user.clone())
                .collect(),
            decided: approval.decided_at.map(|at| Moment::new(at, now)),
        }
    }
}

/// Midnight at which a day begins, in UTC.
fn begin_of(day: &str) -> Option<Timestamp> {
    (day.len() == 10)
        .then(|| Timestamp::parse(&format!("{day}T00:00:00Z")))
        .flatten()
}

/// The audit label of what people write: a label itself, or how the pages show one.
fn actor(who: &str) -> String {
    let shown = who.trim_end_matches('…');
    match shown {
        "ADMIN_TOKEN" => "admin-token".to_owned(),
        "PROVISION_TOKEN" => "provisioner".to_owned(),
        key if key.starts_with("cso_") => format!("org-token:{key}"),
        key if key.starts_with("csw_") => format!("workspace-token:{key}"),
        id if id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()) => {
            format!("session:{id}")
        }
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::examples::{NOW, approval, is_whole, person, vote};
    use super::*;
    use countersign_core::approval::Choice;

    fn drawn(past: &[Approval], filter: &Filter) -> String {
        let page = HistoryPage {
            frame: Frame::of(&person("operator"), Place::Approvals),
            past: past.iter().map(|one| Past::new(one, NOW)).collect(),
            states: filter.states(),
            verbs: filter.verbs(),
            who: filter.who.clone(),
            since: filter.since.clone(),
            is_narrowed: *filter != Filter::default(),
            sees_all: true,
            first: filter.address(""),
            is_first: *filter == Filter::default(),
            next: Some(filter.address("abc")),
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn a_request_is_told_with_its_state_and_who_signed_and_cannot_be_markup() {
        let mut denied = approval();
        denied.payload["arguments"]["name"] = "<script>x</script>".into();
        denied.state = State::Denied;
        denied.decided_at = Some(NOW);
        denied.votes.push(vote("<b>grace</b>", Choice::Deny));
        let html = drawn(&[denied], &Filter::default());
        assert!(html.contains("&#60;script&#62;x"), "{html}");
        assert!(html.contains("<bdi>&#60;b&#62;grace"), "{html}");
        assert!(html.contains(r#"class="state denied""#), "{html}");
    }

    #[test]
    fn what_narrows_the_list_stays_in_its_form_and_in_its_further_parts() {
        let filter = Filter {
            state: Some(State::Denied),
            verb: Some(Verb::SecretWrite),
            who: "a&b\"<".to_owned(),
            since: "2026-01-31".to_owned(),
        };
        let html = drawn(&[], &filter);
        for shown in [
            r#"<option value="denied" selected>"#,
            r#"<option value="secret_write" selected>"#,
            r#"value="2026-01-31""#,
            "a&#38;b&#34;&#60;",
            "state=denied&#38;verb=secret_write&#38;who=a%26b%22%3C&#38;since=2026-01-31&#38;cursor=abc",
            "Nothing matches",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(drawn(&[], &Filter::default()).contains("Nothing was asked yet"));
    }

    #[test]
    fn whom_people_name_as_the_pages_do_is_found() {
        for (who, label) in [
            ("cso_ab12…", "org-token:cso_ab12"),
            ("csw_ab12", "workspace-token:csw_ab12"),
            ("ADMIN_TOKEN", "admin-token"),
            ("0123456789abcdef", "session:0123456789abcdef"),
            ("org-token:cso_ab12", "org-token:cso_ab12"),
            ("policy-folder", "policy-folder"),
        ] {
            assert_eq!(actor(who), label);
        }
    }

    #[test]
    fn a_day_begins_at_midnight_and_what_is_no_day_is_none() {
        assert_eq!(begin_of("2026-01-01"), Some(NOW));
        for day in ["2026-13-01", "yesterday", "2026-1-1", "2026-01-01T"] {
            assert_eq!(begin_of(day), None, "{day}");
        }
    }
}
