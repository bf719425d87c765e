//! Texts of others, cut, wrapped and held against each other.

use std::ops::Range;

use countersign_core::text::escaped;
use unicode_width::UnicodeWidthChar as _;

use super::paint::{Ink, Style};

/// The longest text that a person is shown, in characters. The whole of it is in the JSON.
const SHOWN: usize = 400;

/// How much of what two long texts have in common is shown before and behind where they differ.
const AROUND: usize = 24;

/// `text`, fit for people: escaped, and cut where it is long.
pub(super) fn shown(text: &str) -> String {
    // What is cut is not escaped first: that would be ten times as long.
    let head: String = text.chars().take(SHOWN).collect();
    let head = escaped(&head);
    match text.chars().count() {
        whole if whole > SHOWN => format!("{head}… ({whole} characters)"),
        _ => head,
    }
}

/// Two texts that differ, fit for people, and which part of each the other has not.
pub(super) struct Pair {
    pub(super) expected: Marked,
    pub(super) found: Marked,
}

/// A text, and which of its characters stand out.
pub(super) struct Marked {
    text: Vec<char>,
    marked: Range<usize>,
}

impl Pair {
    /// Holds them against each other.
    pub(super) fn of(expected: &str, found: &str) -> Self {
        let (expected, found) = (escaped(expected), escaped(found));
        let (expected, found): (Vec<char>, Vec<char>) =
            (expected.chars().collect(), found.chars().collect());
        let ahead = common(expected.iter().zip(&found));
        let room = expected.len().min(found.len()) - ahead;
        let behind = common(expected.iter().rev().zip(found.iter().rev())).min(room);
        // Words with little in common are simply different.
        let is_worth_it = (ahead + behind) * 2 >= expected.len().min(found.len());
        let (ahead, behind) = match is_worth_it {
            true => (ahead, behind),
            false => (0, 0),
        };
        Self {
            expected: Marked::of(&expected, ahead, behind),
            found: Marked::of(&found, ahead, behind),
        }
    }
}

fn common<'c>(pairs: impl Iterator<Item = (&'c char, &'c char)>) -> usize {
    pairs.take_while(|(a, b)| a == b).count()
}

impl Marked {
    /// `text`, of which all but the first `ahead` and last `behind` characters stands out.
    fn of(text: &[char], ahead: usize, behind: usize) -> Self {
        let whole = text.len();
        let ends = whole - behind;
        let from = match whole > SHOWN {
            true => ahead.saturating_sub(AROUND),
            false => 0,
        };
        let to = match whole > SHOWN {
            true => (ends + AROUND).min(whole).min(from + SHOWN),
            false => whole,
        };
        let mut shown: Vec<char> = Vec::new();
        if from > 0 {
            shown.push('…');
        }
        let shift = |at: usize| at.clamp(from, to) - from + usize::from(from > 0);
        shown.extend(&text[from..to]);
        if to < whole {
            shown.extend(format!("… ({whole} characters)").chars());
        }
        Self {
            marked: match ahead + behind {
                0 => 0..0,
                _ => shift(ahead)..shift(ends),
            },
            text: shown,
        }
    }

    /// Its lines, each of at most `width` columns, in `ink` and filled up to `width`.
    pub(super) fn lines(&self, width: usize, ink: Ink, style: Style) -> Vec<String> {
        let lines = wrapped(&self.text, width);
        lines
            .into_iter()
            .map(|line| {
                let columns: usize = self.text[line.clone()].iter().copied().map(columns).sum();
                let marked = self.marked.start.clamp(line.start, line.end)
                    ..self.marked.end.clamp(line.start, line.end);
                let part = |range: Range<usize>| self.text[range].iter().collect::<String>();
                let mut drawn = style.paint(ink, false, &part(line.start..marked.start));
                drawn += &style.paint(ink, true, &part(marked.clone()));
                drawn += &style.paint(ink, false, &part(marked.end..line.end));
                drawn.extend(std::iter::repeat_n(' ', width.saturating_sub(columns)));
                drawn
            })
            .collect()
    }
}

/// `text` in lines of at most `width` columns, broken between words where there is a place.
pub(super) fn folded(text: &str, width: usize) -> Vec<String> {
    let text: Vec<char> = text.chars().collect();
    wrapped(&text, width)
        .into_iter()
        .map(|line| text[line].iter().collect())
        .collect()
}

/// Where the lines are; blanks at which a line is broken belong to none.
fn wrapped(text: &[char], width: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    loop {
        let mut room = width.max(2);
        let mut end = start;
        while let Some(needed) = text.get(end).copied().map(columns).filter(|it| *it <= room) {
            room -= needed;
            end += 1;
        }
        if end == text.len() {
            lines.push(start..end);
            return lines;
        }
        let blank = (start..=end).rev().find(|at| text[*at] == ' ');
        match blank.filter(|at| *at > start) {
            Some(blank) => {
                lines.push(start..blank);
                start = blank + 1;
            }
            None => {
                lines.push(start..end);
                start = end;
            }
        }
    }
}

fn columns(c: char) -> usize {
    c.width().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_broken_between_words_and_within_one_that_is_too_long() {
        assert_eq!(folded("one two three", 8), ["one two", "three"]);
        assert_eq!(folded("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(folded("東京東京", 5), ["東京", "東京"]);
        assert_eq!(folded("", 5), [""]);
    }

    #[test]
    fn what_two_texts_have_in_common_does_not_stand_out() {
        let pair = Pair::of("agents need a person", "agents need two people");
        let marked: String = pair.found.text[pair.found.marked.clone()].iter().collect();
        assert_eq!(marked, "two people");
        let pair = Pair::of("gate", "allow");
        assert!(pair.found.marked.is_empty());
    }

    #[test]
    fn of_two_long_texts_the_place_is_shown_where_they_differ() {
        let (ahead, behind) = ("a".repeat(9_000), "b".repeat(9_000));
        let pair = Pair::of(&format!("{ahead}X{behind}"), &format!("{ahead}YZ{behind}"));
        let found: String = pair.found.text.iter().collect();
        assert!(found.contains("aYZb"), "{found}");
        assert!(found.len() < 200, "{found}");
    }

    proptest! {
        #[test]
        fn no_text_is_wider_than_its_column(text in "\\PC{0,200}", width in 2_usize..80) {
            for line in folded(&shown(&text), width) {
                prop_assert!(line.chars().map(columns).sum::<usize>() <= width);
            }
        }

        #[test]
        fn any_two_texts_can_be_held_against_each_other(a in ".{0,600}", b in ".{0,600}", width in 2_usize..80) {
            let style = Style { is_coloured: true, width };
            let pair = Pair::of(&a, &b);
            pair.expected.lines(width, Ink::Good, style);
            pair.found.lines(width, Ink::Bad, style);
        }
    }
}
