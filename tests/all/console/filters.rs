//! What narrows a list and is nothing that could be in it, and what is in it from earlier versions.

use countersign_tests::Host;

use crate::stage;

const LISTS: &[(&str, &[&str])] = &[
    (
        "/console/approvals/history",
        &["who", "verb", "state", "since"],
    ),
    (
        "/console/decisions",
        &[
            "actor", "about", "rule", "effect", "outcome", "verb", "class", "since", "until",
        ],
    ),
    (
        "/console/audit",
        &["actor", "about", "kind", "since", "until"],
    ),
    ("/console/audit/export", &["since", "until"]),
];

// Guards: `Narrow::of` in console/narrow.rs and `is_control` in console/approvals/history.rs. Without them PostgreSQL
// refuses the text, and SQLite takes it.
#[tokio::test]
async fn a_character_that_no_database_takes_is_told_in_a_page_beside_what_was_asked() {
    let host = Host::start(stage::ADMIN_TOKEN).await;
    let person = host.operator().await;
    for (list, fields) in LISTS {
        for field in *fields {
            for text in ["%00", "a%00b", "%01"] {
                let path = format!("{list}?{field}={text}");
                let page = person.get(&path).await.expect(400).page();
                assert!(
                    page.contains("<h1") && !page.starts_with('{'),
                    "{path}: {page}"
                );
                assert!(!page.contains('\0'), "{path}: {page}");
                assert!(!page.contains("too long"), "{path}: {page}");
            }
        }
    }
}

// Guard: the default of the column `notable` in migrations/*/0015_history.sql.
#[tokio::test]
async fn what_a_host_of_an_earlier_version_records_beside_this_one_is_listed() {
    let host = Host::start(stage::ADMIN_TOKEN).await;
    let person = host.operator().await;
    let agent = host.agent(stage::ADMIN_TOKEN);
    agent.get("/audit").await.expect(403);
    // Without the columns that it does not know.
    let copy = "INSERT INTO decisions (id, at, actor, credential, verb, digest, judgement, outcome)
         SELECT '019b7fff-0000-7000-8000-000000000001', at, 'an-earlier-host', credential, verb, digest,
                judgement, outcome
         FROM decisions WHERE verb = 'audit_read' AND outcome = 'refused'";
    stage::rewrite(host.database(), &host.data_dir(), copy).await;
    let one = "/console/decisions/019b7fff-0000-7000-8000-000000000001";
    for list in [
        "/console/decisions",
        "/console/decisions?outcome=refused&about=019b7fff-0000-7000-8000-000000000001",
    ] {
        let page = person.get(list).await.expect(200).page();
        assert!(
            page.contains(&format!("href=\"{one}\"")) && page.contains("an-earlier-host"),
            "{list}: {page}"
        );
    }
    person.get(one).await.expect(200);
}
