//! What people read where the host cannot do something: words for people, and what to do next.

use serde_json::json;

use super::kept::{hides, shows};
use crate::stage::{Stage, rewrite};

// Guard: `read_body` in host/server/src/routes.rs.
#[tokio::test]
async fn a_form_that_is_too_long_is_told_in_words_and_leads_back_to_what_was_typed() {
    let stage = Stage::set().await;
    let ann = stage.person("ann").await;
    let long = "x".repeat(321 * 1024);
    let page = ann.post_form("/console/keys", &[("name", &long)]).await;
    let page = page.expect(413);
    shows(
        &page,
        &[
            "This is too long",
            "320 KiB",
            "way back leads to it",
            "Back to the keys",
        ],
    );
    hides(&page, &["bytes", "the body", "xxxx"]);
}

#[tokio::test]
async fn where_the_host_made_a_mistake_the_page_has_the_number_of_the_request() {
    let stage = Stage::set().await;
    let ann = stage.person("ann").await;
    let mint = json!({ "name": "ci" });
    let id = stage.agent().post("/org/tokens", mint).await.approval();
    let broken = "UPDATE approvals SET payload = '{'";
    rewrite(stage.host.database(), &stage.host.data_dir(), broken).await;
    let path = format!("/console/approvals/{id}");
    let page = ann.get(&path).await.expect(500);
    let number = page.header("x-request-id").expect("a number").to_owned();
    shows(
        &page,
        &[
            "The host made a mistake",
            "whoever runs it",
            &format!("<code><bdi>{number}</bdi></code>"),
            "See what is waiting",
        ],
    );
    hides(&page, &["X-Request-Id", "payload"]);
    let told = ann.get(&format!("/approvals/{id}")).await;
    let told = told.refused(500, "internal");
    assert!(told.text("error").contains("X-Request-Id"), "{told}");
}
