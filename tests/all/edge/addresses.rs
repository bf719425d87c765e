//! Where requests come from, as far as trusted proxies say so.

use countersign_tests::Host;

use crate::stage::{ADMIN_TOKEN, denying_addresses_that_end_in_2};

// Guard: `TrustedProxies::client_address` in host/server/src/config/proxies.rs.
#[tokio::test]
async fn a_policy_is_told_the_address_that_a_trusted_proxy_saw() {
    let builder = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .policy("baseline.wasm", denying_addresses_that_end_in_2());
    let host = builder.start().await;
    let agent = host.agent(ADMIN_TOKEN);
    let ending_in_2 = agent.with("x-forwarded-for", "203.0.113.2");
    // Nobody is trusted, so nobody is believed.
    ending_in_2.get("/org/tokens").await.expect(200);

    let host = host
        .stop()
        .await
        .env("COUNTERSIGN_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1")
        .start()
        .await;
    for (forwarded, status) in [
        ("203.0.113.2", 403),
        ("203.0.113.1", 200),
        ("203.0.113.2, 203.0.113.1", 200),
        ("203.0.113.1, 203.0.113.2", 403),
        ("203.0.113.1, 203.0.113.2:4711, 10.0.0.9", 403),
        ("203.0.113.2, nonsense", 200),
        ("[2001:db8::2]:4711", 403),
        ("::ffff:203.0.113.2", 403),
    ] {
        let agent = host.agent(ADMIN_TOKEN).with("x-forwarded-for", forwarded);
        agent.get("/org/tokens").await.expect(status);
    }
    let lines = host
        .agent(ADMIN_TOKEN)
        .with("x-forwarded-for", "203.0.113.1");
    lines
        .also("x-forwarded-for", "203.0.113.2")
        .get("/org/tokens")
        .await
        .expect(403);
}

#[tokio::test]
async fn what_is_wrongly_configured_is_named() {
    for (name, value) in [
        ("COUNTERSIGN_TRUSTED_PROXIES", "0.0.0.0/0"),
        ("COUNTERSIGN_TRUSTED_PROXIES", "loopback"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "null"),
        ("CORS_ORIGINS", "https://app.example/path"),
        ("CORS_ORIGINS", "https://*.example"),
        ("RATE_LIMIT", "1000001"),
        ("RATE_LIMIT", "many"),
    ] {
        let failure = Host::builder().env(name, value).fail().await;
        failure.says(&[name]);
    }
    let user = Host::builder()
        .env("CP_UPSTREAM_URL", "http://user:word@127.0.0.1")
        .env("MOLECULE_ORG_SLUG", "acme");
    user.fail().await.says(&["CP_UPSTREAM_URL"]);
}
