//! The log is one line for each event, of which nobody outside can write one, or a part of another.

use std::collections::BTreeSet;
use std::fs;

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Host, HostBuilder};
use reqwest::Method;
use serde_json::{Value, json};

use crate::stage::ADMIN_TOKEN;

/// What would end a line, or begin another, or a member of one, or move the cursor, or reorder the text.
const HOSTILE: &str = "\n{\"level\":\"INFO\",\"forged\":true}\r\n\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{2028}\u{85}\u{9b}31m\",\"forged\":\"\\";

/// What an event has.
const MEMBERS: &[&str] = &["timestamp", "level", "fields", "target", "span", "spans"];

/// Sends `text` wherever a request can hold it.
async fn sent_everywhere(host: &Host, person: &Caller, text: &str) {
    let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for path in [
        format!("/{escaped}"),
        format!("/org/tokens/{escaped}"),
        format!("/workspaces/{escaped}/secrets/{escaped}"),
        format!("/audit?cursor={escaped}&{escaped}=1"),
        format!("/console/approvals/{escaped}"),
        format!("/cp/auth/{escaped}"),
    ] {
        person.get(&path).await;
    }
    let in_header: Vec<u8> = text
        .bytes()
        .filter(|byte| (*byte >= b' ' && *byte != 0x7f) || *byte == b'\t')
        .collect();
    for header in [
        "user-agent",
        "approval-id",
        "x-request-id",
        "x-forwarded-for",
        "origin",
        "referer",
        "cookie",
        "x-countersign-proof",
    ] {
        let caller = person.with(header, &in_header);
        caller.post("/org/tokens", json!({})).await;
        caller.get("/audit").await;
    }
    let bearer = host
        .anonymous()
        .with("authorization", [b"Bearer ", in_header.as_slice()].concat());
    bearer.get("/org/tokens").await.expect(401);
    let wrong_host = format!("GET /\u{1b}[2J HTTP/1.1\r\nHost: {}\r\n\r\n", "a\u{9b}b");
    host.raw(wrong_host.as_bytes()).await;
    for (path, body) in [
        ("/org/tokens", json!({ "name": text, text: text })),
        ("/workspaces", json!({ "name": text })),
        ("/settings/secrets", json!({ "key": text, "value": text })),
        ("/settings/secrets", json!({ "key": "KEPT", "value": text })),
    ] {
        person.post(path, body).await;
    }
    person.post_text("/org/tokens", text).await;
    let method = Method::from_bytes(b"M{ETHOD}").unwrap_or(Method::TRACE);
    person
        .send(method, "/org/tokens", Some("text/plain"), Vec::new())
        .await;
    person
        .post_form("/console/keys", &[("name", &escaped), ("proof", &escaped)])
        .await;
}

/// The same, as far as a path can be it that is not too long for a socket.
const HOSTILE_PATH: &str = "\n{\"forged\":1}\r\u{1b}[2J\u{202e}\u{2028}\u{85}";
/// What a host keeps in its data folder, and says of it when it cannot be read.
const UNREADABLE: &str = "policy-folder.seen";

/// Hosts whose policies are hostile: files whose names are, a module whose name is, and one that says
/// something hostile whenever it is asked; and one that complains of a file in a hostile place.
fn builders() -> [HostBuilder; 3] {
    let builder = || {
        Host::builder()
            .admin_token(ADMIN_TOKEN)
            .env("COUNTERSIGN_LOG", "trace")
    };
    let named = Guest {
        name: HOSTILE,
        ..Guest::default()
    };
    let speaking = Guest {
        name: "notes",
        reason: HOSTILE,
        ..Guest::default()
    };
    let complaining = builder().in_folder(HOSTILE_PATH);
    let unreadable = complaining.data_dir().join(UNREADABLE);
    fs::create_dir_all(unreadable).expect("a folder where a file should be");
    [
        builder()
            .policy("evil\u{1b}[2J\n{\"forged\":true}\u{202e}.wasm", "nonsense")
            .policy("named.wasm", named.component()),
        builder().policy("notes.wasm", speaking.component()),
        complaining,
    ]
}

/// What a terminal or a reader of lines could take for something else than a character of the text.
fn misleads(c: char) -> bool {
    c.is_control()
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
}

// Guard: `escaped` in host/server/src/logging.rs. A path is the one text from outside that comes to it as it
// is: all others are tamed or quoted before.
#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_the_log_is_json_and_ours_whatever_is_sent() {
    let known: BTreeSet<&str> = MEMBERS.iter().copied().collect();
    for builder in builders() {
        let host = builder.start().await;
        let person = host.operator().await;
        sent_everywhere(&host, &person, HOSTILE).await;
        let said = host.log();
        let mut requests = 0;
        for line in said.split_terminator('\n') {
            let event: Value =
                serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
            let event = event.as_object().expect("an object");
            for member in event.keys() {
                assert!(known.contains(member.as_str()), "`{member}` in {line}");
            }
            for member in ["timestamp", "level", "target"] {
                assert!(event[member].is_string(), "`{member}` in {line}");
            }
            assert_eq!(event["fields"].get("forged"), None, "{line}");
            assert!(!line.chars().any(misleads), "{line:?}");
            requests += usize::from(event["fields"]["message"] == "request");
        }
        assert!(requests >= 25, "only {requests} requests are in it: {said}");
        println!("logs: {} bytes of JSON read", said.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_control_character_reaches_the_log_for_people() {
    for builder in builders() {
        let builder = builder.env("COUNTERSIGN_LOG_FORMAT", "text");
        let host = builder.start().await;
        let person = host.operator().await;
        sent_everywhere(&host, &person, HOSTILE).await;
        let said = host.log();
        for line in said.split_terminator('\n') {
            assert!(!line.chars().any(misleads), "{line:?}");
            // Each begins with its time.
            let time = line.get(..20).unwrap_or_default();
            assert!(
                time.starts_with("20") && time[10..].starts_with('T'),
                "{line:?}"
            );
        }
        assert!(said.lines().count() > 50, "{said}");
    }
}

#[tokio::test]
async fn a_format_that_there_is_not_is_a_mistake() {
    let failure = Host::builder()
        .env("COUNTERSIGN_LOG_FORMAT", "xml")
        .fail()
        .await;
    failure.says(&["COUNTERSIGN_LOG_FORMAT", "json"]);
}
