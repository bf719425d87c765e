//! Which headers go to the control plane, and which of its own come back.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::credentials::OWN_COOKIES;

/// What is for the next hop alone (RFC 9110, section 7.6.1), or is written anew for the next request.
const OF_ONE_HOP: &[&str] = &[
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// What is a credential here, or part of one, or an identity that a proxy in front of us vouches for.
const OURS: &[&str] = &[
    "approval-id",
    "cf-access-jwt-assertion",
    "fly-replay-src",
    "x-amzn-oidc-data",
    "x-goog-iap-jwt-assertion",
    "x-provision-token",
];
/// What an upstream could believe of whoever stands in front of it: we do, and nobody else speaks for us.
const OF_WHO_STANDS_IN_FRONT: &[&str] = &[
    "cf-connecting-ip",
    "client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];
const PREFIXES_OF_BOTH: &[&str] = &["x-countersign-", "x-forwarded-", "x-original-"];

/// What an answer may say. A browser takes it as said by our own origin, so this is a list of what is
/// harmless and not of what is not: nothing on it speaks of other paths than its own, and what guards our
/// pages is not on it.
const ANSWERED: &[&str] = &[
    "accept-ranges",
    "age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-range",
    "date",
    "deprecation",
    "etag",
    "expires",
    "last-modified",
    "link",
    "location",
    "retry-after",
    "sunset",
    "vary",
    "x-next-cursor",
    "x-total-count",
];
const ANSWERED_PREFIX: &str = "x-molecule-";

/// The headers of a request that go on, but for Authorization, of which others decide. `withheld` names
/// further ones that are credentials here.
pub fn to_upstream(headers: &HeaderMap, withheld: &[HeaderName]) -> HeaderMap {
    let named = named_in_connection(headers);
    let mut passed = HeaderMap::new();
    for (name, value) in headers {
        let text = name.as_str();
        let stays = OF_ONE_HOP.contains(&text)
            || OURS.contains(&text)
            || OF_WHO_STANDS_IN_FRONT.contains(&text)
            || PREFIXES_OF_BOTH
                .iter()
                .any(|prefix| text.starts_with(prefix))
            || withheld.contains(name)
            || named.iter().any(|named| named.eq_ignore_ascii_case(text))
            || matches!(
                *name,
                header::AUTHORIZATION | header::COOKIE | header::REFERER
            );
        if !stays {
            passed.append(name, value.clone());
        }
    }
    if let Some(cookies) = cookies_of_others(headers) {
        passed.insert(header::COOKIE, cookies);
    }
    // The rest of an address may be a login link.
    let referer = headers.get(header::REFERER).and_then(origin_of);
    if let Some(referer) = referer {
        passed.insert(header::REFERER, referer);
    }
    passed
}

/// The headers of an answer that go on to the browser.
pub fn to_client(headers: &HeaderMap) -> HeaderMap {
    let named = named_in_connection(headers);
    let mut passed = HeaderMap::new();
    for (name, value) in headers {
        let text = name.as_str();
        let goes = ANSWERED.contains(&text) || text.starts_with(ANSWERED_PREFIX);
        if goes && !named.iter().any(|named| named.eq_ignore_ascii_case(text)) {
            passed.append(name, value.clone());
        }
    }
    // A browser asks people for what other schemes want, in the name of our origin.
    for challenge in headers.get_all(header::WWW_AUTHENTICATE) {
        if is_for_programs(challenge) {
            passed.append(header::WWW_AUTHENTICATE, challenge.clone());
        }
    }
    for cookie in headers.get_all(header::SET_COOKIE) {
        if is_of_others(cookie.as_bytes()) {
            passed.append(header::SET_COOKIE, cookie.clone());
        }
    }
    if let Some(kind) = content_type(headers) {
        passed.insert(header::CONTENT_TYPE, kind);
    }
    passed
}

fn is_for_programs(challenge: &HeaderValue) -> bool {
    let challenge = challenge.as_bytes();
    let scheme = challenge.split(|byte| *byte == b' ').next();
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
        && !challenge.contains(&b',')
}

/// What a sender says is for the next hop alone.
fn named_in_connection(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_owned())
        // Who names these wants others to see another request than it is.
        .filter(|name| {
            !["cookie", "authorization", "origin"].contains(&name.to_ascii_lowercase().as_str())
        })
        .collect()
}

/// All cookies but ours, as one header.
fn cookies_of_others(headers: &HeaderMap) -> Option<HeaderValue> {
    let others: Vec<&[u8]> = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b';'))
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty() && is_of_others(pair))
        .collect();
    let joined = others.join(&b"; "[..]);
    (!joined.is_empty()).then(|| HeaderValue::from_bytes(&joined).ok())?
}

/// Whether a cookie, or what sets one, is not named as ours is. Without a name it may become any:
/// browsers send the value of such a cookie alone, and that may look like `name=value`.
fn is_of_others(cookie: &[u8]) -> bool {
    let pair = cookie
        .split(|byte| *byte == b';')
        .next()
        .unwrap_or_default();
    let mut halves = pair.splitn(2, |byte| *byte == b'=');
    let name = halves.next().unwrap_or_default().trim_ascii();
    halves.next().is_some()
        && !name.is_empty()
        && !OWN_COOKIES
            .iter()
            .any(|own| own.as_bytes().eq_ignore_ascii_case(name))
}

/// What kind of thing an answer is. A script is text: on this origin nobody runs it, whoever asks for it
/// and however.
fn content_type(headers: &HeaderMap) -> Option<HeaderValue> {
    const SCRIPTS: [&[u8]; 4] = [b"javascript", b"ecmascript", b"jscript", b"livescript"];
    let kinds: Vec<&HeaderValue> = headers.get_all(header::CONTENT_TYPE).iter().collect();
    let is_script = kinds.iter().any(|kind| {
        let kind = kind.as_bytes().to_ascii_lowercase();
        SCRIPTS
            .iter()
            .any(|script| kind.windows(script.len()).any(|piece| piece == *script))
    });
    match is_script {
        true => Some(HeaderValue::from_static("text/plain")),
        false => kinds.last().copied().cloned(),
    }
}

/// `scheme://authority/` of an address.
fn origin_of(referer: &HeaderValue) -> Option<HeaderValue> {
    let url = reqwest::Url::parse(referer.to_str().ok()?).ok()?;
    let origin = url.origin();
    (origin.is_tuple())
        .then(|| HeaderValue::from_str(&format!("{}/", origin.ascii_serialization())).ok())?
}

#[cfg(test)]
#[path = "headers/tests.rs"]
mod tests;
