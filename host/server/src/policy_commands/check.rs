//! `countersign policy check`.

use std::path::Path;

use countersign_core::signature::TrustedKeys;
use countersign_engine::Mode;
use countersign_lab::loads::{Loaded, Problem, load};
use serde::Serialize;

use super::shown::json;
use super::{engine, signing};
use crate::cli::Check;
use crate::commands::failure::{Exit, Failure};
use crate::commands::table::listed;
use crate::commands::terminal::{self, Plain};
use crate::config::{Flags, policy_keys_of};
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
    /// Who signed it, by the signature beside it, or why that does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
}

/// Proves each module, alone and beside the built-in baseline, as the host would at load.
pub fn run(asked: &Check, flags: &Flags) -> anyhow::Result<()> {
    let keys = policy_keys_of(flags).map_err(|error| Failure::usage(error.to_string()))?;
    let engine = engine()?;
    let mut all = Vec::new();
    for component in &asked.components {
        let (module, problem) = match load(&engine, component, None) {
            Ok(module) => (Some(module), None),
            Err(problem) => (None, Some(problem)),
        };
        let signature = signed(component, &keys);
        let checked = Checked {
            component: component.display().to_string(),
            loads: problem.is_none() && signature.as_ref().is_none_or(Result::is_ok),
            module,
            problem,
            signature: signature.map(|signed| signed.unwrap_or_else(|why| why)),
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

/// Who signed it; `None` where nobody did, and nobody must have.
fn signed(path: &Path, keys: &TrustedKeys) -> Option<Result<String, String>> {
    match signing::beside_of(path, keys) {
        None if keys.is_required() => {
            let bytes = std::fs::read(path).ok()?;
            let refused = keys.check(&bytes, &[]).err()?;
            Some(Err(refused.to_string()))
        }
        signed => signed,
    }
}

fn text(checked: &Checked, path: &Path) -> String {
    let component = &checked.component;
    match (&checked.module, &checked.problem) {
        (Some(_), None) if !checked.loads => format!(
            "{component}: a host would not load it.\n  {}",
            checked.signature.as_deref().unwrap_or_default()
        ),
        (Some(module), _) => loaded(path, module, checked.signature.as_deref()),
        (_, Some(problem)) => format!(
            "{component}: a host would not load it.\n  {}\n  next: {}",
            problem.sentence, problem.next
        ),
        (None, None) => String::new(),
    }
}

fn loaded(path: &Path, module: &Loaded, signed: Option<&str>) -> String {
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
    if let Some(signed) = signed {
        pairs.push(("signature", signed.to_owned()));
    }
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
