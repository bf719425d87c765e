//! What was asked before, whatever became of it: narrowed by a form, the newest first.

use askama::Template;
use axum::http::StatusCode;
use countersign_core::action::Action;
use countersign_core::approval::{Approval, State};
use countersign_core::caller::Caller;
use countersign_core::history::Rest;
use countersign_core::ledger::Page;
use countersign_core::provenance::Sought;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use super::super::asked::{self, Subject};
use super::super::closing::Closing;
use super::super::frame::{Frame, Party, Place};
use super::super::moment::Moment;
use super::super::narrow::{Choice, Narrow};
use super::super::parts::Parts;
use super::super::people::{self, asking};
use super::super::{assets, page};
use crate::routes::{Answer, Call, Cursor};

pub const PATH: &str = "/console/approvals/history";
const FIELDS: &[&str] = &["state", "verb", "who", "since", "limit"];

#[derive(Template)]
#[template(path = "history.html")]
struct HistoryPage {
    frame: Frame,
    narrow: Narrow,
    past: Vec<Past>,
    /// Whether the reader sees everybody's requests, as people do.
    sees_all: bool,
    parts: Parts,
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
    closing: Option<Closing>,
}

pub async fn list(call: Call) -> Answer {
    let wanted = call.page(Cursor::Id)?;
    let (narrow, sought) = read(&call);
    let permit = call.permit(Action::ApprovalList).await?;
    let now = call.app.clock.now();
    // One more than is shown tells whether the list goes on.
    let part = Page {
        limit: wanted.limit + 1,
        ..wanted.clone()
    };
    let (ledger, whose) = (&call.app.ledger, call.whose());
    let (status, mut found) = match narrow.is_wrong() {
        true => (StatusCode::BAD_REQUEST, Vec::new()),
        false => {
            let sought = (&sought, &part);
            let found = ledger.approvals_sought(&permit, &whose, sought, now);
            (StatusCode::OK, found.await?)
        }
    };
    let goes_on = found.len() > wanted.limit as usize;
    found.truncate(wanted.limit as usize);
    let rest = match found.last().filter(|_| goes_on) {
        Some(last) => Rest::More(last.id.to_string()),
        None => Rest::Nothing,
    };
    let shown = HistoryPage::new(&call.caller, narrow, (&found, &rest, &wanted), now);
    Ok(page(status, &shown))
}

fn read(call: &Call) -> (Narrow, Sought) {
    let mut narrow = Narrow::of(&call.query, FIELDS);
    let who = narrow.text("who");
    let sought = Sought {
        state: narrow.word("state", State::parse),
        verb: narrow.word("verb", Verb::parse),
        called: people::called(&call.caller, who.as_deref()),
        actor: who.map(actor),
        since: narrow.span().since,
    };
    (narrow, sought)
}

impl HistoryPage {
    fn new(
        reader: &Caller,
        narrow: Narrow,
        (found, rest, wanted): (&[Approval], &Rest, &Page),
        now: Timestamp,
    ) -> Self {
        let parts = Parts::new(
            ("requests", PATH, "cursor"),
            &narrow,
            (rest, wanted.after.is_none(), found.is_empty()),
            now,
        );
        Self {
            frame: Frame::of(reader, Place::Approvals),
            narrow,
            past: found.iter().map(|one| Past::new(one, now)).collect(),
            sees_all: reader.person().is_some(),
            parts,
        }
    }

    fn states(&self) -> Vec<Choice> {
        let all = State::ALL.iter();
        let all = all.map(|state| (state.as_str(), asked::in_words(state.as_str())));
        self.narrow.choices("state", all)
    }

    /// Those that people can be asked about.
    fn verbs(&self) -> Vec<Choice> {
        let can_wait = |verb: &&Verb| match verb {
            Verb::PolicyActivate => true,
            verb => !verb.is_judged_by_core_alone(),
        };
        let all = Verb::ALL.iter().filter(can_wait);
        let all = all.map(|verb| (verb.as_str(), asked::title(*verb)));
        self.narrow.choices("verb", all)
    }
}

impl Past {
    fn new(approval: &Approval, now: Timestamp) -> Self {
        Self {
            id: approval.id.to_string(),
            title: asked::title(approval.verb),
            subject: asked::subject(approval),
            party: asking(&approval.requester),
            created: Moment::new(approval.created_at, now),
            state: approval.state_at(now),
            signers: approval
                .votes
                .iter()
                .map(|vote| vote.person.user.clone())
                .collect(),
            decided: approval.decided_at.map(|at| Moment::new(at, now)),
            closing: Closing::of(approval, now),
        }
    }
}

/// The audit label of what people write: a label itself, or how the pages show one.
fn actor(who: String) -> String {
    match who.as_str() {
        "ADMIN_TOKEN" => "admin-token".to_owned(),
        "PROVISION_TOKEN" => "provisioner".to_owned(),
        key if key.starts_with("cso_") => format!("org-token:{key}"),
        key if key.starts_with("csw_") => format!("workspace-token:{key}"),
        id if id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()) => {
            format!("session:{id}")
        }
        _ => who,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::super::examples::{NOW, approval, is_whole, person, vote};
    use super::*;
    use countersign_core::approval::Choice;

    fn drawn(past: &[Approval], query: &[(&str, &str)]) -> String {
        let query: HashMap<_, _> = query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let mut narrow = Narrow::of(&query, FIELDS);
        narrow.word("state", State::parse);
        narrow.span();
        let wanted = Page {
            after: None,
            limit: 50,
        };
        let rest = Rest::More("abc".to_owned());
        let page = HistoryPage::new(&person("operator"), narrow, (past, &rest, &wanted), NOW);
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
        denied.votes.push(vote("<b>gr\u{430}ce</b>", Choice::Deny));
        let html = drawn(&[denied], &[]);
        assert!(html.contains("&#60;script&#62;x"), "{html}");
        assert!(html.contains("<bdi>&#60;b&#62;gr\u{430}ce"), "{html}");
        assert!(html.contains("looks like “grace” and is not"), "{html}");
        assert!(html.contains(r#"class="state denied""#), "{html}");
    }

    #[test]
    fn what_narrows_the_list_stays_in_its_form_and_in_its_further_parts() {
        let query = [
            ("state", "denied"),
            ("verb", "secret_write"),
            ("who", "a&b\"<"),
            ("since", "2026-01-31"),
            ("limit", "7"),
        ];
        let html = drawn(&[], &query);
        for shown in [
            r#"<option value="denied" selected>"#,
            r#"<option value="secret_write" selected>"#,
            r#"value="2026-01-31""#,
            "a&#38;b&#34;&#60;",
            "limit=7&#38;since=2026-01-31&#38;state=denied&#38;verb=secret_write&#38;who=a%26b%22%3C&#38;cursor=abc",
            "No request is like that",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(drawn(&[], &[]).contains("Nothing was asked yet"));
    }

    #[test]
    fn whom_people_name_as_the_pages_do_is_found() {
        for (who, label) in [
            ("cso_ab12", "org-token:cso_ab12"),
            ("csw_ab12", "workspace-token:csw_ab12"),
            ("ADMIN_TOKEN", "admin-token"),
            ("0123456789abcdef", "session:0123456789abcdef"),
            ("org-token:cso_ab12", "org-token:cso_ab12"),
            ("policy-folder", "policy-folder"),
        ] {
            assert_eq!(actor(who.to_owned()), label);
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_at_its_field_and_stays_as_it_was_typed() {
        let html = drawn(&[], &[("since", "<i>"), ("state", "gone"), ("who", "ci")]);
        for shown in [
            "This is no day",
            "Choose one of the list",
            r#"value="&#60;i&#62;""#,
            r#"name="who" value="ci""#,
            "Nothing was looked for",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains("No request is like that"), "{html}");
    }
}
