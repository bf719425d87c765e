//! The end of an approval that led to nothing: by whom, when and why.

use super::{Approval, State};
use crate::caller::Caller;
use crate::time::Timestamp;

/// The cause of what time has ended.
const TIME: &str = "its time was over";

/// The cause of what ends because something else would be done by now than people were asked for.
pub const MOVED: &str = "the target has moved";

/// How an approval ended that was neither denied nor used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// [`Caller::actor`] of whoever ended it; nobody's where its time was over, or what it was for has moved.
    pub by: Option<String>,
    /// The verified user, where that is a person.
    pub user: Option<String>,
    /// Why, in the host's words.
    pub because: String,
}

impl End {
    /// By what `caller` does at `at`.
    pub fn by(caller: &Caller, at: Timestamp, because: &str) -> Self {
        Self {
            by: Some(caller.actor()),
            user: caller.person().map(|person| person.user.clone()),
            ..Self::by_nobody(at, because)
        }
    }

    /// By something that nobody did to it.
    pub fn by_nobody(at: Timestamp, because: &str) -> Self {
        Self {
            at,
            by: None,
            user: None,
            because: because.to_owned(),
        }
    }

    /// By time.
    pub fn by_time(at: Timestamp) -> Self {
        Self::by_nobody(at, TIME)
    }
}

impl Approval {
    /// How it has ended as of `now`. None where it has not, where it was denied or used, and where it ended
    /// before that was recorded: [`State::has_end`] tells these apart.
    pub fn end_at(&self, now: Timestamp) -> Option<End> {
        match (self.state_at(now), self.state) {
            (State::Expired, _) => Some(End::by_time(self.expires_at)),
            (State::Lapsed, State::Approved) => self.grant_expires_at.map(End::by_time),
            (state, _) if state.has_end() => self.end.clone(),
            _ => None,
        }
    }
}

impl State {
    /// Whether it is one that [`End`] tells of.
    pub fn has_end(self) -> bool {
        match self {
            Self::Expired | Self::Withdrawn | Self::Lapsed | Self::Revoked => true,
            Self::Pending | Self::Approved | Self::Denied | Self::Used => false,
        }
    }
}
