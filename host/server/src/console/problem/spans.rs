//! A sentence, and the pieces of it that are shown letter by letter.

/// A piece of a sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Span {
    /// What it says.
    pub text: String,
    /// Whether it is shown letter by letter.
    pub is_code: bool,
}

/// `text`, which follows the API's style, as a sentence.
pub fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    let mut sentence: String = first.to_uppercase().chain(characters).collect();
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

/// The pieces between backticks are code.
pub fn spans(text: &str) -> Vec<Span> {
    text.split('`')
        .enumerate()
        .filter(|(_, piece)| !piece.is_empty())
        .map(|(at, piece)| Span {
            text: piece.to_owned(),
            is_code: at % 2 == 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_apis_words_become_a_sentence() {
        assert_eq!(sentence("retry shortly"), "Retry shortly.");
        assert_eq!(sentence(""), "");
        assert_eq!(
            spans("`a` b"),
            [
                Span {
                    text: "a".to_owned(),
                    is_code: true
                },
                Span {
                    text: " b".to_owned(),
                    is_code: false
                },
            ]
        );
    }
}
