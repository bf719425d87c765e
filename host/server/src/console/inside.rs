//! Addresses within the console, as far as a browser may be led to one that a request names.

use std::fmt;

/// The longest address: the longest of the console's own has half of it.
const MAX: usize = 400;
/// The longest query: that of a filter with a long name in each of its fields, percent-encoded.
const MAX_QUERY: usize = 2_000;

/// The address of a page of the console, and of nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    path: String,
    /// What narrows a list, as the browser wrote it.
    query: Option<String>,
}

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
        is_inside.then(|| Self {
            path: path.to_owned(),
            query: None,
        })
    }

    /// The same, with a query where it has one, where somebody who has signed in can be led: not to where one
    /// signs in or out. No query does anything there: whatever does is a form that is sent.
    pub fn to_come_back_to(address: &str) -> Option<Self> {
        let (path, query) = match address.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (address, None),
        };
        let inside = Self::parse(path).filter(|_| !path.starts_with("/console/sign-"))?;
        let is_plain = |query: &str| {
            query.len() <= MAX_QUERY
                && query
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-._~*+%=&".contains(&b))
        };
        query.is_none_or(is_plain).then(|| Self {
            query: query.map(str::to_owned),
            ..inside
        })
    }

    /// Without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What narrows it, as it is written in an address.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Where one signs in, and comes back from to here.
    pub fn sign_in(&self) -> String {
        let encoded = |query: &String| {
            let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
            format!("%3F{query}")
        };
        let query = self.query.as_ref().map(encoded).unwrap_or_default();
        format!("/console/sign-in?back={}{query}", self.path)
    }
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
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
            let back = Inside::to_come_back_to(inside).expect(inside);
            assert_eq!(back.to_string(), inside);
            assert_eq!(back.sign_in(), format!("/console/sign-in?back={inside}"));
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
        let narrowed = "/console/decisions?actor=a%26b+c&effect=deny";
        let back = Inside::to_come_back_to(narrowed).expect(narrowed);
        assert_eq!(back.to_string(), narrowed);
        let encoded = "/console/decisions%3Factor%3Da%2526b%2Bc%26effect%3Ddeny";
        assert_eq!(back.sign_in(), format!("/console/sign-in?back={encoded}"));
        let long = format!("/console/keys?{}", "x".repeat(MAX_QUERY + 1));
        for outside in [
            "/console/keys?x#y",
            "/console/keys?x\r\ny: z",
            "/console/keys?\"><b>",
            "/console/keys?a b",
            "/console/keys?é",
            "/console/sign-in?link=x",
            "//evil.example/console/keys?x",
            "/console/../org/tokens?x",
            "?back=/console/keys",
            &long,
        ] {
            assert_eq!(Inside::to_come_back_to(outside), None, "{outside}");
        }
        for loop_ in ["/console/sign-in", "/console/sign-out"] {
            assert_eq!(Inside::to_come_back_to(loop_), None, "{loop_}");
        }
    }
}
