//! For a program.

use countersign_core::strictness::Change;
use countersign_core::verdict::ModuleId;
use countersign_lab::changes::{Changed, Classes, Declared, Said};
use serde::Serialize;

use super::View;
use crate::policy_commands::matrix::BlockKey;
use crate::policy_commands::shown::json;

#[derive(Serialize)]
struct Document<'v> {
    before: &'v ModuleId,
    after: &'v ModuleId,
    summary: String,
    loosens: bool,
    rows: usize,
    compared: Vec<String>,
    declared: &'v [Declared],
    answered: Vec<Answered<'v>>,
}

#[derive(Serialize)]
struct Answered<'v> {
    change: Change,
    rows: usize,
    before: &'v Said,
    after: &'v Said,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    block: BlockKey,
    class: Classes,
}

pub fn render(view: &View) -> anyhow::Result<String> {
    json(&Document {
        before: view.before.proven().id(),
        after: view.after.proven().id(),
        summary: view.summary(),
        loosens: view.changes.loosen(),
        rows: view.changes.rows,
        compared: view.compared(),
        declared: &view.changes.declared,
        answered: view.changes.answered.iter().map(answered).collect(),
    })
}

fn answered(changed: &Changed) -> Answered<'_> {
    let groups = changed.folded.groups().iter();
    let lines = groups.flat_map(|group| {
        group.lines.iter().map(|line| Line {
            block: BlockKey::of(&group.verbs, line),
            class: line.answer,
        })
    });
    Answered {
        change: changed.change,
        rows: changed.rows,
        before: &changed.before,
        after: &changed.after,
        lines: lines.collect(),
    }
}
