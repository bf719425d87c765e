//! For a document: a table for the verbs that are answered alike.

use countersign_lab::words;

use super::View;
use crate::policy_commands::escaped::{code, markdown};

pub fn render(view: &View<'_>) -> String {
    let proven = view.module.proven();
    let mut text = format!(
        "# What {} answers\n\n{}\n\n{}.\n",
        markdown(&proven.id().to_string()),
        markdown(&proven.manifest().description),
        view.size()
    );
    for note in view.notes() {
        text += &format!("{}\n", markdown(&note));
    }
    for group in view.folded.groups() {
        text += &format!("\n## {}\n\n", code(&words::verbs(&group.verbs)));
        text +=
            "| credential | role | when | class | verdict | rule |\n|---|---|---|---|---|---|\n";
        for line in &group.lines {
            let outcome = &line.answer.outcome;
            let mut rule = markdown(outcome.rule());
            if let Some(takes) = view.takes(outcome) {
                rule += &format!(" ({})", markdown(&words::takes(takes)));
            }
            text += &format!(
                "| {} | {} | {} | {} | **{}** | {rule} |\n",
                words::credentials(&line.block.credentials),
                words::roles(&line.block.roles),
                words::conditions(&line.block.conditions),
                line.answer.class.map_or("-", |class| class.as_str()),
                outcome.word(),
            );
        }
    }
    text
}
