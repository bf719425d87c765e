//! The words of a form that nothing was done with, for whoever typed them to copy.

use axum::http::{HeaderMap, header};

use crate::routes::parse_form;

/// The fields that hold a person's own words, and what they are called. It is a list of what may be shown, and
/// never one of what may not: a field that is new is not shown.
const WORDS: [(&str, &str); 2] = [("reason", "Your reason"), ("name", "The name")];

/// What somebody typed into a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// The form's name for it.
    pub field: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// As it was typed.
    pub text: String,
}

/// The words in a form's body.
pub fn typed(headers: &HeaderMap, body: &[u8]) -> Vec<Typed> {
    let is_form = headers.get(header::CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    let Some(mut fields) = is_form.then(|| parse_form(body).ok()).flatten() else {
        return Vec::new();
    };
    WORDS
        .into_iter()
        .filter_map(|(field, label)| {
            let text = fields.remove(field)?;
            (!text.trim().is_empty()).then_some(Typed { field, label, text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn texts(kind: &'static str, body: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let typed = typed(&headers, body.as_bytes());
        typed.into_iter().map(|typed| typed.text).collect()
    }

    #[test]
    fn only_the_words_of_a_form_are_kept_and_nothing_that_may_be_secret() {
        let form = "application/x-www-form-urlencoded";
        let body = "reason=because+of%0Ait&name=ci&key=KEY&value=v&proof=p&link=l&digest=d&token=t&auth_token=a&password=w&q=q";
        assert_eq!(texts(form, body), ["because of\nit", "ci"]);
        assert_eq!(texts("text/plain", body), [""; 0]);
        for empty in [
            "reason=&name=+",
            "",
            "value=v",
            "reason=a&reason=b",
            "Reason=a",
        ] {
            assert_eq!(texts(form, empty), [""; 0], "{empty}");
        }
    }
}
