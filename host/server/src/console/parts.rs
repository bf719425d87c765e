//! Where a list that is searched goes on, and how far back it was searched.

use askama::Template;
use askama::filters::HtmlSafe;
use countersign_core::history::{Rest, SCAN};
use countersign_core::time::Timestamp;

use super::moment::Moment;
use super::narrow::Narrow;

/// What stands below one part of the list.
#[derive(Template)]
#[template(path = "parts.html")]
pub struct Parts {
    /// What the list is of.
    of: &'static str,
    newest: String,
    /// Whether this is the newest part.
    pub is_first: bool,
    /// Where the next older part is.
    older: Option<String>,
    /// How far back the search came, where it ended before everything was looked at.
    pub back_to: Option<Moment>,
    /// Whether nothing was found for this part.
    is_empty: bool,
}

/// Its template escapes what was given.
impl HtmlSafe for Parts {}

impl Parts {
    /// Of the list of `of` at `path`, whose parts begin after what the field `cursor` names, as it was narrowed.
    pub fn new(
        (of, path, cursor): (&'static str, &str, &str),
        narrow: &Narrow,
        (rest, is_first, is_empty): (&Rest, bool, bool),
        now: Timestamp,
    ) -> Self {
        let older = |after: &str| Some(narrow.link(path, &[(cursor, after)]));
        let (older, back_to) = match rest {
            Rest::Nothing => (None, None),
            Rest::More(after) => (older(after), None),
            Rest::Unsearched { after, back_to } => (older(after), Some(Moment::new(*back_to, now))),
        };
        Self {
            of,
            newest: narrow.link(path, &[]),
            is_first,
            older,
            back_to,
            is_empty,
        }
    }

    fn searched(&self) -> u32 {
        SCAN
    }
}
