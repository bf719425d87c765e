//! Removing a workspace: all that falls is shown first, and nothing else falls.

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::holdings::Falling;
use countersign_core::permit::Permit;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use countersign_core::workspace::FallDigest;

use super::fallen::Fallen;
use super::frame::{Frame, Place};
use super::sight::{self, Seen};
use super::waiting::{self, Sent};
use super::{assets, page, see_other};
use crate::problem::{OTHER_THAN_SHOWN, Problem};
use crate::routes::workspaces::{id, not_there};
use crate::routes::{Answer, Call, Routes};

pub(super) fn add(routes: Routes) -> Routes {
    let path = "/console/workspaces/{workspace}/remove";
    routes
        .verb(Method::GET, path, Verb::WorkspaceRead, confirm)
        .verb(Method::POST, path, Verb::DeleteWorkspace, remove)
}

/// Whether a workspace should really go, and what goes with it.
#[derive(Template)]
#[template(path = "remove.html")]
struct RemovePage {
    frame: Frame,
    falling: Fallen,
    digest: String,
    /// Whether something else would fall than was shown before.
    has_moved: bool,
}

async fn confirm(call: Call) -> Answer {
    let workspace = id(&call)?;
    let permit = call.permit(Action::WorkspaceRead { workspace }).await?;
    show(&call, &permit, false).await
}

async fn show(call: &Call, permit: &Permit, has_moved: bool) -> Answer {
    let (workspace, now) = (id(call)?, call.app.clock.now());
    let falling = sight::falling(call, permit, workspace, now).await?;
    let falling = falling.ok_or_else(not_there)?;
    let status = match has_moved {
        true => StatusCode::CONFLICT,
        false => StatusCode::OK,
    };
    let shown = RemovePage::new(call, &falling, has_moved).ok_or_else(not_there)?;
    Ok(page(status, &shown))
}

impl RemovePage {
    fn new(call: &Call, falling: &Seen<Falling>, has_moved: bool) -> Option<Self> {
        let (frame, now) = (
            Frame::of(&call.caller, Place::Workspaces),
            call.app.clock.now(),
        );
        Self::of(frame, falling, (has_moved, now))
    }

    fn of(
        frame: Frame,
        falling: &Seen<Falling>,
        (has_moved, now): (bool, Timestamp),
    ) -> Option<Self> {
        Some(Self {
            frame,
            falling: Fallen::new(falling, usize::MAX, now)?,
            digest: falling.falls.digest.to_string(),
            has_moved,
        })
    }
}

async fn remove(call: Call) -> Answer {
    let workspace = id(&call)?;
    let sent = call.form()?;
    // Also what was approved is shown first as it is by now: nobody removes what they have not looked at.
    let Some(shown) = sent.get("shown") else {
        return Ok(see_other(&format!(
            "/console/workspaces/{workspace}/remove"
        )));
    };
    let shown = FallDigest::parse(shown)
        .ok_or_else(|| Problem::bad_field("shown", "is not what the page sent"))?;
    let confirm = match sent.get("confirm").map(String::as_str) {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(Problem::bad_field("confirm", "is not `true` or `false`")),
    };
    let carried = shown.to_string();
    let action = Action::DeleteWorkspace {
        workspace,
        confirm,
        shown: Some(shown),
    };
    let more = |finish: super::finish::Finish| finish.with("shown", &carried);
    match waiting::submit_with(&call, Place::Workspaces, action, more).await {
        Ok(Sent::Waits(page)) => Ok(page),
        Ok(Sent::Done(_)) => Ok(see_other("/console/workspaces")),
        Err(problem) if is_other(&problem) => {
            let read = Action::WorkspaceRead { workspace };
            let permit = call.permit_beside(read).await?;
            show(&call, &permit, true).await
        }
        Err(problem) => Err(problem),
    }
}

/// Whether something was refused because it is not what was shown.
pub(super) fn is_other(problem: &Problem) -> bool {
    problem.code() == OTHER_THAN_SHOWN
}

#[cfg(test)]
mod tests {
    use super::super::examples::{NOW, falling, is_whole, person, workspace};
    use super::*;

    fn drawn(below: usize, has_moved: bool) -> String {
        let mut workspaces = vec![workspace(1, "<script>", None)];
        workspaces.extend((0..below).map(|_| workspace(2, "below", Some(1))));
        let falling = Falling {
            workspaces,
            tokens: 3,
            ..falling()
        };
        let falling = Seen {
            falls: falling,
            names_others: true,
        };
        let frame = Frame::of(&person("ada"), Place::Workspaces);
        let page = RemovePage::of(frame, &falling, (has_moved, NOW)).expect("a workspace");
        let html = page.render().expect("drawn");
        is_whole(&html);
        assert!(!html.contains("<script>"), "{html}");
        html
    }

    #[test]
    fn all_that_falls_is_shown_and_carried_along() {
        let html = drawn(300, false);
        let listed = html.matches("<bdi>below</bdi></a> <code").count();
        assert_eq!(listed, 300, "none is left out");
        for shown in [
            "300 workspaces below it",
            "3 keys",
            "1 key",
            "3 secrets",
            "<code>csw_root…</code>",
            "STRIPE_KEY",
            "and 1 more",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        let digest = FallDigest::of([("a", "b")]).to_string();
        assert!(
            html.contains(&format!(r#"name="shown" value="{digest}""#)),
            "{html}"
        );
        assert!(!html.contains("role=\"alert\""), "{html}");
    }

    #[test]
    fn what_has_moved_is_said_first() {
        let html = drawn(0, true);
        assert!(html.contains("Nothing was removed"), "{html}");
        assert!(html.contains("No workspace is below it"), "{html}");
    }
}
