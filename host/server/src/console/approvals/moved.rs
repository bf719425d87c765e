//! A decision that comes too late, or on what is not there, and what cannot be taken back any more, an approval or a
//! request: what has moved meanwhile, and the words of whoever came too late, which are kept.

use askama::Template;
use countersign_core::approval::{Approval, Choice, MOVED, State};
use countersign_core::caller::Caller;
use countersign_core::time::Timestamp;

use super::super::approval_page::{Signature, says, signatures};
use super::super::asked::{self, Subject};
use super::super::assets;
use super::super::closing::Closing;
use super::super::falls::address;
use super::super::frame::{Frame, Place};
use super::super::moment::Moment;

/// What a person tried to do.
pub struct Attempt {
    pub deed: Deed,
    pub reason: Option<String>,
}

/// Which it was.
#[derive(Clone, Copy)]
pub enum Deed {
    /// To decide on a request.
    Decide(Choice),
    /// To take an approval back.
    TakeBack,
    /// To take their own request back.
    Withdraw,
}

impl Attempt {
    /// Whether it is what they have done already: the form was sent twice.
    pub fn is_of(&self, approval: &Approval, caller: &Caller) -> bool {
        match self.deed {
            Deed::Decide(choice) => approval.votes.iter().any(|vote| {
                Some(&vote.person) == caller.person()
                    && vote.choice == choice
                    && vote.reason == self.reason
            }),
            Deed::TakeBack => {
                ended_as(State::Revoked, approval, caller) && approval.revoke_reason == self.reason
            }
            Deed::Withdraw => ended_as(State::Withdrawn, approval, caller),
        }
    }
}

/// Whether it was `caller` who brought it into that state.
fn ended_as(state: State, approval: &Approval, caller: &Caller) -> bool {
    let end = approval.end.as_ref();
    approval.state == state
        && end.is_some_and(|end| end.by.as_deref() == Some(caller.actor().as_str()))
}

/// What is answered in place of what was tried.
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
    closing: Option<Closing>,
    /// Where what it was about is read as it stands now, if that has moved.
    stands: Option<String>,
    attempt: Attempt,
}

impl MovedPage {
    /// Of `approval` as it stands at `now`.
    pub fn new(approval: &Approval, attempt: Attempt, reader: &Caller, now: Timestamp) -> Self {
        let state = approval.state_at(now);
        let own = match attempt.deed {
            Deed::Decide(_) => approval
                .votes
                .iter()
                .any(|vote| Some(&vote.person) == reader.person()),
            Deed::TakeBack => ended_as(State::Revoked, approval, reader),
            // Whoever did that already is led to its page.
            Deed::Withdraw => false,
        };
        Self {
            frame: Frame::of(reader, Place::Approvals),
            id: approval.id.to_string(),
            title: asked::title(approval.verb),
            subject: asked::subject(approval),
            state,
            headline: match attempt.deed {
                Deed::Decide(_) if has_moved(approval) => {
                    "What this is about has moved since it was asked for"
                }
                Deed::Decide(_) => headline(state, own),
                Deed::TakeBack => headline_to_undo(state, own),
                Deed::Withdraw => headline_to_withdraw(state),
            },
            state_says: match (state, attempt.deed) {
                (State::Pending, Deed::Decide(_)) => {
                    "What your page showed is not what waits here: what is asked has moved since you opened it."
                }
                _ if has_moved(approval) => {
                    "Nobody agrees to what they have not read: the request has ended, and its caller can ask anew, for what there is by now. Nothing was done."
                }
                (state, _) => says(state),
            },
            when: came(approval, state).map(|at| Moment::new(at, now)),
            signatures: signatures(approval, now),
            closing: Closing::of(approval, now),
            stands: address(approval).filter(|_| has_moved(approval)),
            attempt,
        }
    }
}

/// Whether it ended undecided because something else would fall by now.
fn has_moved(approval: &Approval) -> bool {
    let end = approval.end.as_ref();
    approval.state == State::Withdrawn && end.is_some_and(|end| end.because == MOVED)
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

fn headline_to_undo(state: State, own: bool) -> &'static str {
    match state {
        State::Used => "This was used before you took it back",
        State::Lapsed => "This has lapsed meanwhile",
        State::Revoked if own => "You have taken this back already",
        State::Revoked => "Somebody else took this back first",
        State::Pending => "Nobody has approved this yet",
        State::Approved | State::Denied | State::Expired | State::Withdrawn => {
            "There is no approval to take back"
        }
    }
}

fn headline_to_withdraw(state: State) -> &'static str {
    match state {
        State::Pending => "This still waits",
        State::Approved => "This was approved before you took it back",
        State::Used => "This was approved and done before you took it back",
        State::Denied => "This was denied before you took it back",
        State::Expired => "This has expired meanwhile",
        State::Withdrawn => "This has ended meanwhile",
        State::Lapsed | State::Revoked => "There is no request to take back",
    }
}

/// When it was decided, where nothing has come of that yet: how it ended is told apart.
fn came(approval: &Approval, state: State) -> Option<Timestamp> {
    match state {
        State::Approved | State::Denied => approval.decided_at,
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use countersign_core::approval::End;

    use super::super::super::examples::{NOW, approval, is_whole, person, vote};
    use super::*;

    fn drawn(approval: &Approval, reason: Option<&str>) -> String {
        drawn_of(approval, Deed::Decide(Choice::Deny), reason)
    }

    fn drawn_of(approval: &Approval, deed: Deed, reason: Option<&str>) -> String {
        let attempt = Attempt {
            deed,
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
        assert!(!html.contains("Look twice."), "{html}");
        assert!(!drawn(&moved, None).contains("textarea"));
        moved.votes[0] = vote("gr\u{430}ce", Choice::Deny);
        let html = drawn(&moved, None);
        assert!(html.contains("looks like “grace” and is not"), "{html}");
        moved.votes[0] = vote("ada", Choice::Approve);
        assert!(drawn(&moved, None).contains("You have decided this already"));
    }

    #[test]
    fn every_state_has_its_headline() {
        for state in State::ALL {
            let mut moved = approval();
            moved.state = *state;
            moved.grant_expires_at = Some(NOW.plus(std::time::Duration::from_secs(60)));
            let undone = drawn_of(&moved, Deed::TakeBack, None);
            assert!(undone.contains(headline_to_undo(*state, false)));
            let withdrawn = drawn_of(&moved, Deed::Withdraw, None);
            assert!(withdrawn.contains(headline_to_withdraw(*state)));
            let html = drawn(&moved, None);
            assert!(html.contains(headline(*state, false)), "{state}: {html}");
            for html in [html, undone, withdrawn] {
                assert!(html.contains("was not recorded"), "{state}: {html}");
            }
        }
    }

    #[test]
    fn whoever_comes_too_late_to_undo_is_told_who_was_first_and_keeps_their_words() {
        let mut moved = approval();
        moved.state = State::Revoked;
        moved.end = Some(End::by(&person("grace"), NOW, "a person took it back"));
        moved.revoke_reason = Some("hers".to_owned());
        let html = drawn_of(&moved, Deed::TakeBack, Some("mine <b>"));
        for shown in [
            "Somebody else took this back first",
            ">grace</bdi> <span class=\"vouched\">(",
            "<bdi>hers</bdi>",
            "readonly>mine &#60;b&#62;</textarea>",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        moved.end = Some(End::by(&person("ada"), NOW, "a person took it back"));
        let html = drawn_of(&moved, Deed::TakeBack, Some("mine"));
        assert!(html.contains("You have taken this back already"), "{html}");
        let again = |reason: &str| Attempt {
            deed: Deed::TakeBack,
            reason: Some(reason.to_owned()),
        };
        assert!(again("hers").is_of(&moved, &person("ada")));
        assert!(!again("mine").is_of(&moved, &person("ada")));
        assert!(!again("hers").is_of(&moved, &person("grace")));
    }

    #[test]
    fn a_request_that_its_requester_has_taken_back_is_taken_back_twice_and_no_other() {
        let attempt = Attempt {
            deed: Deed::Withdraw,
            reason: None,
        };
        let mut moved = approval();
        moved.state = State::Withdrawn;
        for (by, is_theirs) in [("ada", true), ("grace", false)] {
            moved.end = Some(End::by(&person(by), NOW, "the requester took it back"));
            assert_eq!(attempt.is_of(&moved, &person("ada")), is_theirs);
        }
        moved.end = Some(End::by_nobody(NOW, MOVED));
        assert!(!attempt.is_of(&moved, &person("ada")));
        moved.state = State::Denied;
        moved.end = None;
        assert!(!attempt.is_of(&moved, &person("ada")));
    }

    #[test]
    fn the_same_decision_twice_is_one() {
        let mut decided = approval();
        decided.votes.push(vote("ada", Choice::Approve));
        let attempt = |choice, reason: Option<&str>| Attempt {
            deed: Deed::Decide(choice),
            reason: reason.map(str::to_owned),
        };
        let same = attempt(Choice::Approve, Some("<i>because</i>"));
        assert!(same.is_of(&decided, &person("ada")));
        assert!(!same.is_of(&decided, &person("grace")));
        assert!(!attempt(Choice::Deny, Some("<i>because</i>")).is_of(&decided, &person("ada")));
        assert!(!attempt(Choice::Approve, None).is_of(&decided, &person("ada")));
    }
}
