//! Which policies are live, which are kept, and how people change them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode, header};
use countersign_core::action::Action;
use countersign_core::gate::Passed;
use countersign_core::generation::Mode;
use countersign_core::ledger::Done;
use countersign_core::operators::Standing;
use countersign_core::verb::Verb;
use countersign_engine::Settings;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, timeout_at};
use utoipa::ToSchema;

use super::call::MAX_WAIT;
use super::policy_signature::policy_signature;
use super::{Answer, Call, Cursor, Routes};
use crate::policies::{ChoiceError, Chosen, Ready, ReviewError};
use crate::problem::{Problem, json_response};
use crate::reviews::AcceptedBy;

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
        .verb(Method::PUT, "/policies/{name}", Verb::PolicyPush, push)
        .verb(
            Method::PUT,
            "/policies/{name}/mode",
            Verb::PolicyActivate,
            change_mode,
        )
        .verb(
            Method::GET,
            "/policies/{name}/versions",
            Verb::PolicyRead,
            versions,
        )
}

async fn live(call: Call) -> Answer {
    call.permit(Action::PolicyRead).await?;
    let shown = call
        .app
        .policies
        .shown(&*call.app.ledger, &call.app.base_url)
        .await?;
    Ok(json_response(StatusCode::OK, &shown))
}

async fn generations(call: Call) -> Answer {
    let page = call.page(Cursor::Number)?;
    let permit = call.permit(Action::PolicyRead).await?;
    let generations = call.app.ledger.generations(&permit, &page).await?;
    let next = (generations.len() == page.limit as usize)
        .then(|| generations.last().map(|last| last.number.to_string()))
        .flatten();
    let mut shown = Vec::new();
    for generation in generations {
        let mut one = json!(generation);
        one["genuine"] = call.app.policies.is_genuine(&generation).into();
        if !generation.shadow.is_empty() {
            let counts = call.app.ledger.shadow_counts(generation.number).await?;
            one["shadow_counts"] = json!(counts);
        }
        shown.push(one);
    }
    Ok(json_response(
        StatusCode::OK,
        &json!({ "generations": shown, "next_cursor": next }),
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
        true => {
            let (policies, ledger) = (&call.app.policies, &*call.app.ledger);
            let signature = policy_signature(&call.headers)?;
            Some(
                policies
                    .component(ledger, call.body.clone(), signature)
                    .await?,
            )
        }
        false => None,
    };
    let (component, signers) = component.unzip();
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
            let mut answer = json!(kept.id);
            answer["signatures"] = json!(signers.unwrap_or_default());
            Ok(json_response(StatusCode::CREATED, &answer))
        }
        _ => Err(Problem::internal()),
    }
}

/// A set of policies, as it is asked for.
#[derive(Deserialize, ToSchema)]
pub(super) struct ActivateBody {
    /// All of them: what is not named is not live any more, unless it is pinned.
    modules: Vec<ModuleBody>,
}

#[derive(Default, Deserialize, ToSchema)]
pub(super) struct ModuleBody {
    /// What the component calls itself.
    name: String,
    /// Which of its versions, by digest.
    digest: Option<String>,
    /// Or by its own version.
    version: Option<String>,
    /// Whether it decides; `enforce` where it is not said.
    #[schema(value_type = Option<String>)]
    mode: Option<Mode>,
    /// Whether it is pinned from now on. Where that is not said, what is pinned stays so.
    pinned: Option<bool>,
    /// Those that it has now, where none are given.
    #[schema(value_type = Option<Object>)]
    settings: Option<HashMap<String, Value>>,
}

impl ModuleBody {
    /// This version, and nothing else said of it.
    pub(super) fn version(name: String, digest: Option<String>, version: Option<String>) -> Self {
        Self {
            name,
            digest,
            version,
            ..Self::default()
        }
    }
}

async fn activate(call: Call) -> Answer {
    let ready = async {
        let body: ActivateBody = call.json()?;
        let chosen: Result<Vec<_>, _> = body.modules.into_iter().map(chosen).collect();
        let chosen = (call.caller.actor(), chosen?);
        let ready = call.app.policies.set(&*call.app.ledger, chosen).await?;
        Ok(ready)
    };
    change_policies(&call, ready).await
}

/// Another mode of a policy.
#[derive(Deserialize, ToSchema)]
pub(super) struct ModeBody {
    /// `enforce` or `shadow`.
    #[schema(value_type = String)]
    mode: Mode,
    /// Which of its versions, by digest; where none is named, the one that has the other mode now.
    digest: Option<String>,
    /// Or by its own version.
    version: Option<String>,
    /// Those that it has now, where none are given.
    #[schema(value_type = Option<Object>)]
    settings: Option<HashMap<String, Value>>,
}

async fn change_mode(call: Call) -> Answer {
    let name = call.path_text("name").to_owned();
    let ready = async {
        let body: ModeBody = call.json()?;
        let mode = body.mode;
        let is_named = body.digest.is_some() || body.version.is_some();
        if !is_named && body.settings.is_some() {
            let why = "are for a version that is named: name its `digest` or `version`";
            return Err(Problem::bad_field("settings", why));
        }
        let chosen = is_named
            .then(|| {
                chosen(ModuleBody {
                    name: name.clone(),
                    digest: body.digest,
                    version: body.version,
                    mode: Some(mode),
                    pinned: None,
                    settings: body.settings,
                })
            })
            .transpose()?;
        let (policies, ledger) = (&call.app.policies, &*call.app.ledger);
        Ok(policies.mode(ledger, &name, (mode, chosen)).await?)
    };
    change_policies(&call, ready).await
}

/// Takes a change to the gate once it is `ready` and known what it would change; a caller waits for that no
/// longer than `wait` says.
pub(super) async fn change_policies(
    call: &Call,
    ready: impl Future<Output = Result<Ready, Problem>>,
) -> Answer {
    let until = Instant::now() + call.wait(MAX_WAIT)?;
    let change = match call.is_let() {
        true => {
            let ready = ready.await?;
            let (policies, ledger) = (&call.app.policies, &*call.app.ledger);
            Some(Arc::new(policies.review(ledger, ready, until).await?))
        }
        false => None,
    };
    let made = make_live(call, Action::PolicyActivate { change }).await?;
    Ok(json_response(StatusCode::OK, &json!(made)))
}

/// A generation that somebody made.
#[derive(Serialize)]
pub struct MadeLive {
    /// Its number.
    pub generation: u64,
    /// Whether it decides here already.
    #[serde(rename = "live")]
    pub is_live: bool,
}

/// Takes a change of the policies to the gate, and waits a little until this host decides by it.
pub(super) async fn make_live(call: &Call, action: Action) -> Result<MadeLive, Problem> {
    let passed = call.submit(action).await;
    let passed = passed.map_err(|problem| told_who_accepts(call, problem))?;
    let Passed::Done(Done::PoliciesChanged(generation)) = passed else {
        return Err(Problem::internal());
    };
    let policies = &call.app.policies;
    let mut numbers = policies.numbers();
    policies.look();
    let live = numbers.wait_for(|live| *live >= generation);
    let is_live = timeout_at(Instant::now() + TAKE_OVER, live).await.is_ok();
    Ok(MadeLive {
        generation,
        is_live,
    })
}

/// Where it waits, for whom: nobody waits for others where there are none.
fn told_who_accepts(call: &Call, problem: Problem) -> Problem {
    if problem.status != StatusCode::ACCEPTED {
        return problem;
    }
    let operators = &call.app.gate.operators;
    let standing = call
        .caller
        .person()
        .map(|person| operators.standing(person));
    let who = match standing {
        Some(Standing::Only) => AcceptedBy::You,
        _ => AcceptedBy::AnotherOperator,
    };
    problem.with("accepted_by", json!(who))
}

/// Which version is meant.
pub(super) fn chosen(body: ModuleBody) -> Result<Chosen, Problem> {
    let which = match (body.digest, body.version) {
        (Some(digest), None) => digest,
        (None, Some(version)) => version,
        (Some(_), Some(_)) => {
            let why = "and `version` both say which version: name one of them";
            return Err(Problem::bad_field("digest", why));
        }
        (None, None) => {
            let why = "has a module with neither `digest` nor `version`";
            return Err(Problem::bad_field("modules", why));
        }
    };
    let settings = body.settings.map(settings).transpose()?;
    Ok(Chosen {
        name: body.name,
        which,
        settings,
        mode: body.mode.unwrap_or(Mode::Enforce),
        pinned: body.pinned,
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
            ChoiceError::Ledger(error) | ChoiceError::Unreviewed(ReviewError::Ledger(error)) => {
                error.into()
            }
            ChoiceError::Unreviewed(ReviewError::BrokeDown) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", sentence)
            }
            ChoiceError::Unreviewed(ReviewError::UnderWay) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "comparing", sentence)
                    .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
            }
            ChoiceError::Twice { .. } => Self::bad_field("modules", &sentence),
            ChoiceError::NoGeneration(_)
            | ChoiceError::NoVersion { .. }
            | ChoiceError::NotLive(_) => Self::new(StatusCode::NOT_FOUND, "not_found", sentence),
            ChoiceError::NoChange(_) | ChoiceError::NotPinned(_) => {
                Self::new(StatusCode::CONFLICT, "no_change", sentence)
            }
            ChoiceError::Pinned { .. } => {
                Self::new(StatusCode::CONFLICT, "policy_pinned", sentence)
            }
            ChoiceError::Unsealed(_) => {
                Self::new(StatusCode::CONFLICT, "generation_not_genuine", sentence)
            }
            ChoiceError::Ambiguous { .. } | ChoiceError::Both(_) | ChoiceError::InShadow(_) => {
                Self::new(StatusCode::CONFLICT, "ambiguous_version", sentence)
            }
            ChoiceError::Unreviewed(ReviewError::TooMuch(_)) => {
                Self::new(StatusCode::BAD_REQUEST, "policy_refused", sentence)
            }
            ChoiceError::Refused(_) => Self::new(
                StatusCode::BAD_REQUEST,
                "policy_refused",
                format!("{sentence} — nothing has changed"),
            ),
        }
    }
}
