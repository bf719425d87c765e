//! What pages are drawn with besides HTML, compiled into the binary.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Response, header};

use crate::routes::{Routes, Visit};

/// A file that browsers fetch.
#[derive(Clone, Copy)]
pub struct Asset {
    path: &'static str,
    kind: &'static str,
    bytes: &'static [u8],
}

/// The style of every page.
pub const STYLE: Asset = Asset {
    path: "/console/assets/console.css",
    kind: "text/css; charset=utf-8",
    bytes: include_bytes!("../../assets/console.css"),
};

/// The script of every page: it keeps the session's proof, and sends it with forms.
pub const SCRIPT: Asset = Asset::script(
    "/console/assets/console.js",
    include_bytes!("../../assets/console.js"),
);

/// The script of pages that stay current: it hears what happens, and draws the page anew.
pub const LIVE: Asset = Asset::script(
    "/console/assets/live.js",
    include_bytes!("../../assets/live.js"),
);

/// Waits for the decision about a person's own request, and finishes it.
pub const WAITING: Asset = Asset::script(
    "/console/assets/waiting.js",
    include_bytes!("../../assets/waiting.js"),
);

/// Copies a new key.
pub const COPY: Asset = Asset::script(
    "/console/assets/copy.js",
    include_bytes!("../../assets/copy.js"),
);

/// The mark, which is the icon too.
pub const MARK: Asset = Asset {
    path: "/console/assets/mark.svg",
    kind: "image/svg+xml",
    bytes: include_bytes!("../../assets/mark.svg"),
};

impl Asset {
    const fn script(path: &'static str, bytes: &'static [u8]) -> Self {
        Self {
            path,
            kind: "text/javascript; charset=utf-8",
            bytes,
        }
    }

    /// Its address, which changes with its bytes: so browsers may keep it for ever.
    pub fn url(self) -> String {
        format!("{}?v={}", self.path, self.version())
    }

    fn version(self) -> String {
        format!("{:016x}", fnv1a(self.bytes))
    }
}

/// FNV-1a, 64 bits. It tells versions of a file apart, and guards nothing.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

pub(super) fn add(routes: Routes) -> Routes {
    [STYLE, SCRIPT, LIVE, WAITING, COPY, MARK]
        .into_iter()
        .fold(routes, |routes, asset| {
            routes.open(
                Method::GET,
                asset.path,
                "the same public file for everybody",
                move |visit: Visit| async move { Ok(serve(asset, visit.query.get("v"))) },
            )
        })
}

fn serve(asset: Asset, version: Option<&String>) -> Response<Body> {
    let mut response = Response::new(Body::from(asset.bytes));
    // In a fleet, a host of another version may be asked for this one's file.
    let keep = if version == Some(&asset.version()) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache_control(version: Option<&String>) -> HeaderValue {
        serve(STYLE, version).headers()[header::CACHE_CONTROL].clone()
    }

    #[test]
    fn only_the_version_that_was_asked_for_is_kept() {
        assert_eq!(
            cache_control(Some(&STYLE.version())),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(cache_control(Some(&"another".to_owned())), "no-cache");
        assert_eq!(cache_control(None), "no-cache");
    }

    #[test]
    fn the_style_fetches_nothing_from_elsewhere() {
        let style = std::str::from_utf8(STYLE.bytes).expect("UTF-8");
        for banned in ["@import", "url(", "http:", "https:"] {
            assert!(!style.contains(banned), "{banned}");
        }
    }

    #[test]
    fn how_large_and_how_far_apart_things_are_is_taken_from_one_list() {
        let style = std::str::from_utf8(STYLE.bytes).expect("UTF-8");
        let (_, rules) = style.split_once("\n}\n").expect("the list comes first");
        let mut sizes = 0;
        for declaration in rules.split(['{', ';', '}']) {
            let Some((property, value)) = declaration.trim().split_once(": ") else {
                continue;
            };
            let of_size = ["font", "padding", "margin", "gap"];
            if of_size.iter().any(|name| property.starts_with(name)) {
                let is_its_own = value.split([' ', '/']).any(|word| word.ends_with("em"));
                assert!(!is_its_own, "{property}: {value}");
                sizes += 1;
            }
        }
        assert!(sizes > 100, "{sizes}");
    }

    #[test]
    fn the_script_sends_nothing_by_itself_and_runs_no_text() {
        let script = std::str::from_utf8(SCRIPT.bytes).expect("UTF-8");
        for banned in [
            "fetch(",
            "XMLHttp",
            "sendBeacon",
            "innerHTML",
            "eval(",
            "import",
        ] {
            assert!(!script.contains(banned), "{banned}");
        }
    }

    #[test]
    fn the_live_script_fetches_its_own_page_alone_and_runs_no_text() {
        let script = std::str::from_utf8(LIVE.bytes).expect("UTF-8");
        for banned in [
            "XMLHttp",
            "sendBeacon",
            "HTML =",
            "insertAdjacent",
            "eval(",
            "import",
            "localStorage",
        ] {
            assert!(!script.contains(banned), "{banned}");
        }
        assert_eq!(script.matches("fetch(").count(), 1);
        assert!(script.contains("fetch(location.href, {"), "{script}");
    }
}
