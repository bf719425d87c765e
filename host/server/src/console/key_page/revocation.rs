//! Revoking a key: what it minted is shown first, and nothing else falls with it.

use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use countersign_core::action::Action;
use countersign_core::holdings::Family;
use countersign_core::id::TokenId;
use countersign_core::permit::Permit;
use countersign_core::time::Timestamp;
use countersign_core::workspace::FallDigest;

use super::super::frame::{Frame, Place};
use super::super::keys::Key;
use super::super::removal::is_other;
use super::super::waiting::{self, Sent};
use super::super::{assets, page, see_other};
use super::{Descent, nothing};
use crate::problem::Problem;
use crate::routes::org_tokens::revocation;
use crate::routes::{Answer, Call};

/// Whether a key should really go.
#[derive(Template)]
#[template(path = "revoke.html")]
struct RevokePage {
    frame: Frame,
    key: Key,
    is_live: bool,
    /// What it minted that works.
    descent: Descent,
    /// Names exactly that.
    digest: String,
    looked_at: String,
    moved: Option<Moved>,
}

/// What somebody read who presses the button.
struct Look {
    descent: FallDigest,
    at: Timestamp,
}

/// That what it minted is not what was shown.
#[derive(Clone, Copy)]
struct Moved {
    /// Whether the key itself was revoked nevertheless.
    is_revoked: bool,
    /// How many came since.
    new: usize,
}

impl Look {
    /// None where the form does not say: it then finishes what was approved, which is bound to all that falls.
    fn of(sent: &HashMap<String, String>) -> Result<Option<Self>, Problem> {
        let (Some(shown), Some(at)) = (sent.get("shown"), sent.get("looked_at")) else {
            return Ok(None);
        };
        let not_ours = |name| Problem::bad_field(name, "is not what the page sent");
        Ok(Some(Self {
            descent: FallDigest::parse(shown).ok_or_else(|| not_ours("shown"))?,
            at: Timestamp::parse(at).ok_or_else(|| not_ours("looked_at"))?,
        }))
    }
}

impl RevokePage {
    /// Nothing where neither the key nor anything that it minted works.
    fn new(frame: Frame, family: Family, now: Timestamp) -> Option<Self> {
        let descent = Descent::live(&family, now);
        // What it minted may outlive it, and can still be revoked with it.
        (family.token.is_live || !descent.is_empty()).then(|| Self {
            frame,
            is_live: family.token.is_live,
            descent,
            digest: family.descent.to_string(),
            looked_at: now.to_string(),
            moved: None,
            key: Key::new(family.token.token, now),
        })
    }

    /// For somebody who read something else: what came since is marked.
    fn moved_since(mut self, look: &Look, is_revoked: bool) -> Self {
        let mut new = 0;
        let keys = self.descent.keys.iter_mut();
        let keys = keys.map(|kin| (kin.created_at, &mut kin.is_new));
        let others = self.descent.of_workspaces.iter_mut();
        let others = others.map(|token| (token.created_at, &mut token.is_new));
        for (created_at, is_new) in keys.chain(others) {
            *is_new = created_at > look.at;
            new += usize::from(*is_new);
        }
        self.moved = Some(Moved { is_revoked, new });
        self
    }
}

/// Shows what would fall.
pub(super) async fn confirm(call: Call) -> Answer {
    let permit = call.permit(Action::OrgTokenList).await?;
    match read(&call, &permit).await? {
        Some(shown) => Ok(page(StatusCode::OK, &shown)),
        None => Err(nothing("there is no such key, or it was revoked already")),
    }
}

async fn read(call: &Call, permit: &Permit) -> Result<Option<RevokePage>, Problem> {
    let id = call.path("id", TokenId::parse)?;
    let now = call.app.clock.now();
    let family = call.app.ledger.family(permit, id, now).await?;
    let frame = Frame::of(&call.caller, Place::Keys);
    Ok(family.and_then(|family| RevokePage::new(frame, family, now)))
}

/// Revokes it.
pub(super) async fn revoke(call: Call) -> Answer {
    let token = call.path("id", TokenId::parse)?;
    let sent = call.form()?;
    let look = Look::of(&sent)?;
    let mut action = revocation(token, &sent)?;
    if let Action::OrgTokenRevoke { shown, .. } = &mut action {
        *shown = look.as_ref().map(|look| look.descent.clone());
    }
    let more = |finish: super::super::finish::Finish| match &look {
        Some(look) => finish
            .with("shown", &look.descent.to_string())
            .with("looked_at", &look.at.to_string()),
        None => finish,
    };
    let submitted = waiting::submit_with(&call, Place::Keys, action, more).await;
    let is_revoked = match submitted {
        Ok(Sent::Waits(page)) => return Ok(page),
        Ok(Sent::Done(_)) => true,
        Err(problem) if is_other(&problem) => false,
        Err(problem) => return Err(problem),
    };
    let again = match &look {
        Some(look) => shown_again(&call, look, is_revoked).await,
        None => Ok(None),
    };
    match (again, is_revoked) {
        (Ok(Some(shown)), true) => Ok(page(StatusCode::OK, &shown)),
        (Ok(Some(shown)), false) => Ok(page(StatusCode::CONFLICT, &shown)),
        // It is done, whether or not its rest can be shown.
        (_, true) => Ok(see_other("/console/keys")),
        (Ok(None), false) => Err(nothing("nothing of the key works any more")),
        (Err(problem), false) => Err(problem),
    }
}

/// The page as it is by now, where something else works than was read. Revoking one key alone is never refused for
/// what it minted meanwhile, for whoever has it could so put that off: it is told afterwards.
async fn shown_again(
    call: &Call,
    look: &Look,
    is_revoked: bool,
) -> Result<Option<RevokePage>, Problem> {
    let permit = call.permit_beside(Action::OrgTokenList).await?;
    let shown = read(call, &permit).await?;
    let shown = shown.filter(|shown| !shown.descent.is_empty() || !is_revoked);
    let shown = shown.filter(|shown| !is_revoked || shown.digest != look.descent.to_string());
    Ok(shown.map(|shown| shown.moved_since(look, is_revoked)))
}

#[cfg(test)]
mod tests {
    use countersign_core::holdings::Kin;

    use super::super::super::examples::{NOW, is_whole, org_token, person};
    use super::*;

    fn family(minted: &[(&str, bool)], is_live: bool) -> Family {
        let kin = |name: &str, is_live: bool| Kin {
            token: org_token(name),
            is_live,
        };
        Family {
            token: kin("ci", is_live),
            minters: Vec::new(),
            minted: minted.iter().map(|(name, live)| kin(name, *live)).collect(),
            of_workspaces: Vec::new(),
            approval: None,
            descent: FallDigest::of([("a", "organisation")]),
        }
    }

    fn asked(family: Family) -> Option<RevokePage> {
        RevokePage::new(Frame::of(&person("ada"), Place::Keys), family, NOW)
    }

    fn drawn(page: &RevokePage) -> String {
        let html = page.render().expect("drawn");
        is_whole(&html);
        assert!(!html.contains("<script>"), "{html}");
        html
    }

    fn look(at: Timestamp) -> Look {
        Look {
            descent: FallDigest::of([]),
            at,
        }
    }

    #[test]
    fn revoking_offers_to_drain_and_lists_and_carries_what_would_fall_with_it() {
        let minted = [("<script>", true), ("dead", false)];
        let html = drawn(&asked(family(&minted, true)).expect("it works"));
        let digest = FallDigest::of([("a", "organisation")]);
        for shown in [
            r#"name="drain_seconds""#,
            r#"type="checkbox" name="descendants""#,
            "&#60;script&#62;",
            &format!(r#"name="shown" value="{digest}""#),
            r#"name="looked_at""#,
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(
            !html.contains("dead") && !html.contains("role=\"alert\""),
            "{html}"
        );
        let html = drawn(&asked(family(&[], true)).expect("it works"));
        assert!(html.contains("It has minted nothing that works"), "{html}");
        assert!(!html.contains("Look twice."), "{html}");
        let mut odd = family(&[], true);
        odd.token.token.created_by_user = Some("\u{430}da".to_owned());
        let html = drawn(&asked(odd).expect("it works"));
        assert!(html.contains("looks like “ada” and is not"), "{html}");
        assert!(asked(family(&[("dead", false)], false)).is_none());
    }

    #[test]
    fn what_came_since_is_marked_and_said_first() {
        let minted = [("late", true)];
        let page = || asked(family(&minted, true)).expect("it works");
        let before = NOW.minus(std::time::Duration::from_secs(1));
        let html = drawn(&page().moved_since(&look(before), false));
        assert!(html.contains("Nothing was revoked"), "{html}");
        assert!(html.contains("1 key came since"), "{html}");
        assert!(html.contains("since you looked</span>"), "{html}");
        let html = drawn(&page().moved_since(&look(NOW), false));
        assert!(html.contains("has ended meanwhile"), "{html}");
        let rest = asked(family(&minted, false)).expect("something works");
        let html = drawn(&rest.moved_since(&look(before), true));
        assert!(html.contains("The key is revoked"), "{html}");
        assert!(
            html.contains(r#"type="hidden" name="descendants" value="true""#),
            "{html}"
        );
    }
}
