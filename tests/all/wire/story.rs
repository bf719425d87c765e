//! What one host answers, one request after another, written down.

use std::fmt::Write as _;

use countersign_tests::{Event, Host, Reply, Stream};
use reqwest::header::{HeaderMap, HeaderValue};
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
    ahead: i64,
    given: Vec<(String, String)>,
    shapes: Vec<Shape>,
}

impl Story {
    /// Of this host, which was not yet started at `from`.
    pub fn begin(name: &'static str, from: i64, host: &Host) -> Self {
        let mut story = Self {
            name,
            from,
            ahead: 0,
            given: Vec::new(),
            shapes: Vec::new(),
        };
        story.goes_on_at(host);
        story.knows(NOBODYS_ID, "<nobody's id>");
        story.knows(&"0".repeat(64), "<64 zeros>");
        story.knows("2100-01-01T00:00:00Z", "<the end asked for>");
        for user in ["ann", "bob"] {
            let label = &sha256(format!("control-plane\0{user}"))[..16];
            story.knows(&format!("session:{label}"), &format!("<session of {user}>"));
        }
        story
    }

    /// The host was started again, perhaps elsewhere.
    pub fn goes_on_at(&mut self, host: &Host) {
        self.knows(host.origin(), "<origin>");
        self.knows(host.authority(), "<authority>");
    }

    /// The host's clock goes so many seconds ahead of this test's.
    pub fn goes_ahead(&mut self, seconds: i64) {
        self.ahead = seconds * 1_000_000;
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
        let line = format!("{} → {}", reply.what(), reply.status);
        let body = match is_json {
            true => reply.json.clone(),
            false => reply.page().into(),
        };
        self.push(name, &line, &reply.headers, body);
        reply
    }

    /// The host began to tell, with these headers.
    pub fn stream(&mut self, name: &str, stream: &Stream) {
        self.push(name, "event stream → 200", &stream.headers, Value::Null);
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

    fn push(&mut self, name: &str, line: &str, headers: &HeaderMap, body: Value) {
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str()))
            .collect();
        headers.sort();
        self.shapes.push(Shape {
            name: name.to_owned(),
            line: line.to_owned(),
            headers,
            body,
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
        let mut redaction = self.redaction();
        if let Err(why) = redaction.is_in_microseconds() {
            panic!("{}: {why}", self.name);
        }
        let usual = self.usual_headers();
        let mut text = String::from("Every answer, but where another value is shown with it:\n");
        write_headers(&mut text, &usual);
        for shape in &self.shapes {
            let line = redaction.hide(&shape.line);
            let line = line.unwrap_or_else(|why| panic!("{}: {why}", shape.name));
            let _ = write!(text, "\n## {}\n{line}\n", shape.name);
            let (shown, is_answer) = (headers(&mut redaction, shape), !shape.headers.is_empty());
            let others = shown.iter().filter(|header| !usual.contains(header));
            write_headers(&mut text, others);
            let is_there = |name: &String| shown.iter().any(|(shown, _)| shown == name);
            for (name, _) in usual
                .iter()
                .filter(|(name, _)| is_answer && !is_there(name))
            {
                let _ = writeln!(text, "{name} is not there");
            }
            let mut body = shape.body.clone();
            hide(&mut redaction, &shape.name, &mut body);
            text += &match &body {
                Value::Null => "…".to_owned(),
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

    fn redaction(&self) -> Redaction {
        let mut redaction = Redaction::of((self.from, now() + self.ahead));
        redaction.given.extend(self.given.iter().cloned());
        for shape in &self.shapes {
            redaction.find(&shape.line);
            for (_, value) in &shape.headers {
                redaction.find(value);
            }
            redaction.find(&shape.body.to_string());
        }
        redaction
    }

    /// Those that every answer has, as the first one in JSON has them.
    #[track_caller]
    fn usual_headers(&self) -> Vec<(String, String)> {
        let is_json = |shape: &&Shape| !shape.headers.is_empty() && !shape.body.is_null();
        let first = self.shapes.iter().find(is_json).expect("an answer");
        let mut usual = headers(&mut self.redaction(), first);
        usual.retain(|(name, _)| OF_EVERY_ANSWER.contains(&name.as_str()));
        usual
    }
}

fn write_headers<'a>(text: &mut String, headers: impl IntoIterator<Item = &'a (String, String)>) {
    for (name, value) in headers {
        let _ = writeln!(text, "{name}: {value}");
    }
}

#[track_caller]
fn headers(redaction: &mut Redaction, shape: &Shape) -> Vec<(String, String)> {
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
        // The first use is written at once, and later ones soon.
        Value::String(used) if path.ends_with(": last_used_at") => {
            let at = redaction.lately(used);
            *value = at.unwrap_or_else(|why| panic!("{path}: {why}")).into();
        }
        Value::String(text) => {
            let hidden = redaction.hide(text);
            let hidden = hidden.and_then(|hidden| Redaction::keeps(path, &hidden).map(|()| hidden));
            *text = hidden.unwrap_or_else(|why| panic!("{path}: {why}"));
        }
        Value::Number(uses) if path.ends_with(": uses_24h") && uses.as_u64() > Some(0) => {
            *value = "<one or more>".into();
        }
        // How long it took is the machine's business, but no longer than the whole story.
        Value::Number(took) if path.ends_with(": duration_us") => {
            let shown = redaction.took(took.as_i64());
            *value = shown.unwrap_or_else(|why| panic!("{path}: {why}")).into();
        }
        // How soon is the machine's business.
        Value::Bool(_) if path.ends_with(": live") => *value = "<by now or not>".into(),
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
