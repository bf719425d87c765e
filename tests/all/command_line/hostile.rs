//! Programs that claim to be a host: what they say reaches no terminal as it is, and they get nothing that
//! was not meant for them.

use std::sync::{Arc, Mutex};

use countersign_tests::{CommandLine, Said};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Whatever a terminal could obey, and what misleads a reader.
const HOSTILE: &str =
    "ci\u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[31m\r\n\u{8}\u{202e}nimda\u{200b}\u{9b}1A";
const ID: &str = "01a2b3c4-0000-7000-8000-000000000001";

/// A program that answers whatever it is asked with one answer.
pub struct Impostor {
    origin: String,
    heard: Arc<Mutex<Vec<String>>>,
    _answers: JoinSet<()>,
}

impl Impostor {
    /// One that answers with a status and a body.
    pub async fn start(status: u16, body: &str) -> Self {
        Self::start_with(status, "", body).await
    }

    /// The same, with further header lines.
    pub async fn start_with(status: u16, headers: &str, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let answer = format!(
            "HTTP/1.1 {status} Sure\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}connection: close\r\n\r\n{body}",
            body.len()
        );
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = Arc::clone(&heard);
        let mut answers = JoinSet::new();
        answers.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = exchange(stream, &answer).await;
                ears.lock().expect("unharmed").push(request);
            }
        });
        Self {
            origin,
            heard,
            _answers: answers,
        }
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The requests so far, each as it came.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("unharmed").clone()
    }

    fn agent(&self) -> CommandLine {
        CommandLine::new()
            .env("COUNTERSIGN_TOKEN", "cso_a-token")
            .env("COUNTERSIGN_URL", self.origin.clone())
    }
}

async fn exchange(mut stream: TcpStream, answer: &str) -> String {
    let mut request = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let count = stream.read(&mut piece).await.unwrap_or(0);
        request.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&request);
        let is_whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map_or(0, |length| length.trim().parse().unwrap_or(0));
            body.len() >= length
        });
        if is_whole || count == 0 {
            break;
        }
    }
    let _ = stream.write_all(answer.as_bytes()).await;
    String::from_utf8_lossy(&request).into_owned()
}

#[track_caller]
fn is_tame(said: &Said) {
    for text in [&said.out, &said.err] {
        let wild = |c: char| {
            (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{200b}' | '\u{2028}')
        };
        assert!(!text.chars().any(wild), "{text:?}");
    }
}

fn approval(status: &str) -> Value {
    json!({
        "id": ID, "workspace_id": ID, "workspace_name": HOSTILE, "action": HOSTILE,
        "reason": HOSTILE, "status": status,
        "created_at": "2026-01-01T00:00:00Z", "expires_at": "2099-01-01T00:00:00Z",
        "grant_expires_at": null, "requester": HOSTILE,
        "resource": { "kind": HOSTILE, "id": HOSTILE },
        "payload": { "arguments": { HOSTILE: HOSTILE, "list": [HOSTILE] } },
        "digest": "5f".repeat(32), "rule": HOSTILE, "policy": HOSTILE, "people_needed": 1,
        "quorums": [{ "people": 1, "groups": [HOSTILE] }],
        "votes": [{
            "by": HOSTILE, "user": HOSTILE, "decision": "denied", "reason": HOSTILE,
            "at": "2026-01-01T00:00:00Z",
        }],
    })
}

#[tokio::test]
async fn no_text_of_a_host_moves_the_cursor_or_misleads_its_reader() {
    let token = json!({
        "id": ID, "prefix": HOSTILE, "name": HOSTILE, "created_by": HOSTILE, "role": HOSTILE,
        "created_at": "2026-01-01T00:00:00Z",
    });
    let tokens = json!({ "tokens": [token], "count": 1 });
    let minted = json!({ "id": ID, "prefix": HOSTILE, "auth_token": HOSTILE, "name": HOSTILE });
    let refused = json!({ "error": HOSTILE, "code": HOSTILE });
    let pending = json!({
        "status": "pending_approval", "approval_id": ID, "reason": HOSTILE,
        "expires_at": "2099-01-01T00:00:00Z", "approve_url": HOSTILE,
    });
    let page = json!({ "entries": [{ "seq": 1, "actor": HOSTILE }], "next_cursor": null });
    for (status, body, line) in [
        (200, tokens.clone(), &["token", "list"][..]),
        (200, minted, &["token", "mint"]),
        (202, pending, &["token", "mint"]),
        (403, refused, &["token", "list"]),
        (200, json!([approval("pending")]), &["approval", "list"]),
        (200, approval("pending"), &["approval", "show", ID]),
        (200, approval("denied"), &["approval", "wait", ID]),
        (200, approval("approved"), &["approval", "deny", ID]),
        (200, page, &["audit", "export"]),
        (200, tokens, &["token", "revoke", "cso_Zk3p"]),
    ] {
        let impostor = Impostor::start(status, &body.to_string()).await;
        let agent = impostor.agent();
        let said = agent.run(line).await;
        assert!(!said.err.contains("not understood"), "{said}");
        is_tame(&said);
        if line[0] == "audit" {
            continue;
        }
        let said = agent.run(&[line, &["--json"]].concat()).await;
        is_tame(&said);
        if line != ["approval", "deny", ID] && line[1] != "revoke" {
            assert_eq!(said.json(), body, "{said}");
        }
    }
}

#[tokio::test]
async fn what_is_approved_is_what_was_shown() {
    let impostor = Impostor::start(200, &approval("pending").to_string()).await;
    let agent = impostor.agent();
    let line = ["approval", "approve", ID, "--yes", "--reason", "fine"];
    let said = agent.run(&line).await.expect(0);
    said.says(&[&"5f".repeat(32)]);
    let heard = impostor.heard();
    assert_eq!(heard.len(), 2, "{heard:?}");
    let (_, body) = heard[1].split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect("JSON");
    let expected = json!({ "decision": "approved", "digest": "5f".repeat(32), "reason": "fine" });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn an_answer_about_another_approval_is_not_approved() {
    let impostor = Impostor::start(200, &approval("pending").to_string()).await;
    let other = "01a2b3c4-0000-7000-8000-000000000002";
    let line = ["approval", "approve", other, "--yes"];
    let said = impostor.agent().run(&line).await.expect(1);
    said.says(&["another approval"]);
    assert_eq!(impostor.heard().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_named_and_not_followed() {
    let victim = Impostor::start(200, "[]").await;
    let location = format!("location: {}/approvals/pending\r\n", victim.origin());
    let impostor = Impostor::start_with(307, &location, "").await;
    let said = impostor.agent().run(&["approval", "list"]).await.expect(1);
    said.says(&[victim.origin(), "--url"]);
    assert!(victim.heard().is_empty(), "{:?}", victim.heard());
}

#[tokio::test]
async fn what_is_no_host_is_not_understood() {
    for body in ["<html>", "{}", "[1]", "\"x\"", "null", ""] {
        let impostor = Impostor::start(200, body).await;
        let said = impostor.agent().run(&["approval", "list"]).await.expect(1);
        said.says(&["is not understood", "Is it a Countersign host"]);
    }
    let impostor = Impostor::start(500, "oops").await;
    let said = impostor.agent().run(&["approval", "list"]).await.expect(1);
    said.says(&["answered 500"]);
}

#[tokio::test]
async fn plain_http_to_another_machine_is_warned_of() {
    // An address for documentation (RFC 5737), where nobody answers; the warning comes first, and the
    // environment's proxy is not asked.
    let impostor = Impostor::start(502, "").await;
    let agent = CommandLine::new()
        .env("COUNTERSIGN_TOKEN", "x")
        .env("http_proxy", impostor.origin());
    let mut running = agent.start(&["token", "list", "--url", "http://192.0.2.1"]);
    let warning = running.first_words().await;
    assert!(warning.contains("is not encrypted"), "{warning}");
    drop(running);
    assert!(impostor.heard().is_empty(), "{:?}", impostor.heard());
}
