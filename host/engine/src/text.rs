//! Texts that came from a guest or a file, before they reach logs and people.

use countersign_core::text::is_misleading;

/// The longest name of a module, a rule, a setting or a property.
pub(crate) const NAME_BYTES: usize = 64;

/// Whether `text` is a name such as `org-token-mint`: words of `a-z` and `0-9` joined by single hyphens,
/// the first of which begins with a letter.
pub(crate) fn is_kebab(text: &str) -> bool {
    text.len() <= NAME_BYTES
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

/// Whether `text` shows as what it is: no control, no separator of lines, nothing that reorders or hides.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.chars().any(is_misleading)
}

/// `text`, made plain, in one line, and cut to `bytes`.
pub(crate) fn tame(text: &str, bytes: usize) -> String {
    let plain = |c| if is_misleading(c) { '\u{fffd}' } else { c };
    // Twice the length, so that what is cut is rather space than text.
    let head: String = text.chars().take(bytes * 2).collect();
    let line = head.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let mut tamed: String = line.chars().map(plain).collect();
    tamed.truncate(tamed.floor_char_boundary(bytes));
    tamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kebab_case() {
        for good in ["a", "baseline", "org-token-mint", "rule-2"] {
            assert!(is_kebab(good), "{good}");
        }
        let long = "a".repeat(NAME_BYTES + 1);
        for bad in [
            "", "-", "a-", "-a", "a--b", "A", "2a", "a_b", "ä", "a b", &long,
        ] {
            assert!(!is_kebab(bad), "{bad}");
        }
    }

    #[test]
    fn a_text_that_hides_or_reorders_is_not_plain() {
        assert!(is_plain("agents need a person for this: „später“"));
        for bad in ["a\nb", "a\u{202e}b", "a\u{2028}b", "a\u{0}", "\u{feff}a"] {
            assert!(!is_plain(bad), "{bad:?}");
            assert!(is_plain(&tame(bad, 100)));
        }
    }

    #[test]
    fn taming_cuts_between_characters() {
        assert_eq!(tame("ääää", 3), "ä");
    }

    #[test]
    fn several_lines_become_one() {
        assert_eq!(
            tame("failed:\n\n   at 0x1\tof 2\n", 100),
            "failed: at 0x1 of 2"
        );
    }
}
