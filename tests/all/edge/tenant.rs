//! Which tenant is meant.

use countersign_tests::Host;

use crate::stage::{ADMIN_TOKEN, Stage};

const OURS: &str = "0197a3f2-6c00-7000-8000-00000000000a";
const THEIRS: &str = "0197a3f2-6c00-7000-8000-00000000000b";

// Guard: `Tenant::is_meant` in host/server/src/tenant.rs.
#[tokio::test]
async fn a_request_for_another_tenant_finds_no_route() {
    let builder = Host::builder().env("MOLECULE_ORG_ID", OURS);
    let stage = Stage::set_for(builder).await;
    let agent = stage.agent();
    let nothing = agent
        .with("x-molecule-org-id", OURS)
        .get("/nothing/at/all")
        .await
        .expect(404);
    let state = |org: &str| format!("instance=1;region=ams;t=1;state={org}");
    for (name, value, meant) in [
        ("accept", String::new(), false),
        ("x-molecule-org-id", OURS.to_owned(), true),
        ("x-molecule-org-id", OURS.to_uppercase(), true),
        ("x-molecule-org-id", THEIRS.to_owned(), false),
        ("x-molecule-org-id", format!("{OURS} "), true),
        ("x-molecule-org-id", format!("{OURS}, {OURS}"), false),
        ("x-molecule-org-id", format!("x{OURS}"), false),
        ("fly-replay-src", state(OURS), true),
        ("fly-replay-src", state(THEIRS), false),
        (
            "fly-replay-src",
            format!("{};state={THEIRS}", state(OURS)),
            false,
        ),
        ("fly-replay-src", format!("t=state={OURS}"), false),
        ("fly-replay-src", OURS.to_owned(), false),
        ("sec-fetch-site", "same-origin".to_owned(), true),
        ("sec-fetch-site", "same-site".to_owned(), false),
        ("sec-fetch-site", "none".to_owned(), false),
        ("origin", stage.host.origin().to_owned(), true),
        ("origin", "null".to_owned(), false),
        ("origin", "http://evil.example".to_owned(), false),
        ("referer", format!("{}/console", stage.host.origin()), true),
        (
            "referer",
            format!("http://evil.example/{}", stage.host.origin()),
            false,
        ),
        ("x-countersign-org", OURS.to_owned(), false),
    ] {
        for path in [
            "/org/tokens",
            "/approvals/pending",
            "/workspaces",
            "/decisions",
        ] {
            let reply = agent.with(name, &value).get(path).await;
            assert_eq!(reply.status != 404, meant, "{name}: {value}: {reply}");
            if !meant {
                // As what is not there.
                assert_eq!(reply.json, nothing.json);
                let names = |reply: &countersign_tests::Reply| {
                    let mut names: Vec<String> =
                        reply.headers.keys().map(ToString::to_string).collect();
                    names.sort();
                    names
                };
                assert_eq!(names(&reply), names(&nothing));
            }
        }
    }
    // It routes, and lets nobody in.
    let nobody = stage.host.anonymous().with("x-molecule-org-id", OURS);
    nobody
        .get("/org/tokens")
        .await
        .refused(401, "unauthenticated");

    let anybody = stage.host.anonymous();
    for (path, status) in [
        ("/health", 200),
        ("/ready", 200),
        ("/console", 401),
        ("/console/sign-in", 200),
        ("/console/assets/console.css", 200),
        ("/cp/auth/tenant-member?slug=acme", 401),
        ("/health/x", 404),
        ("/healthy", 404),
        ("/ready/", 404),
    ] {
        anybody.get(path).await.expect(status);
    }
}

#[tokio::test]
async fn without_a_configured_tenant_every_request_is_meant() {
    let host = Host::start(ADMIN_TOKEN).await;
    host.agent(ADMIN_TOKEN).get("/org/tokens").await.expect(200);
}
