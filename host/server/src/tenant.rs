//! Which tenant a request is meant for. It routes and never authenticates: who may do what is asked
//! afterwards, of everybody.

use axum::http::HeaderMap;
use countersign_core::id::OrgId;

use crate::origins::{Origins, only};

/// The tenant of this host, where it was configured.
#[derive(Clone, Copy, Debug)]
pub struct Tenant(Option<OrgId>);

impl Tenant {
    /// The host of `org`; of any, where it is not configured.
    pub fn new(org: Option<OrgId>) -> Self {
        Self(org)
    }

    /// Whether a request is for this tenant: it names the tenant, was replayed to it, or comes from a page of
    /// this host. What is not is told that there is no such route.
    pub fn is_meant(self, path: &str, headers: &HeaderMap, origins: &Origins) -> bool {
        let Some(org) = self.0 else {
            return true;
        };
        is_for_everybody(path)
            || named(headers) == Some(org)
            || replayed(headers) == Some(org)
            || origins.is_own_page(headers)
    }
}

/// What watches the host, signs people in, or is drawn for them.
pub fn is_for_everybody(path: &str) -> bool {
    matches!(
        path,
        "/health" | "/ready" | "/metrics" | "/console" | "/sign-in"
    ) || path.starts_with("/console/")
        || path.starts_with("/cp/")
}

fn named(headers: &HeaderMap) -> Option<OrgId> {
    OrgId::parse(only(headers, "x-molecule-org-id")?)
}

/// The state of `instance=…;region=…;t=…;state=<org id>`.
fn replayed(headers: &HeaderMap) -> Option<OrgId> {
    let mut states = only(headers, "fly-replay-src")?
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == "state");
    match (states.next(), states.next()) {
        (Some((_, org)), None) => OrgId::parse(org),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const OURS: &str = "0197a3f2-6c00-7000-8000-000000000001";
    const THEIRS: &str = "0197a3f2-6c00-7000-8000-000000000002";

    fn is_meant(path: &str, headers: &[(&'static str, String)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a value");
            map.append(HeaderName::from_static(name), value);
        }
        let origins = Origins::new(
            "https://host.example",
            &["10.0.0.1:80".to_owned()],
            Vec::new(),
        );
        Tenant::new(OrgId::parse(OURS)).is_meant(path, &map, &origins)
    }

    #[test]
    fn the_tenant_is_named_once_and_exactly() {
        let (id, src) = ("x-molecule-org-id", "fly-replay-src");
        for (headers, meant) in [
            (vec![], false),
            (vec![(id, OURS.to_owned())], true),
            (vec![(id, OURS.to_uppercase())], true),
            (vec![(id, THEIRS.to_owned())], false),
            (vec![(id, String::new())], false),
            (vec![(id, format!("{OURS},{THEIRS}"))], false),
            (vec![(id, OURS.to_owned()), (id, OURS.to_owned())], false),
            (vec![(src, format!("state={OURS}"))], true),
            (
                vec![(src, format!("instance=a;region=b;t=1;state={OURS}"))],
                true,
            ),
            (vec![(src, format!("t=1; state={OURS}"))], true),
            (vec![(src, format!("state={THEIRS}"))], false),
            (vec![(src, format!("state={OURS};state={OURS}"))], false),
            (vec![(src, format!("xstate={OURS}"))], false),
            (vec![(src, format!("state=x{OURS}"))], false),
            (vec![(src, format!("state={OURS}x"))], false),
            (vec![(src, format!("t=state={OURS}"))], false),
            (vec![(src, OURS.to_owned())], false),
            (vec![(src, format!("STATE={OURS}"))], false),
            (vec![("sec-fetch-site", "same-origin".to_owned())], true),
            (vec![("sec-fetch-site", "same-site".to_owned())], false),
            (vec![("sec-fetch-site", "none".to_owned())], false),
            (vec![("origin", "https://host.example".to_owned())], true),
            (
                vec![("origin", "https://elsewhere.example".to_owned())],
                false,
            ),
            (
                vec![("referer", "https://host.example/console".to_owned())],
                true,
            ),
            (
                vec![("referer", "https://host.example.evil/console".to_owned())],
                false,
            ),
        ] {
            assert_eq!(is_meant("/org/tokens", &headers), meant, "{headers:?}");
        }
    }

    #[test]
    fn what_is_for_everybody_is_a_short_list_of_exact_paths() {
        for path in [
            "/health",
            "/ready",
            "/metrics",
            "/console",
            "/console/x",
            "/sign-in",
            "/cp/auth/x",
        ] {
            assert!(is_meant(path, &[]), "{path}");
        }
        for path in [
            "/",
            "/health/",
            "/healthy",
            "/ready/x",
            "/metrics/x",
            "/consoles",
            "/sign-in/x",
            "/cp",
            "/cpx",
            "//cp/",
        ] {
            assert!(!is_meant(path, &[]), "{path}");
        }
    }
}
