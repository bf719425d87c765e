//! For a program.

use countersign_core::exhaustive::Row;
use countersign_core::policy::Verdict;
use countersign_core::verdict::ModuleId;
use countersign_lab::answers::Seen;
use countersign_lab::fold::Line;
use serde::Serialize;

use super::View;
use crate::policy_commands::shown::json;

#[derive(Serialize)]
struct Document<'v, R> {
    module: &'v ModuleId,
    /// Who says what kind of caller asks.
    classifier: &'v ModuleId,
    rows: R,
}

#[derive(Serialize)]
struct OfRow<'v> {
    #[serde(flatten)]
    row: RowKey<'v>,
    /// `null` where the classifier fails.
    class: Option<&'static str>,
    /// `null` where the module fails.
    verdict: Option<&'v Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'v str>,
}

/// A row, by its parts.
#[derive(Serialize)]
pub struct RowKey<'r> {
    verb: &'static str,
    credential: &'static str,
    role: &'static str,
    flags: &'r [&'static str],
}

/// A folded row, by its parts; where there is no condition, it makes no difference.
#[derive(Serialize)]
pub struct BlockKey {
    verbs: Vec<&'static str>,
    credentials: Vec<&'static str>,
    roles: Vec<&'static str>,
    /// Of each choice that makes a difference, the flags that were taken; `null`: none of them.
    conditions: Vec<Vec<Option<&'static str>>>,
}

#[derive(Serialize)]
struct OfLine<'v> {
    #[serde(flatten)]
    block: BlockKey,
    #[serde(flatten)]
    answer: &'v Seen,
}

pub fn render(view: &View<'_>, folded: bool) -> anyhow::Result<String> {
    match folded {
        true => document(view, lines(view)),
        false => document(view, rows(view)),
    }
}

fn document<R: Serialize>(view: &View<'_>, rows: R) -> anyhow::Result<String> {
    json(&Document {
        module: view.module.proven().id(),
        classifier: view.module.classifier().id(),
        rows,
    })
}

fn rows<'v>(view: &'v View<'_>) -> Vec<OfRow<'v>> {
    let of_row = |(row, answered): (&'v Row, &'v countersign_lab::module::Answered)| OfRow {
        row: RowKey::of(row),
        class: answered.class.as_ref().ok().map(|class| class.as_str()),
        verdict: answered.verdict.as_ref().ok(),
        failure: answered.verdict.as_ref().err().map(String::as_str),
    };
    view.answers.iter().map(of_row).collect()
}

fn lines<'v>(view: &'v View<'_>) -> Vec<OfLine<'v>> {
    let groups = view.folded.groups().iter();
    let lines = groups.flat_map(|group| {
        group.lines.iter().map(|line| OfLine {
            block: BlockKey::of(&group.verbs, line),
            answer: &line.answer,
        })
    });
    lines.collect()
}

impl<'r> RowKey<'r> {
    fn of(row: &'r Row) -> Self {
        Self {
            verb: row.verb.as_str(),
            credential: row.credential.as_str(),
            role: row.role.as_str(),
            flags: &row.flags,
        }
    }
}

impl BlockKey {
    /// Of a line under these verbs.
    pub fn of<A>(verbs: &[countersign_core::verb::Verb], line: &Line<A>) -> Self {
        let block = &line.block;
        let conditions = block.conditions.iter();
        Self {
            verbs: verbs.iter().map(|verb| verb.as_str()).collect(),
            credentials: block.credentials.iter().map(|one| one.as_str()).collect(),
            roles: block.roles.iter().map(|role| role.as_str()).collect(),
            conditions: conditions
                .map(|one| one.taken.iter().copied().collect())
                .collect(),
        }
    }
}
