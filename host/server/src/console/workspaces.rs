//! The workspaces: the tree, one of them, and creating one.

use std::collections::HashMap;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::Done;
use countersign_core::secret::SecretScope;
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use countersign_core::workspace::{Slice, TOKEN_LIMIT, Workspace};
use serde_json::Value;

use super::frame::{Frame, Party, Place};
use super::mint_form::{choices, that_hold};
use super::moment::Moment;
use super::people::People;
use super::secrets::{self, Secrets};
use super::tree::{ordered, standing};
use super::waiting::{self, Sent};
use super::{assets, page, see_other};
use crate::problem::Problem;
use crate::routes::workspaces::{creation, id, not_there};
use crate::routes::{Answer, Call, Routes};

/// Workspaces on one page of the tree, and children on the page of one.
const PAGE: usize = 100;

pub(super) fn add(routes: Routes) -> Routes {
    let all = "/console/workspaces";
    routes
        .verb(Method::GET, all, Verb::WorkspaceList, list)
        .verb(Method::POST, all, Verb::WorkspaceCreate, create)
        .verb(
            Method::GET,
            "/console/workspaces/{workspace}",
            Verb::WorkspaceRead,
            show,
        )
}

/// A workspace, as it is listed.
pub struct Listed {
    pub id: String,
    pub name: String,
    /// How many others are above it, where it stands in the tree.
    pub depth: usize,
    /// The one that it is below: its id and its name.
    pub parent: Option<(String, String)>,
    pub creator: Party,
    pub created: Moment,
    pub updated: Moment,
}

impl Listed {
    /// `workspace`, at `depth`, among workspaces whose names are known, and people.
    pub fn new(
        (workspace, depth): (&Workspace, usize),
        (names, people): (&HashMap<WorkspaceId, &str>, &People),
        now: Timestamp,
    ) -> Self {
        let named = |id: WorkspaceId| {
            let name = names.get(&id).copied().unwrap_or("a workspace");
            (id.to_string(), name.to_owned())
        };
        Self {
            id: workspace.id.to_string(),
            name: workspace.name.clone(),
            depth,
            parent: workspace.parent.map(named),
            creator: people.party(&workspace.created_by),
            created: Moment::new(workspace.created_at, now),
            updated: Moment::new(workspace.updated_at, now),
        }
    }
}

/// The names of `workspaces`.
pub fn names(workspaces: &[Workspace]) -> HashMap<WorkspaceId, &str> {
    workspaces
        .iter()
        .map(|one| (one.id, one.name.as_str()))
        .collect()
}

/// The tree.
#[derive(Template)]
#[template(path = "workspaces.html")]
struct WorkspacesPage {
    frame: Frame,
    rows: Vec<Listed>,
    /// How many there are, of which the rows are a part.
    total: usize,
    /// What they are narrowed to.
    search: String,
    /// Where this part begins, and the parts before and after it.
    from: usize,
    earlier: Option<usize>,
    later: Option<usize>,
    form: CreateForm,
}

/// One workspace.
#[derive(Template)]
#[template(path = "workspace.html")]
struct WorkspacePage {
    frame: Frame,
    one: Listed,
    is_anchor: bool,
    children: Vec<Listed>,
    /// How many children are not shown.
    further: usize,
    /// Whether it could be seen which workspaces there are.
    sees_tree: bool,
    live_keys: usize,
    secrets: Secrets,
}

/// The form alone, with what is wrong with it.
#[derive(Template)]
#[template(path = "workspace_create.html")]
struct CreatePage {
    frame: Frame,
    form: CreateForm,
}

/// What a person fills in to create a workspace. Draws itself as a `<form>`.
#[derive(Default, Template)]
#[template(path = "workspace_form.html")]
struct CreateForm {
    name: String,
    parent: String,
    /// Those to choose from: ids and names. None where there are too many.
    parents: Vec<(String, String)>,
    /// The field that is wrong, and how.
    error: Option<(String, String)>,
}

/// Its template escapes what was sent.
impl HtmlSafe for CreateForm {}

impl CreateForm {
    fn complaint(&self, field: &str) -> Option<&str> {
        let (wrong, complaint) = self.error.as_ref()?;
        (wrong == field).then_some(complaint.as_str())
    }
}

async fn list(call: Call) -> Answer {
    let from = match call.query.get("from") {
        None => 0,
        Some(from) => from
            .parse::<usize>()
            .map_err(|_| Problem::bad_field("from", "is not a number from 0 on"))?,
    };
    let search = call.query.get("q").map_or("", |q| q.trim()).to_owned();
    let permit = call.permit(Action::WorkspaceList).await?;
    let all = call.app.ledger.workspaces(&permit).await?;
    let shown = part(&call, &all, (&search, from)).await?;
    Ok(page(StatusCode::OK, &shown))
}

async fn part(
    call: &Call,
    all: &[Workspace],
    (search, from): (&str, usize),
) -> Result<WorkspacesPage, Problem> {
    let now = call.app.clock.now();
    let wanted = search.to_lowercase();
    let matching: Vec<(&Workspace, usize)> = ordered(all)
        .into_iter()
        .filter(|(one, _)| {
            one.name.to_lowercase().contains(&wanted) || one.id.to_string().starts_with(&wanted)
        })
        .collect();
    let names = names(all);
    let rows: Vec<_> = matching.iter().skip(from).take(PAGE).collect();
    let people = People::of(call, rows.iter().map(|(one, _)| &*one.created_by)).await?;
    Ok(WorkspacesPage {
        frame: Frame::of(&call.caller, Place::Workspaces),
        rows: rows
            .into_iter()
            .map(|found| Listed::new(*found, (&names, &people), now))
            .collect(),
        total: matching.len(),
        search: search.to_owned(),
        from,
        earlier: (from > 0).then(|| from.saturating_sub(PAGE)),
        later: (from + PAGE < matching.len()).then_some(from + PAGE),
        form: CreateForm {
            parents: choices(all),
            ..CreateForm::default()
        },
    })
}

async fn create(call: Call) -> Answer {
    let sent = call.form()?;
    let text = |name| sent.get(name).map_or("", |text| text.trim());
    let parent = Some(text("parent_id")).filter(|id| !id.is_empty());
    let action = match creation(text("name"), parent) {
        Ok(action) => action,
        Err(problem) => return mend(&call, &sent, problem).await,
    };
    match waiting::submit(&call, Place::Workspaces, action).await {
        Ok(Sent::Done(Passed::Done(Done::WorkspaceSaved(workspace)))) => {
            Ok(see_other(&format!("/console/workspaces/{}", workspace.id)))
        }
        Ok(Sent::Waits(page)) => Ok(page),
        Ok(Sent::Done(_)) => Err(Problem::internal()),
        Err(problem) => mend(&call, &sent, problem).await,
    }
}

/// The form as it was sent, with what is wrong at the field that is wrong.
async fn mend(call: &Call, sent: &HashMap<String, String>, problem: Problem) -> Answer {
    let Some(field) = problem.body.get("field").and_then(Value::as_str) else {
        return Err(problem);
    };
    let complaint = problem.error().replacen(&format!("`{field}` "), "", 1);
    let text = |name| sent.get(name).cloned().unwrap_or_default();
    let parents = standing(call)
        .await
        .map_or_else(|_| Vec::new(), |all| choices(&all));
    let shown = CreatePage {
        frame: Frame::of(&call.caller, Place::Workspaces),
        form: CreateForm {
            name: text("name"),
            parent: text("parent_id"),
            parents: that_hold(parents, &text("parent_id")),
            error: Some((field.to_owned(), complaint)),
        },
    };
    Ok(page(problem.status, &shown))
}

async fn show(call: Call) -> Answer {
    let workspace = id(&call)?;
    let now = call.app.clock.now();
    let permit = call.permit(Action::WorkspaceRead { workspace }).await?;
    let ledger = &call.app.ledger;
    let one = ledger.workspace(&permit, workspace).await?;
    let one = one.ok_or_else(not_there)?;
    let all_keys = Slice {
        limit: u32::try_from(TOKEN_LIMIT).unwrap_or(u32::MAX),
        offset: 0,
    };
    let keys = ledger.workspace_tokens(&permit, workspace, all_keys, now);
    let live_keys = keys.await?.len();
    let (all, sees_tree) = match standing(&call).await {
        Ok(all) => (all, true),
        Err(_) => (Vec::new(), false),
    };
    let names = names(&all);
    let children: Vec<&Workspace> = all
        .iter()
        .filter(|child| child.parent == Some(workspace))
        .collect();
    let people = People::of(&call, [&*one.created_by]).await?;
    let shown = WorkspacePage {
        frame: Frame::of(&call.caller, Place::Workspaces),
        is_anchor: call.app.credentials.anchor() == Some(workspace),
        further: children.len().saturating_sub(PAGE),
        children: children
            .iter()
            .take(PAGE)
            .map(|child| Listed::new((child, 0), (&names, &people), now))
            .collect(),
        one: Listed::new((&one, 0), (&names, &people), now),
        sees_tree,
        live_keys,
        secrets: secrets::beside(&call, SecretScope::Workspace(workspace)).await,
    };
    Ok(page(StatusCode::OK, &shown))
}

#[cfg(test)]
mod tests {
    use super::super::examples::{NOW, is_whole, person, workspace};
    use super::*;

    const HOSTILE: &str = "<script>alert('x')</script>";

    fn frame() -> Frame {
        Frame::of(&person("ada"), Place::Workspaces)
    }

    fn listed() -> Vec<Listed> {
        let all = [workspace(1, "root", None), workspace(2, HOSTILE, Some(1))];
        let names = names(&all);
        let row =
            |found: &(&Workspace, usize)| Listed::new(*found, (&names, &People::default()), NOW);
        ordered(&all).iter().map(row).collect()
    }

    fn drawn(template: &impl Template) -> String {
        let html = template.render().expect("drawn");
        is_whole(&html);
        assert!(!html.contains("<script>"), "{html}");
        html
    }

    fn tree(rows: Vec<Listed>, search: &str) -> WorkspacesPage {
        WorkspacesPage {
            frame: frame(),
            total: rows.len(),
            rows,
            search: search.to_owned(),
            from: 0,
            earlier: None,
            later: Some(100),
            form: CreateForm::default(),
        }
    }

    #[test]
    fn the_tree_says_what_is_below_what_and_where_it_goes_on() {
        let html = drawn(&tree(listed(), ""));
        for shown in [
            "root",
            "&#60;script&#62;",
            "depth-1",
            "?from=100",
            "parent_id",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        let html = drawn(&tree(Vec::new(), "no such"));
        assert!(html.contains("No workspace"), "{html}");
    }

    #[test]
    fn one_workspace_shows_its_children_and_hides_what_may_not_be_seen() {
        let mut rows = listed();
        let child = rows.pop().expect("a child");
        let page = WorkspacePage {
            frame: frame(),
            one: rows.pop().expect("a root"),
            is_anchor: false,
            children: vec![child],
            further: 3,
            sees_tree: true,
            live_keys: 2,
            secrets: Secrets::forbidden(SecretScope::Global, "a policy says no"),
        };
        let html = drawn(&page);
        for shown in [
            "3 more",
            "a policy says no",
            "/remove",
            "&#60;script&#62;",
            "\"/console/decisions?about=00000000-0000-4000-8000-000000000001\"",
        ] {
            assert!(html.contains(shown), "{shown}: {html}");
        }
        let html = drawn(&WorkspacePage {
            is_anchor: true,
            ..page
        });
        assert!(!html.contains("/remove"), "the anchor stays: {html}");
    }

    #[test]
    fn a_form_that_is_wrong_says_where() {
        let html = drawn(&CreatePage {
            frame: frame(),
            form: CreateForm {
                name: HOSTILE.to_owned(),
                error: Some(("parent_id".to_owned(), "is not a UUID".to_owned())),
                ..CreateForm::default()
            },
        });
        assert!(
            html.contains("aria-invalid") && html.contains("is not a UUID"),
            "{html}"
        );
    }
}
