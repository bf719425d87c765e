//! A change of policies, as an operator weighs it: what becomes live, and the list of what that changes.

use countersign_core::approval::Approval;
use countersign_core::review::{Broken, Item, Looked, Review, Said};
use countersign_core::verb::Verb;
use countersign_lab::answers::Takes;
use countersign_lab::words;
use serde_json::Value;

use super::asked::{Field, Shown, argument};

/// So much of a digest tells two components apart for the eye.
const DIGEST: usize = 12;

/// The list, in words.
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
    /// Of what an approval is for, where that is other policies.
    pub fn of(approval: &Approval) -> Option<Self> {
        if approval.verb != Verb::PolicyActivate {
            return None;
        }
        let review: Review = serde_json::from_value(argument(approval, "review")?.clone()).ok()?;
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
                words: format!("{} of {} at {}", shown.verb, shown.resource, shown.at),
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
        counted(looked.rows, ["row", "rows of the exhaustive table"]),
        counted(
            looked.searched,
            ["question", "questions of a directed search"]
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

/// What becomes live: the change in one line, and each module with its settings.
pub fn fields(approval: &Approval) -> Vec<Field> {
    let literal = |label: &str, text: String| Field {
        label: label.to_owned(),
        value: Shown::Literal(text),
        is_claim: false,
    };
    let summary = argument(approval, "summary").and_then(Value::as_str);
    let mut fields: Vec<Field> = summary
        .map(|summary| literal("What changes", summary.to_owned()))
        .into_iter()
        .collect();
    if let Some(follows) = argument(approval, "follows") {
        fields.push(literal("In place of generation", follows.to_string()));
    }
    for (member, label) in [("modules", "Will decide"), ("shadow", "In shadow")] {
        let modules = argument(approval, member).and_then(Value::as_array);
        for module in modules.into_iter().flatten() {
            fields.push(literal(label, shown(module)));
        }
    }
    fields
}

fn shown(module: &Value) -> String {
    let text = |name: &str| module[name].as_str().unwrap_or_default();
    let digest = text("digest");
    let settings = module["settings"].as_object();
    let settings: Vec<String> = settings
        .into_iter()
        .flatten()
        .filter_map(|(name, values)| {
            let values = values.as_array()?.iter().filter_map(Value::as_str);
            Some(format!(
                "{name} = {}",
                values.collect::<Vec<_>>().join(", ")
            ))
        })
        .collect();
    let mut shown = format!(
        "{}@{} ({})",
        text("name"),
        text("version"),
        digest.get(..DIGEST).unwrap_or(digest)
    );
    if !settings.is_empty() {
        shown.push_str(&format!("; {}", settings.join("; ")));
    }
    shown
}
