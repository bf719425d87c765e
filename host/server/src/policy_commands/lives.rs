//! How long gates live on a host whose operator set something, or nothing.

use countersign_core::approval::Lives;
use countersign_lab::answers::Answers;
use countersign_lab::words::span;

use crate::commands::Failure;
use crate::config::{Flags, lives_of};

/// The lives of the host that answers are shown for, as far as they are said.
pub struct HostLives(Option<Lives>);

impl HostLives {
    /// As flags or the environment say.
    pub fn of(flags: &Flags) -> Result<Self, Failure> {
        lives_of(flags).map(Self).map_err(Failure::usage)
    }

    /// `answers` as they are on that host.
    pub fn apply(&self, answers: Answers) -> Answers {
        match &self.0 {
            Some(lives) => answers.within(lives),
            None => answers,
        }
    }

    /// What a reader has to know of them; `is_left` says whether a gate leaves one to the host.
    pub fn note(&self, is_left: bool) -> Option<String> {
        let lives = self.0.unwrap_or_default();
        let said =
            |life: std::time::Duration| span(u32::try_from(life.as_secs()).unwrap_or(u32::MAX));
        let (pending, grant) = (said(lives.pending.default), said(lives.grant.default));
        match (&self.0, is_left) {
            (Some(_), _) => Some(format!(
                "Lives are those on a host that leaves {pending} to decide and {grant} to use it."
            )),
            (None, true) => Some(format!(
                "A life that is not named is the host's: {pending} to decide and {grant} to use it, unless its operator set others (--pending-seconds, --grant-seconds)."
            )),
            (None, false) => None,
        }
    }
}
