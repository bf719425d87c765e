//! Signing in by the host's own one-time link, and out again.
//!
//! Opening the link never uses it up: programs that look at links for people (previews, scanners) open
//! them too. The page shows a button, and its post uses the link. The answer to that post, and no other
//! page, holds the new session's proof, for the script to keep.

use askama::Template;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use super::assets;
use super::frame::{Frame, Place};
use super::inside::Inside;
use super::{page, see_other};
use crate::app::App;
use crate::origins::only;
use crate::problem::Problem;
use crate::routes::{Answer, Routes, Visit, parse_form};

/// The code of the problem that a link is unknown, used or too old.
pub const LINK_IS_DEAD: &str = "link_is_dead";

/// The longest text that could be a link.
const MAX_LINK: usize = 128;

const WHY_SIGN_IN: &str = "whoever signs in is nobody yet: the one-time link is the proof";
const WHY_SIGN_OUT: &str = "ends the session that the request presents, and no other";

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    link: Option<String>,
    /// The page for which the reader has to sign in.
    back: Option<Inside>,
    /// The host's own origin, where the reader came by another one.
    there: Option<String>,
    has_control_plane: bool,
    has_assertions: bool,
}

/// In place of the button, for whoever needs none.
#[derive(Template)]
#[template(path = "signed_in_already.html")]
struct SignedInAlreadyPage {
    frame: Frame,
    link: String,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct SignedInPage<'a> {
    frame: Frame,
    proof: &'a str,
}

pub(super) fn add(routes: Routes) -> Routes {
    routes
        .open(Method::GET, "/console/sign-in", WHY_SIGN_IN, show)
        .open(Method::POST, "/console/sign-in", WHY_SIGN_IN, sign_in)
        .open(Method::GET, "/console/sign-out", WHY_SIGN_OUT, go_home)
        .open(Method::POST, "/console/sign-out", WHY_SIGN_OUT, sign_out)
}

async fn show(visit: Visit) -> Answer {
    let link = visit.query.get("link").filter(|link| could_be_a_link(link));
    let back = visit.query.get("back");
    let back = back.and_then(|path| Inside::to_come_back_to(path));
    let reader = visit.reader().await?;
    match (reader, link, &back) {
        (Some(reader), Some(link), _) => {
            let shown = SignedInAlreadyPage {
                frame: Frame::of(&reader, Place::Elsewhere),
                link: link.clone(),
            };
            return Ok(page(StatusCode::OK, &shown));
        }
        (Some(_), None, Some(back)) => return Ok(see_other(&back.to_string())),
        (Some(_), None, None) => return Ok(see_other("/console")),
        (None, ..) => {}
    }
    let (has_control_plane, has_assertions) = visit.app.credentials.ways_in();
    let shown = SignInPage {
        frame: Frame::without_viewer(Place::Outside),
        link: link.cloned(),
        back,
        there: own_origin(&visit.app, &visit.headers),
        has_control_plane,
        has_assertions,
    };
    Ok(page(StatusCode::OK, &shown))
}

async fn sign_in(visit: Visit) -> Answer {
    visit.app.origins.same_origin(&visit.headers)?;
    let mut form = parse_form(&visit.body)?;
    let link = form.remove("link").filter(|link| could_be_a_link(link));
    let redeemed = match link {
        Some(link) => visit.app.credentials.operator().redeem(&link).await?,
        None => None,
    };
    let started = redeemed.ok_or_else(|| {
        Problem::new(
            StatusCode::FORBIDDEN,
            LINK_IS_DEAD,
            "it was used, is older than ten minutes, or a newer one was made since",
        )
    })?;
    let shown = SignedInPage {
        frame: Frame::without_viewer(Place::Outside),
        proof: &started.proof,
    };
    let mut response = page(StatusCode::OK, &shown);
    let headers = response.headers_mut();
    headers.insert(header::SET_COOKIE, started.cookie.0);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Whoever reloads the address of the form that signed them out.
async fn go_home(_: Visit) -> Answer {
    Ok(see_other("/console"))
}

async fn sign_out(visit: Visit) -> Answer {
    visit.app.origins.same_origin(&visit.headers)?;
    let operator = visit.app.credentials.operator();
    let mut response = see_other("/console/sign-in");
    if let Some(session) = operator
        .verify(&visit.headers, visit.app.clock.now())
        .await?
    {
        let cookie = operator.end(session).await?;
        // What it was told as it happened ends, too.
        visit.app.changed();
        response.headers_mut().insert(header::SET_COOKIE, cookie.0);
    }
    Ok(response)
}

/// The host's own origin, where a browser on the same machine came by another name of it: there it has no session.
/// Of other names nothing is said, because what stands before the host may have written another `Host`.
fn own_origin(app: &App, headers: &HeaderMap) -> Option<String> {
    let host = only(headers, header::HOST.as_str())?;
    is_another_name(&app.base_url, host).then(|| app.base_url.clone())
}

fn is_another_name(base_url: &str, host: &str) -> bool {
    let is_local = |authority: &str| {
        let name = authority
            .rsplit_once(':')
            .map_or(authority, |(name, _)| name);
        ["localhost", "127.0.0.1", "[::1]"].contains(&name.to_ascii_lowercase().as_str())
    };
    base_url
        .strip_prefix("http://")
        .is_some_and(|own| is_local(own) && is_local(host) && !own.eq_ignore_ascii_case(host))
}

/// Whether the text is of the alphabet of links; whether it is one is for the ledger to say.
fn could_be_a_link(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_LINK
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::super::examples::{is_whole, person};
    use super::*;

    fn drawn(link: Option<&str>, has_control_plane: bool) -> String {
        let page = SignInPage {
            frame: Frame::without_viewer(Place::Outside),
            link: link.map(str::to_owned),
            back: Inside::parse("/console/keys"),
            there: None,
            has_control_plane,
            has_assertions: false,
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        html
    }

    #[test]
    fn a_link_is_shown_as_a_button_that_posts_it() {
        let html = drawn(Some("abc_DEF-123"), false);
        assert!(
            html.contains(r#"<form method="post" action="/console/sign-in""#),
            "{html}"
        );
        assert!(
            html.contains(r#"name="link" value="abc_DEF-123""#),
            "{html}"
        );
    }

    #[test]
    fn without_a_link_the_page_says_where_to_find_one() {
        let html = drawn(None, false);
        assert!(html.contains("login-link"), "{html}");
        assert!(!html.contains("<form"), "{html}");
        assert!(html.contains("Nothing else signs people in here"), "{html}");
        assert!(html.contains("countersign login --browser"), "{html}");
        let html = drawn(None, true);
        assert!(html.contains("Sign in to your platform first"), "{html}");
        assert!(
            !html.contains("Nothing else signs people in here"),
            "{html}"
        );
    }

    #[test]
    fn the_page_that_hands_the_proof_over_says_why_it_needs_a_script() {
        let page = SignedInPage {
            frame: Frame::without_viewer(Place::Outside),
            proof: "the-proof",
        };
        let html = page.render().expect("drawn");
        is_whole(&html);
        assert_eq!(html.matches("the-proof").count(), 1, "{html}");
        assert!(html.contains(r#"data-proof="the-proof""#), "{html}");
        assert!(html.contains("<noscript>"), "{html}");
        assert!(!html.contains("<form"), "{html}");
    }

    #[test]
    fn whoever_must_sign_in_is_led_back_to_where_they_were() {
        let back = r#"href="/console/keys" data-back"#;
        for html in [drawn(None, false), drawn(None, true)] {
            assert_eq!(html.matches(back).count(), 1, "{html}");
        }
        assert!(!drawn(Some("abc"), false).contains("data-back"));
    }

    #[test]
    fn whoever_is_signed_in_needs_no_link() {
        let page = |frame| {
            let link = "abc".to_owned();
            let html = SignedInAlreadyPage { frame, link }.render();
            let html = html.expect("drawn");
            is_whole(&html);
            assert!(html.contains(r#"href="/console/approvals""#), "{html}");
            html
        };
        let ours = page(Frame::of_operator(Place::Elsewhere));
        assert!(ours.contains("no signing key"), "{ours}");
        let theirs = page(Frame::of(&person("ada"), Place::Elsewhere));
        assert!(!theirs.contains("abc"), "{theirs}");
    }

    #[test]
    fn a_browser_that_came_by_another_local_name_is_told_the_hosts_own() {
        let own = "http://127.0.0.1:8080";
        assert!(is_another_name(own, "localhost:8080"));
        assert!(is_another_name("http://localhost:8080", "127.0.0.1:8080"));
        for (base_url, host) in [
            (own, "127.0.0.1:8080"),
            ("http://localhost:8080", "LOCALHOST:8080"),
            ("https://host.example", "127.0.0.1:8080"),
            ("http://host.example", "127.0.0.1:8080"),
            (own, "host.example"),
            (own, ""),
        ] {
            assert!(!is_another_name(base_url, host), "{base_url} {host}");
        }
        let page = SignInPage {
            frame: Frame::without_viewer(Place::Outside),
            link: Some("abc".to_owned()),
            back: None,
            there: Some(own.to_owned()),
            has_control_plane: false,
            has_assertions: false,
        };
        let html = page.render().expect("drawn");
        let there = r#"href="http://127.0.0.1:8080/console/sign-in?link=abc""#;
        assert!(html.contains(there), "{html}");
    }

    #[test]
    fn an_odd_text_is_no_link() {
        assert!(could_be_a_link("abc_DEF-123"));
        for odd in ["", "<script>", "a b", "é", &"x".repeat(MAX_LINK + 1)] {
            assert!(!could_be_a_link(odd), "{odd}");
        }
    }
}
