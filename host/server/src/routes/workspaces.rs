//! Workspaces: created, changed, read, removed.

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::id::WorkspaceId;
use countersign_core::ledger::Done;
use countersign_core::text;
use countersign_core::verb::Verb;
use countersign_core::workspace::{MAX_NAME, Status, Workspace};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{Answer, Call, Routes};
use crate::problem::{Problem, json_response};

pub(super) fn add(routes: Routes) -> Routes {
    let one = "/workspaces/{workspace}";
    routes
        .verb(Method::GET, "/workspaces", Verb::WorkspaceList, list)
        .verb(Method::POST, "/workspaces", Verb::WorkspaceCreate, create)
        .verb(Method::GET, one, Verb::WorkspaceRead, read)
        .verb(Method::PATCH, one, Verb::WorkspaceUpdate, update)
        .verb(Method::DELETE, one, Verb::DeleteWorkspace, remove)
}

#[derive(Deserialize, ToSchema)]
pub(super) struct CreateBody {
    /// For people.
    name: String,
    /// The workspace that it is below.
    parent_id: Option<String>,
}

/// What is not there stays; a parent that is null makes a root.
#[derive(Deserialize, ToSchema)]
pub(super) struct UpdateBody {
    name: Option<String>,
    #[serde(default, deserialize_with = "there")]
    #[schema(value_type = Option<String>)]
    parent_id: Option<Option<String>>,
}

/// Tells a member that is null from one that is not there.
fn there<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// What a caller wants created.
pub(super) fn creating(call: &Call) -> Result<Action, Problem> {
    let body: CreateBody = call.json()?;
    creation(&body.name, body.parent_id.as_deref())
}

/// A workspace to be created, as a body or a form says.
pub fn creation(called: &str, below: Option<&str>) -> Result<Action, Problem> {
    Ok(Action::WorkspaceCreate {
        name: name(called)?,
        parent: below.map(parent).transpose()?,
    })
}

async fn create(call: Call) -> Answer {
    let workspace = saved(call.submit(creating(&call)?).await?)?;
    Ok(json_response(StatusCode::CREATED, &shown(&workspace)))
}

/// What a caller wants changed.
pub(super) fn updating(call: &Call) -> Result<Action, Problem> {
    let workspace = id(call)?;
    let body: UpdateBody = call.json()?;
    Ok(Action::WorkspaceUpdate {
        workspace,
        name: body.name.as_deref().map(name).transpose()?,
        parent: body
            .parent_id
            .map(|id| id.as_deref().map(parent).transpose())
            .transpose()?,
    })
}

async fn update(call: Call) -> Answer {
    let workspace = saved(call.submit(updating(&call)?).await?)?;
    Ok(json_response(StatusCode::OK, &shown(&workspace)))
}

async fn list(call: Call) -> Answer {
    let permit = call.permit(Action::WorkspaceList).await?;
    let workspaces = call.app.ledger.workspaces(&permit).await?;
    let workspaces: Vec<Value> = workspaces.iter().map(shown).collect();
    Ok(json_response(StatusCode::OK, &Value::Array(workspaces)))
}

async fn read(call: Call) -> Answer {
    let workspace = id(&call)?;
    let permit = call.permit(Action::WorkspaceRead { workspace }).await?;
    let workspace = call
        .app
        .ledger
        .workspace(&permit, workspace)
        .await?
        .ok_or_else(not_there)?;
    Ok(json_response(StatusCode::OK, &shown(&workspace)))
}

/// 404: it does not stand.
pub fn not_there() -> Problem {
    let error = "there is no such workspace, or it was removed";
    Problem::new(StatusCode::NOT_FOUND, "not_found", error)
}

/// What a caller wants removed.
pub(super) fn removing(call: &Call) -> Result<Action, Problem> {
    let workspace = id(call)?;
    let confirm = match call.query.get("confirm").map(String::as_str) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::bad_field("confirm", "is not `true` or `false`")),
    };
    Ok(Action::DeleteWorkspace {
        workspace,
        confirm,
        shown: None,
    })
}

async fn remove(call: Call) -> Answer {
    let workspace = id(&call)?;
    let passed = call.submit(removing(&call)?).await?;
    let Passed::Done(Done::WorkspacesRemoved(removed)) = passed else {
        return Err(Problem::internal());
    };
    let removed: Vec<WorkspaceId> = removed.iter().map(|workspace| workspace.id).collect();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "status": Status::Removed, "id": workspace, "removed": removed }),
    ))
}

/// The workspace in the path.
pub fn id(call: &Call) -> Result<WorkspaceId, Problem> {
    call.path("workspace", WorkspaceId::parse)
}

fn name(name: &str) -> Result<String, Problem> {
    if name.trim().is_empty() {
        return Err(Problem::bad_field("name", "is blank: say what it is for"));
    }
    text::displayable(name, MAX_NAME).map_err(|why| Problem::bad_field("name", why))
}

fn parent(id: &str) -> Result<WorkspaceId, Problem> {
    WorkspaceId::parse(id).ok_or_else(|| Problem::bad_field("parent_id", "is not a UUID"))
}

fn saved(passed: Passed) -> Result<Workspace, Problem> {
    match passed {
        Passed::Done(Done::WorkspaceSaved(workspace)) => Ok(workspace),
        _ => Err(Problem::internal()),
    }
}

fn shown(workspace: &Workspace) -> Value {
    json!({
        "id": workspace.id,
        "name": workspace.name,
        "parent_id": workspace.parent,
        "status": workspace.status,
        "created_by": workspace.created_by,
        "created_at": workspace.created_at,
        "updated_at": workspace.updated_at,
    })
}
