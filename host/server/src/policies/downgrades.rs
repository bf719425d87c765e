//! A folder that holds an older version than the one that decides: it does not come back by lying there, for
//! whoever kept an old file, or an old signature, would choose the policies. A person goes back, on purpose.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_core::generation::{Genuine, ModuleRecord};
use countersign_core::ports::Ledger;
use countersign_core::verdict::ModuleId;
use countersign_engine::folder::{Problem, Proposal};
use countersign_engine::{CLASSIFIER, PolicySet, Proven};
use semver::Version;

use super::modules::named;
use super::recorded::{self, Workshop};

/// What the folder proposes, with what decides under `newest` in the place of each older version of it.
pub(super) async fn upheld(
    newest: Option<&Genuine>,
    proposal: &Proposal,
    ledger: &dyn Ledger,
    workshop: Workshop<'_>,
) -> anyhow::Result<Proposal> {
    let decide = newest.map_or(&[][..], |newest| &newest.modules);
    let stands: Vec<ModuleRecord> = older(proposal.policies.modules(), &proposal.files, decide)
        .map(|(_, stands)| stands.clone())
        .collect();
    let mut upheld = proposal.clone();
    if stands.is_empty() {
        return Ok(upheld);
    }
    let mut modules = recorded::modules(ledger, workshop, &stands).await?;
    for module in proposal.policies.modules() {
        if named(&stands, &module.id().name).is_none() {
            modules.push(Arc::clone(module));
        }
    }
    let check = move || PolicySet::check(modules, CLASSIFIER);
    upheld.policies = tokio::task::spawn_blocking(check).await??;
    for module in stands {
        upheld.files.remove(&module.id.name);
        upheld
            .files
            .extend(module.file.map(|file| (module.id.name, file)));
    }
    Ok(upheld)
}

/// What is wrong with those files.
pub(super) fn problems(
    modules: &[Arc<Proven>],
    files: &BTreeMap<String, String>,
    decide: &[ModuleRecord],
) -> Vec<Problem> {
    let problem = |(module, stands): (&Arc<Proven>, &ModuleRecord)| {
        let ModuleId { name, version, .. } = module.id();
        Problem {
            file: files.get(name).cloned(),
            sentence: format!(
                "`{name}@{version}` is older than `{}`, which decides: an older version does not come back by itself, whoever signed it. To go back on purpose, `countersign policy rollback` to an earlier generation, or `countersign policy push` it and `countersign policy mode {name} enforce --version {version}`",
                stands.id
            ),
        }
    };
    older(modules, files, decide).map(problem).collect()
}

/// The modules from files that are older than what decides under their names, each with that.
fn older<'m>(
    modules: &'m [Arc<Proven>],
    files: &'m BTreeMap<String, String>,
    decide: &'m [ModuleRecord],
) -> impl Iterator<Item = (&'m Arc<Proven>, &'m ModuleRecord)> {
    modules.iter().filter_map(|module| {
        let id = module.id();
        let stands = named(decide, &id.name)?;
        let is_older = files.contains_key(&id.name) && is_older(&id.version, &stands.id.version);
        is_older.then_some((module, stands))
    })
}

/// By their precedence (Semantic Versioning, section 11).
fn is_older(version: &str, than: &str) -> bool {
    match (Version::parse(version), Version::parse(than)) {
        (Ok(version), Ok(than)) => version.cmp_precedence(&than).is_lt(),
        // A manifest has none that is not one.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_older;

    #[test]
    fn versions_are_told_apart_by_their_precedence() {
        for (one, other) in [
            ("1.9.0", "1.10.0"),
            ("2.0.0-rc.1", "2.0.0"),
            ("2.0.0-rc.2", "2.0.0-rc.10"),
        ] {
            assert!(
                is_older(one, other) && !is_older(other, one),
                "{one} {other}"
            );
        }
        assert!(!is_older("1.0.0+a", "1.0.0+b") && !is_older("1.0.0+b", "1.0.0+a"));
    }
}
