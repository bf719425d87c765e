//! Whoever comes to an address that is no page is led to one.

use countersign_tests::Host;

use crate::stage::{ADMIN_TOKEN, Stage, approve, decide};

/// What a browser takes where a person goes to an address.
const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

#[tokio::test]
async fn a_person_at_an_address_that_is_no_route_is_led_to_the_console_and_a_program_is_told() {
    let host = Host::start(ADMIN_TOKEN).await;
    let nobody = host.anonymous();
    for path in ["/", "/consle", "/approvals/x/y/z"] {
        let page = nobody.with("accept", ACCEPT).get(path).await.expect(404);
        let kind = page.header("content-type");
        assert_eq!(kind, Some("text/html; charset=utf-8"), "{page}");
        for words in [
            "Nothing is here",
            "<code><bdi>/console</bdi></code>",
            "href=\"/console\"",
        ] {
            assert!(page.page().contains(words), "{words}: {page}");
        }
        for program in [nobody.clone(), nobody.with("accept", "application/json")] {
            program.get(path).await.refused(404, "not_found");
        }
        let posted = nobody.with("accept", ACCEPT).post_text(path, "").await;
        posted.refused(404, "not_found");
    }
}

#[tokio::test]
async fn looking_again_after_an_approval_could_not_be_taken_back_leads_to_its_page() {
    let stage = Stage::set().await;
    let (agent, ann) = (stage.agent(), stage.person("ann").await);
    let ask = async || agent.post_text("/org/tokens", r#"{"name":"ci"}"#).await;
    let id = ask().await.approval();
    approve(&ann, &id).await;
    ask().await.expect(200);
    let (page, form) = (
        format!("/console/approvals/{id}"),
        format!("/console/approvals/{id}/revoke"),
    );
    let refused = ann
        .post_form(&form, &[("reason", "late")])
        .await
        .expect(409);
    let told = refused.page();
    assert!(told.contains(&format!("href=\"{page}\"")), "{told}");
    assert!(told.contains("late</textarea>"), "{told}");
    // Whoever reloads that answer reads its address.
    let again = ann.get(&form).await.expect(303);
    assert_eq!(again.header("location"), Some(page.as_str()));
    ann.get(&page).await.expect(200);
    decide(&ann, &id, "denied")
        .await
        .refused(404, "not_pending");
    stage.host.anonymous().get(&form).await.expect(401);
}

#[tokio::test]
async fn a_reason_that_cannot_be_taken_decides_nothing_and_leads_back_to_the_words() {
    let stage = Stage::set().await;
    let (agent, ann) = (stage.agent(), stage.person("ann").await);
    let id = agent.post_text("/org/tokens", "{}").await.approval();
    let digest = crate::stage::approval(&ann, &id).await["digest"].clone();
    let fields = [
        ("decision", "approved"),
        ("digest", digest.as_str().expect("a digest")),
        ("reason", "right%E2%80%AEto left"),
    ];
    let path = format!("/console/approvals/{id}");
    let page = ann.post_form(&path, &fields).await.expect(400).page();
    for words in ["Nothing was done", "way back leads to it"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let seen = crate::stage::approval(&ann, &id).await;
    assert_eq!(seen["status"], "pending", "{seen}");
}
