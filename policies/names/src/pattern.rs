//! Patterns for names: `*` is any text, `?` is any one character, everything else is itself.
//!
//! A pattern is taken apart once, at its stars. A name is then walked once: the first part from its
//! front, the last part from its back, and those between are searched for one after the other, each as
//! far in front as it is, which is enough because a star behind it takes all the rest. So the work grows
//! with the name and the pattern added, and not multiplied, whatever somebody calls a thing.

/// Longer ones are a mistake: no name is as long as two of them.
const CHARACTERS: usize = 64;

const _: () = assert!(CHARACTERS * 4 <= 256, "an overlap has no room in a byte");

/// A text that is searched for as Knuth, Morris and Pratt do: prepared once with the pattern, since the
/// library's search prepares itself anew for each name, which costs more than most searches.
#[derive(Clone, Debug, PartialEq)]
struct Part {
    text: String,
    /// For each byte, how many before and with it are also the beginning of the text.
    overlaps: Vec<u8>,
}

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern {
    /// Before the first star, or all of it where there is none.
    first: String,
    /// Between two stars.
    middle: Vec<Part>,
    /// Behind the last star, where there is one.
    last: Option<String>,
}

impl Pattern {
    /// Takes a pattern apart, or says what is wrong with it, behind `which`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("is empty; `*` is any name");
        }
        if text.trim() != text || text.chars().any(char::is_control) {
            return Err("has white space at an end, or a control character, as no name has");
        }
        if text.chars().count() > CHARACTERS {
            return Err("has more than 64 characters");
        }
        if text.contains("**") {
            return Err("has `**`; one `*` is as much");
        }
        let mut parts = text.split('*').map(str::to_owned);
        let first = parts.next().unwrap_or_default();
        let mut middle: Vec<String> = parts.collect();
        let last = middle.pop();
        if middle.iter().any(|part| part.contains('?')) {
            return Err(
                "has a `?` between two `*`; it goes before the first one or behind the last",
            );
        }
        Ok(Self {
            first,
            middle: middle.into_iter().map(Part::new).collect(),
            last,
        })
    }

    /// Whether the whole name is as it says.
    pub fn matches(&self, name: &str) -> bool {
        let Some(rest) = without_front(name, &self.first) else {
            return false;
        };
        let Some(last) = &self.last else {
            return rest.is_empty();
        };
        let Some(mut rest) = without_back(rest, last) else {
            return false;
        };
        for part in &self.middle {
            match part.behind(rest) {
                Some(behind) => rest = behind,
                None => return false,
            }
        }
        true
    }
}

impl Part {
    fn new(text: String) -> Self {
        let mut part = Self {
            overlaps: vec![0; text.len()],
            text,
        };
        let mut overlap = 0;
        for at in 1..part.text.len() {
            overlap = part.longer(overlap, part.text.as_bytes()[at]);
            part.overlaps[at] = overlap as u8;
        }
        part
    }

    /// What is behind the first place where `name` has it.
    fn behind<'n>(&self, name: &'n str) -> Option<&'n str> {
        let mut fitting = 0;
        for (at, byte) in name.bytes().enumerate() {
            fitting = self.longer(fitting, byte);
            if fitting == self.text.len() {
                return name.get(at + 1..);
            }
        }
        None
    }

    /// How many bytes of it fit, where one more byte comes behind `fitting` that did.
    fn longer(&self, mut fitting: usize, byte: u8) -> usize {
        let text = self.text.as_bytes();
        loop {
            if text[fitting] == byte {
                return fitting + 1;
            }
            if fitting == 0 {
                return 0;
            }
            fitting = usize::from(self.overlaps[fitting - 1]);
        }
    }
}

fn without_front<'n>(name: &'n str, part: &str) -> Option<&'n str> {
    let mut rest = name.chars();
    let is_there = part
        .chars()
        .all(|wanted| rest.next().is_some_and(|found| fits(wanted, found)));
    is_there.then_some(rest.as_str())
}

fn without_back<'n>(name: &'n str, part: &str) -> Option<&'n str> {
    let mut rest = name.chars();
    let is_there = part
        .chars()
        .rev()
        .all(|wanted| rest.next_back().is_some_and(|found| fits(wanted, found)));
    is_there.then_some(rest.as_str())
}

fn fits(wanted: char, found: char) -> bool {
    wanted == '?' || wanted == found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(name))
    }

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (pattern, name) in [
            ("ci", "ci"),
            ("*", ""),
            ("*", "anything at all"),
            ("ci-*", "ci-"),
            ("ci-*", "ci-deploy"),
            ("*-prod", "eu-prod"),
            ("ci-*-prod", "ci--prod"),
            ("*prod*", "my-prod-1"),
            ("*a*a*", "aa"),
            ("ci-??", "ci-42"),
            ("?i-*-?", "ci-eu-1"),
            ("*-?", "a-ü"),
            ("*abab*", "aababb"),
            ("*aabaaab*", "aabaabaaab"),
            ("*ü-ä*", "ü-ü-ä"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("ci", "ci2"),
            ("ci", "CI"),
            ("ci-*", "ci"),
            ("ci-*", "xci-1"),
            ("ci-*-prod", "ci-prod"),
            ("*a*a*", "a"),
            ("ci-??", "ci-4"),
            ("ci-??", "ci-423"),
            ("?", ""),
            ("*aba*ba*", "aba"),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
    }

    /// What a pattern means, letter by letter and slowly.
    fn means(pattern: &[u8], name: &[u8]) -> bool {
        match (pattern, name) {
            ([], []) => true,
            ([b'*', pattern @ ..], name) => {
                (0..=name.len()).any(|taken| means(pattern, &name[taken..]))
            }
            ([b'?', pattern @ ..], [_, name @ ..]) => means(pattern, name),
            ([letter, pattern @ ..], [found, name @ ..]) if letter == found => means(pattern, name),
            _ => false,
        }
    }

    fn texts(letters: &[u8], most: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut longest = all.clone();
        for _ in 0..most {
            longest = longest
                .iter()
                .flat_map(|text| {
                    letters
                        .iter()
                        .map(move |&letter| format!("{text}{}", letter as char))
                })
                .collect();
            all.extend(longest.iter().cloned());
        }
        all
    }

    #[test]
    fn every_short_pattern_matches_exactly_what_it_means() {
        let names = texts(b"ab", 6);
        let mut compared = 0;
        for text in texts(b"ab*?", 6) {
            let Ok(pattern) = Pattern::parse(&text) else {
                continue;
            };
            for name in &names {
                let expected = means(text.as_bytes(), name.as_bytes());
                assert_eq!(pattern.matches(name), expected, "{text} {name}");
                compared += 1;
            }
        }
        assert!(compared > 50_000, "{compared}");
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (text, mistake) in [
            ("", "is empty; `*` is any name"),
            (
                "ci ",
                "has white space at an end, or a control character, as no name has",
            ),
            (
                "c\ti",
                "has white space at an end, or a control character, as no name has",
            ),
            ("a**b", "has `**`; one `*` is as much"),
            (
                "*a?b*",
                "has a `?` between two `*`; it goes before the first one or behind the last",
            ),
        ] {
            assert_eq!(Pattern::parse(text), Err(mistake), "{text}");
        }
        assert!(Pattern::parse(&"a".repeat(64)).is_ok());
        assert_eq!(
            Pattern::parse(&"a".repeat(65)),
            Err("has more than 64 characters")
        );
    }
}
