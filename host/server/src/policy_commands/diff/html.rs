//! One page, complete in itself: no script, and nothing from elsewhere.

use anyhow::Context as _;
use askama::Template;
use countersign_core::strictness::Change;
use countersign_lab::changes::{Changed, Classes, Said};
use countersign_lab::fold::Group;
use countersign_lab::words::{self, counted};

use super::{View, classes, said, worded};
use crate::commands::terminal::Plain;

#[derive(Template)]
#[template(path = "policy/diff.html")]
struct Page {
    title: Plain,
    summary: String,
    digests: (String, String),
    compared: Vec<String>,
    declared: Vec<Sides>,
    sections: Vec<Section>,
}

/// What was so, and is otherwise.
struct Sides {
    what: Plain,
    before: Plain,
    after: Plain,
}

struct Section {
    class: &'static str,
    title: &'static str,
    changed: Vec<Answers>,
}

struct Answers {
    before: Phrase,
    after: Phrase,
    is_same: bool,
    words: Vec<Sides>,
    rows: String,
    groups: Vec<Verbs>,
}

struct Phrase {
    word: &'static str,
    rest: Plain,
}

struct Verbs {
    verbs: String,
    lines: Vec<Cells>,
}

struct Cells {
    credentials: String,
    roles: String,
    conditions: String,
    class: String,
}

pub fn render(view: &View) -> anyhow::Result<String> {
    let digest = |module: &countersign_lab::module::Module| module.proven().id().digest.clone();
    let declared = view.changes.declared.iter().map(|declared| {
        let [before, after] = declared.sides().map(Option::unwrap_or_default);
        sides(&declared.what, &before, &after)
    });
    let sections = view.sections().map(|(change, title, some)| Section {
        class: match change {
            Change::Looser => "looser",
            Change::Mixed => "mixed",
            Change::Tighter => "tighter",
            Change::Same => "same",
        },
        title,
        changed: some.into_iter().map(answers).collect(),
    });
    let page = Page {
        title: Plain::new(&view.title()),
        summary: view.summary(),
        digests: (digest(&view.before), digest(&view.after)),
        compared: view.compared(),
        declared: declared.collect(),
        sections: sections.collect(),
    };
    page.render().context("the page cannot be rendered")
}

fn sides(what: &str, before: &str, after: &str) -> Sides {
    Sides {
        what: Plain::new(what),
        before: Plain::new(before),
        after: Plain::new(after),
    }
}

fn answers(changed: &Changed) -> Answers {
    let words = worded(changed);
    Answers {
        before: phrase(&changed.before),
        after: phrase(&changed.after),
        is_same: said(&changed.before) == said(&changed.after),
        words: words
            .iter()
            .map(|(what, before, after)| sides(what, before, after))
            .collect(),
        rows: counted(changed.rows, "row"),
        groups: changed.folded.groups().iter().map(verbs).collect(),
    }
}

fn phrase(one: &Said) -> Phrase {
    let word = one.outcome.word();
    let rest = said(one);
    Phrase {
        word,
        rest: Plain::new(rest.strip_prefix(word).unwrap_or(&rest).trim_start()),
    }
}

fn verbs(group: &Group<Classes>) -> Verbs {
    let cells = group.lines.iter().map(|line| Cells {
        credentials: words::credentials(&line.block.credentials),
        roles: words::roles(&line.block.roles),
        conditions: words::conditions(&line.block.conditions),
        class: classes(line.answer),
    });
    Verbs {
        verbs: words::verbs(&group.verbs),
        lines: cells.collect(),
    }
}
