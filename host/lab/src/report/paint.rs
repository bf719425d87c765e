//! Colours, where they are wanted.

/// How a report is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether with colours.
    pub is_coloured: bool,
    /// How many columns wide.
    pub width: usize,
}

/// What a text is, which is what its colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// What was expected, and what passed.
    Good,
    /// What was found instead, and what failed.
    Bad,
    /// A heading.
    Bold,
    /// What matters less.
    Dim,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Bold => "1",
            Self::Dim => "2",
        }
    }
}

impl Style {
    /// `text` in this ink; `is_marked` makes it stand out of others of the same ink.
    pub(super) fn paint(self, ink: Ink, is_marked: bool, text: &str) -> String {
        if !self.is_coloured || text.is_empty() {
            return text.to_owned();
        }
        let mark = if is_marked { ";1;4" } else { "" };
        format!("\u{1b}[{}{mark}m{text}\u{1b}[0m", ink.code())
    }
}
