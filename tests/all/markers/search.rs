//! What was answered and written, and the search in it.

use std::collections::{BTreeSet, HashMap};
use std::fs;

use countersign_tests::{Caller, Host, Reply};
use serde_json::{Value, json};

use super::NAME;

/// All that was answered.
#[derive(Default)]
pub struct Heard(Vec<(String, Vec<u8>)>);

impl Heard {
    pub fn hear(&mut self, reply: Reply) -> Reply {
        let mut bytes = format!("{:?}\n", reply.headers).into_bytes();
        bytes.extend(&reply.body);
        self.0.push((reply.to_string(), bytes));
        reply
    }

    pub async fn get(&mut self, caller: &Caller, path: &str) -> Reply {
        let reply = caller.get(path).await;
        self.hear(reply)
    }

    pub async fn post(&mut self, caller: &Caller, path: &str, body: Value) -> Reply {
        let reply = caller.post(path, body).await;
        self.hear(reply)
    }

    pub async fn write(&mut self, caller: &Caller, path: &str, key: &str, value: &str) -> Reply {
        let body = json!({ "key": key, "value": value });
        self.post(caller, path, body).await
    }
}

/// A secret, and how often an answer may show it.
pub struct Marker {
    what: &'static str,
    text: String,
    shown: usize,
}

/// A secret called `what`, which so many answers show.
pub fn marker(what: &'static str, text: impl Into<String>, shown: usize) -> Marker {
    Marker {
        what,
        text: text.into(),
        shown,
    }
}

/// `text` as it may be written: as it is, in hex, and within base64 at each of its three places.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut forms = vec![text.as_bytes().to_vec(), hex.into_bytes()];
    for shift in 0..3 {
        let encoded = base64(&[&b"\0\0"[..shift], text.as_bytes()].concat());
        // The first and the last characters hold bits of what is beside it.
        let (start, end) = (shift.div_ceil(3) * 4, encoded.len() / 4 * 4 - 4);
        forms.push(encoded[start..end].to_vec());
    }
    forms
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = Vec::new();
    for three in bytes.chunks(3) {
        let word = (0..3).fold(0u32, |word, at| {
            word << 8 | u32::from(three.get(at).copied().unwrap_or(0))
        });
        encoded.extend([18, 12, 6, 0].map(|shift| DIGITS[(word >> shift) as usize & 63]));
    }
    encoded
}

/// What is searched for, by the first bytes of each form, so that one walk finds all of it.
struct Search(HashMap<[u8; START], Vec<(usize, Vec<u8>)>>);

/// Shorter than any form, and long enough to be nowhere by chance.
const START: usize = 8;

impl Search {
    fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut by_start: HashMap<_, Vec<_>> = HashMap::new();
        for (which, text) in texts.into_iter().enumerate() {
            for form in forms(text) {
                let start = form.first_chunk().expect("it could be anywhere");
                by_start.entry(*start).or_default().push((which, form));
            }
        }
        Self(by_start)
    }

    /// Which of the texts are in `bytes`, in whatever form.
    fn found_in(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for (at, start) in bytes.array_windows::<START>().enumerate() {
            for (which, form) in self.0.get(start).into_iter().flatten() {
                if bytes[at..].starts_with(form) {
                    found.insert(*which);
                }
            }
        }
        found
    }
}

/// Searches everything for every marker, and then for what is there, to show that it searches: how much.
pub fn search(host: &Host, heard: &Heard, markers: &[Marker]) -> String {
    let written = host.written();
    let bytes: usize = written.iter().map(|(_, bytes)| bytes.len()).sum();
    let answered: usize = heard.0.iter().map(|(_, bytes)| bytes.len()).sum();
    let texts = markers.iter().map(|marker| marker.text.as_str());
    let all = Search::of(texts);
    for (path, bytes) in &written {
        // But for the file in which the operator is told to look for the link.
        if !path.ends_with("data/login-link") {
            let found = all.found_in(bytes);
            let found: Vec<_> = found.iter().map(|which| markers[*which].what).collect();
            assert!(found.is_empty(), "{found:?} in {}", path.display());
        }
    }
    let mut shown: Vec<Vec<&str>> = vec![Vec::new(); markers.len()];
    for (answer, bytes) in &heard.0 {
        for which in all.found_in(bytes) {
            shown[which].push(answer);
        }
    }
    for (marker, shown) in markers.iter().zip(shown) {
        assert_eq!(shown.len(), marker.shown, "{}: {shown:#?}", marker.what);
    }

    // The search finds what is there: in the database, in the log, in answers, and what is planted.
    let stored = Search::of([NAME, "/settings/secrets"]);
    let mut found = BTreeSet::new();
    for (_, bytes) in &written {
        found.extend(stored.found_in(bytes));
    }
    assert_eq!(
        found,
        BTreeSet::from([0, 1]),
        "it finds no name, or reads no log"
    );
    let is_heard = |(_, bytes): &(String, Vec<u8>)| stored.found_in(bytes).contains(&0);
    assert!(heard.0.iter().any(is_heard), "it reads no answer");
    let planted = host.data_dir().join("planted");
    for form in forms(&markers[0].text) {
        fs::write(&planted, [b"ab".as_slice(), &form, b"yz"].concat()).expect("written");
        let found = host
            .written()
            .into_iter()
            .filter(|(path, _)| *path == planted);
        let found: Vec<_> = found.map(|(_, bytes)| all.found_in(&bytes)).collect();
        assert_eq!(found, [BTreeSet::from([0])]);
    }
    fs::remove_file(&planted).expect("it is there");
    format!(
        "markers: {} markers in 5 forms, searched for in {bytes} bytes written and {answered} bytes of {} answers",
        markers.len(),
        heard.0.len()
    )
}
