//! The sets of verbs that the rules speak of: those of the baseline's default settings, and those of the
//! vocabulary.

use anyhow::Context as _;
use countersign_baseline::Baseline;
use countersign_policy::{Policy as _, Verb};

/// Each set with its name.
///
/// # Errors
///
/// Where the baseline has no setting of that name any more.
pub fn sets() -> anyhow::Result<[(&'static str, Vec<String>); 5]> {
    let manifest = Baseline::manifest();
    let setting = |name: &str| {
        let setting = manifest.settings.iter().find(|known| known.name == name);
        anyhow::Ok(setting.context("a setting")?.default.clone())
    };
    let (gated, provisioning) = (setting("gated_verbs")?, setting("provisioner_verbs")?);
    let people = [Verb::AuditRead.name(), Verb::DecisionRead.name()].map(str::to_owned);
    let judged = Verb::ALL.iter().filter(|verb| !verb.is_core_only());
    let judged: Vec<String> = judged.map(|verb| verb.name().to_owned()).collect();
    let open = judged
        .iter()
        .filter(|verb| !gated.contains(verb) && !people.contains(verb));
    Ok([
        ("open", open.cloned().collect()),
        ("judged", judged),
        ("gated", gated),
        ("provisioning", provisioning),
        ("people_only", people.into()),
    ])
}
