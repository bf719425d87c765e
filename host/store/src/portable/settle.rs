//! A judged action, settled: done, waiting, or refused, and recorded in any case.

use countersign_core::approval::{Approval, End, MOVED};
use countersign_core::audit::EventKind;
use countersign_core::caller::Identity;
use countersign_core::decision::{Outcome, RecordedDecision};
use countersign_core::gate::outlives_the_minter;
use countersign_core::id::{ApprovalId, TokenId};
use countersign_core::ledger::{Deed, Refusal, Settled, Submission, Want};
use countersign_core::permit::Permit;
use countersign_core::policy::{Ground, Terms};
use countersign_core::verdict::Ruling;
use serde_json::{Value, json};
use sqlx::Connection as _;

use super::deeds::Under;
use super::grants::Found;
use super::{
    Connection, approvals, audit, credentials, decisions, deeds, facts, fall, grants, keys, lost,
    requests, tallies,
};
use crate::fault::Fault;

/// Settles a submission. Of `Moved`, `KeyReplaced` and `Outdated` nothing may be kept.
pub(super) async fn settle(
    connection: &mut Connection,
    mut submission: Submission<'_>,
) -> Result<Settled, Fault> {
    // What was waited for is over: from here on nobody else writes.
    let now = submission.clock.now();
    submission.decision.at = now;
    let submission = &submission;
    let judged_by = submission.decision.judgement.generation;
    if judged_by != decisions::BY_CORE && judged_by != submission.judge.generation() {
        return Ok(Settled::Moved);
    }
    let Some(standing) = credentials::standing(connection, submission.caller, now).await? else {
        return refuse(connection, submission, None, Refusal::CredentialGone).await;
    };
    // It may have begun to drain since it was verified.
    let action = &submission.intent.action;
    if let Some(Ruling::Deny { ground, policy }) = outlives_the_minter(action, standing.ends_at) {
        return refuse(connection, submission, None, denied(&ground, &policy)).await;
    }
    let facts = facts::read(
        connection,
        submission.caller,
        &submission.intent.action,
        submission.org,
        now,
    )
    .await?;
    if facts != *submission.facts || !tallies::hold(connection, submission, now).await? {
        return Ok(Settled::Moved);
    }
    if let Deed::WriteSecret(sealed) = &submission.deed
        && !keys::is_active(connection, &sealed.key_id).await?
    {
        return Ok(Settled::KeyReplaced);
    }
    let is_glance = matches!(submission.want, Want::Glance);
    if is_glance && !action.verb().is_read() {
        return Err(Fault::WrongPermit(action.verb().as_str()));
    }
    match &submission.decision.judgement.ruling {
        // Nobody need be asked, and what is asked ahead is not done.
        Ruling::Allow { .. } if submission.want.ahead().is_some() => {
            refuse(connection, submission, None, Refusal::ApprovalNotNeeded).await
        }
        Ruling::Allow { .. } => match grants::left_over(connection, submission).await? {
            Found::Grant(grant) => carry_out(connection, submission, Leave::Grant(grant)).await,
            Found::Lost(grant, token) => {
                carry_out(connection, submission, Leave::Lost(grant, token)).await
            }
            Found::Refused(approval, refusal) => {
                refuse(connection, submission, approval, refusal).await
            }
            _ => carry_out(connection, submission, Leave::Policies).await,
        },
        Ruling::Gate { .. } if is_glance => {
            refuse(connection, submission, None, Refusal::AskedFirst).await
        }
        Ruling::Gate { terms, policy } => pass_gate(connection, submission, terms, policy).await,
        Ruling::Deny { ground, policy } => {
            refuse(connection, submission, None, denied(ground, policy)).await
        }
    }
}

fn denied(ground: &Ground, policy: &str) -> Refusal {
    Refusal::Denied {
        rule: ground.rule.clone(),
        reason: ground.reason.clone(),
        policy: policy.to_owned(),
        advice: ground.advice().map(str::to_owned),
    }
}

async fn pass_gate(
    connection: &mut Connection,
    submission: &Submission<'_>,
    terms: &Terms,
    policy: &str,
) -> Result<Settled, Fault> {
    let found = grants::find(connection, submission, &terms.quorums).await?;
    let expected = &submission.facts.precondition;
    match found {
        Found::Grant(grant) if grant.precondition != *expected => {
            let about = json!({ "approved": grant.precondition, "found": expected });
            let cause = (MOVED, about);
            lapse(connection, &grant, submission, cause).await?;
            if submission.want.ahead().is_some() {
                return ask(connection, submission, terms, policy).await;
            }
            let stale = Refusal::ApprovalStale;
            refuse(connection, submission, Some(grant.id), stale).await
        }
        Found::Lost(grant, _) if grant.precondition != *expected => {
            let stale = Refusal::ApprovalStale;
            refuse(connection, submission, Some(grant.id), stale).await
        }
        Found::Grant(grant) if submission.want.ahead().is_some() => {
            wait(connection, submission, grant).await
        }
        Found::Grant(grant) => carry_out(connection, submission, Leave::Grant(grant)).await,
        Found::Lost(grant, token) => {
            carry_out(connection, submission, Leave::Lost(grant, token)).await
        }
        Found::Pending(approval) => {
            let now = submission.decision.at;
            if fall::end_unless_for(connection, &approval, expected, now).await? {
                let moved = Refusal::ApprovalWithdrawn;
                return refuse(connection, submission, Some(approval.id), moved).await;
            }
            let approval = requests::tighten(connection, submission, approval, terms).await?;
            wait(connection, submission, approval).await
        }
        Found::Refused(approval, refusal) => {
            refuse(connection, submission, approval, refusal).await
        }
        Found::Outgrown(grant) => {
            let settled = ask(connection, submission, terms, policy).await?;
            // It is asked anew, so that there are never two grants for one deed.
            if matches!(settled, Settled::Pending(_) | Settled::Asked(_)) {
                let cause = ("the policies ask for more people by now", json!({}));
                lapse(connection, &grant, submission, cause).await?;
            }
            Ok(settled)
        }
        Found::Nothing => ask(connection, submission, terms, policy).await,
    }
}

/// Asks people, and waits for them, or says why they are not asked.
async fn ask(
    connection: &mut Connection,
    submission: &Submission<'_>,
    terms: &Terms,
    policy: &str,
) -> Result<Settled, Fault> {
    match requests::file(connection, submission, terms, policy).await? {
        Ok(approval) => wait(connection, submission, approval).await,
        Err((approval, refusal)) => refuse(connection, submission, approval, refusal).await,
    }
}

/// By whose leave a deed is done.
enum Leave {
    /// The policies allow it.
    Policies,
    /// People do, once.
    Grant(Approval),
    /// People did, and the answer got lost: the token that was minted gives way to another.
    Lost(Approval, TokenId),
}

impl Leave {
    fn approval(&self) -> Option<ApprovalId> {
        match self {
            Self::Policies => None,
            Self::Grant(grant) | Self::Lost(grant, _) => Some(grant.id),
        }
    }
}

/// Does the deed, and uses the grant for it. Where the deed finds something in its way, the use of the
/// grant is undone with it, and only the refusal stays.
async fn carry_out(
    connection: &mut Connection,
    submission: &Submission<'_>,
    leave: Leave,
) -> Result<Settled, Fault> {
    let action = &submission.intent.action;
    let is_read = action.verb().is_read();
    let asks_nothing = facts::without_asking(action, submission.org).is_some();
    if matches!(leave, Leave::Policies) && is_read && asks_nothing {
        // Nothing can be in the way of reading this, so there is nothing to undo.
        return attempt(connection, submission, &leave).await;
    }
    let mut savepoint = connection.begin().await?;
    match attempt(&mut savepoint, submission, &leave).await? {
        Settled::Refused(refusal) => {
            savepoint.rollback().await?;
            refuse(connection, submission, leave.approval(), refusal).await
        }
        settled => {
            savepoint.commit().await?;
            Ok(settled)
        }
    }
}

/// The deed done and recorded, or what is in its way; the refusal is not recorded yet.
async fn attempt(
    connection: &mut Connection,
    submission: &Submission<'_>,
    leave: &Leave,
) -> Result<Settled, Fault> {
    let decision = &submission.decision;
    let has_leave = match leave {
        Leave::Policies => true,
        Leave::Grant(grant) => spend(connection, submission, grant).await?,
        Leave::Lost(grant, token) => {
            let mint = (grant.verb, grant.id);
            lost::retire(connection, mint, *token, decision.at).await?
        }
    };
    if !has_leave {
        return Ok(Settled::Refused(Refusal::GrantUsed));
    }
    let outcome = match leave {
        Leave::Policies => Outcome::Allowed,
        Leave::Grant(_) | Leave::Lost(..) => Outcome::Granted,
    };
    let under = Under {
        approval: leave.approval(),
        replaces: match leave {
            Leave::Lost(_, token) => Some(*token),
            _ => None,
        },
    };
    let Some(recorded) = record(connection, submission, outcome, under.approval).await? else {
        return Ok(Settled::Outdated);
    };
    let permit = Permit::new(&recorded, submission.caller, submission.intent)
        .ok_or(Fault::WrongPermit(recorded.verb.as_str()))?;
    let done = deeds::perform(connection, permit, submission, under).await?;
    Ok(done.map_or_else(Settled::Refused, Settled::Done))
}

/// Uses the grant up; false where it was not there to be used any more.
async fn spend(
    connection: &mut Connection,
    submission: &Submission<'_>,
    grant: &Approval,
) -> Result<bool, Fault> {
    let decision = &submission.decision;
    if !approvals::spend(connection, grant, decision.at).await? {
        return Ok(false);
    }
    let detail = json!({
        "approval": grant.id,
        "decision": decision.id,
        "verb": grant.verb,
        "digest": grant.digest,
    });
    let (event, actor) = (EventKind::ApprovalUsed, submission.caller.actor());
    audit::append(connection, decision.at, event, &actor, detail).await?;
    Ok(true)
}

async fn wait(
    connection: &mut Connection,
    submission: &Submission<'_>,
    approval: Approval,
) -> Result<Settled, Fault> {
    let pending = Some(approval.id);
    let recorded = record(connection, submission, Outcome::Pending, pending).await?;
    Ok(match recorded {
        None => Settled::Outdated,
        Some(_) if submission.want.ahead().is_some() => Settled::Asked(Box::new(approval)),
        Some(_) => Settled::Pending(Box::new(approval)),
    })
}

async fn refuse(
    connection: &mut Connection,
    submission: &Submission<'_>,
    approval: Option<ApprovalId>,
    refusal: Refusal,
) -> Result<Settled, Fault> {
    let recorded = record(connection, submission, Outcome::Refused, approval).await?;
    Ok(match recorded {
        Some(_) => Settled::Refused(refusal),
        None => Settled::Outdated,
    })
}

/// The decision, recorded; `None` as of [`decisions::record`]. The provisioner passes without a person, so
/// that each use of it has an entry of its own, whatever came of it.
async fn record(
    connection: &mut Connection,
    submission: &Submission<'_>,
    outcome: Outcome,
    approval: Option<ApprovalId>,
) -> Result<Option<RecordedDecision>, Fault> {
    let decision = &submission.decision;
    let made = (submission.caller, submission.intent, decision);
    let recorded = decisions::record(connection, made, outcome, approval).await?;
    if recorded.is_some() && matches!(submission.caller.identity, Identity::Provisioner { .. }) {
        let intent = submission.intent;
        let detail = json!({
            "decision": decision.id,
            "verb": intent.verb(),
            "resource": { "kind": intent.resource_kind, "id": intent.resource_id },
            "digest": intent.digest,
            "outcome": outcome,
            "address": submission.caller.address,
        });
        audit::append(
            connection,
            decision.at,
            EventKind::ProvisionerUsed,
            &decision.actor,
            detail,
        )
        .await?;
    }
    Ok(recorded)
}

async fn lapse(
    connection: &mut Connection,
    grant: &Approval,
    submission: &Submission<'_>,
    (cause, mut detail): (&str, Value),
) -> Result<(), Fault> {
    // Whoever comes with the grant finds that it has ended, and did not end it.
    let end = End::by_nobody(submission.decision.at, cause);
    if !approvals::lapse(connection, grant.id, &end).await? {
        return Ok(());
    }
    detail["cause"] = json!(cause);
    detail["approval"] = json!(grant.id);
    detail["decision"] = json!(submission.decision.id);
    let (event, actor) = (EventKind::ApprovalLapsed, submission.caller.actor());
    audit::append(connection, submission.decision.at, event, &actor, detail).await
}
