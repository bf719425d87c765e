//! Where people read how they sign out, each by who vouches for them.

use countersign_tests::Host;

use super::kept::{hides, shows};
use crate::assertions::Behind;
use crate::stage::{ADMIN_TOKEN, Stage};

const SESSIONS: &str = "/console/sessions";

#[tokio::test]
async fn whoever_is_signed_in_reads_as_whom_and_where_that_ends_and_a_stranger_how_to_begin() {
    let (stage, edge) = (Stage::set().await, Behind::an_edge().await);
    let page = stage.person("ann").await.get(SESSIONS).await.expect(200);
    shows(
        &page,
        &["<bdi>ann</bdi>", "kept by its control plane", "<nav"],
    );
    hides(&page, &["identity proxy in front"]);
    let page = edge.person("bea").get(SESSIONS).await.expect(200);
    shows(&page, &["<bdi>bea</bdi>", "Sign out at the proxy", "<nav"]);
    let alone = Host::start(ADMIN_TOKEN).await;
    let operator = alone.operator().await;
    let page = operator.get(SESSIONS).await.expect(200);
    shows(&page, &[">operator</bdi>", "this browser"]);
    for host in [&stage.host, &edge.host, &alone] {
        let page = host.anonymous().get(SESSIONS).await.expect(401);
        shows(&page, &["href=\"/console/sign-in?back=/console/sessions\""]);
        hides(&page, &["<nav", "keeps no session of yours"]);
        // A program has no session.
        let agent = host.agent(ADMIN_TOKEN);
        agent.get(SESSIONS).await.expect(401);
    }
}
