//! Policies kept and changed.

use countersign_core::action::Action;
use countersign_core::audit::EventKind;
use countersign_core::generation::GenerationChange;
use countersign_core::id::DecisionId;
use countersign_core::ledger::{Deed, Done, Submission};
use countersign_core::signature::KeptSignature;
use serde_json::json;

use super::super::{Connection, generations, signatures, versions};
use super::{Outcome, Under, wrong};
use crate::fault::Fault;

/// Does what a person asks for of the policies.
pub(super) async fn of_policies(
    connection: &mut Connection,
    decision: DecisionId,
    submission: &Submission<'_>,
    under: Under,
) -> Result<Outcome, Fault> {
    let (by, now) = (submission.caller.actor(), submission.decision.at);
    match (&submission.deed, &submission.intent.action) {
        (
            Deed::KeepPolicy,
            Action::PolicyPush {
                component: Some(component),
                ..
            },
        ) => {
            let kept = versions::push(connection, component, &by, now).await?;
            let mut detail = json!({ "module": component.id, "decision": decision });
            if let (true, Some((key_id, text))) = (kept, &component.signature) {
                let signature = KeptSignature {
                    digest: component.id.digest.clone(),
                    key_id: key_id.to_string(),
                    text: text.clone(),
                    at: now,
                    by,
                };
                signatures::keep(connection, &signature).await?;
                detail["signed_by"] = json!(signature.key_id);
            }
            let entry = (EventKind::PolicyPushed, detail);
            Ok(kept.then_some((Done::PolicyKept, Some(entry))))
        }
        (
            Deed::ChangePolicies,
            Action::PolicyActivate {
                change: Some(reviewed),
            },
        ) => change(connection, &reviewed.change, submission, under).await,
        (
            Deed::ChangePolicies,
            Action::PolicyRollback {
                change: Some(earlier),
                ..
            },
        ) => change(connection, earlier, submission, under).await,
        _ => Err(wrong(submission)),
    }
}

async fn change(
    connection: &mut Connection,
    change: &GenerationChange,
    submission: &Submission<'_>,
    under: Under,
) -> Result<Outcome, Fault> {
    let change = GenerationChange {
        by: submission.caller.actor(),
        at: submission.decision.at,
        approval: under.approval,
        ..change.clone()
    };
    let number = generations::record(connection, &change).await?;
    // The record of a change has its own entry.
    Ok(number.map(|number| (Done::PoliciesChanged(number), None)))
}
