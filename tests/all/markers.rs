//! No secret is anywhere but where the contract shows it once: each one is a marker, the host is driven
//! through success and failure of every route while it logs all that it can, and everything that it wrote
//! and answered is searched.

mod search;

use countersign_tests::{Caller, ControlPlane, Database, Host, OperatorSession};
use reqwest::Method;
use serde_json::json;

use self::search::{Heard, marker, search};
use crate::stage::{ADMIN_TOKEN, decide};

const PROVISION_TOKEN: &str = "marker-provision-token-of-the-installer-0123456789";
const ROOT_KEY: &str = "6d61726b65722d726f6f742d6b65792d6d61726b65722d726f6f742d6b657921";
const OLD_ROOT_KEY: &str = "6d61726b65722d6f6c642d6b65792d6d61726b65722d6f6c642d6b6579212121";
const PASSWORD: &str = "marker-database-password";
const WRONG_BEARER: &str = "marker-wrong-bearer-of-somebody";
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.bWFya2VyLWp3dC1wYXlsb2Fk.bWFya2VyLWp3dC1zaWduYXR1cmU";
const IN_QUERY: &str = "marker-in-a-query";
const STRANGE_COOKIE: &str = "marker-cookie-of-a-stranger";

/// What is stored and shown, so that the search is known to find things.
pub const NAME: &str = "a-name-that-is-stored";

/// The routes, with `{…}` for what there is one of.
const ROUTES: &[&str] = &[
    "/health",
    "/ready",
    "/metrics",
    "/org/tokens",
    "/org/tokens/{id}",
    "/org/deprovision",
    "/settings/secrets",
    "/settings/secrets/{key}",
    "/admin/secrets",
    "/admin/secrets/{key}",
    "/workspaces",
    "/workspaces/{workspace}",
    "/workspaces/{workspace}/tokens",
    "/workspaces/{workspace}/tokens/{id}",
    "/workspaces/{workspace}/secrets",
    "/workspaces/{workspace}/secrets/{key}",
    "/workspaces/{workspace}/secrets/values",
    "/workspaces/{workspace}/approvals",
    "/workspaces/{workspace}/approvals/{id}/decide",
    "/workspaces/{workspace}/approvals/{id}/withdraw",
    "/approvals/pending",
    "/approvals/{id}",
    "/approvals/{id}/decide",
    "/approvals/{id}/revoke",
    "/policies",
    "/policies/generations",
    "/policies/rollback",
    "/policies/{key}/mode",
    "/policies/{key}/versions",
    "/decisions",
    "/decisions?whole=true",
    "/decisions/{id}",
    "/audit",
    "/audit/verify",
    "/console",
    "/console/",
    "/console/sign-in",
    "/console/keys",
    "/console/keys/{id}/revoke",
    "/console/approvals",
    "/console/approvals/{id}",
    "/console/approvals/{id}/revoke",
    "/console/approvals/{id}/withdraw",
    "/console/policies",
    "/console/policies/history",
    "/console/policies/generations/1",
    "/console/policies/generations/1/rollback",
    "/console/policies/matrix",
    "/console/policies/playground",
    "/console/audit",
    "/console/nowhere",
    "/cp/auth/me",
    "/nowhere",
];

/// Everybody's requests to every route, right and wrong.
async fn drive(heard: &mut Heard, callers: &[Caller], workspace: &str) {
    let some = "01234567-89ab-7def-8123-456789abcdef";
    let wrong_host = |caller: &Caller| caller.with("host", "elsewhere.example");
    for caller in callers {
        for route in ROUTES {
            let path = route
                .replace("{workspace}", workspace)
                .replace("{id}", some)
                .replace("{key}", "A_KEY");
            for method in [
                Method::GET,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ] {
                let is_read = method == Method::GET;
                // What would end the callers themselves is not for everybody.
                let body = match is_read {
                    true => Vec::new(),
                    false => br#"{"key":"not a key","value":"marker-value-refused","confirm":"x"}"#
                        .to_vec(),
                };
                let path = match is_read {
                    true => format!("{path}?limit=1&{IN_QUERY}={IN_QUERY}"),
                    false => path.clone(),
                };
                let reply = caller
                    .send(method, &path, Some("application/json"), body)
                    .await;
                heard.hear(reply);
            }
        }
    }
    let broken = callers[0]
        .post_text("/settings/secrets", "{\"value\":\"marker-value-broken\"")
        .await;
    heard.hear(broken);
    let reply = wrong_host(&callers[0]).get("/org/tokens").await;
    heard.hear(reply);
}

/// Every page and every decision that there is, as a person sees them.
async fn read_all(heard: &mut Heard, person: &Caller, approvals: &[String]) {
    for page in [
        "/audit?limit=200",
        "/console/approvals",
        "/console/keys",
        "/console/policies",
        "/console/policies/history",
        "/console/policies/generations/1",
        "/console/policies/generations/1/rollback",
        "/console/policies/matrix",
        "/console/policies/playground?verb=secret_write",
        "/console/audit",
    ] {
        heard.get(person, page).await.expect(200);
    }
    for id in approvals {
        heard
            .get(person, &format!("/approvals/{id}"))
            .await
            .expect(200);
        heard
            .get(person, &format!("/console/approvals/{id}"))
            .await
            .expect(200);
    }
    let mut cursor = String::new();
    loop {
        let page = heard
            .get(person, &format!("/decisions?limit=200{cursor}"))
            .await
            .expect(200);
        for decision in page.json["decisions"].as_array().expect("decisions") {
            let is_told = decision["policy"] != "core";
            if is_told && decision["verb"] != "org_token_list" {
                let id = decision["id"].as_str().expect("an id");
                heard
                    .get(person, &format!("/decisions/{id}"))
                    .await
                    .expect(200);
            }
        }
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
}

fn builder() -> countersign_tests::HostBuilder {
    let builder = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("PROVISION_TOKEN", PROVISION_TOKEN)
        .env("SECRETS_ENCRYPTION_KEY", OLD_ROOT_KEY)
        .env("LIVE_TOKEN_LIMIT", "0")
        .env("MINT_LIMIT", "0")
        .env("RATE_LIMIT", "0")
        .env("COUNTERSIGN_LOG", "trace");
    let Database::Postgres { url } = builder.database() else {
        return builder;
    };
    let (user, rest) = url.split_once('@').expect("a user");
    let user = user.rsplit_once("//").map_or("", |(_, user)| user);
    let user = user.split(':').next().unwrap_or_default();
    let url = format!("postgres://{user}:{PASSWORD}@{rest}");
    builder.env("DATABASE_URL", url)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_nowhere_but_where_the_contract_shows_it_once() {
    let mut heard = Heard::default();
    let host = builder().start().await;
    let link = host.login_secret();
    let browser = host.anonymous().with("sec-fetch-site", "same-origin");
    let signed_in = browser
        .post_form("/console/sign-in", &[("link", &link)])
        .await;
    let signed_in = heard.hear(signed_in);
    let session = OperatorSession::of(&signed_in);

    // A key that is replaced has been in two processes.
    let control_plane = ControlPlane::start();
    let stopped = host.stop().await;
    let both = stopped
        .env("SECRETS_ENCRYPTION_KEY", ROOT_KEY)
        .env("SECRETS_ENCRYPTION_KEY_OLD", OLD_ROOT_KEY)
        .control_plane(&control_plane);
    let host = both.start().await;
    let cookie = control_plane.sign_in("marker-person").await;
    let (person, operator) = (host.session(&cookie), host.signed_in(&session));
    let admin = host.agent(ADMIN_TOKEN);

    let named = json!({ "name": NAME });
    let org = heard
        .post(&operator, "/org/tokens", named.clone())
        .await
        .expect(200);
    let org = org.text("auth_token").to_owned();
    let granted = heard.post(&admin, "/org/tokens", named).await.approval();
    heard.hear(decide(&person, &granted, "approved").await.expect(200));
    let home = heard
        .post(&person, "/workspaces", json!({ "name": NAME }))
        .await
        .expect(201);
    let home = home.text("id").to_owned();
    let tokens = format!("/workspaces/{home}/tokens");
    let own = heard.post(&person, &tokens, json!({})).await.expect(201);
    let own = own.text("auth_token").to_owned();
    let secrets = format!("/workspaces/{home}/secrets");

    // A secret in every state that one can be in.
    let mut approvals = vec![granted];
    heard
        .write(&person, &secrets, "WRITTEN", "marker-value-written")
        .await
        .expect(200);
    heard
        .write(
            &person,
            "/settings/secrets",
            "REPLACED",
            "marker-value-former",
        )
        .await
        .expect(200);
    heard
        .write(
            &person,
            "/settings/secrets",
            "REPLACED",
            "marker-value-later",
        )
        .await
        .expect(200);
    approvals.push(
        heard
            .write(&admin, &secrets, "PENDING", "marker-value-pending")
            .await
            .approval(),
    );
    let id = heard
        .write(&admin, &secrets, "DENIED", "marker-value-denied")
        .await
        .approval();
    let denial = json!({ "decision": "denied", "reason": "not today" });
    heard
        .post(&person, &format!("/approvals/{id}/decide"), denial)
        .await
        .expect(200);
    heard
        .write(&admin, &secrets, "DENIED", "marker-value-denied")
        .await
        .expect(403);
    approvals.push(id);
    heard
        .write(&host.agent(&own), &secrets, "OWN", "marker-value-own")
        .await
        .expect(403);
    heard
        .write(
            &person,
            "/settings/secrets",
            "LONG",
            &"marker-value-long".repeat(16_000),
        )
        .await
        .expect(400);
    let values = heard
        .get(&host.agent(&own), &format!("{secrets}/values"))
        .await
        .expect(200);
    assert_eq!(values.json["WRITTEN"], "marker-value-written");

    let strange = format!("countersign_session={STRANGE_COOKIE}; cp_session={STRANGE_COOKIE}");
    let callers = [
        operator.clone(),
        host.anonymous(),
        host.agent(WRONG_BEARER),
        host.agent(JWT).with("cf-access-jwt-assertion", JWT),
        host.anonymous().with("x-provision-token", PROVISION_TOKEN),
        admin.with("x-provision-token", WRONG_BEARER),
        host.agent(&org),
        host.agent(&own),
        host.session(&strange).proof(STRANGE_COOKIE),
        host.session(&cookie).proof(STRANGE_COOKIE),
    ];
    drive(&mut heard, &callers, &home).await;
    // A link that is used again, and a cookie that the control plane cannot verify.
    let again = browser
        .at(&host)
        .post_form("/console/sign-in", &[("link", &link)])
        .await;
    heard.hear(again);
    control_plane.behave(countersign_tests::Mode::Failing).await;
    heard.get(&host.session(&strange), "/org/tokens").await;
    control_plane.behave(countersign_tests::Mode::Normal).await;
    read_all(&mut heard, &operator, &approvals).await;

    let value = |pair: &str| pair.rsplit('=').next().expect("a value").to_owned();
    let mut markers = vec![
        marker("ADMIN_TOKEN", ADMIN_TOKEN, 0),
        marker("PROVISION_TOKEN", PROVISION_TOKEN, 0),
        marker("the root key", ROOT_KEY, 0),
        marker(
            "the root key's bytes",
            "marker-root-key-marker-root-key!",
            0,
        ),
        marker("the old root key", OLD_ROOT_KEY, 0),
        marker(
            "the old root key's bytes",
            "marker-old-key-marker-old-key!!!",
            0,
        ),
        marker("the database's password", PASSWORD, 0),
        marker("a wrong bearer", WRONG_BEARER, 0),
        marker("a JWT", JWT, 0),
        marker("a part of a JWT", "bWFya2VyLWp3dC1zaWduYXR1cmU", 0),
        marker("a query's value", format!("{IN_QUERY}={IN_QUERY}"), 0),
        marker("a stranger's cookie", STRANGE_COOKIE, 0),
        marker("the control plane's cookie", value(&cookie), 0),
        marker("the operator's cookie", value(&session.cookie), 1),
        marker("the session's proof", session.proof.clone(), 1),
        marker("the login link", link, 0),
        marker("an organisation token", org.clone(), 1),
        marker("its random part", &org[8..47], 1),
        marker("a workspace token", own.clone(), 1),
        marker("its random part", &own[8..47], 1),
    ];
    for (text, shown) in [
        ("marker-value-written", 1),
        ("marker-value-later", 1),
        ("marker-value-former", 0),
        ("marker-value-pending", 0),
        ("marker-value-denied", 0),
        ("marker-value-own", 0),
        ("marker-value-long", 0),
        ("marker-value-refused", 0),
        ("marker-value-broken", 0),
    ] {
        markers.push(marker("a secret's value", text, shown));
    }
    println!("{}", search(&host, &heard, &markers));
    // What a stop writes out, and what a start reads, too.
    let host = host.restart().await;
    println!("{}", search(&host, &heard, &markers));
}
