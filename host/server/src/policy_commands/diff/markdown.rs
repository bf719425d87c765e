//! For a pull request.

use countersign_lab::words::{self, counted};

use super::{View, classes, said, worded};
use crate::policy_commands::escaped::{code, markdown};

pub fn render(view: &View) -> String {
    let [before, after] = view.digests();
    let mut text = format!(
        "# {}\n\n{}\n\n- A: sha256 `{before}`\n- B: sha256 `{after}`\n",
        markdown(&view.title()),
        view.summary()
    );
    if !view.changes.declared.is_empty() {
        text += "\n## Declared otherwise\n\n| what | gone | new |\n|---|---|---|\n";
    }
    for declared in &view.changes.declared {
        let sides = declared
            .sides()
            .map(|side| markdown(&side.unwrap_or_default()));
        let [before, after] = sides;
        let what = markdown(&declared.what);
        text += &format!("| {what} | {before} | {after} |\n");
    }
    for (_, title, some) in view.sections() {
        text += &format!("\n## {title}\n");
        for changed in some {
            let (before, after) = (said(&changed.before), said(&changed.after));
            let rows = counted(changed.rows, "row");
            text += &match before == after {
                true => format!("\n### {} · {rows}\n\n", markdown(&after)),
                false => format!(
                    "\n### {} → {} · {rows}\n\n",
                    markdown(&before),
                    markdown(&after)
                ),
            };
            for (what, before, after) in worded(changed) {
                let (what, before, after) = (markdown(&what), markdown(&before), markdown(&after));
                text += &format!("- {what}: {before} → {after}\n");
            }
            if changed.before.words.is_some() {
                text.push('\n');
            }
            text += "| verbs | credential | role | when | class |\n|---|---|---|---|---|\n";
            for group in changed.folded.groups() {
                let verbs = code(&words::verbs(&group.verbs));
                for line in &group.lines {
                    text += &format!(
                        "| {} | {} | {} | {} | {} |\n",
                        verbs,
                        words::credentials(&line.block.credentials),
                        words::roles(&line.block.roles),
                        words::conditions(&line.block.conditions),
                        classes(line.answer)
                    );
                }
            }
        }
    }
    text.push('\n');
    for sentence in view.compared() {
        text += &format!("{sentence}\n");
    }
    text
}
