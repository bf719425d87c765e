//! Where a browser says that a request comes from: this host's own pages, or those of an origin that the
//! operator named.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::problem::Problem;

/// The origins of pages, as browsers write them.
#[derive(Clone, Debug)]
pub struct Origins {
    own: Vec<String>,
    others: Vec<String>,
}

impl Origins {
    /// Those of a host that people reach at `base_url`, and which answers to `hosts`; and `others`, of
    /// `CORS_ORIGINS`.
    pub fn new(base_url: &str, hosts: &[String], others: Vec<String>) -> Self {
        let mut own = vec![base_url.to_owned()];
        if !base_url.starts_with("https:") {
            own.extend(hosts.iter().map(|host| format!("http://{host}")));
        }
        Self { own, others }
    }

    /// A browser sends a person's cookies along with whatever another site makes it send. So what changes
    /// state on a session must come from this host's own pages, in the browser's own word for it.
    pub fn same_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let is_ours = match site(headers) {
            Some(site) => site == "same-origin",
            None => self.is_own(origin(headers)),
        };
        is_ours.then_some(()).ok_or_else(cross_site)
    }

    /// The same of a request that the pages of `CORS_ORIGINS` may make, too.
    pub fn known_origin(&self, headers: &HeaderMap) -> Result<(), Problem> {
        match self.other(headers) {
            Some(_) => Ok(()),
            None => self.same_origin(headers),
        }
    }

    /// Whether a page of this host asks, as far as a browser says so. A program can say it as well: nothing
    /// is allowed because of it.
    pub fn is_own_page(&self, headers: &HeaderMap) -> bool {
        if site(headers).is_some() || headers.contains_key(header::ORIGIN) {
            return self.same_origin(headers).is_ok();
        }
        let referer = only(headers, "referer").and_then(|url| reqwest::Url::parse(url).ok());
        referer.is_some_and(|url| self.is_own(Some(&url.origin().ascii_serialization())))
    }

    /// The origin that asks, if it is one of `CORS_ORIGINS`.
    pub fn other<'h>(&self, headers: &'h HeaderMap) -> Option<&'h HeaderValue> {
        let named = origin(headers)?;
        let is_known = self.others.iter().any(|known| known == named);
        headers.get(header::ORIGIN).filter(|_| is_known)
    }

    /// Whether there are any of `CORS_ORIGINS`.
    pub fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    fn is_own(&self, origin: Option<&str>) -> bool {
        origin.is_some_and(|origin| self.own.iter().any(|own| own == origin))
    }
}

/// The browser's word for where a request comes from; what is said twice or oddly is no good word.
fn site(headers: &HeaderMap) -> Option<&str> {
    headers
        .contains_key("sec-fetch-site")
        .then(|| only(headers, "sec-fetch-site").unwrap_or_default())
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    only(headers, header::ORIGIN.as_str())
}

/// The value of a header that is there once.
pub fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn cross_site() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "cross_site",
        "a session's request must come from this host's own pages: browsers say so in Sec-Fetch-Site or Origin; programs use a token instead",
    )
}
