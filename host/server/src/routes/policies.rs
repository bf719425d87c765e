//! Which policies are live, which are kept, and how people change them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::generation::GenerationChange;
use countersign_core::ledger::Done;
use countersign_core::verb::Verb;
use countersign_engine::Settings;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, timeout_at};
use utoipa::ToSchema;

use super::{Answer, Call, Cursor, Routes};
use crate::policies::{ChoiceError, Chosen};
use crate::problem::{Problem, json_response};

/// How long a change may take to be live here, before the answer says that it is not yet.
const TAKE_OVER: Duration = Duration::from_secs(5);

pub(super) fn add(routes: Routes) -> Routes {
    let generations_path = "/policies/generations";
    routes
        .verb(Method::GET, "/policies", Verb::PolicyRead, live)
        .verb(Method::GET, generations_path, Verb::PolicyRead, generations)
        .verb(
            Method::POST,
            generations_path,
            Verb::PolicyActivate,
            activate,
        )
        .verb(
            Method::POST,
            "/policies/rollback",
            Verb::PolicyRollback,
            roll_back,
        )
        .verb(Method::PUT, "/policies/{name}", Verb::PolicyPush, push)
        .verb(
            Method::GET,
            "/policies/{name}/versions",
            Verb::PolicyRead,
            versions,
        )
}

async fn live(call: Call) -> Answer {
    call.permit(Action::PolicyRead).await?;
    Ok(json_response(StatusCode::OK, &call.app.policies.shown()))
}

async fn generations(call: Call) -> Answer {
    let page = call.page(Cursor::Number)?;
    let permit = call.permit(Action::PolicyRead).await?;
    let generations = call.app.ledger.generations(&permit, &page).await?;
    let next = (generations.len() == page.limit as usize)
        .then(|| generations.last().map(|last| last.number.to_string()))
        .flatten();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "generations": generations, "next_cursor": next }),
    ))
}

async fn versions(call: Call) -> Answer {
    call.permit(Action::PolicyRead).await?;
    let name = call.path_text("name");
    let versions = call.app.ledger.policy_versions(name).await?;
    if versions.is_empty() {
        let error = "no version of such a policy is kept: GET /policies lists those that are live";
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", error));
    }
    Ok(json_response(
        StatusCode::OK,
        &json!({ "name": name, "versions": versions }),
    ))
}

async fn push(call: Call) -> Answer {
    let name = call.path_text("name").to_owned();
    let component = match call.is_let() {
        true if call.body.is_empty() => {
            let why = "is empty: send the bytes of a component";
            return Err(Problem::bad_field("body", why));
        }
        true => Some(call.app.policies.component(call.body.clone()).await?),
        false => None,
    };
    if let Some(component) = &component
        && component.id.name != name
    {
        let why = format!(
            "in the path is not what the component calls itself, `{}`",
            component.id.name
        );
        return Err(Problem::bad_field("name", why));
    }
    let kept = component.clone();
    let action = Action::PolicyPush { name, component };
    match (call.submit(action).await?, kept) {
        (Passed::Done(Done::PolicyKept), Some(kept)) => {
            Ok(json_response(StatusCode::CREATED, &json!(kept.id)))
        }
        _ => Err(Problem::internal()),
    }
}

/// A set of policies, as it is asked for.
#[derive(Deserialize, ToSchema)]
pub(super) struct ActivateBody {
    /// All of them: what is not named is not live any more.
    modules: Vec<ModuleBody>,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct ModuleBody {
    /// What the component calls itself.
    name: String,
    /// Which of its versions, by digest.
    digest: Option<String>,
    /// Or by its own version.
    version: Option<String>,
    /// Those that it has now, where none are given.
    #[schema(value_type = Option<Object>)]
    settings: Option<HashMap<String, Value>>,
}

async fn activate(call: Call) -> Answer {
    let change = match call.is_let() {
        true => {
            let body: ActivateBody = call.json()?;
            let chosen: Result<Vec<_>, _> = body.modules.into_iter().map(chosen).collect();
            Some(call.app.policies.set(&*call.app.ledger, chosen?).await?)
        }
        false => None,
    };
    let change = change.map(Arc::new);
    change_policies(&call, Action::PolicyActivate { change }).await
}

#[derive(Deserialize, ToSchema)]
pub(super) struct RollbackBody {
    /// The one to go back to.
    generation: u64,
}

async fn roll_back(call: Call) -> Answer {
    let RollbackBody { generation } = call.json()?;
    let change: Option<GenerationChange> = match call.is_let() {
        true => {
            let policies = &call.app.policies;
            Some(policies.again(&*call.app.ledger, generation).await?)
        }
        false => None,
    };
    let change = change.map(Arc::new);
    change_policies(&call, Action::PolicyRollback { generation, change }).await
}

async fn change_policies(call: &Call, action: Action) -> Answer {
    let Passed::Done(Done::PoliciesChanged(number)) = call.submit(action).await? else {
        return Err(Problem::internal());
    };
    let policies = &call.app.policies;
    let mut numbers = policies.numbers();
    policies.look();
    let live = numbers.wait_for(|live| *live >= number);
    let is_live = timeout_at(Instant::now() + TAKE_OVER, live).await.is_ok();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "generation": number, "live": is_live }),
    ))
}

fn chosen(body: ModuleBody) -> Result<Chosen, Problem> {
    let which = match (body.digest, body.version) {
        (Some(digest), None) => digest,
        (None, Some(version)) => version,
        _ => {
            let why = "has a module with neither or both of `digest` and `version`";
            return Err(Problem::bad_field("modules", why));
        }
    };
    let settings = body.settings.map(settings).transpose()?;
    Ok(Chosen {
        name: body.name,
        which,
        settings,
    })
}

/// Settings in JSON, of the types that they have in a file.
fn settings(members: HashMap<String, Value>) -> Result<Settings, Problem> {
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    members
        .into_iter()
        .try_fold(Settings::new(), |settings, (name, value)| {
            let values = match &value {
                Value::Array(items) => items.iter().map(text).collect(),
                Value::String(text) => Some(vec![text.clone()]),
                Value::Number(number) if number.is_i64() => Some(vec![number.to_string()]),
                Value::Bool(flag) => Some(vec![flag.to_string()]),
                _ => None,
            };
            let values = values.ok_or_else(|| {
                let why = "must be a text, a list of texts, a whole number or a boolean";
                Problem::bad_field(&name, why)
            })?;
            Ok(settings.with(name, values))
        })
}

impl From<ChoiceError> for Problem {
    fn from(error: ChoiceError) -> Self {
        let sentence = error.to_string();
        match error {
            ChoiceError::Ledger(error) => error.into(),
            ChoiceError::NoGeneration(_) | ChoiceError::NoVersion { .. } => {
                Self::new(StatusCode::NOT_FOUND, "not_found", sentence)
            }
            ChoiceError::NoChange(_) => Self::new(StatusCode::CONFLICT, "no_change", sentence),
            ChoiceError::Ambiguous { .. } => {
                Self::new(StatusCode::CONFLICT, "ambiguous_version", sentence)
            }
            ChoiceError::Refused(_) => Self::new(
                StatusCode::BAD_REQUEST,
                "policy_refused",
                format!("{sentence} — nothing has changed"),
            ),
        }
    }
}
