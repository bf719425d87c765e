//! `countersign policy check`.

use countersign_engine::Mode;
use countersign_lab::loads::{Loaded, Problem, load};
use serde::Serialize;

use super::engine;
use super::shown::json;
use crate::cli::Check;
use crate::commands::failure::{Exit, Failure};
use crate::commands::terminal;
use crate::say;

/// What became of one component.
#[derive(Serialize)]
struct Checked {
    component: String,
    loads: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<Loaded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Box<Problem>>,
}

/// Proves each module, alone and beside the built-in baseline, as the host would at load.
pub fn run(asked: &Check) -> anyhow::Result<()> {
    let engine = engine()?;
    let mut all = Vec::new();
    for component in &asked.components {
        let (module, problem) = match load(&engine, component, None) {
            Ok(module) => (Some(module), None),
            Err(problem) => (None, Some(problem)),
        };
        let checked = Checked {
            component: component.display().to_string(),
            loads: problem.is_none(),
            module,
            problem,
        };
        if !asked.json {
            say(&text(&checked));
        }
        all.push(checked);
    }
    if asked.json {
        terminal::write(json(&all)?.as_bytes())?;
    }
    match all.iter().all(|checked| checked.loads) {
        true => Ok(()),
        false => Err(Failure::said(Exit::Failed).into()),
    }
}

fn text(checked: &Checked) -> String {
    let component = &checked.component;
    match (&checked.module, &checked.problem) {
        (Some(module), _) => loaded(component, module),
        (_, Some(problem)) => format!(
            "{component}: a host would not load it.\n  {}\n  next: {}",
            problem.sentence, problem.next
        ),
        (None, None) => String::new(),
    }
}

fn loaded(component: &str, module: &Loaded) -> String {
    let mut text = format!(
        "{component}: {}@{} — {}\n  digest    {}\n  runs      {}",
        module.name,
        module.version,
        module.description,
        module.digest,
        runs(module.mode),
    );
    for (setting, values) in module.settings.iter() {
        text += &format!("\n  {setting} = {values:?}");
    }
    text + "\n  The host would load it."
}

/// How a module gets its settings, in words.
pub fn runs(mode: Mode) -> &'static str {
    match mode {
        Mode::Snapshot => "from a snapshot taken after configure",
        Mode::Reconfigured => "configured anew for each decision",
    }
}
