//! What a change of policies would change, in words: for a page and for a terminal alike.

use countersign_core::review::{Broken, Item, Looked, Review, Said};
use countersign_lab::answers::Takes;
use countersign_lab::words;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::console::Moment;

/// What a list without a surprise is worth; whoever reads one is told.
pub const NO_PROOF: &str = "A list like this is evidence and no proof: what nobody asked may be answered otherwise as well.";

/// Who accepts what an operator asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedBy {
    /// Whoever asked: there is no other operator.
    You,
    /// Somebody else.
    AnotherOperator,
}

/// The list, in words. They hold texts of modules and callers: a terminal needs them made fit.
pub struct ReviewView {
    /// What it comes to.
    pub sentence: String,
    /// What it rests on.
    pub rests_on: String,
    /// What lets more happen.
    pub loosens: Vec<ItemView>,
    /// What lets less happen.
    pub tightens: Vec<ItemView>,
    /// Laws that are broken.
    pub broken: Vec<Broken>,
}

/// One line of it.
pub struct ItemView {
    /// `gate → allow`.
    pub step: String,
    pub before: String,
    pub after: String,
    /// How many questions show it.
    pub counts: String,
    pub phrases: Vec<String>,
    pub case: Option<String>,
    pub decision: Option<DecisionView>,
}

/// A recorded decision that shows it.
pub struct DecisionView {
    pub id: String,
    pub actor: String,
    pub words: String,
}

impl ReviewView {
    /// Of a list in JSON, as an approval has it; none where it is not understood.
    pub fn of(review: &Value) -> Option<Self> {
        let review: Review = serde_json::from_value(review.clone()).ok()?;
        Some(Self {
            sentence: review.sentence(),
            rests_on: rests_on(&review.looked),
            loosens: review.loosens.iter().map(ItemView::of).collect(),
            tightens: review.tightens.iter().map(ItemView::of).collect(),
            broken: review.broken,
        })
    }
}

impl ItemView {
    fn of(item: &Item) -> Self {
        let parts = [
            (item.rows, ["row of the table", "rows of the table"]),
            (
                item.searched,
                ["question of the search", "questions of the search"],
            ),
            (item.recorded, ["recorded decision", "recorded decisions"]),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, one)| counted(count, one))
            .collect();
        Self {
            step: format!("{} → {}", item.before.effect, item.after.effect),
            before: said(&item.before),
            after: said(&item.after),
            counts: parts.join(" · "),
            phrases: item.phrases.clone(),
            case: item.case.clone(),
            decision: item.decision.as_ref().map(|shown| DecisionView {
                id: shown.id.to_string(),
                actor: shown.actor.clone(),
                words: format!(
                    "{} of {} at {}",
                    shown.verb,
                    shown.resource,
                    Moment::new(shown.at, shown.at).exact
                ),
            }),
        }
    }
}

/// `gate by agents-need-a-person of baseline, for an agent: 1 person; 15 min to use it`.
fn said(said: &Said) -> String {
    let article = match said.class.as_str() {
        class if class.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {class} caller"),
        class => format!("a {class} caller"),
    };
    let takes = said.takes.as_ref().map(|takes| {
        let takes = Takes {
            quorums: takes.quorums.clone(),
            pending_ttl: takes.pending_ttl,
            grant_ttl: takes.grant_ttl,
        };
        format!(": {}", words::takes(&takes))
    });
    format!(
        "{} by {} of {}, for {article}{}",
        said.effect,
        said.rule,
        said.policy,
        takes.unwrap_or_default()
    )
}

fn rests_on(looked: &Looked) -> String {
    let mut text = format!(
        "Both sets were asked {}, {} and {}.",
        counted(
            looked.rows,
            [
                "row of the exhaustive table",
                "rows of the exhaustive table"
            ]
        ),
        counted(
            looked.searched,
            [
                "question of a directed search",
                "questions of a directed search"
            ]
        ),
        counted(looked.recorded, ["recorded decision", "recorded decisions"]),
    );
    if looked.unasked > 0 {
        text.push_str(&format!(
            " {} more could not be asked again: what a policy asks to be counted was not counted then.",
            looked.unasked
        ));
    }
    if looked.cut_short {
        text.push_str(" The search was cut short: it ran out of time.");
    }
    if looked.reworded > 0 {
        text.push_str(&format!(
            " {} the same in other words.",
            counted(looked.reworded, ["question comes to", "questions come to"])
        ));
    }
    text
}

/// `1 row of the table`, `3 rows of the table`.
fn counted(count: u64, [one, more]: [&str; 2]) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {more}"),
    }
}

/// A module that would decide, with so much of its digest: `freeze@1.0.0 (9f86d081884c)`.
pub fn module(module: &Value, digest_length: usize) -> String {
    let text = |name: &str| module[name].as_str().unwrap_or_default();
    let digest = text("digest");
    format!(
        "{}@{} ({})",
        text("name"),
        text("version"),
        digest.get(..digest_length).unwrap_or(digest)
    )
}

/// How it is set, by name.
pub fn settings(module: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or(value.to_string(), str::to_owned);
    let settings = module["settings"].as_object();
    let one = |(name, values): (&String, &Value)| {
        let values: Vec<String> = values.as_array().into_iter().flatten().map(text).collect();
        let values = match values.is_empty() {
            true => "empty".to_owned(),
            false => values.join(", "),
        };
        (name.clone(), values)
    };
    settings.into_iter().flatten().map(one).collect()
}
