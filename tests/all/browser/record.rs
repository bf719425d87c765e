//! What was decided and what was done, looked for in the console.

use std::time::Duration;

use countersign_tests::{Caller, Host, Reply};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::Scene;
use crate::metrics::samples;
use crate::stage::{self, ADMIN_TOKEN};

const NARROW: &str = "form.filter button";
const PAGES: &[&str] = &[
    "/console/decisions",
    "/console/decisions?effect=deny",
    "/console/decisions?outcome=refused&about=global",
    "/console/decisions/019b76da-a800-7000-8000-000000000001",
    "/console/audit",
    "/console/audit?check=chain",
    "/console/audit/1",
    "/console/audit/export",
];

/// The operator whose browser it is, without the browser.
async fn without_browser(scene: &Scene) -> Caller {
    let cookies = scene.browser.cookies().await;
    let text = |name: &str| cookies[0][name].as_str().expect("a cookie").to_owned();
    let cookie = format!("{}={}", text("name"), text("value"));
    scene.host.session(&cookie)
}

/// The entries of an export.
fn lines(reply: &Reply) -> Vec<Value> {
    let page = reply.page();
    let lines = page.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[tokio::test]
async fn an_operator_finds_a_decision_and_reads_all_that_is_recorded_of_it() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    browser.click("nav a[href='/console/decisions']").await;
    browser.shows("Nothing was decided yet").await;
    let approval = scene.ask("<b>night</b>-shift").await;
    let denied = scene
        .agent
        .get("/audit")
        .await
        .refused(403, "denied_by_policy");
    let denied = denied.header("x-decision-id").expect("an id").to_owned();

    browser.click("nav a[href='/console/decisions']").await;
    let listed = browser.text(".record tbody").await;
    for shown in [
        "Mint an organisation key",
        "waits for people",
        "Read the audit",
    ] {
        assert!(listed.contains(shown), "{shown}: {listed}");
    }
    browser.fits("decisions").await;
    browser.click("#effect option[value=deny]").await;
    browser.write("#actor", "admin-tok").await;
    browser.click(NARROW).await;
    browser.shows("Show all").await;
    assert!(!browser.has("a[href*='cursor=']").await);
    let listed = browser.text(".record tbody").await;
    assert!(!listed.contains("waits for people"), "{listed}");
    browser
        .click(&format!("a[href='/console/decisions/{denied}']"))
        .await;
    for shown in [
        "Read the audit",
        "deny",
        "What each module said",
        "baseline@",
        "What the policies were told",
        "the holder of ADMIN_TOKEN",
        "no entry of it",
    ] {
        browser.shows(shown).await;
    }
    browser.shows(&denied).await;

    browser.click(".trail a").await;
    browser.click("#verb option[value=org_token_mint]").await;
    browser.click(NARROW).await;
    browser.click(".record tbody a").await;
    // As the agent wrote it, and never as markup.
    browser.shows("<b>night</b>-shift").await;
    browser.shows("agents need a person for this").await;
    browser.shows("one person").await;
    browser.fits("decision").await;
    browser.click(".leads a[href^='/console/audit/']").await;
    browser.shows("Approval requested").await;
    browser.shows("Its hash fits its particulars").await;
    browser.fits("audit-entry").await;
    browser.click(".leads a[href^='/console/decisions/']").await;
    browser.shows("What each module said").await;
    browser.click(".leads a[href^='/console/approvals/']").await;
    browser
        .is_at(&format!("/console/approvals/{approval}"))
        .await;
    browser.click("#record summary").await;
    browser.click("#record a[href*='about=']").await;
    let listed = browser.text(".record tbody").await;
    assert!(listed.contains("waits for people"), "{listed}");
    assert!(!listed.contains("Read the audit"), "{listed}");
    browser.click("#outcome option[value=refused]").await;
    browser.click(NARROW).await;
    browser.shows("No decision is like that").await;
    browser.fits("decisions-none").await;
    scene.went_well().await;
    println!(
        "browser: Chromium {} found two decisions and read them",
        browser.version()
    );
}

#[tokio::test]
async fn an_operator_narrows_the_audit_checks_its_chain_and_takes_it_along() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    let approval = scene.ask("night-shift").await;
    let person = without_browser(&scene).await;
    browser.click("nav a[href='/console/audit']").await;
    browser.shows("Approval requested").await;
    browser.shows("Workspace created").await;
    browser.shows("this host has not checked it").await;
    browser.fits("audit").await;
    browser.click(".chain a").await;
    browser.shows("The chain holds").await;
    browser.shows("entries held, now").await;

    browser.write("#about", &approval).await;
    browser.click(NARROW).await;
    browser.shows("Approval requested").await;
    assert!(
        !browser.text(".audit").await.contains("Workspace created"),
        "it is narrowed"
    );
    browser.click(".audit a").await;
    browser.shows("Its place in the chain").await;
    browser.click(".trail a").await;
    browser.click("#kind option[value=policies_changed]").await;
    browser.click(NARROW).await;
    browser.shows("Policies changed").await;
    let listed = browser.text(".audit").await;
    assert!(!listed.contains("Approval requested"), "{listed}");

    // What cannot be read is said beside its field, which keeps it.
    let origin = scene.host.origin();
    browser
        .open(&format!(
            "{origin}/console/audit?about=%22%3Cb%3E&since=2026-13-01"
        ))
        .await;
    browser.shows("This is no id").await;
    browser.shows("This is no day").await;
    browser.fits("audit-wrong").await;
    assert!(browser.has("#about[aria-invalid]").await);
    browser
        .open(&format!("{origin}/console/audit?until=2020-01-01"))
        .await;
    browser.shows("No entry is like that").await;
    let complaints = browser.complaints().await;
    // Of the answer, and of the day, which nobody can type into the field itself.
    let is_expected = |one: &Value| {
        let text = one["message"].as_str().expect("a message");
        text.contains("status of 400") || text.contains("does not conform")
    };
    assert!(complaints.iter().all(is_expected), "{complaints:?}");

    let file = person.get("/console/audit/export").await.expect(200);
    let entries = lines(&file);
    let api = person.get("/audit?limit=200").await.expect(200);
    assert_eq!(Some(&entries), api.json["entries"].as_array());
    let name = format!("attachment; filename=\"audit-1-{}.jsonl\"", entries.len());
    assert_eq!(file.header("content-disposition"), Some(&*name));
    assert_eq!(
        file.header("content-type"),
        Some("application/jsonl; charset=utf-8")
    );
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(file.header("cache-control"), Some("no-store"));
    let nothing = person
        .get("/console/audit/export?until=2020-01-01")
        .await
        .expect(200);
    assert_eq!(lines(&nothing), [] as [Value; 0]);
    let page = person
        .get("/console/audit/export?since=soon")
        .await
        .expect(400)
        .page();
    assert!(page.contains("<h1") && page.contains("no day"), "{page}");
    println!(
        "browser: Chromium {} narrowed and checked {} entries",
        browser.version(),
        entries.len()
    );
}

// Guard: the link in host/server/templates/audit.html has no `download`, which takes any answer for the file.
#[tokio::test]
async fn an_export_that_is_refused_is_a_page_that_says_so() {
    let scene = Scene::set().await;
    let browser = &scene.browser;
    scene.sign_in().await;
    browser.click("nav a[href='/console/audit']").await;
    browser.shows("Download as JSON lines").await;
    let person = without_browser(&scene).await;
    let ended = person.post_form("/console/sign-out", &[]).await;
    ended.expect(303);
    browser.click("a[href^='/console/audit/export']").await;
    browser.shows("Sign in first").await;
    browser.is_at("/console/audit/export").await;
}

#[tokio::test]
async fn a_long_export_is_whole_and_in_order() {
    let host = Host::builder()
        .env("RATE_LIMIT", "0")
        .admin_token(ADMIN_TOKEN)
        .start()
        .await;
    let person = host.operator().await;
    let workspace = stage::workspace(&person, "many", None).await;
    for n in 0..450 {
        let body = json!({ "name": format!("many {n}") });
        person
            .patch(&format!("/workspaces/{workspace}"), body)
            .await
            .expect(200);
    }
    let entries = lines(&person.get("/console/audit/export").await.expect(200));
    assert!(entries.len() > 450, "{}", entries.len());
    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(entry["seq"], at + 1);
    }
    let (path, file) = (host.data_dir().join("taken.jsonl"), entries);
    let text: String = file.iter().map(|entry| format!("{entry}\n")).collect();
    std::fs::write(&path, text).expect("written");
    let builder = host.stop().await;
    let checked = builder.run(&["audit", "verify", path.to_str().expect("UTF-8")]);
    assert!(checked.status.success(), "{checked:?}");
}

// Guard: `Call::permit` in each handler, by baseline's rule for `audit_read` and `decision_read`.
#[tokio::test]
async fn agents_are_told_in_a_page_that_the_record_is_for_people() {
    let host = Host::start(ADMIN_TOKEN).await;
    let person = host.operator().await;
    let key = stage::minted(&person, json!({ "name": "ci" })).await;
    for agent in [host.agent(ADMIN_TOKEN), host.agent(&key)] {
        for path in PAGES {
            let reply = agent.get(path).await.expect(403);
            assert_eq!(
                reply.header("content-type"),
                Some("text/html; charset=utf-8"),
                "{path}"
            );
            let page = reply.page();
            assert!(page.contains("A policy denies this"), "{path}: {page}");
            for inside in [
                "Organisation key minted",
                "Workspace created",
                "\"seq\"",
                "form class=\"filter\"",
            ] {
                assert!(!page.contains(inside), "{path}: {page}");
            }
        }
    }
    for path in PAGES {
        let page = host.anonymous().get(path).await.expect(401).page();
        assert!(page.contains("Sign in first"), "{path}: {page}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said_in_a_page() {
    let host = Host::start(ADMIN_TOKEN).await;
    let person = host.operator().await;
    for (path, status) in [
        (
            "/console/decisions/019b76da-a800-7000-8000-000000000001",
            404,
        ),
        ("/console/audit/99999", 404),
        ("/console/audit/0", 404),
        ("/console/audit/9223372036854775807", 404),
        ("/console/audit/x", 404),
        ("/console/decisions/x", 400),
        ("/console/decisions?cursor=x", 400),
        ("/console/audit?before=x", 400),
        ("/console/decisions?verb=nonsense", 400),
        ("/console/decisions?outcome=nonsense", 400),
        ("/console/decisions?about=%25", 400),
        ("/console/audit?kind=nonsense", 400),
    ] {
        let page = person.get(path).await.expect(status).page();
        assert!(
            page.contains("<h1") && !page.starts_with('{'),
            "{path}: {page}"
        );
    }
}

const MANY: usize = 5_000;
const AT_ONCE: usize = 16;

#[tokio::test]
async fn a_page_of_five_thousand_decisions_is_drawn_in_time() {
    let host = Host::builder()
        .env("RATE_LIMIT", "0")
        .admin_token(ADMIN_TOKEN)
        .start()
        .await;
    let person = host.operator().await;
    let mut agents = JoinSet::new();
    for _ in 0..AT_ONCE {
        let agent = host.agent(ADMIN_TOKEN);
        agents.spawn(async move {
            for _ in 0..MANY.div_ceil(AT_ONCE) {
                agent.get("/audit").await.expect(403);
            }
        });
    }
    while let Some(done) = agents.join_next().await {
        done.expect("no agent panics");
    }
    for (what, path, shown) in [
        ("the newest", "/console/decisions", 50),
        ("200 of them", "/console/decisions?limit=200", 200),
        (
            "one effect",
            "/console/decisions?effect=deny&actor=admin",
            50,
        ),
        ("an outcome", "/console/decisions?outcome=refused", 50),
        ("about it", "/console/decisions?about=no-such-id", 0),
        (
            "none of a rule",
            "/console/decisions?rule=no-such-rule&reads=shown",
            0,
        ),
    ] {
        let mut took = Vec::new();
        for _ in 0..5 {
            let (page, once) = timed(&host, &person, path).await;
            let rows = page.matches("role=\"rowheader\"").count();
            assert_eq!(rows, shown, "{page}");
            took.push(once);
        }
        let took = stage::in_time(what, took);
        println!("record: {what} of {MANY} decisions took the server {took}");
    }
    // To the end, page by page.
    let (mut path, mut rows) = ("/console/decisions?limit=200&effect=deny".to_owned(), 0);
    loop {
        let page = person.get(&path).await.expect(200).page();
        rows += page.matches("role=\"rowheader\"").count();
        let Some((before, _)) = page.split_once("\">Older</a>") else {
            break;
        };
        let (_, link) = before.rsplit_once("href=\"").expect("a link");
        path = link.replace("&#38;", "&");
    }
    assert_eq!(rows, MANY.div_ceil(AT_ONCE) * AT_ONCE);
}

/// The page, and how long the server took for it by its own clock.
async fn timed(host: &Host, person: &Caller, path: &str) -> (String, Duration) {
    const SUM: &str = r#"countersign_request_seconds_sum{route="/console/decisions"}"#;
    let sum = async || samples(host).await.get(SUM).copied().unwrap_or(0.0);
    let before = sum().await;
    let page = person.get(path).await.expect(200).page();
    (page, Duration::from_secs_f64(sum().await - before))
}
