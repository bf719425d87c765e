//! Colours on a terminal.
//!
//! Architecture invariant: what a module says goes through [`Plain`] before it is coloured, so that the only
//! control characters that reach a terminal are these.

use countersign_lab::table::Effect;

use crate::cli::Shown;
use crate::commands::terminal::{self, Plain};

/// What something is, to the eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Strong,
    /// Beside the point.
    Quiet,
    /// It may be done.
    Open,
    /// It waits for people.
    Waiting,
    /// It may not be done.
    Shut,
    /// As it is.
    None,
}

impl From<Effect> for Tone {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Abstain => Self::Quiet,
            Effect::Allow => Self::Open,
            Effect::Gate => Self::Waiting,
            Effect::Deny => Self::Shut,
        }
    }
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub struct Ink(bool);

impl Ink {
    /// Colours where a person looks who has not refused them.
    pub fn new(shown: &Shown) -> Self {
        Self(!shown.no_color && shown.out.is_none() && terminal::is_seen())
    }

    /// `text` in its tone.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let text = Plain::new(text);
        let code = match tone {
            Tone::Strong => "1",
            Tone::Quiet => "2",
            Tone::Open => "32",
            Tone::Waiting => "33",
            Tone::Shut => "31",
            Tone::None => return text.to_string(),
        };
        match self.0 && !text.as_str().is_empty() {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_string(),
        }
    }
}
