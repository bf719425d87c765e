//! Text from outside that people will read: names and reasons.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Why a text was refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// More characters than the field takes.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// A character that could make the text look like another one, or break a line of a log.
    #[error("has a control, format, bidirectional or line-separator character (U+{0:04X})")]
    Unsafe(u32),
}

/// Makes `text` NFC and refuses what would mislead a reader: control, format (with the bidirectional
/// ones) and separator characters. `limit` is in characters.
pub fn displayable(text: &str, limit: usize) -> Result<String, TextError> {
    // Four bytes a character, and NFC never needs more than three times the input's (UAX #15).
    if text.len() > limit * 12 {
        return Err(TextError::TooLong(limit));
    }
    let normal: String = text.nfc().collect();
    if normal.chars().count() > limit {
        return Err(TextError::TooLong(limit));
    }
    match normal.chars().find(|c| is_misleading(*c)) {
        Some(found) => Err(TextError::Unsafe(found as u32)),
        None => Ok(normal),
    }
}

/// `text` with each character that could mislead a reader shown as `\u{…}`, so that it is fit for a
/// terminal: nothing in it moves the cursor, sets a colour, turns the direction of writing or hides.
pub fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if is_misleading(c) {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Whether a reader could be misled by the character: control, format, separator, and what is no character.
pub fn is_misleading(c: char) -> bool {
    // Nearly all that is looked at is ASCII, of which there is nothing to look up.
    match c.is_ascii() {
        true => c.is_ascii_control(),
        false => is_of_a_misleading_category(c),
    }
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
    fn ascii_needs_no_table() {
        for c in '\0'..='\u{7f}' {
            assert_eq!(is_misleading(c), is_of_a_misleading_category(c), "{c:?}");
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
                    prop_assert_eq!(displayable(&passed, limit), Ok(passed));
                }
                Err(TextError::TooLong(told)) => {
                    prop_assert_eq!(told, limit);
                    prop_assert!(text.nfc().count() > limit);
                }
                Err(TextError::Unsafe(found)) => {
                    let found = char::from_u32(found).expect("a character");
                    prop_assert!(text.nfc().any(|c| c == found) && is_misleading(found));
                }
            }
        }
    }
}
