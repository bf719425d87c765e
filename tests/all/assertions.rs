//! People behind an edge: what it signs about them, and what must not pass for it.

mod keys;
mod wrong;

use countersign_tests::edge::{claims, now};
use countersign_tests::guest::Guest;
use countersign_tests::{Caller, ControlPlane, Edge, Host, HostBuilder, Reply, SigningKey};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::stage::{ADMIN_TOKEN, approval, approve, decide, tokens};

/// A host, and the edge before it.
pub struct Behind {
    pub edge: Edge,
    pub host: Host,
}

impl Behind {
    pub async fn an_edge() -> Self {
        Self::an_edge_for(Host::builder()).await
    }

    pub async fn an_edge_for(builder: HostBuilder) -> Self {
        let edge = Edge::start();
        let host = builder.admin_token(ADMIN_TOKEN).edge(&edge).start().await;
        Self { edge, host }
    }

    /// `user`, at the other side of the edge.
    pub fn person(&self, user: &str) -> Caller {
        self.host.asserted(&self.edge.assertion(user))
    }

    /// The agent, with the tenant's ADMIN_TOKEN.
    pub fn agent(&self) -> Caller {
        self.host.agent(ADMIN_TOKEN)
    }
}

async fn mint(caller: &Caller) -> Reply {
    caller.post("/org/tokens", json!({})).await
}

/// It is nobody's: not a person's alone, and with a bearer beside it the bearer's.
pub async fn is_nobodys(caller: &Caller, what: &str) {
    let reply = caller.get("/org/tokens").await;
    assert_eq!(reply.status, 401, "{what}: {reply}");
    let reply = mint(&caller.bearer(ADMIN_TOKEN)).await;
    assert_eq!(reply.status, 202, "{what}: {reply}");
}

#[tokio::test]
async fn a_person_behind_an_edge_stays_a_person() {
    let stage = Behind::an_edge().await;
    let person = stage.person("ann");
    // Even with a bearer beside it, and with one that is wrong.
    for caller in [
        person.clone(),
        person.bearer(ADMIN_TOKEN),
        person.bearer("junk"),
    ] {
        let reply = mint(&caller).await.expect(200);
        assert_eq!(reply.json.get("expires_at"), None, "{reply}");
    }
    let hash = Sha256::digest("identity-assertion\0ann");
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    for token in tokens(&person).await {
        assert_eq!(token["created_by"], format!("session:{}", &hex[..16]));
        assert_eq!(token["created_by_user"], "ann");
    }
    let page = person.get("/console/approvals").await.expect(200).page();
    assert!(page.contains("by the identity proxy"), "{page}");
    // There is another way in, so there is no link to find.
    assert!(!stage.host.data_dir().join("login-link").exists());
}

#[tokio::test]
async fn a_person_behind_an_edge_decides_what_an_agent_asked_for() {
    let stage = Behind::an_edge().await;
    let (person, agent) = (stage.person("ann"), stage.agent());
    let id = mint(&agent).await.approval();
    approve(&person, &id).await;
    let vote = approval(&person, &id).await["votes"][0].clone();
    assert_eq!(vote["issuer"], "identity-assertion", "{vote}");
    assert_eq!(vote["user"], "ann", "{vote}");
    mint(&agent).await.expect(200);
}

#[tokio::test]
async fn each_algorithm_that_is_taken_is_taken() {
    let stage = Behind::an_edge().await;
    let keys = [
        SigningKey::rsa("rsa"),
        SigningKey::p256("p256"),
        SigningKey::ed25519("ed25519"),
    ];
    stage.edge.publish(&keys.each_ref().map(SigningKey::jwk));
    for key in &keys {
        let person = stage.host.asserted(&key.sign(&claims("ann")));
        let reply = person.get("/org/tokens").await;
        assert_eq!(reply.status, 200, "{}: {reply}", key.algorithm());
    }
}

// Guard: `Call::admit`, which takes a person for a session whoever vouches for it.
#[tokio::test]
async fn what_another_site_makes_a_browser_send_through_the_edge_changes_nothing() {
    let stage = Behind::an_edge().await;
    let person = stage.person("ann");
    for site in ["cross-site", "same-site", "none"] {
        let lured = person.with("sec-fetch-site", site);
        mint(&lured).await.refused(403, "cross_site");
    }
    let lured = person.without("sec-fetch-site");
    mint(&lured).await.refused(403, "cross_site");
    let id = mint(&stage.agent()).await.approval();
    let lured = lured.with("origin", "https://evil.example");
    decide(&lured, &id, "approved")
        .await
        .refused(403, "cross_site");
}

// Guard: `Credentials::session` in host/server/src/credentials.rs, which asks whether the peer is trusted.
#[tokio::test]
async fn whoever_is_no_trusted_proxy_asserts_nothing() {
    let stage = Behind::an_edge().await;
    let assertion = stage.edge.assertion("ann");
    stage
        .host
        .asserted(&assertion)
        .get("/org/tokens")
        .await
        .expect(200);
    let elsewhere = stage.host.stranger().asserted(&assertion);
    is_nobodys(&elsewhere, "another address").await;
    let forged = elsewhere.with("x-forwarded-for", "127.0.0.1");
    is_nobodys(&forged, "another address that says that it is this one").await;
    let said = stage.host.said();
    assert!(
        !said.contains("proves nothing"),
        "it is not even looked at: {said}"
    );
}

#[tokio::test]
async fn two_proofs_of_different_people_are_nobody() {
    let stage = Behind::an_edge().await;
    let control_plane = ControlPlane::start();
    let Behind { edge, host } = stage;
    let host = host
        .stop()
        .await
        .control_plane(&control_plane)
        .start()
        .await;
    // Of the same name too: who vouches for it is another.
    let cookie = control_plane.sign_in("ann").await;
    let both = host.asserted(&edge.assertion("ann")).cookie(&cookie);
    for caller in [both.clone(), both.bearer(ADMIN_TOKEN)] {
        let reply = mint(&caller).await.refused(401, "unauthenticated");
        assert!(reply.text("error").contains("different people"), "{reply}");
    }
    mint(&host.session(&cookie)).await.expect(200);
    mint(&host.asserted(&edge.assertion("ann")))
        .await
        .expect(200);
    let junk = host.session("cp_session=junk");
    mint(&junk.asserted(&edge.assertion("ann")))
        .await
        .expect(200);
    mint(&host.session(&cookie).asserted("junk"))
        .await
        .expect(200);
}

#[tokio::test]
async fn the_operators_own_session_and_an_assertion_are_two_people() {
    let host = Host::start(ADMIN_TOKEN).await;
    let own = host.operator_session().await;
    let edge = Edge::start();
    let host = host.stop().await.edge(&edge).start().await;
    let both = host.signed_in(&own).asserted(&edge.assertion("operator"));
    mint(&both).await.refused(401, "unauthenticated");
    mint(&host.signed_in(&own)).await.expect(200);
}

#[tokio::test]
async fn who_may_come_can_be_listed() {
    let builder = Host::builder()
        .env("COUNTERSIGN_ASSERTION_USERS", "ann,eve")
        .env("COUNTERSIGN_ASSERTION_GROUPS", "owners");
    let stage = Behind::an_edge_for(builder).await;
    stage.person("ann").get("/org/tokens").await.expect(200);
    is_nobodys(&stage.person("bob"), "somebody else").await;
    let mut owner = claims("bob");
    owner["groups"] = json!(["owners"]);
    let owner = stage.host.asserted(&stage.edge.key.sign(&owner));
    owner.get("/org/tokens").await.expect(200);
}

/// A policy that gates agents until somebody of the group `owners` agrees. (The list of its one group is
/// the pair of address and length that is the ground's rule, at offset 4 of a verdict.)
fn owners_decide() -> Vec<u8> {
    let guest = Guest {
        rule: "owners",
        decide: "(i32.store (i32.load offset=28 (global.get $gate)) (i32.const 1))
                 (i32.store offset=4 (i32.load offset=28 (global.get $gate))
                     (i32.add (global.get $gate) (i32.const 4)))
                 (i32.store offset=8 (i32.load offset=28 (global.get $gate)) (i32.const 1))
                 (global.get $gate)",
        ..Guest::default()
    };
    guest.component()
}

#[tokio::test]
async fn a_quorum_of_a_group_is_met_by_its_people_alone() {
    let builder = Host::builder().policy("owners.wasm", owners_decide());
    let stage = Behind::an_edge_for(builder).await;
    let id = mint(&stage.agent()).await.approval();
    let reply = decide(&stage.person("ann"), &id, "approved").await;
    assert_eq!(reply.expect(200).json["status"], "pending");
    let mut owner = claims("bob");
    owner["groups"] = json!(["people", "owners"]);
    let owner = stage.host.asserted(&stage.edge.key.sign(&owner));
    approve(&owner, &id).await;
    mint(&stage.agent()).await.expect(200);
}

#[tokio::test]
async fn another_claim_can_name_the_person_and_one_deep_inside_the_groups() {
    let builder = Host::builder()
        .env("COUNTERSIGN_ASSERTION_PERSON_CLAIM", "email")
        .env("COUNTERSIGN_ASSERTION_GROUPS_CLAIM", "/custom/groups")
        .env("COUNTERSIGN_ASSERTION_GROUPS", "owners");
    let stage = Behind::an_edge_for(builder).await;
    let mut person = claims("7335d417");
    person["email"] = json!("ann@example.org");
    person["custom"] = json!({ "groups": ["owners"] });
    let person = stage.host.asserted(&stage.edge.key.sign(&person));
    mint(&person).await.expect(200);
    assert_eq!(
        tokens(&person).await[0]["created_by_user"],
        "ann@example.org"
    );
}

#[tokio::test]
async fn what_an_assertion_needs_and_lacks_is_named_at_the_start() {
    let edge = Edge::start();
    let failure = Host::builder()
        .edge(&edge)
        .env("COUNTERSIGN_ASSERTION_ISSUER", "")
        .env("COUNTERSIGN_TRUSTED_PROXIES", "")
        .env("COUNTERSIGN_OPERATORS", "ann")
        .fail()
        .await;
    failure.says(&[
        "COUNTERSIGN_ASSERTION_ISSUER",
        "COUNTERSIGN_OPERATORS: `ann` is not `issuer:user`",
    ]);
    let failure = Host::builder()
        .edge(&edge)
        .env("COUNTERSIGN_TRUSTED_PROXIES", "")
        .fail()
        .await;
    failure.says(&["COUNTERSIGN_TRUSTED_PROXIES", "edge"]);
    let failure = Host::builder()
        .edge(&edge)
        .env("COUNTERSIGN_ASSERTION_JWKS", "/nowhere/jwks.json")
        .fail()
        .await;
    failure.says(&["COUNTERSIGN_ASSERTION_JWKS", "cannot read the JWKS file"]);
}

// The deed's transaction looks again: `credential_lives` in host/store/src/portable/settle.rs, which has its
// own test. Here: the whole way of one that is over by less than clocks may be apart.
#[tokio::test]
async fn clocks_may_be_a_minute_apart() {
    let stage = Behind::an_edge().await;
    let mut late = claims("ann");
    late["iat"] = json!(now() - 300);
    late["nbf"] = json!(now() - 300);
    late["exp"] = json!(now() - 30);
    let late = stage.host.asserted(&stage.edge.key.sign(&late));
    mint(&late).await.expect(200);
    let mut early = claims("ann");
    early["iat"] = json!(now() + 50);
    early["nbf"] = json!(now() + 50);
    let early = stage.host.asserted(&stage.edge.key.sign(&early));
    mint(&early).await.expect(200);
}
