//! The description of the routes, held against the contract, and real answers against the description.

mod contract;
mod document;
mod refused;
mod schema;
mod walk;

use countersign_tests::Host;
use serde_json::{Value, json};

use self::document::{Document, Witness};
use self::walk::Walk;
use crate::stage::ADMIN_TOKEN;

const NOBODYS_ID: &str = "00000000-0000-4000-8000-00000000abcd";

#[tokio::test]
async fn the_description_is_served_to_everybody_as_it_is_committed() {
    let host = Host::start(ADMIN_TOKEN).await;
    let reply = host.anonymous().get("/openapi.json").await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let committed = include_str!("../../docs/openapi.json");
    assert!(
        reply.page() == committed,
        "docs/openapi.json is not what is served"
    );
}

#[tokio::test]
async fn real_answers_are_as_described() {
    let walk = Walk::begin().await;
    walk.tokens().await;
    walk.approvals().await;
    walk.ahead().await;
    walk.workspaces().await;
    walk.secrets().await;
    walk.policies().await;
    walk.history().await;
    walk.host().await;
    walk.limits().await;
    refused::on_every_route(&walk.witness, walk.person()).await;
    refused::what_is_out_of_bounds(&walk.witness, walk.person()).await;
    refused::bodies_of_other_types(&walk.witness, walk.person()).await;
    walk.without_control_plane().await;
    walk.the_end().await;
    let seen = walk.witness.all_is_well();
    let statuses: std::collections::BTreeSet<u16> = seen.iter().map(|(_, s)| *s).collect();
    println!(
        "{} pairs of route and status are as described: {statuses:?}",
        seen.len()
    );
    let unseen = walk.witness.routes_without_success(&seen);
    // There is no link where a control plane signs people in.
    let expected = ["POST /sign-in"];
    assert!(
        unseen
            .iter()
            .all(|route| expected.contains(&route.as_str()) || route.contains(" /cp/")),
        "never seen to succeed: {unseen:?}"
    );
    assert!(seen.len() >= 270, "{} pairs", seen.len());
}

#[tokio::test]
async fn signing_in_answers_as_described() {
    let host = Host::start(ADMIN_TOKEN).await;
    let witness = Witness::of(&host).await;
    let nobody = host.anonymous();
    let here = nobody.with("sec-fetch-site", "same-origin");
    let link = json!({ "link": host.login_secret() });
    witness.post(&nobody, "/sign-in", &link).await.expect(403);
    witness
        .post(&here, "/sign-in", &json!({}))
        .await
        .expect(400);
    let signed_in = witness.post(&here, "/sign-in", &link).await.expect(200);
    witness.post(&here, "/sign-in", &link).await.expect(403);
    let cookie = signed_in.header("set-cookie").expect("a cookie");
    let session = host.session(cookie.split(';').next().expect("a cookie"));
    let mint = json!({ "name": "ci" });
    let unproved = witness.post(&session, "/org/tokens", &mint).await;
    unproved.refused(403, "proof_missing");
    let proved = session.proof(signed_in.text("proof"));
    witness
        .post(&proved, "/org/tokens", &mint)
        .await
        .expect(200);
    witness.all_is_well();
}

/// A member, where it is text.
fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member]
        .as_str()
        .unwrap_or_else(|| panic!("no text `{member}` in {value}"))
}

#[test]
fn every_route_that_the_contract_names_is_described() {
    let document = Document::committed();
    for (method, path) in contract::ROUTES {
        assert!(document.has(method, path), "{method} {path}");
    }
}
