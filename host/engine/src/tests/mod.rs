//! Tests through the public door, with modules written by hand and with the built-in baseline.

mod decisions;
mod failures;
mod folders;
#[path = "../../wat/guest.rs"]
mod guest;
mod hostile;
mod pools;
mod restarts;
mod tallies;

use std::sync::Arc;
use std::time::Duration;

use countersign_core::exhaustive::{Row, rows};
use countersign_core::policy::{Credential, Question, Role};
use countersign_core::ports::Judge;
use countersign_core::verb::Verb;
use countersign_core::verdict::Judgement;

pub(crate) use self::guest::Guest;
use crate::{BASELINE, Engine, Generation, Limits, LoadError, PolicySet, Proven, Settings};

/// A sandbox that gives up soon, so that endless loops end while somebody watches.
pub(crate) fn engine() -> Engine {
    Engine::new(Limits {
        decide_time: Duration::from_millis(500),
        judge_time: Duration::from_secs(2),
        configure_time: Duration::from_secs(1),
        memory_bytes: 4 << 20,
        instances: 16,
        ..Limits::default()
    })
    .expect("these limits are within bounds")
}

pub(crate) fn prove(engine: &Engine, guest: &Guest) -> Result<Arc<Proven>, LoadError> {
    engine
        .prove(&guest.component(), &Settings::new())
        .map(Arc::new)
}

pub(crate) fn baseline(engine: &Engine) -> Arc<Proven> {
    let proven = engine.prove(BASELINE, &Settings::new());
    Arc::new(proven.expect("the built-in baseline is sound"))
}

/// Judges without the check that would refuse a set with a broken module.
pub(crate) fn judge(modules: &[&Arc<Proven>], question: &Question) -> Judgement {
    let modules = modules.iter().map(|module| Arc::clone(module)).collect();
    let set = PolicySet::named(modules, "baseline").expect("names are unique");
    Generation::new(7, set).judge(question)
}

/// An agent that asks to mint an organisation token.
pub(crate) fn agent_mints() -> Question {
    row(Credential::OrgToken, Verb::OrgTokenMint).question()
}

pub(crate) fn row(credential: Credential, verb: Verb) -> Row {
    rows()
        .find(|row| row.credential == credential && row.verb == verb && row.role == Role::Admin)
        .expect("every credential and verb has a row")
}
