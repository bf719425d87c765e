//! For a spreadsheet: a line for each row, or for each folded one.

use countersign_core::exhaustive::Row;
use countersign_lab::answers::Seen;
use countersign_lab::words;

use super::View;
use crate::policy_commands::escaped::csv;

const HEADER: &str = "verb,credential,role,when,class,verdict,rule,takes\n";

pub fn render(view: &View<'_>, folded: bool) -> String {
    let mut text = HEADER.to_owned();
    if !folded {
        for (row, answered) in view.answers.iter() {
            text += &line(&of_row(row), &Seen::of(answered));
        }
        return text;
    }
    for group in view.folded.groups() {
        for one in &group.lines {
            let who = [
                words::verbs(&group.verbs),
                words::credentials(&one.block.credentials),
                words::roles(&one.block.roles),
                words::conditions(&one.block.conditions),
            ];
            text += &line(&who, &one.answer);
        }
    }
    text
}

fn of_row(row: &Row) -> [String; 4] {
    [
        row.verb.to_string(),
        row.credential.to_string(),
        row.role.to_string(),
        row.flags.join(", "),
    ]
}

fn line(who: &[String; 4], seen: &Seen) -> String {
    let takes = seen.outcome.takes().map(words::takes).unwrap_or_default();
    let answer = [
        seen.class.map_or("", |class| class.as_str()),
        seen.outcome.word(),
        seen.outcome.rule(),
        &takes,
    ];
    let cells = who.iter().map(String::as_str).chain(answer);
    let cells: Vec<_> = cells.map(csv).collect();
    cells.join(",") + "\n"
}
