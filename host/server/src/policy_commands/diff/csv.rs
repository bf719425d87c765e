//! For a spreadsheet: a line for each folded row.

use countersign_lab::words;

use super::{View, classes, said};
use crate::policy_commands::escaped::csv;

pub fn render(view: &View) -> String {
    let mut text = "change,verb,credential,role,when,class,before,after\n".to_owned();
    for declared in &view.changes.declared {
        let [before, after] = declared.sides().map(Option::unwrap_or_default);
        let cells = ["declared", &declared.what, "", "", "", "", &before, &after];
        text += &(cells.map(csv).join(",") + "\n");
    }
    for changed in &view.changes.answered {
        let change = match changed.change {
            countersign_core::strictness::Change::Looser => "looser",
            countersign_core::strictness::Change::Mixed => "mixed",
            countersign_core::strictness::Change::Tighter => "tighter",
            countersign_core::strictness::Change::Same => "words",
        };
        let (before, after) = (said(&changed.before), said(&changed.after));
        for group in changed.folded.groups() {
            for line in &group.lines {
                let cells = [
                    change,
                    &words::verbs(&group.verbs),
                    &words::credentials(&line.block.credentials),
                    &words::roles(&line.block.roles),
                    &words::conditions(&line.block.conditions),
                    &classes(line.answer),
                    &before,
                    &after,
                ];
                text += &(cells.map(csv).join(",") + "\n");
            }
        }
    }
    text
}
