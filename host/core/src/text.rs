//! Text from outside that people will read: names and reasons.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeEmoji, UnicodeGeneralCategory};

/// As many marks may stand on one letter: Hebrew and Arabic need so many, and a pile of them paints over the
/// lines above and below.
const MAX_MARKS: usize = 3;
/// Asks for a coloured picture (UTS #51). Behind what has none it changes nothing that is seen.
const EMOJI_STYLE: char = '\u{fe0f}';

/// Why a text was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More characters than the field takes.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// A character that could make the text look like another one, or break a line of a log.
    #[error(
        "has a control, format, bidirectional, line-separator or invisible character, or more than \
         three marks on one letter (U+{0:04X})"
    )]
    Unsafe(u32),
}

/// Makes `text` NFC and refuses what would mislead a reader: control, format (with the bidirectional
/// ones), separator and invisible characters, and piles of marks. `limit` is in characters.
pub fn displayable(text: &str, limit: usize) -> Result<String, TextError> {
    // Four bytes a character, and NFC never needs more than three times the input's (UAX #15).
    if text.len() > limit * 12 {
        return Err(TextError::TooLong(limit));
    }
    let normal: String = text.nfc().collect();
    if normal.chars().count() > limit {
        return Err(TextError::TooLong(limit));
    }
    match misleading(&normal) {
        Some(found) => Err(TextError::Unsafe(found as u32)),
        None => Ok(normal),
    }
}

/// The first character of `text` that could mislead a reader where it stands.
pub fn misleading(text: &str) -> Option<char> {
    let found = weighed(text).find(|(_, misleads)| *misleads);
    found.map(|(c, _)| c)
}

/// `text` with each character that could mislead a reader shown as `\u{…}`, so that it is fit for a
/// terminal and a page: nothing in it moves the cursor, sets a colour, turns the direction of writing, hides
/// or paints over its neighbours.
pub fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for (c, misleads) in weighed(text) {
        if misleads {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Each character of `text`, and whether it could mislead a reader where it stands.
fn weighed(text: &str) -> impl Iterator<Item = (char, bool)> {
    let mut rest = text.chars();
    let (mut before, mut marks) = ('\0', 0);
    std::iter::from_fn(move || {
        let c = rest.next()?;
        let stacks = !c.is_ascii() && is_stacked(c);
        marks = if stacks { marks + 1 } else { 0 };
        let misleads = match c {
            EMOJI_STYLE => !has_styles(before, rest.as_str()),
            _ => is_misleading(c),
        };
        before = c;
        Some((c, misleads || marks > MAX_MARKS))
    })
}

/// Whether `c`, before `rest`, has an emoji's style: of digits, a keycap alone.
fn has_styles(c: char, rest: &str) -> bool {
    c.is_emoji_char() && (!c.is_ascii() || rest.starts_with('\u{20e3}'))
}

/// Whether the character is a mark that takes no room of its own.
fn is_stacked(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark
    )
}

/// Whether the character belongs to the letter before it.
pub fn is_mark(c: char) -> bool {
    is_stacked(c) || c.general_category() == GeneralCategory::SpacingMark
}

/// Whether a reader could be misled by the character, wherever it stands: control, format, separator, what
/// shows as nothing, and what is no character.
pub fn is_misleading(c: char) -> bool {
    // Nearly all that is looked at is ASCII, of which there is nothing to look up.
    match c.is_ascii() {
        true => c.is_ascii_control(),
        false => is_of_a_misleading_category(c) || is_unseen(c),
    }
}

/// Whether the character is ignored or blank where it is drawn (`Default_Ignorable_Code_Point`, and what only
/// looks so), although it is a letter, a mark or a symbol by its category.
fn is_unseen(c: char) -> bool {
    matches!(c,
        // The joiner that joins nothing, and vowels that are not written.
        '\u{34f}' | '\u{17b4}' | '\u{17b5}'
        // Fillers.
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{16fe4}'
        // Selectors of variants, but the one of emoji, which depends on where it stands.
        | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0e}' | '\u{e0100}'..='\u{e01ef}'
        // Braille without a dot, and a note without a head.
        | '\u{2800}' | '\u{1d159}')
}

fn is_of_a_misleading_category(c: char) -> bool {
    matches!(
        c.general_category(),
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::Unassigned
            | GeneralCategory::PrivateUse
    )
}

/// The one of `known` that was probably meant by whoever wrote `word`.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let candidates = known.iter();
    let nearest = candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), *candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 3 + 1);
    nearest.map(|(_, nearest)| nearest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_composed_and_a_decomposed_name_are_one() {
        assert_eq!(displayable("e\u{301}", 10), displayable("\u{e9}", 10));
    }

    #[test]
    fn what_would_mislead_a_reader_is_refused() {
        for text in [
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\u{2028}b",
            "a\u{0}b",
            "a\u{7f}b",
        ] {
            assert!(displayable(text, 10).is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_not_seen_is_refused_wherever_it_stands() {
        for hidden in "\u{34f}\u{115f}\u{1160}\u{17b4}\u{180b}\u{2800}\u{3164}\u{fe00}\u{fe0e}\u{fe0f}\u{ffa0}\u{16fe4}\u{1d159}\u{e0100}\u{e01ef}".chars() {
            for text in [format!("ci{hidden}"), format!("{hidden}ci"), hidden.to_string()] {
                assert_eq!(displayable(&text, 10), Err(TextError::Unsafe(hidden as u32)));
                assert!(!escaped(&text).contains(hidden), "{text:?}");
            }
        }
    }

    #[test]
    fn an_emoji_keeps_its_style_and_nothing_else_has_one() {
        for text in [
            "\u{26a0}\u{fe0f} prod",
            "\u{2764}\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "\u{1f680}",
        ] {
            assert_eq!(displayable(text, 10).as_deref(), Ok(text));
            assert_eq!(escaped(text), text);
        }
        for text in [
            "1\u{fe0f}",
            "a\u{fe0f}\u{20e3}",
            "\u{2764}\u{fe0f}\u{fe0f}",
            "\u{416}\u{fe0f}",
        ] {
            assert_eq!(
                displayable(text, 10),
                Err(TextError::Unsafe(0xfe0f)),
                "{text:?}"
            );
        }
        // No joiner ever was let through.
        assert!(displayable("\u{1f469}\u{200d}\u{1f680}", 10).is_err());
    }

    #[test]
    fn few_marks_stand_on_a_letter_and_a_pile_of_them_is_refused() {
        // A Hebrew letter with three, a Tibetan one, and a Vietnamese one that is written apart.
        for text in [
            "\u{5e9}\u{5bc}\u{5c1}\u{5b8}",
            "\u{f66}\u{f92}\u{fb2}\u{f74}\u{f56}",
            "e\u{323}\u{302}",
        ] {
            assert!(displayable(text, 10).is_ok(), "{text:?}");
        }
        let pile = format!("x{}", "\u{33f}".repeat(MAX_MARKS + 1));
        assert_eq!(displayable(&pile, 10), Err(TextError::Unsafe(0x33f)));
        let shown = escaped(&format!("x{}y", "\u{33f}".repeat(90)));
        assert_eq!(shown.matches('\u{33f}').count(), MAX_MARKS);
        assert_eq!(shown.matches(r"\u{33f}").count(), 90 - MAX_MARKS);
    }

    #[test]
    fn ascii_needs_no_table() {
        for c in '\0'..='\u{7f}' {
            assert_eq!(is_misleading(c), is_of_a_misleading_category(c), "{c:?}");
            assert!(!is_mark(c) && !is_unseen(c), "{c:?}");
        }
    }

    #[test]
    fn the_limit_counts_characters() {
        assert!(displayable(&"é".repeat(100), 100).is_ok());
        assert_eq!(
            displayable(&"é".repeat(101), 100),
            Err(TextError::TooLong(100))
        );
    }

    proptest! {
        /// Characters of every class, and those that misbehave more often than they would by chance.
        #[test]
        fn what_passes_is_normal_harmless_within_its_limit_and_passes_unchanged(
            text in proptest::collection::vec(
                prop_oneof![
                    any::<char>(),
                    proptest::char::range('\u{0}', '\u{ff}'),
                    proptest::char::range('\u{300}', '\u{36f}'),
                    proptest::char::range('\u{2000}', '\u{206f}'),
                    proptest::char::range('\u{ac00}', '\u{d7a3}'),
                    proptest::char::range('\u{e0000}', '\u{e01ff}'),
                ],
                0..24,
            ),
            limit in 0_usize..24,
        ) {
            let text: String = text.into_iter().collect();
            match displayable(&text, limit) {
                Ok(passed) => {
                    prop_assert!(unicode_normalization::is_nfc(&passed));
                    prop_assert!(passed.chars().count() <= limit);
                    prop_assert!(!passed.chars().any(char::is_control));
                    let reorders = |c| matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}'
                        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
                        | '\u{e0000}'..='\u{e007f}');
                    prop_assert!(!passed.chars().any(reorders));
                    prop_assert_eq!(&escaped(&passed), &passed);
                    prop_assert_eq!(displayable(&passed, limit), Ok(passed));
                }
                Err(TextError::TooLong(told)) => {
                    prop_assert_eq!(told, limit);
                    prop_assert!(text.nfc().count() > limit);
                }
                Err(TextError::Unsafe(found)) => {
                    let found = char::from_u32(found).expect("a character");
                    let normal: String = text.nfc().collect();
                    prop_assert!(misleading(&normal) == Some(found));
                }
            }
        }
    }
}
