//! What came of a replay.

use std::collections::BTreeMap;

use countersign_core::id::DecisionId;
use countersign_core::policy::{Properties, Property, Question, Value};
use countersign_core::strictness::Change;
use countersign_core::time::Timestamp;
use countersign_core::verdict::{Judgement, Ruling};
use serde::Serialize;

use super::Record;

/// How many groups are told apart. A module can make up rules without end, and a report has one.
const GROUPS: usize = 2_000;
/// How many reasons why something could not be asked.
const REASONS: usize = 200;
/// Where all further ones are counted.
const OTHER_REASONS: &str = "for other reasons, which are too many to be told apart";
/// How many properties of an example are shown.
const SHOWN: usize = 12;
/// How much of one value.
const SHOWN_TEXT: usize = 40;

/// What came of one record.
pub(super) enum Found {
    OfTheCore,
    Same,
    Other(Box<Judgement>),
    /// The host had no time for an answer when it decided.
    HadNoTime,
    /// This machine has none now.
    HasNoTime,
    Missing(String),
}

/// What became of all decisions that were taken.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// How many.
    pub decisions: u64,
    /// When the first and the last of them was.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Those that the core judged alone, and that no policy is asked about.
    pub by_core: u64,
    /// Those that are answered as they were, bit for bit.
    pub same: u64,
    /// Those that are answered otherwise, what loosens first.
    pub groups: Vec<Group>,
    /// Those for which the host had no time when it decided, so that there is no module's answer to compare.
    pub had_no_time: Option<Sample>,
    /// Those for which there is no time here.
    pub has_no_time: Option<Sample>,
    /// Those that cannot be asked again, by why.
    pub missing: BTreeMap<String, Sample>,
    /// Those that this version does not understand.
    pub unread: Option<Unread>,
    /// Those answered otherwise that are in none of the groups, because there are too many.
    pub beyond: u64,
}

/// Decisions that are not understood.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unread {
    /// How many.
    pub count: u64,
    /// What is wrong with the first, and where it is.
    pub example: String,
}

/// Some decisions of a kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// How many.
    pub count: u64,
    /// When the first was.
    pub first: Timestamp,
    /// When the last was.
    pub last: Timestamp,
    /// One of them.
    pub example: DecisionId,
}

/// Decisions about one verb that change from one rule to another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// What becomes of strictness.
    pub change: Change,
    /// The verb.
    pub verb: String,
    /// Effect and rule as they were recorded.
    pub before: String,
    /// Effect and rule as they would be.
    pub after: String,
    /// How many, and when; the example is the smallest question of them.
    #[serde(flatten)]
    pub sample: Sample,
    /// What the example asks, in one line.
    pub row: String,
    #[serde(skip)]
    size: usize,
}

impl Report {
    /// How many are answered otherwise.
    pub fn changed(&self) -> u64 {
        let grouped: u64 = self.groups.iter().map(|group| group.sample.count).sum();
        grouped + self.beyond
    }

    /// How many cannot be asked.
    pub fn unasked(&self) -> u64 {
        let missing: u64 = self.missing.values().map(|sample| sample.count).sum();
        missing
            + self.has_no_time.as_ref().map_or(0, |sample| sample.count)
            + self.unread.as_ref().map_or(0, |unread| unread.count)
    }

    /// Whether something lets more happen. What there was no room to look at counts.
    pub fn loosens(&self) -> bool {
        self.beyond > 0 || self.groups.iter().any(|group| group.change.loosens())
    }

    pub(super) fn note_unread(&mut self, why: String) {
        self.decisions += 1;
        let unread = self.unread.get_or_insert(Unread {
            count: 0,
            example: why,
        });
        unread.count += 1;
    }

    pub(super) fn note(&mut self, record: &Record, found: Found) {
        self.decisions += 1;
        let (first, last) = self.span.unwrap_or((record.at, record.at));
        self.span = Some((first.min(record.at), last.max(record.at)));
        match found {
            Found::OfTheCore => self.by_core += 1,
            Found::Same => self.same += 1,
            Found::Other(now) => self.note_change(record, &now),
            Found::HadNoTime => seen(&mut self.had_no_time, record),
            Found::HasNoTime => seen(&mut self.has_no_time, record),
            Found::Missing(why) => {
                let has_room = self.missing.len() < REASONS || self.missing.contains_key(&why);
                let why = if has_room {
                    why
                } else {
                    OTHER_REASONS.to_owned()
                };
                let mut sample = self.missing.remove(&why);
                seen(&mut sample, record);
                self.missing.extend(sample.map(|sample| (why, sample)));
            }
        }
    }

    fn note_change(&mut self, record: &Record, now: &Judgement) {
        let Some(question) = &record.question else {
            return;
        };
        let was = &record.judgement;
        let change = Change::between_rulings(&was.ruling, &now.ruling);
        let (before, after) = match (said(was), said(now)) {
            (before, after) if before == after => {
                let differs = difference(was, now);
                (before, format!("{after}, with {differs}"))
            }
            said => said,
        };
        let size = size(question);
        let sorted = |group: &Group| {
            let key = (group.change, &group.verb, &group.before, &group.after);
            key.cmp(&(change, &question.verb, &before, &after))
        };
        match self.groups.binary_search_by(sorted) {
            Ok(at) => {
                let group = &mut self.groups[at];
                group.sample.see(record);
                if size < group.size {
                    group.size = size;
                    group.sample.example = record.id;
                    group.row = row(question);
                }
            }
            Err(_) if self.groups.len() >= GROUPS => self.beyond += 1,
            Err(at) => self.groups.insert(
                at,
                Group {
                    change,
                    verb: question.verb.clone(),
                    before,
                    after,
                    sample: Sample::of(record),
                    row: row(question),
                    size,
                },
            ),
        }
    }
}

impl Sample {
    fn of(record: &Record) -> Self {
        Self {
            count: 1,
            first: record.at,
            last: record.at,
            example: record.id,
        }
    }

    fn see(&mut self, record: &Record) {
        self.count += 1;
        self.first = self.first.min(record.at);
        self.last = self.last.max(record.at);
    }
}

fn seen(sample: &mut Option<Sample>, record: &Record) {
    match sample {
        Some(sample) => sample.see(record),
        None => *sample = Some(Sample::of(record)),
    }
}

/// The effect, and the rule behind it.
fn said(judgement: &Judgement) -> String {
    let ruling = &judgement.ruling;
    format!("{} ({})", ruling.effect(), ruling.ground().rule)
}

/// What differs where effect and rule do not.
fn difference(was: &Judgement, now: &Judgement) -> &'static str {
    if was.class != now.class {
        return "another class of the caller";
    }
    match (&was.ruling, &now.ruling) {
        (Ruling::Gate { terms: was, .. }, Ruling::Gate { terms: now, .. })
            if (&was.quorums, was.pending_ttl, was.grant_ttl)
                != (&now.quorums, now.pending_ttl, now.grant_ttl) =>
        {
            "other terms"
        }
        (was, now) if was.ground() != now.ground() => "other words",
        (was, now) if was != now => "another module behind it",
        _ => "other modules' opinions",
    }
}

fn size(question: &Question) -> usize {
    properties(question)
        .map(|(_, property)| property.name.len() + shown(&property.value).len() + 8)
        .sum()
}

fn properties<'q>(question: &'q Question) -> impl Iterator<Item = (&'static str, &'q Property)> {
    let from = |place, properties: &'q Properties| {
        properties.iter().map(move |property| (place, property))
    };
    let arguments = from("", &question.arguments);
    let about = from("resource.", &question.resource.properties);
    let subject = from("caller.", &question.subject.properties);
    let around = from("context.", &question.context);
    arguments.chain(about).chain(subject).chain(around)
}

/// Who asks for what, with what, in one line. A key, an id or a name is somebody's text: whoever shows it takes
/// care of that.
fn row(question: &Question) -> String {
    let subject = &question.subject;
    let mut row = format!("{} {} {}", subject.credential, subject.role, question.verb);
    if question.is_self_targeted() {
        row.push_str(" self");
    }
    let all = properties(question).count();
    for (place, property) in properties(question).take(SHOWN) {
        row.push_str(&format!(
            " {place}{}={}",
            property.name,
            shown(&property.value)
        ));
    }
    if all > SHOWN {
        row.push_str(&format!(" and {} more", all - SHOWN));
    }
    row
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Text(text) | Value::Json(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Decimal(number) => number.to_string(),
        Value::Boolean(flag) => flag.to_string(),
        Value::Texts(texts) => texts.join(","),
    };
    match text.char_indices().nth(SHOWN_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
