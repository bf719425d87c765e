//! Which bucket a request is counted in.

use axum::http::Method;

/// Requests of one kind are counted apart from those of another, so that what agents ask exhausts
/// nothing that people need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Everything that has no lane of its own.
    General,
    /// The pages that people read.
    Console,
    /// Signing in and out, here and at the control plane.
    SignIn,
    /// Deciding approvals, and revoking them.
    Deciding,
    /// What machines watch the host by.
    Watching,
}

impl Lane {
    /// The lane of a request. `None`: it is not counted, because it costs no more than a refusal would: a
    /// host that is watched must not seem dead because somebody at the watcher's address asks much.
    pub fn of(method: &Method, path: &str) -> Option<Self> {
        let mut pieces = path.split('/').skip(1);
        let pieces = [(); 6].map(|()| pieces.next());
        let lane = match (pieces, method) {
            ([Some("health" | "ready"), None, ..], _) => return None,
            ([Some("metrics"), None, ..], _) => Self::Watching,
            ([Some("sign-in"), None, ..], _)
            | ([Some("console"), Some("sign-in" | "sign-out"), None, ..], _)
            | ([Some("cp"), Some("auth"), Some(_), ..], _) => Self::SignIn,
            ([Some("console"), Some("approvals"), Some(_), None, ..], &Method::POST)
            | (
                [
                    Some("approvals"),
                    Some(_),
                    Some("decide" | "revoke"),
                    None,
                    ..,
                ],
                &Method::POST,
            )
            | (
                [
                    Some("workspaces"),
                    Some(_),
                    Some("approvals"),
                    Some(_),
                    Some("decide"),
                    None,
                ],
                &Method::POST,
            ) => Self::Deciding,
            ([Some("console"), ..], _) => Self::Console,
            _ => Self::General,
        };
        Some(lane)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_has_its_lane() {
        for (method, path, lane) in [
            (Method::GET, "/health", None),
            (Method::GET, "/ready", None),
            (Method::POST, "/health/x", Some(Lane::General)),
            (Method::GET, "/metrics", Some(Lane::Watching)),
            (Method::GET, "/console", Some(Lane::Console)),
            (Method::GET, "/console/", Some(Lane::Console)),
            (Method::GET, "/console/approvals/x", Some(Lane::Console)),
            (
                Method::GET,
                "/console/assets/console.css",
                Some(Lane::Console),
            ),
            (Method::GET, "/consoles", Some(Lane::General)),
            (Method::POST, "/sign-in", Some(Lane::SignIn)),
            (Method::GET, "/console/sign-in", Some(Lane::SignIn)),
            (Method::POST, "/console/sign-in", Some(Lane::SignIn)),
            (Method::POST, "/console/sign-out", Some(Lane::SignIn)),
            (Method::GET, "/cp/auth/login", Some(Lane::SignIn)),
            (Method::GET, "/cp/orgs", Some(Lane::General)),
            (Method::POST, "/console/approvals/x", Some(Lane::Deciding)),
            (
                Method::POST,
                "/console/approvals/x/withdraw",
                Some(Lane::Console),
            ),
            (Method::POST, "/approvals/x/decide", Some(Lane::Deciding)),
            (Method::POST, "/approvals/x/revoke", Some(Lane::Deciding)),
            (
                Method::POST,
                "/workspaces/w/approvals/x/decide",
                Some(Lane::Deciding),
            ),
            (Method::GET, "/approvals/x/decide", Some(Lane::General)),
            (
                Method::POST,
                "/workspaces/w/approvals/x/decide/y",
                Some(Lane::General),
            ),
            (
                Method::POST,
                "/workspaces/w/approvals/x/withdraw",
                Some(Lane::General),
            ),
            (Method::GET, "/approvals/pending", Some(Lane::General)),
            (Method::POST, "/org/tokens", Some(Lane::General)),
            (Method::GET, "/", Some(Lane::General)),
            (Method::GET, "*", Some(Lane::General)),
        ] {
            assert_eq!(Lane::of(&method, path), lane, "{method} {path}");
        }
    }
}
