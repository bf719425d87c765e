//! What one host answers, one request after another, written down.

use std::fmt::Write as _;

use countersign_tests::{Event, Host, Reply};
use serde_json::Value;

use super::NOBODYS_ID;
use super::layout::laid_out;
use super::redaction::Redaction;
use super::volatile::{Piece, pieces, sha256};

/// Headers that say how an answer is sent, and not what it is.
const OF_THE_CONNECTION: [&str; 4] = ["date", "content-length", "connection", "transfer-encoding"];
/// Headers that every answer has, shown once where they are the same.
const OF_EVERY_ANSWER: [&str; 12] = [
    "cache-control",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "referrer-policy",
    "x-content-type-options",
    "x-frame-options",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
];

struct Shape {
    name: String,
    line: String,
    /// Sorted by name.
    headers: Vec<(String, String)>,
    body: Value,
}

/// A story, and the snapshot of its name.
pub struct Story {
    name: &'static str,
    from: i64,
    given: Vec<(String, String)>,
    shapes: Vec<Shape>,
}

impl Story {
    /// Of this host, which was not yet started at `from`.
    pub fn begin(name: &'static str, from: i64, host: &Host) -> Self {
        let mut story = Self {
            name,
            from,
            given: Vec::new(),
            shapes: Vec::new(),
        };
        story.knows(host.origin(), "<origin>");
        story.knows(host.authority(), "<authority>");
        story.knows(NOBODYS_ID, "<nobody's id>");
        story.knows(&"0".repeat(64), "<64 zeros>");
        story.knows("2100-01-01T00:00:00Z", "<the end asked for>");
        for user in ["ann", "bob"] {
            let label = &sha256(format!("control-plane\0{user}"))[..16];
            story.knows(&format!("session:{label}"), &format!("<session of {user}>"));
        }
        story
    }

    /// A value that the test has from elsewhere.
    pub fn knows(&mut self, value: &str, placeholder: &str) {
        self.given.push((value.to_owned(), placeholder.to_owned()));
    }

    /// The host answered `reply`.
    #[track_caller]
    pub fn shape(&mut self, name: &str, reply: Reply) -> Reply {
        let is_json = reply.header("content-type") == Some("application/json");
        if is_json {
            // Members sorted, none of them twice, and nothing behind the end.
            assert_eq!(reply.page(), reply.json.to_string(), "{name}");
        }
        let mut headers: Vec<_> = reply
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()))
            .collect();
        headers.sort();
        self.shapes.push(Shape {
            name: name.to_owned(),
            line: format!("{} → {}", reply.what(), reply.status),
            headers,
            body: if is_json {
                reply.json.clone()
            } else {
                reply.page().into()
            },
        });
        reply
    }

    /// The host told `event`.
    pub fn event(&mut self, name: &str, event: &Event) {
        self.shapes.push(Shape {
            name: name.to_owned(),
            line: format!("event: {}, id: {}", event.name, event.id),
            headers: Vec::new(),
            body: event.data.clone(),
        });
    }

    /// Compares the whole story with its snapshot.
    #[track_caller]
    pub fn end(self) {
        let told = self.told();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(self.name, told);
        });
    }

    #[track_caller]
    fn told(&self) -> String {
        let mut redaction = Redaction::of((self.from, now()));
        redaction.given.extend(self.given.iter().cloned());
        for shape in &self.shapes {
            redaction.find(&shape.line);
            shape
                .headers
                .iter()
                .for_each(|(_, value)| redaction.find(value));
            redaction.find(&shape.body.to_string());
        }
        let mut text = String::from("Every answer, but where another value is shown with it:\n");
        let usual: Vec<(String, String)> =
            match self.shapes.iter().find(|shape| !shape.headers.is_empty()) {
                Some(first) => shown_headers(&mut redaction, first),
                None => Vec::new(),
            };
        let usual: Vec<_> = usual
            .into_iter()
            .filter(|(name, _)| OF_EVERY_ANSWER.contains(&name.as_str()))
            .collect();
        for (name, value) in &usual {
            let _ = writeln!(text, "{name}: {value}");
        }
        // Whose id was seen first is numbered first: what is above is seen again.
        redaction = redaction.again();
        for shape in &self.shapes {
            let line = redaction.hide(&shape.line);
            let line = line.unwrap_or_else(|why| panic!("{}: {why}", shape.name));
            let _ = write!(text, "\n## {}\n{line}\n", shape.name);
            if !shape.headers.is_empty() {
                let shown = shown_headers(&mut redaction, shape);
                for (name, value) in shown.iter().filter(|header| !usual.contains(header)) {
                    let _ = writeln!(text, "{name}: {value}");
                }
                for (name, _) in usual
                    .iter()
                    .filter(|(name, _)| shown.iter().all(|(n, _)| n != name))
                {
                    let _ = writeln!(text, "{name} is not there");
                }
            }
            let mut body = shape.body.clone();
            hide(&mut redaction, &shape.name, &mut body);
            text += &match &body {
                Value::String(page) => page.clone(),
                body => laid_out(body),
            };
            text.push('\n');
        }
        for piece in pieces(&text) {
            assert!(matches!(piece, Piece::Plain(_)), "{piece:?} is not hidden");
        }
        text
    }
}

#[track_caller]
fn shown_headers(redaction: &mut Redaction, shape: &Shape) -> Vec<(String, String)> {
    let code = shape.body["code"].as_str().unwrap_or_default();
    let limit = shape
        .headers
        .iter()
        .find(|(name, _)| name == "x-ratelimit-limit");
    let limit = limit.map_or("", |(_, value)| value.as_str());
    let headers = shape.headers.iter().map(|(name, value)| {
        let shown = redaction.header((name, value), code, limit);
        let shown = shown.unwrap_or_else(|why| panic!("{}: {name}: {why}", shape.name));
        (name.clone(), shown)
    });
    headers.collect()
}

/// Hides what is volatile in `value`, at `path`.
#[track_caller]
fn hide(redaction: &mut Redaction, path: &str, value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Err(why) = is_digest_of(members.get("payload"), members.get("digest")) {
                panic!("{path}: {why}");
            }
            for (name, member) in members {
                hide(redaction, &format!("{path}: {name}"), member);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                hide(redaction, &format!("{path}[{at}]"), item);
            }
        }
        Value::String(text) => {
            let hidden = redaction.hide(text);
            let hidden = hidden.and_then(|hidden| Redaction::keeps(path, &hidden).map(|()| hidden));
            *text = hidden.unwrap_or_else(|why| panic!("{path}: {why}"));
        }
        Value::Number(number)
            if number
                .as_i64()
                .is_some_and(|number| number >= 1_000_000_000) =>
        {
            let millis = redaction.millis(number.as_i64().unwrap_or_default());
            *value = millis.unwrap_or_else(|why| panic!("{path}: {why}")).into();
        }
        _ => {}
    }
}

/// The digest of what is asked is that of its canonical form (RFC 8785; for ASCII names and small whole
/// numbers that is JSON without white space, its members sorted). What is masked cannot be computed again.
pub fn is_digest_of(payload: Option<&Value>, digest: Option<&Value>) -> Result<(), String> {
    let (Some(payload), Some(digest)) = (payload, digest) else {
        return Ok(());
    };
    let canonical = payload.to_string();
    if canonical.contains("\"fingerprint\"") || *digest == sha256(&canonical) {
        return Ok(());
    }
    Err(format!("{digest} is not the digest of {canonical}"))
}

/// Microseconds since the Unix epoch.
#[expect(
    clippy::disallowed_methods,
    reason = "the host's instants are held against a clock that is not the host's"
)]
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let micros = since.expect("it is after 1970").as_micros();
    i64::try_from(micros).expect("it is long before the year 292 thousand")
}
