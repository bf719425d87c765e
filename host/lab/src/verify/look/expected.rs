//! What would be right, as the `expect` of a case.

use countersign_core::policy::{Quorum, Verdict};

use super::super::asker::Said;
use super::super::case::quoted;
use crate::table::Effect;

/// The answer that the row itself has.
pub fn as_the_row(base: Option<&Said>) -> String {
    let Some(said) = base else {
        return "not = \"fails\"".to_owned();
    };
    let Ok(verdict) = &said.verdict else {
        return "verdict = \"fails\"".to_owned();
    };
    let terms = terms(verdict).into_iter();
    let rule = verdict
        .ground()
        .map(|ground| format!("rule = {}", quoted(&ground.rule)));
    let parts = [format!("verdict = \"{}\"", Effect::of(verdict))];
    let parts: Vec<String> = parts.into_iter().chain(rule).chain(terms).collect();
    parts.join(", ")
}

/// Nothing that lets as much through as `said`, where `base` lets less through.
pub fn no_looser_than(base: &Said, said: &Said) -> String {
    match (&base.verdict, &said.verdict) {
        (Ok(verdict @ Verdict::Gate(_)), Ok(Verdict::Gate(_))) => {
            let parts = ["verdict = \"gate\"".to_owned()];
            let parts: Vec<String> = parts.into_iter().chain(terms(verdict)).collect();
            parts.join(", ")
        }
        (Ok(Verdict::Abstain), _) => "verdict = \"abstain\"".to_owned(),
        (_, Ok(Verdict::Gate(_))) => "not = [\"allow\", \"abstain\", \"gate\"]".to_owned(),
        (_, Ok(Verdict::Abstain)) => "not = [\"allow\", \"abstain\"]".to_owned(),
        _ => "not = \"allow\"".to_owned(),
    }
}

fn terms(verdict: &Verdict) -> Vec<String> {
    let Verdict::Gate(terms) = verdict else {
        return Vec::new();
    };
    let quorums: Vec<String> = terms.quorums.iter().map(quorum).collect();
    let quorums = format!("quorums = [{}]", quorums.join(", "));
    let lives = [
        ("pending-ttl", terms.pending_ttl),
        ("grant-ttl", terms.grant_ttl),
    ];
    let lives = lives
        .into_iter()
        .filter_map(|(part, seconds)| seconds.map(|seconds| format!("{part} = {seconds}")));
    [quorums].into_iter().chain(lives).collect()
}

fn quorum(quorum: &Quorum) -> String {
    let groups: Vec<String> = quorum.groups.iter().map(|group| quoted(group)).collect();
    format!(
        "{{ people = {}, groups = [{}] }}",
        quorum.people,
        groups.join(", ")
    )
}
