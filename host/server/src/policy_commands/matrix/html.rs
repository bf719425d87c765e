//! One page, complete in itself: no script, and nothing from elsewhere.

use anyhow::Context as _;
use askama::Template;
use countersign_lab::answers::Seen;
use countersign_lab::fold::{Group, Line};
use countersign_lab::words;

use super::View;
use crate::commands::terminal::Plain;

#[derive(Template)]
#[template(path = "policy/matrix.html")]
struct Page {
    id: Plain,
    description: Plain,
    digest: String,
    notes: Vec<Plain>,
    size: String,
    groups: Vec<Verbs>,
}

struct Verbs {
    verbs: String,
    lines: Vec<Cells>,
}

struct Cells {
    credentials: String,
    roles: String,
    conditions: String,
    class: &'static str,
    verdict: &'static str,
    rule: Plain,
    takes: String,
}

pub fn render(view: &View<'_>) -> anyhow::Result<String> {
    let proven = view.module.proven();
    let page = Page {
        id: Plain::new(&proven.id().to_string()),
        description: Plain::new(&proven.manifest().description),
        digest: proven.id().digest.clone(),
        notes: view.notes().iter().map(|note| Plain::new(note)).collect(),
        size: view.size(),
        groups: view
            .folded
            .groups()
            .iter()
            .map(|group| verbs(view, group))
            .collect(),
    };
    page.render().context("the page cannot be rendered")
}

fn verbs(view: &View<'_>, group: &Group<Seen>) -> Verbs {
    Verbs {
        verbs: words::verbs(&group.verbs),
        lines: group.lines.iter().map(|line| cells(view, line)).collect(),
    }
}

fn cells(view: &View<'_>, line: &Line<Seen>) -> Cells {
    let Seen { class, outcome } = &line.answer;
    let takes = view.takes(outcome).map(words::takes).unwrap_or_default();
    Cells {
        credentials: words::credentials(&line.block.credentials),
        roles: words::roles(&line.block.roles),
        conditions: words::conditions(&line.block.conditions),
        class: class.map_or("-", |class| class.as_str()),
        verdict: outcome.word(),
        rule: Plain::new(outcome.rule()),
        takes: Plain::new(&takes).to_string(),
    }
}
