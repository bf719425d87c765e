//! The requests that wait for people: the list, each one in full, and the decision.

mod history;
mod moved;
mod taking_back;

use askama::Template;
use axum::body::Body;
use axum::http::{Method, Response, StatusCode};
use countersign_core::action::{Action, ActionDigest};
use countersign_core::approval::{Approval, Choice, State};
use countersign_core::gate::Say;
use countersign_core::id::ApprovalId;
use countersign_core::ledger::{Page, Voted};
use countersign_core::operators::Standing;
use countersign_core::provenance::{MOST_COUNTED, Provenance};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;

use self::moved::{Attempt, Deed, MovedPage};
use super::approval_page::{ApprovalPage, Demands, Reader};
use super::asked::{self, Subject};
use super::frame::{Frame, Party, Place};
use super::moment::Moment;
use super::people::asking;
use super::sight;
use super::{assets, page, see_other};
use crate::problem::Problem;
use crate::routes::approvals::{counted, not_a_person, not_there, reason, voted};
use crate::routes::{Answer, Call, Cursor, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .verb(Method::GET, "/console", Verb::ApprovalList, home)
        .verb(Method::GET, "/console/", Verb::ApprovalList, home)
        .verb(Method::GET, "/console/approvals", Verb::ApprovalList, list)
        .verb(
            Method::GET,
            history::PATH,
            Verb::ApprovalList,
            history::list,
        )
        .verb(
            Method::GET,
            "/console/approvals/{id}",
            Verb::ApprovalList,
            one,
        )
        .verb(
            Method::POST,
            "/console/approvals/{id}",
            Verb::ApprovalDecide,
            decide,
        )
        .verb(
            Method::GET,
            "/console/approvals/{id}/revoke",
            Verb::ApprovalList,
            taking_back::back,
        )
        .verb(
            Method::POST,
            "/console/approvals/{id}/revoke",
            Verb::ApprovalDecide,
            taking_back::revoke,
        )
        .verb(
            Method::GET,
            "/console/approvals/{id}/withdraw",
            Verb::ApprovalList,
            taking_back::back,
        )
        .verb(
            Method::POST,
            "/console/approvals/{id}/withdraw",
            Verb::ApprovalDecide,
            taking_back::withdraw,
        )
}

async fn home(_: Call) -> Answer {
    Ok(see_other("/console/approvals"))
}

/// The pending requests.
#[derive(Template)]
#[template(path = "approvals.html")]
struct ApprovalsPage {
    frame: Frame,
    waiting: Vec<Waiting>,
    /// How many wait, in all parts of the list.
    total: u64,
    /// Whether the reader sees everybody's requests, as people do.
    sees_all: bool,
    is_first: bool,
    next: Option<String>,
    refreshes: bool,
}

/// One of them, in short.
struct Waiting {
    id: String,
    title: String,
    subject: Option<Subject>,
    party: Party,
    why: String,
    created: Moment,
    expires: Moment,
    /// So many signatures are there, of so many.
    signed: usize,
    needed: usize,
}

impl Waiting {
    fn new(approval: &Approval, now: Timestamp) -> Self {
        let (signed, needed) = Demands::new(approval, State::Pending).so_far();
        Self {
            id: approval.id.to_string(),
            title: asked::title(approval.verb),
            subject: asked::subject(approval),
            party: asking(&approval.requester),
            why: approval.terms.ground.reason.clone(),
            created: Moment::new(approval.created_at, now),
            expires: Moment::new(approval.expires_at, now),
            signed,
            needed,
        }
    }
}

impl ApprovalsPage {
    /// How many wait.
    fn count(&self) -> String {
        match self.total > u64::from(MOST_COUNTED) {
            true => format!("{MOST_COUNTED}+"),
            false => self.total.to_string(),
        }
    }

    /// The same, in words.
    fn says(&self) -> String {
        match self.total {
            0 => "Nothing is waiting".to_owned(),
            1 => "One request is waiting".to_owned(),
            _ => format!("{} requests are waiting", self.count()),
        }
    }
}

async fn list(call: Call) -> Answer {
    let wanted = call.page(Cursor::Id)?;
    // One more than is shown tells whether the list goes on; where it is whole, nobody need be asked how many wait.
    let part = Page {
        limit: wanted.limit + 1,
        ..wanted.clone()
    };
    let permit = call.permit(Action::ApprovalList).await?;
    let now = call.app.clock.now();
    let mut pending = call
        .app
        .ledger
        .pending_approvals(&permit, &call.whose(), &part, now)
        .await?;
    let goes_on = pending.len() > wanted.limit as usize;
    pending.truncate(wanted.limit as usize);
    let next = pending
        .last()
        .filter(|_| goes_on)
        .map(|last| last.id.to_string());
    let is_first = wanted.after.is_none();
    let total = match is_first && !goes_on {
        true => pending.len().try_into().unwrap_or(u64::MAX),
        false => {
            let ledger = &call.app.ledger;
            ledger.count_pending(&permit, &call.whose(), now).await?
        }
    };
    let shown = ApprovalsPage {
        frame: Frame::of(&call.caller, Place::Approvals),
        waiting: pending
            .iter()
            .map(|approval| Waiting::new(approval, now))
            .collect(),
        total,
        sees_all: call.caller.person().is_some(),
        is_first,
        next,
        refreshes: refreshes(&call),
    };
    Ok(page(StatusCode::OK, &shown))
}

/// Whether the page is to keep itself current, as it does where nobody stops it.
fn refreshes(call: &Call) -> bool {
    let refresh = call.query.get("refresh");
    refresh.is_none_or(|refresh| refresh != "off")
}

async fn one(call: Call) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    let permit = call.permit(Action::ApprovalList).await?;
    let approval = call
        .app
        .ledger
        .approval(&permit, &call.whose(), id)
        .await?
        .ok_or_else(not_there)?;
    let operators = &call.app.gate.operators;
    let standing = call
        .caller
        .person()
        .map(|person| operators.standing(person));
    let reader = Reader {
        caller: &call.caller,
        standing: standing.unwrap_or(Standing::None),
        refreshes: refreshes(&call),
    };
    let now = call.app.clock.now();
    let ledger = &call.app.ledger;
    let (known, fall) = match call.caller.person() {
        Some(_) => {
            let whose = call.whose();
            let fall = match approval.state_at(now) {
                State::Pending => sight::fall(&call, &permit, &approval, now).await?,
                _ => None,
            };
            let known = ledger.provenance(&permit, &whose, &approval, now).await?;
            (known, fall)
        }
        // A program learns nothing here that its own routes would not tell it.
        None => (Provenance::default(), None),
    };
    let shown = ApprovalPage::new(&approval, (&known, fall), &reader, now);
    Ok(page(StatusCode::OK, &shown))
}

async fn decide(call: Call) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    // Before the form is looked at: what cannot decide learns nothing of how one would.
    if call.caller.person().is_none() {
        return Err(not_a_person());
    }
    let mut form = call.form()?;
    let choice = form
        .get("decision")
        .and_then(|choice| Choice::parse(choice))
        .ok_or_else(|| Problem::bad_field("decision", "is neither approved nor denied"))?;
    // Elsewhere the digest may be left out. Here it is always sent, so that a person decides on what
    // the page showed them.
    let digest = form
        .remove("digest")
        .filter(|digest| !digest.is_empty())
        .ok_or_else(|| Problem::bad_field("digest", "is missing"))?;
    let reason = reason(form.remove("reason").map(|reason| on_one_line(&reason)))?;
    let say = Say {
        approval: id,
        workspace: None,
        choice,
        reason: reason.clone(),
        digest: Some(ActionDigest::from_text(digest)),
    };
    let attempt = Attempt {
        deed: Deed::Decide(choice),
        reason,
    };
    let moved = match voted(&call, say).await? {
        Voted::NotPending(Some(approval)) => {
            if attempt.is_of(&approval, &call.caller) {
                return Ok(see_other(&format!("/console/approvals/{id}")));
            }
            approval
        }
        Voted::OtherDigest(approval) | Voted::Stale(approval) => approval,
        voted => {
            counted(&call, voted)?;
            return Ok(see_other(&format!("/console/approvals/{id}")));
        }
    };
    Ok(too_late(&call, &moved, attempt))
}

fn too_late(call: &Call, moved: &Approval, attempt: Attempt) -> Response<Body> {
    let shown = MovedPage::new(moved, attempt, &call.caller, call.app.clock.now());
    page(StatusCode::CONFLICT, &shown)
}

/// A text area sends line breaks, which reasons may not have.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
