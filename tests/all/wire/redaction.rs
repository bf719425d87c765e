//! Values give way to placeholders, each only after it was shown to be what the placeholder says. Equal
//! values have the same placeholder, so that what belongs together shows.

use std::collections::{BTreeMap, HashSet};

use super::volatile::{Kind, Piece, instant, pieces, token, uuid, uuid_5};

/// What an instant may lie ahead of another one that the story tells, and what it is called then.
const LIVES: [(&str, i64); 4] = [("1h", 3_600), ("15m", 900), ("10m", 600), ("60s", 60)];
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;

/// What is to be hidden, of one story.
#[derive(Debug, Default)]
pub struct Redaction {
    /// Microseconds since the Unix epoch: when the story began and ended.
    pub told: (i64, i64),
    /// What the test knows by itself, with its placeholders.
    pub given: BTreeMap<String, String>,
    /// All that was found in the answers, in its order.
    pub found: Vec<(Kind, String)>,
    numbers: BTreeMap<String, usize>,
    counts: BTreeMap<&'static str, usize>,
    requests: HashSet<String>,
}

impl Redaction {
    /// Of a story that began and ended then.
    pub fn of(told: (i64, i64)) -> Self {
        Self {
            told,
            ..Self::default()
        }
    }

    /// Takes note of what `text` holds, so that what refers to it is known for it.
    pub fn find(&mut self, text: &str) {
        for piece in pieces(text) {
            if let Piece::Volatile(kind, value) = piece {
                self.found.push((kind, value.to_owned()));
            }
        }
    }

    /// `text` without what is volatile; else what is wrong with it.
    pub fn hide(&mut self, text: &str) -> Result<String, String> {
        let mut rest = text;
        let mut hidden = String::new();
        while let Some((at, known)) = self.next_given(rest) {
            let (before, found) = rest.split_at(at);
            hidden += &self.hide_volatile(before)?;
            hidden += &self.given[&known];
            rest = &found[known.len()..];
        }
        hidden += &self.hide_volatile(rest)?;
        Ok(hidden)
    }

    fn next_given(&self, text: &str) -> Option<(usize, String)> {
        let places = self
            .given
            .keys()
            .filter_map(|known| Some((text.find(known.as_str())?, known)));
        let first = places.min_by_key(|(at, known)| (*at, usize::MAX - known.len()));
        first.map(|(at, known)| (at, known.clone()))
    }

    fn hide_volatile(&mut self, text: &str) -> Result<String, String> {
        let mut hidden = String::new();
        for piece in pieces(text) {
            match piece {
                Piece::Plain(plain) => hidden += plain,
                Piece::Volatile(kind, value) => {
                    let shown = self.shown(kind, value);
                    hidden += &shown.map_err(|why| format!("`{value}` {why}"))?;
                }
            }
        }
        Ok(hidden)
    }

    fn shown(&mut self, kind: Kind, value: &str) -> Result<String, String> {
        match kind {
            Kind::Id => self.id(value),
            Kind::Instant => {
                let at = instant(value)?;
                self.instant(at)
            }
            Kind::Token => {
                token(value)?;
                Ok(self.numbered("token", value))
            }
            Kind::Prefix => self.prefix(value),
            Kind::Hex => self.hex(value),
        }
    }

    /// Of version 7, made while the story was told; or the approval anchor that an organisation has by
    /// itself, and then the story tells of which.
    fn id(&mut self, value: &str) -> Result<String, String> {
        let (from, to) = (self.told.0 / 1_000, self.told.1 / 1_000);
        match uuid(value)? {
            ('7', millis) if (from..=to).contains(&millis) => Ok(self.numbered("id", value)),
            ('7', _) => Err("was not made while the story was told".to_owned()),
            ('5', _) => {
                let mut ids = self.found.iter().filter(|(kind, _)| *kind == Kind::Id);
                ids.any(|(_, id)| {
                    uuid(id).is_ok() && uuid_5(id, "molecule-platform-agent") == value
                })
                .then(|| "<anchor>".to_owned())
                .ok_or_else(|| {
                    "is the anchor of no organisation that the story tells of".to_owned()
                })
            }
            (version, _) => Err(format!(
                "is a UUID of version {version}, which is not made here"
            )),
        }
    }

    /// One that a life ends at, which began at an instant that the story tells; or one of the time of the
    /// story; or the end of a life of which the story does not tell when it began, but it began within it.
    fn instant(&mut self, at: i64) -> Result<String, String> {
        let (from, to) = self.told;
        let told: HashSet<i64> = self.instants().filter(|at| *at >= from).collect();
        for (name, seconds) in LIVES {
            let begun = at - seconds * SECOND;
            if told.contains(&begun) {
                let begun = self.numbered("at", &begun.to_string());
                return Ok(begun.replace('>', &format!("+{name}>")));
            }
        }
        if (from..=to).contains(&at) {
            return Ok(self.numbered("at", &at.to_string()));
        }
        let began = |seconds: i64| (from..=to).contains(&(at - seconds * SECOND));
        if let Some((name, _)) = LIVES.into_iter().find(|(_, seconds)| began(*seconds)) {
            return Ok(format!("<at+{name}>"));
        }
        if at % HOUR == 0 && (from - HOUR..=to).contains(&at) {
            return Ok("<hour>".to_owned());
        }
        Err("is neither of the time of the story nor the end of a life that began in it".to_owned())
    }

    /// When something was last used, of which not each use is written down at once.
    pub fn lately(&self, text: &str) -> Result<String, String> {
        let at = instant(text).map_err(|why| format!("`{text}` {why}"))?;
        match (self.told.0..=self.told.1).contains(&at) {
            true => Ok("<lately>".to_owned()),
            false => Err(format!("`{text}` is not of the time of the story")),
        }
    }

    /// Of three instants at least one is no whole millisecond, or they are written as such.
    pub fn is_in_microseconds(&self) -> Result<(), String> {
        let told: HashSet<i64> = self.instants().filter(|at| *at >= self.told.0).collect();
        match told.len() >= 3 && told.iter().all(|at| at % 1_000 == 0) {
            true => Err(format!("{} instants are of whole milliseconds", told.len())),
            false => Ok(()),
        }
    }

    fn instants(&self) -> impl Iterator<Item = i64> {
        let instants = self.found.iter().filter(|(kind, _)| *kind == Kind::Instant);
        instants.filter_map(|(_, text)| instant(text).ok())
    }

    /// Microseconds that something took, within the time of the story.
    pub fn took(&self, micros: Option<i64>) -> Result<String, String> {
        match micros.filter(|micros| (0..=self.told.1 - self.told.0).contains(micros)) {
            Some(_) => Ok("<µs>".to_owned()),
            None => Err(format!("{micros:?} µs are longer than the story")),
        }
    }

    /// Milliseconds since the Unix epoch, of the time of the story.
    pub fn millis(&mut self, millis: i64) -> Result<String, String> {
        let (from, to) = (self.told.0 / 1_000, self.told.1 / 1_000);
        match (from..=to).contains(&millis) {
            true => Ok("<ms>".to_owned()),
            false => Err(format!(
                "`{millis}` is not of the time of the story, in milliseconds"
            )),
        }
    }

    /// The beginning of a token that the story shows.
    fn prefix(&mut self, value: &str) -> Result<String, String> {
        let mut tokens = self.found.iter().filter(|(kind, _)| *kind == Kind::Token);
        let token = tokens.find(|(_, token)| token.starts_with(value));
        let (_, token) = token.ok_or("is the prefix of no token that the story shows")?;
        let token = token.clone();
        let numbered = self.numbered("token", &token);
        Ok(numbered.replace("<token", "<prefix of token"))
    }

    fn hex(&mut self, value: &str) -> Result<String, String> {
        let is_lower = !value.contains(|c: char| c.is_ascii_uppercase());
        match value.len() {
            64 if is_lower => Ok(self.numbered("sha256", value)),
            12 if is_lower => Ok(self.numbered("fingerprint", value)),
            length => Err(format!(
                "is of {length} hex digits, as nothing is that is shown"
            )),
        }
    }

    fn numbered(&mut self, kind: &'static str, value: &str) -> String {
        let key = format!("{kind} {value}");
        let number = match self.numbers.get(&key) {
            Some(number) => *number,
            None => {
                let count = self.counts.entry(kind).or_default();
                *count += 1;
                self.numbers.insert(key, *count);
                *count
            }
        };
        format!("<{kind}:{number}>")
    }

    /// A header of an answer whose JSON has `code`, and `limit` is how many requests a minute it says there
    /// are.
    pub fn header(
        &mut self,
        (name, value): (&str, &str),
        code: &str,
        limit: &str,
    ) -> Result<String, String> {
        let number = || {
            value
                .parse::<u64>()
                .map_err(|_| format!("`{value}` is no whole number"))
        };
        let at_most = |most: u64, shown: &str| match number()? {
            number if number <= most => Ok(shown.to_owned()),
            _ => Err(format!("`{value}` is more than {most}")),
        };
        match name {
            "x-request-id" => {
                let is_one =
                    value.len() == 16 && value.chars().all(|c| "0123456789abcdef".contains(c));
                match is_one && self.requests.insert(value.to_owned()) {
                    true => Ok("<request id>".to_owned()),
                    false => Err(format!(
                        "`{value}` is not of 16 hex digits, or another answer's"
                    )),
                }
            }
            "x-ratelimit-remaining" => {
                let limit: u64 = limit
                    .parse()
                    .map_err(|_| format!("`{limit}` is no limit"))?;
                at_most(limit, "<count>")
            }
            "x-ratelimit-reset" => at_most(60, "<seconds>"),
            "retry-after" => match code {
                "rate_limited" => at_most(60, "<seconds>"),
                "too_many_mints" => at_most(3_600, "<seconds>"),
                _ => number().map(|number| number.to_string()),
            },
            _ => self.hide(value),
        }
    }

    /// What the member at the end of `path` must be, whole: its name promises it.
    pub fn keeps(path: &str, shown: &str) -> Result<(), String> {
        let name = path.rsplit(": ").next().unwrap_or_default();
        if path.ends_with("resource: id") || path.ends_with("entity: id") {
            // A secret's is its scope and key, and the admin token has none.
            return Ok(());
        }
        let promised: &[&str] = match name {
            _ if name.ends_with("_at") || name.ends_with("_until") => &["<at", "<the end"],
            "at" | "hour" | "id" | "approval_id" | "decision_id" | "workspace_id" => &["<"],
            "digest" | "hash" | "previous" => &["<"],
            "auth_token" => &["<token:"],
            "prefix" => &["<prefix of token:"],
            _ => return Ok(()),
        };
        let begins = promised.iter().any(|promised| shown.starts_with(promised));
        let is_whole = begins && shown.find('>') == Some(shown.len() - 1);
        match is_whole {
            true => Ok(()),
            false => Err(format!("`{shown}` is not what `{name}` promises")),
        }
    }
}
