//! The report that programs read. Members are added, and none is renamed or removed.

use countersign_core::exhaustive::Row;
use countersign_core::policy::Verdict;
use serde_json::{Value, json};

use crate::run::{Failed, Ran};
use crate::suite::{Report, Source};
use crate::table::Effect;

/// How many questions of one case are written that were answered otherwise; `failed_questions` counts all.
const FAILURES: usize = 100;

/// All cases, with what became of each.
pub fn json(report: &Report<'_>) -> Value {
    let cases: Vec<Value> = report
        .ran()
        .map(|(source, ran)| case(source, ran))
        .collect();
    let failed = report.failed();
    json!({
        "module": {
            "name": report.module.name,
            "version": report.module.version,
            "digest": report.module.digest,
        },
        "passed": report.cases() - failed,
        "failed": failed,
        "questions": report.questions(),
        "seconds": report.took.as_secs_f64(),
        "cases": cases,
    })
}

fn case(source: &Source, ran: &Ran<'_>) -> Value {
    let failures = ran.failures.as_deref().unwrap_or_default();
    json!({
        "name": ran.case.name,
        "file": source.name,
        "bundled": source.is_bundled,
        "line": ran.case.line,
        "passed": ran.passed(),
        "questions": ran.questions,
        "failed_questions": failures.len(),
        "seconds": ran.took.as_secs_f64(),
        "given": ran.case.given.laid(),
        "error": ran.failures.as_ref().err(),
        "failures": failures.iter().take(FAILURES).map(failure).collect::<Vec<_>>(),
    })
}

fn failure(failed: &Failed) -> Value {
    let row = &failed.variant.row;
    let answered = &failed.answered;
    let verdict = answered.verdict.as_ref().ok();
    let ground = verdict.and_then(Verdict::ground);
    json!({
        "credential": row.credential.as_str(),
        "role": row.role.as_str(),
        "verb": row.verb.as_str(),
        "flags": row.flags,
        "call": failed.call.number,
        "after": failed.call.after.iter().map(Row::key).collect::<Vec<_>>(),
        "class": answered.class.as_ref().ok().map(|class| class.as_str()),
        "verdict": verdict.map(|verdict| Effect::of(verdict).as_str()),
        "rule": ground.map(|ground| &ground.rule),
        "reason": ground.map(|ground| &ground.reason),
        "failure": answered.verdict.as_ref().err(),
        "mismatches": failed.mismatches,
        "notes": answered.notes,
    })
}
