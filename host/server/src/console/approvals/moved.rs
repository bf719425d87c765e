//! A decision that comes too late, or on what is not there: what has moved meanwhile, and the words of whoever
//! decided, which are kept.

use askama::Template;
use countersign_core::approval::{Approval, Choice, State};
use countersign_core::caller::Caller;
use countersign_core::time::Timestamp;

use super::super::approval_page::{Signature, says, signatures};
use super::super::asked::{self, Subject};
use super::super::assets;
use super::super::frame::{Frame, Place};
use super::super::moment::Moment;

/// What a person tried to say.
pub struct Attempt {
    pub choice: Choice,
    pub reason: Option<String>,
}

impl Attempt {
    /// Whether it is what they have said already: the form was sent twice.
    pub fn is_of(&self, approval: &Approval, caller: &Caller) -> bool {
        approval.votes.iter().any(|vote| {
            Some(&vote.person) == caller.person()
                && vote.choice == self.choice
                && vote.reason == self.reason
        })
    }
}

/// What is answered in place of a decision.
#[derive(Template)]
#[template(path = "moved.html")]
pub struct MovedPage {
    frame: Frame,
    id: String,
    title: String,
    subject: Option<Subject>,
    state: State,
    headline: &'static str,
    state_says: &'static str,
    when: Option<Moment>,
    signatures: Vec<Signature>,
    attempt: Attempt,
}

impl MovedPage {
    /// Of `approval` as it stands at `now`.
    pub fn new(approval: &Approval, attempt: Attempt, reader: &Caller, now: Timestamp) -> Self {
        let state = approval.state_at(now);
        let own = approval
            .votes
            .iter()
            .any(|vote| Some(&vote.person) == reader.person());
        Self {
            frame: Frame::of(reader, Place::Approvals),
            id: approval.id.to_string(),
            title: asked::title(approval.verb),
            subject: asked::subject(approval),
            state,
            headline: headline(state, own),
            state_says: match state {
                State::Pending => {
                    "What your page showed is not what waits here: what is asked has moved since you opened it."
                }
                state => says(state),
            },
            when: ended(approval, state).map(|at| Moment::new(at, now)),
            signatures: signatures(approval, now),
            attempt,
        }
    }
}

fn headline(state: State, own: bool) -> &'static str {
    match state {
        State::Pending => "What you read is not what is waiting",
        State::Approved | State::Used | State::Lapsed | State::Revoked | State::Denied if own => {
            "You have decided this already"
        }
        State::Approved | State::Used | State::Lapsed => "Somebody else approved this first",
        State::Denied => "Somebody else denied this first",
        State::Revoked => "This was approved and taken back meanwhile",
        State::Expired => "This has expired meanwhile",
        State::Withdrawn => "This was withdrawn meanwhile",
    }
}

/// When it came into its state, where that is kept.
fn ended(approval: &Approval, state: State) -> Option<Timestamp> {
    match state {
        State::Expired => Some(approval.expires_at),
        State::Approved | State::Denied => approval.decided_at,
        State::Lapsed => approval.grant_expires_at,
        State::Pending | State::Withdrawn | State::Used | State::Revoked => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::examples::{NOW, approval, is_whole, person, vote};
    use super::*;

    fn drawn(approval: &Approval, reason: Option<&str>) -> String {
        let attempt = Attempt {
            choice: Choice::Deny,
            reason: reason.map(str::to_owned),
        };
        let page = MovedPage::new(approval, attempt, &person("ada"), NOW);
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn what_moved_is_told_and_the_words_of_whoever_decided_are_kept() {
        let mut moved = approval();
        moved.state = State::Denied;
        moved.decided_at = Some(NOW);
        moved.votes.push(vote("grace", Choice::Deny));
        let html = drawn(&moved, Some("not <b>today</b>"));
        for shown in [
            "Somebody else denied this first",
            "<bdi>grace</bdi>",
            "by the control plane",
            "not &#60;b&#62;today",
            "&#60;i&#62;because",
            &format!(r#"href="/console/approvals/{}""#, moved.id),
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        assert!(!html.contains(r#"name="decision""#), "{html}");
        assert!(!drawn(&moved, None).contains("textarea"));
        moved.votes[0] = vote("ada", Choice::Approve);
        assert!(drawn(&moved, None).contains("You have decided this already"));
    }

    #[test]
    fn every_state_has_its_headline() {
        for state in State::ALL {
            let mut moved = approval();
            moved.state = *state;
            moved.grant_expires_at = Some(NOW.plus(std::time::Duration::from_secs(60)));
            let html = drawn(&moved, None);
            assert!(html.contains(headline(*state, false)), "{state}: {html}");
            assert!(html.contains("was not recorded"), "{state}: {html}");
        }
    }

    #[test]
    fn the_same_decision_twice_is_one() {
        let mut decided = approval();
        decided.votes.push(vote("ada", Choice::Approve));
        let attempt = |choice, reason: Option<&str>| Attempt {
            choice,
            reason: reason.map(str::to_owned),
        };
        let same = attempt(Choice::Approve, Some("<i>because</i>"));
        assert!(same.is_of(&decided, &person("ada")));
        assert!(!same.is_of(&decided, &person("grace")));
        assert!(!attempt(Choice::Deny, Some("<i>because</i>")).is_of(&decided, &person("ada")));
        assert!(!attempt(Choice::Approve, None).is_of(&decided, &person("ada")));
    }
}
