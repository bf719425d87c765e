use super::super::examples::{body_of, is_whole, person};
use super::*;

fn at(path: &str, reader: Reader) -> Around {
    Around {
        reader,
        request: Some("0123456789abcdef".to_owned()),
        path: path.to_owned(),
        query: None,
        is_form: false,
        words: Vec::new(),
    }
}

fn ada() -> Reader {
    Reader::of(&person("ada"))
}

/// What somebody who is signed in reads of `problem`.
fn problem_page(problem: Problem) -> Response<Body> {
    super::problem_page(problem, at("/console/keys/x", ada()))
}

async fn drawn(problem: Problem, around: Around) -> String {
    let html = body_of(super::problem_page(problem, around)).await;
    is_whole(&html);
    html
}

#[tokio::test]
async fn whoever_is_signed_in_stays_in_the_frame_and_is_led_back_to_where_they_were() {
    let gone = || Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such token");
    let html = drawn(gone(), at("/console/keys/x", ada())).await;
    for words in [
        "<bdi>ada</bdi>",
        r#"href="/console/keys" aria-current="page""#,
        "Back to the keys",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
    assert!(!html.contains("See what is waiting"), "{html}");
    let html = drawn(
        gone(),
        at("/console/policies/generations/7", Reader::Unknown),
    )
    .await;
    assert!(html.contains("Back to the policies"), "{html}");
    let html = drawn(gone(), at("/console/keys", ada())).await;
    assert!(html.contains("See what is waiting"), "{html}");
    let html = drawn(gone(), at("/console/keys/x", Reader::Nobody)).await;
    assert!(!html.contains("<nav"), "{html}");
    assert!(html.contains("How to sign in"), "{html}");
    let html = drawn(gone(), at("/console/keys/x", Reader::operator())).await;
    assert!(html.contains(r#"action="/console/sign-out""#), "{html}");
}

#[tokio::test]
async fn words_are_kept_as_text_for_whoever_must_sign_in_again() {
    let words = |text: &str| Around {
        is_form: true,
        words: vec![Typed {
            field: "reason",
            label: "Your reason",
            text: text.to_owned(),
        }],
        ..at("/console/approvals/abc", Reader::Nobody)
    };
    let nobody = || Problem::unauthenticated("this needs a credential");
    let html = drawn(nobody(), words("</textarea><script>alert(1)</script>")).await;
    for words in [
        "Nothing was done with it",
        "readonly dir=\"auto\">\n&#60;/textarea&#62;&#60;script&#62;",
        r#"href="/console/sign-in?back=/console/approvals/abc""#,
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
    assert!(!html.contains("<nav"), "{html}");
    // Of what broke down nobody can say that it was not done.
    let html = drawn(Problem::unavailable(), words("why")).await;
    assert!(html.contains("\nwhy</textarea>"), "{html}");
    assert!(!html.contains("Nothing was done"), "{html}");
}

#[tokio::test]
async fn whoever_opens_a_dead_link_needs_none_if_they_are_signed_in() {
    let dead = || Problem::new(StatusCode::FORBIDDEN, LINK_IS_DEAD, "it was used");
    let html = drawn(dead(), at("/console/sign-in", Reader::operator())).await;
    for words in ["You are signed in already", "See what is waiting"] {
        assert!(html.contains(words), "{words}: {html}");
    }
    assert!(!html.contains("How to get a link"), "{html}");
    let html = drawn(dead(), at("/console/sign-in", Reader::Nobody)).await;
    assert!(html.contains("How to get a link"), "{html}");
    assert!(!html.contains("back="), "{html}");
}

#[tokio::test]
async fn a_problem_keeps_its_status_and_headers_and_is_no_json() {
    let response = problem_page(Problem::unauthenticated("this needs a credential"));
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(response.headers().contains_key("www-authenticate"));
    let html = body_of(response).await;
    is_whole(&html);
    assert!(html.contains("Sign in first"), "{html}");
    assert!(
        html.contains(r#"href="/console/sign-in?back=/console/keys/x""#),
        "{html}"
    );
    assert!(
        !html.contains("Bearer"),
        "people are not told of bearers: {html}"
    );
}

#[tokio::test]
async fn whoever_typed_what_cannot_be_taken_is_led_back_to_it() {
    let back = "way back leads to it";
    let typed = Problem::bad_field("reason", "is longer than 500 characters");
    let html = body_of(problem_page(typed)).await;
    is_whole(&html);
    assert!(html.contains(back), "{html}");
    let address = Problem::bad_field("id", "in the path is not a UUID");
    let html = body_of(problem_page(address)).await;
    assert!(!html.contains(back), "{html}");
}

#[tokio::test]
async fn what_is_too_long_for_a_form_says_so_in_words_and_leads_back_to_it() {
    let error = "the body is longer than 327680 bytes";
    let long = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, BODY_TOO_LONG, error);
    let html = body_of(problem_page(long)).await;
    is_whole(&html);
    for words in [
        "This is too long",
        "320 KiB",
        "shorten it",
        "way back leads to it",
    ] {
        assert!(html.contains(words), "{words}: {html}");
    }
    assert!(!html.contains("bytes"), "{html}");
}

#[tokio::test]
async fn where_the_host_failed_the_page_says_by_which_number_that_is_found() {
    let id = "<dt>In the host’s log as</dt><dd><code><bdi>0123456789abcdef</bdi></code></dd>";
    for problem in [Problem::internal(), Problem::unavailable()] {
        let html = body_of(problem_page(problem)).await;
        is_whole(&html);
        assert!(html.contains(id), "{html}");
        assert!(!html.contains("X-Request-Id"), "{html}");
    }
    let html = body_of(problem_page(Problem::internal())).await;
    assert!(html.contains("The host made a mistake"), "{html}");
    assert!(html.contains("whoever runs it"), "{html}");
    // What the caller did is no failure of the host.
    let gone = Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such token");
    let html = body_of(problem_page(gone)).await;
    assert!(!html.contains("0123456789abcdef"), "{html}");
}

#[tokio::test]
async fn whoever_presents_two_sessions_can_sign_out_of_one() {
    let twice = "two sessions of different people were presented: sign out of one";
    let html = body_of(problem_page(Problem::unauthenticated(twice))).await;
    assert!(html.contains("Two sessions of different people"), "{html}");
    assert!(html.contains(r#"action="/console/sign-out""#), "{html}");
    assert!(!html.contains("Bearer"), "{html}");
}

#[tokio::test]
async fn what_a_policy_says_is_shown_and_cannot_be_markup() {
    let denied = Problem::new(
        StatusCode::FORBIDDEN,
        "denied_by_policy",
        "no `org_token_mint` of `a\u{202e}b` <script>alert(1)\u{202e}</script>",
    )
    .with("rule", "<b>rule</b>")
    .with("policy", "baseline@0.1.0");
    let html = body_of(problem_page(denied)).await;
    is_whole(&html);
    assert!(html.contains("A policy denies this"), "{html}");
    assert!(
        html.contains("<code><bdi>org_token_mint</bdi></code>"),
        "{html}"
    );
    // What would turn round the rest of the sentence is seen, and turns nothing.
    assert!(
        html.contains(r"<code><bdi>a\u{202e}b</bdi></code>"),
        "{html}"
    );
    assert!(!html.contains('\u{202e}'), "{html}");
    assert!(html.contains("baseline@0.1.0"), "{html}");
    assert!(
        !html.contains("<script>") && !html.contains("<b>"),
        "{html}"
    );
}

#[tokio::test]
async fn a_request_that_waits_says_so_and_leads_to_its_approval() {
    let mut pending = Problem::new(StatusCode::ACCEPTED, "", "");
    pending.body = serde_json::from_value(serde_json::json!({
        "status": "pending_approval",
        "approval_id": "0197a3f2-6c00-7000-8000-000000000001",
        "reason": "mint organisation token `<ci>`: people need a second person",
        "expires_at": "2026-01-01T00:00:00Z",
    }))
    .expect("an object");
    let response = problem_page(pending);
    assert_eq!(response.status(), StatusCode::ACCEPTED);
    let html = body_of(response).await;
    is_whole(&html);
    assert!(
        html.contains(r#"href="/console/approvals/0197a3f2-6c00-7000-8000-000000000001""#),
        "{html}"
    );
    let shown = "<code><bdi>&#60;ci&#62;</bdi></code>";
    assert!(html.contains(shown), "{html}");
}

#[tokio::test]
async fn an_approval_id_that_is_none_never_becomes_an_address() {
    let mut pending = Problem::new(StatusCode::ACCEPTED, "", "");
    pending
        .body
        .insert("approval_id".to_owned(), "//elsewhere".into());
    let html = body_of(problem_page(pending)).await;
    assert!(!html.contains("elsewhere"), "{html}");
}
