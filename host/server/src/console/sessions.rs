//! Where the operator is signed in, and ending one of these sessions.
//!
//! The host keeps the sessions of its own login alone, and they are one person's. The core shows and ends
//! them itself, and asks no policy: none must be able to keep a stolen session alive.

use askama::Template;
use axum::http::{Method, StatusCode, header};
use countersign_core::caller::Issuer;
use countersign_core::holdings::LiveSession;
use countersign_core::id::SessionId;
use countersign_core::time::Timestamp;

use super::frame::{Frame, Place};
use super::moment::Moment;
use super::{assets, page, see_other};
use crate::problem::Problem;
use crate::routes::{Answer, PROOF_MISSING, Routes, Visit, parse_form};

const WHY: &str =
    "the core alone keeps the host's own sessions, and shows them to whoever presents one";

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .open(Method::GET, "/console/sessions", WHY, show)
        .open(Method::POST, "/console/sessions", WHY, end)
}

/// The sessions of whoever reads.
#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    frame: Frame,
    sessions: Vec<Listed>,
    has_control_plane: bool,
    has_assertions: bool,
}

impl SessionsPage {
    /// With `sessions` of the host's own, and where others are kept: by a control plane, by an identity proxy.
    fn new(
        frame: Frame,
        sessions: Vec<Listed>,
        (has_control_plane, has_assertions): (bool, bool),
    ) -> Self {
        Self {
            frame,
            sessions,
            has_control_plane,
            has_assertions,
        }
    }
}

/// A session.
struct Listed {
    id: String,
    is_this: bool,
    started: Moment,
    expires: Moment,
}

impl Listed {
    fn new(session: &LiveSession, reader: SessionId, now: Timestamp) -> Self {
        Self {
            id: session.id.to_string(),
            is_this: session.id == reader,
            started: Moment::new(session.started_at, now),
            expires: Moment::new(session.expires_at, now),
        }
    }
}

async fn show(visit: Visit) -> Answer {
    let now = visit.app.clock.now();
    let operator = visit.app.credentials.operator();
    let shown = match operator.verify(&visit.headers, now).await? {
        Some(reader) => {
            let live = visit.app.ledger.live_sessions(reader, now).await?;
            let listed = |session: &LiveSession| Listed::new(session, reader, now);
            let sessions = live.iter().map(listed).collect();
            let ways_in = visit.app.credentials.ways_in();
            SessionsPage::new(Frame::of_operator(Place::Elsewhere), sessions, ways_in)
        }
        None => {
            let reader = visit.reader().await?;
            let reader =
                reader.ok_or_else(|| Problem::unauthenticated("this needs a credential"))?;
            let issuer = reader.person().map(|person| person.issuer);
            let is_by = |way| issuer == Some(way);
            let kept_by = (
                is_by(Issuer::ControlPlane),
                is_by(Issuer::IdentityAssertion),
            );
            SessionsPage::new(Frame::of(&reader, Place::Elsewhere), Vec::new(), kept_by)
        }
    };
    Ok(page(StatusCode::OK, &shown))
}

async fn end(visit: Visit) -> Answer {
    visit.app.origins.same_origin(&visit.headers)?;
    let now = visit.app.clock.now();
    let operator = visit.app.credentials.operator();
    let mut form = parse_form(&visit.body)?;
    let by = operator
        .verify(&visit.headers, now)
        .await?
        .ok_or_else(|| Problem::unauthenticated("this needs a session of the host's own login"))?;
    // Whoever got hold of the cookie alone does not sign the person out elsewhere.
    let proof = form.remove("proof").unwrap_or_default();
    if !operator.is_proved(by, &proof).await? {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            PROOF_MISSING,
            "the session's signing key is not with this request, and its cookie alone ends no session: sign in again by a new link, in the browser and at the address that you use",
        ));
    }
    let ended = form
        .get("session")
        .and_then(|id| SessionId::parse(id))
        .ok_or_else(|| Problem::bad_field("session", "is not a UUID"))?;
    if !visit.app.ledger.end_session_by(ended, by, now).await? {
        return Err(Problem::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is no such session, or it has ended already",
        ));
    }
    // What it was told as it happened ends, too.
    visit.app.changed();
    if ended != by {
        return Ok(see_other("/console/sessions"));
    }
    let mut response = see_other("/console/sign-in");
    let cookie = operator.end(ended).await?;
    response.headers_mut().insert(header::SET_COOKIE, cookie.0);
    Ok(response)
}

#[cfg(test)]
mod tests {
    use countersign_core::chance::OsChance;

    use super::super::examples::{NOW, is_whole, person};
    use super::*;

    fn drawn(frame: Frame, sessions: Vec<Listed>, kept_by: (bool, bool)) -> String {
        let page = SessionsPage::new(frame, sessions, kept_by);
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn each_session_can_be_ended_and_this_one_is_told_from_the_others() {
        let session = || LiveSession {
            id: SessionId::new(NOW, &OsChance),
            started_at: NOW,
            expires_at: NOW.plus(std::time::Duration::from_secs(3_600)),
        };
        let (this, other) = (session(), session());
        let listed = [this, other].map(|one| Listed::new(&one, this.id, NOW));
        let html = drawn(
            Frame::of_operator(Place::Elsewhere),
            listed.into(),
            (false, false),
        );
        assert_eq!(html.matches("name=\"session\"").count(), 2, "{html}");
        assert_eq!(html.matches("\"tag\">this browser").count(), 1, "{html}");
        assert!(!html.contains("Sign out there"), "{html}");
    }

    #[test]
    fn whose_session_is_kept_elsewhere_is_told_where_it_ends() {
        let frame = Frame::of(&person("ada"), Place::Elsewhere);
        let html = drawn(frame, Vec::new(), (true, false));
        for words in [
            "<bdi>ada</bdi>",
            "keeps no session of yours",
            "Sign out there",
        ] {
            assert!(html.contains(words), "{words}: {html}");
        }
        assert!(!html.contains("identity proxy"), "{html}");
    }
}
