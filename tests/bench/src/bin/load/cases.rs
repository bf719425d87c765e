//! What is asked again and again.

use countersign_bench::client::{CONNECTION, Shot};
use countersign_tests::Host;
use serde_json::json;

/// One kind of request.
pub struct Case {
    /// What the table calls it.
    pub name: &'static str,
    /// The request.
    pub shot: Shot,
}

/// Prepares a fresh host for all of them: a person signs in, and mints an agent its token.
pub async fn prepare(host: &Host) -> Vec<Case> {
    const MEMBER: &str = "cp_session=ann-at-her-browser";
    let person = host.session(MEMBER);
    let minted = person.post("/org/tokens", json!({ "name": "load" })).await;
    let token = minted.expect(200).text("auth_token").to_owned();
    let bearer = || vec![("authorization".to_owned(), format!("Bearer {token}"))];
    let shot = |line: &str, headers, body: serde_json::Value, status| Shot {
        line: line.to_owned(),
        headers,
        body: match body {
            serde_json::Value::Null => String::new(),
            body => body.to_string(),
        },
        status,
    };
    let member = ("cookie", MEMBER);
    let member = [member].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let browser = [("cookie", MEMBER), ("sec-fetch-site", "same-origin")];
    let browser = browser.map(|(name, value)| (name.to_owned(), value.to_owned()));
    // A key for each: writes of one key move each other's precondition, and are judged again and again.
    let key = format!("API_KEY_{CONNECTION}");
    let secret = json!({ "key": key, "value": "0123456789abcdef0123456789abcdef" });
    vec![
        // Nothing is verified, judged or recorded: the host's HTTP alone.
        Case {
            name: "health",
            shot: shot("GET /health", Vec::new(), json!(null), 200),
        },
        // An agent reads: its token is looked up, the question is judged, the decision is recorded.
        Case {
            name: "read",
            shot: shot("GET /org/tokens", bearer(), json!(null), 200),
        },
        // A person reads: the control plane said a moment ago whose session it is.
        Case {
            name: "session",
            shot: shot("GET /org/tokens", member.to_vec(), json!(null), 200),
        },
        // An agent asks for what is gated, and waits: the same approval each time.
        Case {
            name: "pending",
            shot: shot("POST /org/tokens", bearer(), json!({ "name": "ci" }), 202),
        },
        // A person does something: the deed, its decision and its audit entry.
        Case {
            name: "deed",
            shot: shot("POST /settings/secrets", browser.to_vec(), secret, 200),
        },
    ]
}
