//! Words with wildcards, in a file of cases.

pub(crate) use countersign_core::text::nearest;
use serde::Deserialize;

/// One word, or several of which any will do. `*` stands for any run of characters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Words {
    One(String),
    Several(Vec<String>),
}

impl Words {
    /// As they were written.
    pub(crate) fn patterns(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Several(words) => words,
        }
    }

    /// Whether `text` fits any of them.
    pub(crate) fn fit(&self, text: &str) -> bool {
        self.patterns().iter().any(|pattern| fits(pattern, text))
    }

    /// Those of `all` that fit, in their order. The error names the pattern that nothing fits, and what
    /// comes closest to it.
    pub(crate) fn pick<T: Copy>(
        &self,
        all: &[T],
        word: impl Fn(T) -> &'static str,
    ) -> Result<Vec<T>, String> {
        for pattern in self.patterns() {
            if !all.iter().any(|one| fits(pattern, word(*one))) {
                let known: Vec<&str> = all.iter().map(|one| word(*one)).collect();
                return Err(unknown(pattern, &known));
            }
        }
        let picked = all.iter().copied().filter(|one| self.fit(word(*one)));
        Ok(picked.collect())
    }
}

/// One word in which `*` stands for any run of characters, as somebody typed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// This one.
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether `text` fits it, from its beginning to its end.
    pub fn fits(&self, text: &str) -> bool {
        fits(&self.0, text)
    }
}

impl std::fmt::Display for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.patterns().join(" or "))
    }
}

/// That there is no such word, with the nearest there is.
pub(crate) fn unknown(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(nearest) => format!("there is no `{word}`; do you mean `{nearest}`?"),
        None => format!("there is no `{word}`, only {}", known.join(", ")),
    }
}

/// Whether `text` fits `pattern`, in which `*` stands for any run of characters.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        match text.split_once(part) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "gate"),
            ("secret_*", "secret_write"),
            ("*_mint", "org_token_mint"),
            ("a*b*c", "a-b-b-c"),
            ("a*a", "aa"),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [
            ("secret_*", "workspace_read"),
            ("*_mint", "org_token_mint_"),
            ("a*b*c", "a-c-b"),
            ("a*a", "a"),
            ("gate", "gates"),
        ] {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn what_nothing_fits_is_named_with_the_nearest_word() {
        let all = ["allow", "gate"];
        let picked = Words::One("gtae".to_owned()).pick(&all, |word| word);
        let expected = Err("there is no `gtae`; do you mean `gate`?".to_owned());
        assert_eq!(picked, expected);
    }
}
