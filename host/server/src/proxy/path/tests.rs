use proptest::prelude::*;

use super::*;

#[test]
fn whole_segments_of_the_contract_are_forwarded() {
    for path in [
        "/cp/auth/me",
        "/cp/auth/tenant-member",
        "/cp/orgs",
        "/cp/orgs/acme",
        "/cp/orgs/acme/members/a+b@example.org",
        "/cp/billing/portal",
        "/cp/templates",
        "/cp/templates/x.json",
        "/cp/templates/a%20b",
        "/cp/templates/%C3%A9t%C3%A9",
        "/cp/legal/terms-1.0",
        "/cp/orgs/...a",
    ] {
        assert!(is_forwarded(path), "{path}");
    }
}

#[test]
fn nothing_else_is() {
    for path in [
        "",
        "/",
        "/cp",
        "/cp/",
        "/cp/auth",
        "/cp/auth/",
        "/cp/billing",
        "/cp/legal",
        "/cp/orgs/",
        "/cp/templates/",
        "/cp/orgsx",
        "/cp/orgs-admin",
        "/cp/Orgs",
        "/CP/orgs",
        "/cpx/orgs",
        "/cp/admin",
        "/cp/admin/orgs",
        "cp/orgs",
        "//cp/orgs",
        "/cp//orgs",
        "/cp/orgs//x",
        "/cp/orgs/x//",
        "/cp/auth//me",
        "/cp/./orgs",
        "/cp/orgs/.",
        "/cp/orgs/..",
        "/cp/orgs/../admin",
        "/cp/auth/../admin/x",
        "/cp/auth/..",
        "/cp/orgs/...",
        "/cp/orgs/%2e%2e/admin",
        "/cp/orgs/%2E./admin",
        "/cp/orgs/.%2e/admin",
        "/cp/orgs/%2e",
        "/cp/orgs/%252e%252e/admin",
        "/cp/orgs/a%2fb",
        "/cp/orgs/a%2Fb",
        "/cp/orgs/a%5cb",
        "/cp/orgs/a\\b",
        "/cp/orgs/..\\admin",
        "/cp/orgs/%c0%ae%c0%ae/admin",
        "/cp/orgs/%c0%afadmin",
        "/cp/orgs/%00",
        "/cp/orgs/a%0d%0ab",
        "/cp/orgs/a%7f",
        "/cp/orgs/a%9",
        "/cp/orgs/a%",
        "/cp/orgs/a%zz",
        "/cp/orgs/a%+1",
        "/cp/orgs/..;/admin",
        "/cp/orgs;x/y",
        "/cp/orgs/a;b",
        "/cp/orgs/a%3bb",
        "/cp/orgs/a%3fb",
        "/cp/orgs/a%23b",
        "/cp/orgs/..%20/admin",
        "/cp/orgs/%20",
        "/cp/orgs/a b",
        "/cp/orgs/a\tb",
        "/cp/orgs/é",
        "/cp/orgs/<x>",
        "/cp/orgs/{x}",
        "/cp/orgs/a|b",
        "/cp%2forgs",
        "/cp/%6frgs",
        "/%63p/orgs",
    ] {
        assert!(!is_forwarded(path), "{path}");
    }
}

/// What a reader of the contract would write who has all the time of the world: decodes until nothing
/// changes, takes every slash for one and every semicolon for an end, resolves the dots, and sees whether
/// the path is still where it seemed to be.
fn slow_segments(path: &str) -> Option<Vec<String>> {
    let mut bytes = path.as_bytes().to_vec();
    loop {
        let mut decoded = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let hidden = (bytes[at] == b'%')
                .then(|| bytes.get(at + 1..at + 3))
                .flatten()
                .and_then(|digits| std::str::from_utf8(digits).ok())
                .and_then(|digits| u8::from_str_radix(digits, 16).ok());
            decoded.push(hidden.unwrap_or(bytes[at]));
            at += if hidden.is_some() { 3 } else { 1 };
        }
        if decoded == bytes {
            break;
        }
        bytes = decoded;
    }
    let text = String::from_utf8(bytes).ok()?.replace('\\', "/");
    let text = text.split(['?', '#']).next()?.to_owned();
    let mut resolved: Vec<String> = Vec::new();
    for segment in text.split('/') {
        let segment = segment.split(';').next()?.trim();
        match segment {
            "" | "." => {}
            ".." => {
                resolved.pop();
            }
            other => resolved.push(other.to_owned()),
        }
    }
    Some(resolved)
}

fn is_of_the_contract(segments: &[String]) -> bool {
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    matches!(
        segments.as_slice(),
        ["cp", "auth" | "billing" | "legal", _, ..] | ["cp", "orgs" | "templates", ..]
    )
}

/// Pieces of which tricks are made.
fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "cp",
        "auth",
        "orgs",
        "billing",
        "templates",
        "legal",
        "admin",
        "a",
        "/",
        "/",
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2E",
        "%2f",
        "%5c",
        "\\",
        ";",
        "%3b",
        "%25",
        "%252e",
        "%00",
        "%c0%ae",
        "?",
        "%23",
        " ",
        "%20",
        "-",
        "é",
    ]);
    prop_oneof![8 => words.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_is_forwarded_is_of_the_contract_however_it_is_read(
        pieces in proptest::collection::vec(piece(), 0..12),
        begins_well in any::<bool>(),
    ) {
        let begin = if begins_well { "/cp/" } else { "" };
        let path = format!("{begin}{}", pieces.concat());
        if is_forwarded(&path) {
            let segments = slow_segments(&path).expect("it is UTF-8");
            prop_assert!(is_of_the_contract(&segments), "{path}: {segments:?}");
            // Nothing was resolved or dropped: it means what it says.
            prop_assert_eq!(path.matches('/').count(), segments.len(), "{}", path);
            // And the client that sends it changes nothing.
            let url = reqwest::Url::parse(&format!("http://upstream{path}")).expect("a URL");
            prop_assert_eq!(url.path(), path);
        }
    }

    #[test]
    fn plain_names_below_the_contracts_paths_are_forwarded(
        first in prop::sample::select(vec!["auth", "orgs", "billing", "templates", "legal"]),
        names in proptest::collection::vec("[A-Za-z0-9_-]{1,12}", 1..5),
    ) {
        let path = format!("/cp/{first}/{}", names.join("/"));
        prop_assert!(is_forwarded(&path), "{path}");
    }
}
