//! `countersign policy check`.

use std::sync::Arc;

use anyhow::Context as _;
use countersign_engine::{CLASSIFIER, Mode, PolicySet};
use countersign_lab::module::Module;

use super::engine;
use crate::cli::Check;
use crate::say;

/// Proves the module, alone and beside the built-in baseline, as the host would at load.
pub fn run(asked: &Check) -> anyhow::Result<()> {
    let name = asked.component.display();
    let module = Module::open(&engine()?, &asked.component)?;
    let proven = module.proven();
    let mut text = format!(
        "{} — {}\n  digest    {}\n  runs      {}",
        proven.id(),
        proven.manifest().description,
        proven.id().digest,
        match proven.mode() {
            Mode::Snapshot => "from a snapshot taken after configure",
            Mode::Reconfigured => "configured anew for each decision",
        }
    );
    for (setting, values) in proven.settings().iter() {
        text.push_str(&format!("\n  {setting} = {values:?}"));
    }
    say(&text);
    let mut set = vec![Arc::clone(proven)];
    if !module.is_classifier() {
        set.push(Arc::clone(module.classifier()));
    }
    PolicySet::check(set, CLASSIFIER).with_context(|| format!("`{name}` cannot go live"))?;
    say("The host would load it.");
    Ok(())
}
