//! How a text from outside is written: what is long is folded, and a word that could pass for another one is
//! told in words, because an eye does not see it.

use std::collections::BTreeSet;

use countersign_core::text::{is_mark, misleading};
use unicode_script::{Script, UnicodeScript as _};
use unicode_security::{GeneralSecurityProfile as _, MixedScript as _, skeleton};

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

/// Words so short that a language has some of them in letters that all look Latin: “с”, “ура”, “για”.
const SHORT: usize = 3;

/// What a reader might not see in `text` (Unicode Technical Standard #39): characters that hide or pile up,
/// letters of several scripts within one word, and words of others that look like Latin ones.
pub fn oddity(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let told: Vec<String> = [hidden(text), misspelt(text)]
        .into_iter()
        .flatten()
        .collect();
    (!told.is_empty()).then(|| told.join(" "))
}

/// Whether it has what is only shown as an escape.
fn hidden(text: &str) -> Option<String> {
    let shown = misleading(text)?.escape_unicode();
    Some(format!(
        "It has a character that is not seen, or paints over others; here it is written {shown}."
    ))
}

/// The first word that is not what it looks like.
fn misspelt(text: &str) -> Option<String> {
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && !is_mark(c))
        .filter(|word| !word.is_ascii())
        .collect();
    let odd =
        |word: &&str| mixes(word) || (look_alike(word).is_some() && !is_at_home(word, &words));
    let word = words.iter().copied().find(odd)?;
    let scripts = scripts(word).join(" and ");
    let plain = look_alike(word);
    if mixes(word) {
        let resembles = plain.map_or_else(String::new, |plain| {
            format!(", looks like “{plain}” and is not")
        });
        return Some(format!(
            "A word of it mixes letters of {scripts}{resembles}."
        ));
    }
    let what = if word == text { "It" } else { "A word of it" };
    let written = match &*scripts {
        "" => "symbols",
        scripts => scripts,
    };
    Some(format!(
        "{what} looks like “{}” and is not: it is written in {written}.",
        plain?
    ))
}

/// Whether its letters are of scripts that no language writes within one word. Latin letters stand beside
/// Chinese, Japanese and Korean ones every day, and are told from them at once.
fn mixes(word: &str) -> bool {
    if word.is_single_script() {
        return false;
    }
    let others: String = word
        .chars()
        .filter(|c| c.script() != Script::Latin)
        .collect();
    let set = others.as_str().resolve_script_set();
    !(set.hanb || set.jpan || set.kore)
}

/// Whether the word is short, and another one shows of what script it is.
fn is_at_home(word: &str, words: &[&str]) -> bool {
    let own = scripts(word);
    let shows =
        |other: &&str| !mixes(other) && look_alike(other).is_none() && scripts(other) == own;
    word.chars().count() <= SHORT && words.iter().any(shows)
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

/// The plain word for which it could be taken, if there is one and it has letters that are not plain.
fn look_alike(word: &str) -> Option<String> {
    let mut plain = String::with_capacity(word.len());
    let mut has_others = false;
    for c in word.chars() {
        let like: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
        if c.is_ascii() || is_plainly_itself(c) {
            plain.push(c);
        } else if like.is_ascii() {
            plain.push_str(&like);
            has_others |= c.is_alphabetic();
        } else if c.is_alphabetic() && !is_mark(c) && c.script() != Script::Latin {
            return None;
        } else {
            plain.push(c);
        }
    }
    has_others.then_some(plain)
}

/// Whether the letter is one of those with which languages write in Latin letters, and is seen to be: é, œ, ß.
/// An i without its dot is not seen.
fn is_plainly_itself(c: char) -> bool {
    let is_latin = matches!(c.script(), Script::Latin | Script::Common);
    matches!(c, 'ª' | 'º') || (is_latin && c != 'ı' && c.identifier_allowed())
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

    /// “paypa”, all Cyrillic.
    const DISGUISED: &str = "\u{440}\u{430}\u{443}\u{440}\u{430}";

    #[test]
    fn nothing_beside_a_disguised_word_hides_it() {
        for beside in [
            "{}\u{a0}key",
            "{} → key",
            "{} — key",
            "{} é",
            "clé {}",
            "{}’s key",
            "„{}“",
            "{}…",
            "東京 {}",
            "{}²",
            "{}-ключ",
            "ключ {}",
            "{} \u{1f680}",
            "x {}",
            "{}\u{301}",
            "{}①",
            "\u{2800}{}",
        ] {
            let told = oddity(&beside.replace("{}", DISGUISED)).expect(beside);
            assert!(told.contains("looks like “paypa"), "{beside}: {told}");
        }
        for (word, plain) in [
            ("\u{251}dmin", "admin"),
            ("adm\u{131}n", "admin"),
            ("\u{1d5c9}\u{1d5ba}\u{1d5d2}", "pay"),
            ("p\u{323}\u{430}y", "p\u{323}ay"),
        ] {
            let told = oddity(word).expect(word);
            assert!(
                told.contains(&format!("looks like “{plain}”")),
                "{word}: {told}"
            );
        }
    }

    #[test]
    fn what_is_not_seen_or_piles_up_is_told_as_it_is_shown() {
        for hidden in [
            "ci\u{fe0f}",
            "\u{2800}",
            "c\u{3164}i",
            "ci\u{34f}",
            "c\u{202e}i",
            "ci\u{e0101}",
        ] {
            let told = oddity(hidden).expect("odd");
            let c = hidden.chars().find(|c| !c.is_ascii()).expect("one");
            assert!(told.contains(&c.escape_unicode().to_string()), "{told}");
        }
        let pile = format!("x{}", "\u{33f}".repeat(90));
        assert!(oddity(&pile).expect("odd").contains(r"\u{33f}"));
        let both = oddity("\u{440}\u{430}ypal\u{fe0f}").expect("odd");
        assert!(
            both.contains(r"\u{fe0f}") && both.contains("“paypal"),
            "{both}"
        );
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
            "Schlüssel für den Bäcker — „später“, 50 °C … 2½ m²",
            "Maßstab & Straße",
            "Clé de l’œuvre : « cœur », sœur, 10\u{a0}000 € à l’été",
            "Æther på Ærø, Þór, Łódź, İstanbul, Señor nº 2, 1ª vez",
            "本番用APIキー 第２回",
            "CIの鍵・Tシャツ",
            "배포 API키",
            "Ключ с доступом к серверу у нас, о котором и говорили — «ура»…",
            "Ёлка, объём, Ростов-на-Дону, её хор",
            "Το κλειδί για το σπίτι, και ο διακομιστής από χθες",
            "Ο Γιώργος και η Ελένη",
            "Việt Nam, Hawai\u{2bb}i",
            "שָׁלוֹם",
            "مفتاح ١٥",
            "ประตูที่หนึ่ง",
            "चाबी क्षेत्र",
            "\u{26a0}\u{fe0f} prod \u{1f680}",
            "a → b — c … “d” ‘e’ • 3 × 4",
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
