//! How a text from outside is written: what is long is folded, and a word that could pass for another one is
//! told in words, because an eye does not see it.

use std::collections::BTreeSet;

use unicode_script::{Script, UnicodeScript as _};
use unicode_security::{MixedScript as _, skeleton};

/// A longer text, in characters, is folded: what else is asked must not be pushed out of sight.
const FOLD: usize = 240;
/// So much of it is seen all the same.
const HEAD: usize = 120;

/// A long text.
pub struct Long<'t> {
    /// How it begins.
    pub head: String,
    /// How many characters it has.
    pub characters: usize,
    /// All of it.
    pub text: &'t str,
}

impl<'t> Long<'t> {
    /// `text`, if it is long.
    pub fn of(text: &'t str) -> Option<Self> {
        let characters = text.chars().count();
        (characters > FOLD).then(|| Self {
            head: text.chars().take(HEAD).collect(),
            characters,
            text,
        })
    }
}

/// What a reader might not see in `text` (Unicode Technical Standard #39): letters of several scripts within
/// one word, and letters of others that look like Latin ones. Nothing of the text is in the answer.
pub fn oddity(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    if let Some(word) = words.find(|word| !word.is_single_script()) {
        let scripts = scripts(word).join(" and ");
        let resembles = look_alike(word).map_or_else(String::new, |plain| {
            format!(", looks like “{plain}” and is not")
        });
        return Some(format!(
            "A word of it mixes letters of {scripts}{resembles}."
        ));
    }
    let plain = look_alike(text)?;
    Some(format!(
        "It looks like “{plain}” and is not: it is written in {}.",
        scripts(text).join(" and ")
    ))
}

/// The scripts of its letters, by name.
fn scripts(text: &str) -> Vec<&'static str> {
    let scripts: BTreeSet<&str> = text
        .chars()
        .map(|c| c.script())
        .filter(|script| !matches!(script, Script::Common | Script::Inherited))
        .map(Script::full_name)
        .collect();
    scripts.into_iter().collect()
}

/// The plain text for which all of it could be taken, if there is one and it has letters that are not plain.
fn look_alike(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            plain.push(c);
            continue;
        }
        let like: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
        if !like.is_ascii() || !c.is_alphanumeric() {
            return None;
        }
        plain.push_str(&like);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_two_scripts_is_told_with_what_it_looks_like() {
        let told = oddity("\u{440}\u{430}ypal key").expect("odd");
        assert_eq!(
            told,
            "A word of it mixes letters of Cyrillic and Latin, looks like “paypal” and is not."
        );
        assert!(oddity("deploy-\u{43a}лю\u{447}").is_none(), "two words");
        assert!(oddity("x\u{44e}").expect("odd").contains("mixes"));
    }

    #[test]
    fn a_text_that_is_all_of_another_script_and_looks_plain_is_told() {
        let told = oddity("\u{441}\u{430}\u{441}\u{430}\u{43e}").expect("odd");
        assert!(told.starts_with("It looks like “cacao”"), "{told}");
        assert!(told.contains("Cyrillic"), "{told}");
    }

    #[test]
    fn ordinary_words_of_any_language_are_not_odd() {
        for text in [
            "night shift",
            "Café crème",
            "naïve Zürich",
            "ночная смена",
            "東京タワーの鍵",
            "한국어 키",
            "مفتاح",
            "Größe 2 → 3",
            "κλειδί",
        ] {
            assert_eq!(oddity(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_folded_with_its_length_and_loses_nothing() {
        let text = "é".repeat(FOLD + 1);
        let long = Long::of(&text).expect("long");
        assert_eq!(long.characters, FOLD + 1);
        assert_eq!(long.text, text);
        assert_eq!(long.head.chars().count(), HEAD);
        assert!(Long::of(&"é".repeat(FOLD)).is_none());
    }
}
