//! `countersign policy check`.

use std::path::Path;

use countersign_engine::Mode;
use countersign_lab::loads::{Loaded, Problem, load};
use serde::Serialize;

use super::engine;
use super::shown::json;
use crate::cli::Check;
use crate::commands::failure::{Exit, Failure};
use crate::commands::table::listed;
use crate::commands::terminal::{self, Plain};
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
            say(&text(&checked, component));
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

fn text(checked: &Checked, path: &Path) -> String {
    let component = &checked.component;
    match (&checked.module, &checked.problem) {
        (Some(module), _) => loaded(path, module),
        (_, Some(problem)) => format!(
            "{component}: a host would not load it.\n  {}\n  next: {}",
            problem.sentence, problem.next
        ),
        (None, None) => String::new(),
    }
}

fn loaded(path: &Path, module: &Loaded) -> String {
    let component = path.display();
    let mut pairs = vec![
        ("digest", module.digest.clone()),
        ("runs", runs(module.mode).to_owned()),
        (
            "cases",
            match module.cases {
                0 => "carries none".to_owned(),
                some => format!("carries {some}, which hold"),
            },
        ),
    ];
    for (setting, values) in module.settings.iter() {
        let values = match values.as_slice() {
            [] => "none".to_owned(),
            some => some.join(", "),
        };
        pairs.push((setting, Plain::new(&values).to_string()));
    }
    let has_cases = module.cases > 0 || path.with_extension("cases.toml").exists();
    let test = match has_cases {
        true => format!("`countersign policy test {component}` runs its cases"),
        false => format!(
            "say what it must answer in `{}`, for `countersign policy test`",
            path.with_extension("cases.toml").display()
        ),
    };
    format!(
        "{component}: {}@{} — {}\n{}\n  The host would load it.\n  next: {test}\n        `countersign policy verify {component}` looks for what no policy may answer",
        module.name,
        module.version,
        Plain::new(&module.description),
        listed(&pairs, terminal::width()),
    )
}

/// How a module gets its settings, in words.
pub fn runs(mode: Mode) -> &'static str {
    match mode {
        Mode::Snapshot => "from a snapshot taken after configure",
        Mode::Reconfigured => "configured anew for each decision",
    }
}
