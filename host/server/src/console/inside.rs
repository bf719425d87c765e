//! Addresses within the console, as far as a browser may be led to one that a request names.

use std::fmt;

/// The longest address: the longest of the console's own has half of it.
const MAX: usize = 400;

/// The path of a page of the console, and of nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside(String);

impl Inside {
    /// `path`, if it can only be one of the console's own: no other origin (`//evil`), no dots that lead out, and
    /// no letter that somebody reads otherwise than the host does.
    pub fn parse(path: &str) -> Option<Self> {
        let segments = path.strip_prefix("/console/")?;
        let is_plain = |segment: &str| {
            !segment.is_empty()
                && segment
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let is_inside = path.len() <= MAX && segments.split('/').all(is_plain);
        is_inside.then(|| Self(path.to_owned()))
    }

    /// The same, where somebody who has signed in can be led: not to where one signs in or out.
    pub fn to_come_back_to(path: &str) -> Option<Self> {
        Self::parse(path).filter(|Self(path)| !path.starts_with("/console/sign-"))
    }
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_a_request_names_leads_into_the_console_or_nowhere() {
        for inside in [
            "/console/keys",
            "/console/approvals/019b76da-a800-7000-8000-000000000003/revoke",
            "/console/secrets/API_KEY/delete",
        ] {
            assert!(Inside::to_come_back_to(inside).is_some(), "{inside}");
        }
        let long = format!("/console/{}", "x".repeat(MAX));
        for outside in [
            "",
            "/",
            "//evil",
            "//evil.example/console/keys",
            "/console",
            "/console/",
            "/console//evil",
            "/console/keys/",
            "/console/../org/tokens",
            "/console/./keys",
            "/console/%2e%2e/x",
            "/console/\\evil",
            "/console/keys?x",
            "/console/keys#x",
            "/console/a b",
            "/console/a\r\nx: y",
            "/console/é",
            "/consoles/keys",
            " /console/keys",
            "https://evil.example/console/keys",
            "javascript:alert(1)",
            "console/keys",
            &long,
        ] {
            assert_eq!(Inside::parse(outside), None, "{outside}");
        }
        for loop_ in ["/console/sign-in", "/console/sign-out"] {
            assert_eq!(Inside::to_come_back_to(loop_), None, "{loop_}");
        }
    }
}
