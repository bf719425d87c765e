//! A change of policies, as an operator weighs it: what becomes live, and the list of what that changes.

use countersign_core::approval::Approval;
use countersign_core::verb::Verb;
use serde_json::Value;

use super::asked::{Field, Shown, argument};
use crate::reviews::{self, ReviewView};

/// So much of a digest tells two components apart for the eye.
const DIGEST: usize = 12;

/// The list, where the approval is for other policies.
pub fn review(approval: &Approval) -> Option<ReviewView> {
    match approval.verb {
        Verb::PolicyActivate => ReviewView::of(argument(approval, "review")?),
        _ => None,
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
            fields.push(literal(label, reviews::module(module, DIGEST)));
            let settings = reviews::settings(module).into_iter();
            let name = module["name"].as_str().unwrap_or_default();
            fields.extend(settings.map(|(key, value)| literal(&format!("{name}: {key}"), value)));
        }
    }
    fields
}
