//! The policies: who decides, and what is wrong with what should. Below it, what they answer, which there were
//! before, and a place to ask them something made up.

mod changes;
mod generation;
mod history;
mod matrix;
mod playground;
mod shadow;
mod tabs;

use std::collections::BTreeMap;

use askama::Template;
use axum::http::{Method, StatusCode};
use countersign_core::action::Action;
use countersign_core::generation::{Mode, Pin};
use countersign_core::time::Timestamp;
use countersign_core::verb::Verb;
use serde::Deserialize;

use super::assets;
use super::frame::{Frame, Party, Place};
use super::moment::Moment;
use super::page;
use super::people::People;
use crate::app::App;
use crate::policies::{Counts, Said};
use crate::problem::Problem;
use crate::routes::{Answer, Call, Routes};
use changes::{Changes, Sides};
use tabs::{Tab, Tabs};

pub(super) fn add(routes: Routes) -> Routes {
    let routes = routes.verb(Method::GET, "/console/policies", Verb::PolicyRead, show);
    let routes = matrix::add(routes);
    let routes = history::add(routes);
    let routes = generation::add(routes);
    let routes = shadow::add(routes);
    playground::add(routes)
}

/// The live generation.
#[derive(Template)]
#[template(path = "policies.html")]
struct PoliciesPage {
    frame: Frame,
    tabs: Tabs,
    live: Live,
    /// What an operator is asked about, module by module.
    candidate_changes: Option<Changes>,
    now: Timestamp,
}

/// What `GET /policies` answers.
#[derive(Deserialize)]
struct Live {
    generation: u64,
    modules: Vec<Module>,
    shadow: Option<Differences>,
    candidate: Option<Candidate>,
    problems: Vec<Wrong>,
}

/// A module.
#[derive(Deserialize)]
struct Module {
    name: String,
    version: String,
    digest: String,
    /// Absent where a module in shadow does not work.
    description: Option<String>,
    mode: Mode,
    settings: BTreeMap<String, Vec<String>>,
    /// Whether it says what kind of caller asks.
    classifier: bool,
    pinned: Option<Pin>,
    /// Who pinned it.
    #[serde(skip)]
    pinned_by: Option<Party>,
    failures: Failures,
    last_error: Option<String>,
    signatures: Vec<Signature>,
    built_in: bool,
    /// What it said lately, where it decides or would; of a generation that is past, nothing.
    #[serde(skip)]
    answers: Option<Answers>,
}

/// What a module said since the host started, as one that decides or as one in shadow.
struct Answers {
    said: Said,
    since: Moment,
    half: String,
    nearly_all: String,
}

impl Answers {
    fn of(module: &Module, counts: &Counts, now: Timestamp) -> Self {
        let said = counts.of(&module.name, &module.digest);
        Self {
            said,
            since: Moment::new(counts.began(), now),
            half: short(said.half_within),
            nearly_all: short(said.nearly_all_within),
        }
    }
}

/// Microseconds, in the largest unit of which there are some.
fn short(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        _ => format!("{} s", micros / 1_000_000),
    }
}

/// A program that could ask anything would try out at leisure what the policies let through.
fn people_alone(call: &Call) -> Result<(), Problem> {
    match call.caller.person() {
        Some(_) => Ok(()),
        None => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "people_only",
            "only a person with a verified session sees all that the policies answer, or tries them out: sign in at /console",
        )),
    }
}

/// The modules that the host shows.
fn modules(shown: serde_json::Value) -> Result<Vec<Module>, Problem> {
    serde_json::from_value(shown).map_err(|error| {
        tracing::error!(%error, "the console does not understand the modules of a generation");
        Problem::internal()
    })
}

/// Says of those that are pinned who did that, as the reader may know them.
async fn name_who_pinned(call: &Call, modules: &mut [Module]) -> Result<(), Problem> {
    let pins = modules.iter().filter_map(|module| module.pinned.as_ref());
    let actors: Vec<&str> = pins.map(|pin| pin.by.as_str()).collect();
    let people = People::of(call, actors).await?;
    for module in modules {
        module.pinned_by = module.pinned.as_ref().map(|pin| people.party(&pin.by));
    }
    Ok(())
}

/// How often a module failed.
#[derive(Deserialize)]
struct Failures {
    count: u64,
    last_at: Option<Timestamp>,
}

impl Module {
    /// When it last failed, seen from `now`.
    fn failed(&self, now: &Timestamp) -> Option<Moment> {
        Some(Moment::new(self.failures.last_at?, *now))
    }
}

/// Who signed it, as far as a trusted key says so.
#[derive(Deserialize)]
struct Signature {
    key_id: Option<String>,
    name: Option<String>,
    trusted: bool,
    comment: String,
    /// Whether it is as it is kept, and was not verified for this.
    #[serde(default)]
    unchecked: bool,
}

impl Live {
    /// What is wrong, but for what is told of the candidate by itself.
    fn wrong(&self) -> Vec<&Wrong> {
        let told = self.candidate.as_ref();
        let told = told.and_then(|candidate| candidate.sentence.as_deref());
        let all = self.problems.iter();
        all.filter(|wrong| told != Some(&wrong.sentence)).collect()
    }
}

/// What came of the policies in shadow.
#[derive(Deserialize)]
struct Differences {
    asked: u64,
    looser: u64,
    mixed: u64,
    tighter: u64,
    reworded: u64,
    missed: u64,
}

/// What the folder holds and does not decide yet.
#[derive(Deserialize)]
struct Candidate {
    state: String,
    summary: Option<String>,
    approval_id: Option<String>,
    #[serde(default)]
    loosens: u64,
    #[serde(default)]
    tightens: u64,
    #[serde(default)]
    broken: u64,
    /// The same as among the problems.
    sentence: Option<String>,
}

/// Something wrong in the folder.
#[derive(Deserialize)]
struct Wrong {
    file: Option<String>,
    sentence: String,
}

async fn show(call: Call) -> Answer {
    call.permit(Action::PolicyRead).await?;
    let shown = call
        .app
        .policies
        .shown(&*call.app.ledger, &call.app.base_url)
        .await?;
    let mut live: Live = serde_json::from_value(shown).map_err(|error| {
        tracing::error!(%error, "the console does not understand the live policies");
        Problem::internal()
    })?;
    let now = call.app.clock.now();
    let policies = &call.app.policies;
    for module in &mut live.modules {
        let counts = match module.mode {
            Mode::Enforce => policies.counts(),
            Mode::Shadow => policies.shadow.counts(),
        };
        module.answers = Some(Answers::of(module, counts, now));
    }
    name_who_pinned(&call, &mut live.modules).await?;
    let shown = PoliciesPage {
        frame: Frame::of(&call.caller, Place::Policies),
        tabs: Tabs::at(Tab::Live),
        live,
        candidate_changes: match call.caller.person() {
            Some(_) => candidate_changes(&call.app).await?,
            // Programs read of what nobody accepted yet what the API tells them.
            None => None,
        },
        now,
    };
    Ok(page(StatusCode::OK, &shown))
}

/// From what it would follow to what the folder holds.
async fn candidate_changes(app: &App) -> Result<Option<Changes>, Problem> {
    let Some((follows, decide, shadow)) = app.policies.waiting_modules() else {
        return Ok(None);
    };
    let before = app.ledger.generation(follows).await?;
    let after = Sides {
        decide: &decide,
        shadow: &shadow,
    };
    Ok(Some(Changes::between(Sides::of(before.as_ref()), after)))
}

#[cfg(test)]
mod tests;
