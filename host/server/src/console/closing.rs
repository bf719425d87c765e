//! How a request ended that was neither denied nor used: by whom, when, why, and in which words of theirs.

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::approval::{Approval, State};
use countersign_core::time::Timestamp;

use super::asked::Long;
use super::frame::Party;
use super::moment::Moment;
use super::people::behind;

/// Draws itself as by whom: `by ann (a person 0123…)`.
#[derive(Template)]
#[template(path = "closing.html")]
pub struct Closing {
    /// What happened, as a heading.
    pub words: &'static str,
    /// Who did it.
    pub by: By,
    /// When, where that is known.
    pub at: Option<Moment>,
    /// Why, where its state does not say so.
    pub because: Option<String>,
    /// What the person said who took it back.
    pub reason: Option<String>,
}

/// Its template escapes what was given.
impl HtmlSafe for Closing {}

/// Who ended it.
pub enum By {
    /// A caller, or the host.
    Somebody(Party),
    /// Time, or another state of affairs.
    Nobody,
    /// It ended before this was recorded.
    Unknown,
}

impl Closing {
    /// Of `approval` as it stands at `now`, if it has ended so.
    pub fn of(approval: &Approval, now: Timestamp) -> Option<Self> {
        let state = approval.state_at(now);
        if !state.has_end() {
            return None;
        }
        let end = approval.end_at(now);
        let at = end.as_ref().map(|end| Moment::new(end.at, now));
        let (by, because) = match end {
            None => (By::Unknown, None),
            Some(end) => {
                let by = end
                    .by
                    .map(|by| By::Somebody(behind(&by, end.user.as_deref())));
                (by.unwrap_or(By::Nobody), Some(end.because))
            }
        };
        Some(Self {
            words: match state {
                State::Revoked => "Taken back",
                State::Withdrawn => "Withdrawn",
                State::Lapsed => "Lapsed",
                _ => "Expired",
            },
            by,
            at,
            because: because.filter(|_| state != State::Revoked),
            reason: approval.revoke_reason.clone(),
        })
    }

    /// Whether anybody is known to have ended it.
    pub fn is_somebodys(&self) -> bool {
        matches!(self.by, By::Somebody(_))
    }

    /// The reason, where it is so long that it is folded.
    pub fn long(&self) -> Option<Long<'_>> {
        self.reason.as_deref().and_then(Long::of)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use countersign_core::approval::End;

    use super::super::examples::{NOW, agent, approval, person};
    use super::*;

    fn told(state: State, end: Option<End>) -> String {
        let mut approval = approval();
        (approval.state, approval.end) = (state, end);
        let closing = Closing::of(&approval, NOW).expect("it has ended");
        let because = closing.because.clone().unwrap_or_default();
        let by = closing.render().expect("drawn");
        format!("{} {by}: {because}", closing.words)
    }

    #[test]
    fn whoever_ended_it_is_named_and_cannot_be_markup() {
        let end = End::by(&person("<b>ann"), NOW, "a person took it back");
        let html = told(State::Revoked, Some(end));
        assert!(
            html.starts_with("Taken back by <bdi class=\"called\"")
                && html.contains(">&#60;b&#62;ann</bdi> <span class=\"vouched\">("),
            "{html}"
        );
        let end = End::by(&agent(), NOW, "the requester took it back");
        let html = told(State::Withdrawn, Some(end));
        assert!(html.contains("Withdrawn by organisation key"), "{html}");
        assert!(html.ends_with(": the requester took it back"), "{html}");
    }

    #[test]
    fn what_nobody_ended_and_what_is_not_known_are_told_apart() {
        let moved = End::by_nobody(NOW, "the target has moved");
        let html = told(State::Lapsed, Some(moved));
        assert_eq!(html, "Lapsed by nobody: the target has moved");
        for state in [State::Revoked, State::Withdrawn, State::Lapsed] {
            assert!(told(state, None).contains("not known by whom"), "{state}");
        }
        let html = told(State::Expired, None);
        assert_eq!(html, "Expired by nobody: its time was over");
        let mut late = approval();
        late.state = State::Approved;
        late.grant_expires_at = Some(NOW);
        assert!(Closing::of(&late, NOW).is_some());
        late.grant_expires_at = Some(NOW.plus(Duration::from_secs(1)));
        assert!(Closing::of(&late, NOW).is_none());
    }
}
