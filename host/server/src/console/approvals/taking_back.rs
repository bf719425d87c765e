//! What is taken back from its page: an approval that is not used yet, by a person, and a request that waits, by
//! whoever asked.

use countersign_core::id::ApprovalId;
use countersign_core::ledger::Ended;

use super::super::see_other;
use super::moved::{Attempt, Deed};
use super::{on_one_line, too_late};
use crate::routes::approvals::{not_a_person, reason};
use crate::routes::endings::{ended, revoke_grant, withdraw_request};
use crate::routes::{Answer, Call};

pub async fn revoke(call: Call) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    if call.caller.person().is_none() {
        return Err(not_a_person());
    }
    let said = call.form()?.remove("reason");
    let reason = reason(said.map(|reason| on_one_line(&reason)))?;
    let attempt = Attempt {
        deed: Deed::TakeBack,
        reason: reason.clone(),
    };
    let revoked = revoke_grant(&call, id, reason).await?;
    answer(&call, id, (attempt, revoked, "not_approved"))
}

pub async fn withdraw(call: Call) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    let attempt = Attempt {
        deed: Deed::Withdraw,
        reason: None,
    };
    let withdrawn = withdraw_request(&call, id, None).await?;
    answer(&call, id, (attempt, withdrawn, "not_pending"))
}

/// Its page as it stands, or what has moved. `code` is that of the problem that it is in another state.
fn answer(call: &Call, id: ApprovalId, (attempt, came, code): (Attempt, Ended, &str)) -> Answer {
    match came {
        Ended::Is(_, moved) if !attempt.is_of(&moved, &call.caller) => {
            return Ok(too_late(call, &moved, attempt));
        }
        Ended::Is(..) => {}
        came => drop(ended(call, came, code)?),
    }
    Ok(see_other(&format!("/console/approvals/{id}")))
}

/// Whoever looks again at the address of a form that takes something back.
pub async fn back(call: Call) -> Answer {
    let id = call.path("id", ApprovalId::parse)?;
    Ok(see_other(&format!("/console/approvals/{id}")))
}
