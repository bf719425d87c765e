//! For a spreadsheet: a line for each folded row.

use countersign_lab::words;

use super::{View, classes, said};
use crate::policy_commands::escaped::csv;

pub fn render(view: &View) -> String {
    let mut text = "change,verb,credential,role,when,class,before,after\n".to_owned();
    for declared in &view.changes.declared {
        let side = |side: &Option<String>| side.clone().unwrap_or_default();
        let (before, after) = (side(&declared.before), side(&declared.after));
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
            let verbs: Vec<_> = group.verbs.iter().map(|verb| verb.as_str()).collect();
            for line in &group.lines {
                let cells = [
                    change,
                    &verbs.join(", "),
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
