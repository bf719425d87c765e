//! Requests to people: one approval is opened, or the one that is open is found.

use countersign_core::approval::{self, Approval, PENDING_LIMIT, Requester, State};
use countersign_core::audit::EventKind;
use countersign_core::caller::Caller;
use countersign_core::generation::GenerationChange;
use countersign_core::id::ApprovalId;
use countersign_core::ledger::{Refusal, Submission};
use countersign_core::policy::Terms;
use countersign_core::review::Review;
use countersign_core::verb::Verb;
use countersign_core::workspace::Workspace;
use serde_json::{Value, json};

use super::columns::{from_json, to_json};
use super::{Connection, approvals, audit, fall, grants, obstacles, sweep, workspaces};
use crate::fault::Fault;

/// Files a gated request for which there is no grant: the pending approval, old or new; or why there
/// is none, with the approval that is the reason.
pub(super) async fn file(
    connection: &mut Connection,
    submission: &Submission<'_>,
    terms: &Terms,
    policy: &str,
) -> Result<Result<Approval, (Option<ApprovalId>, Refusal)>, Fault> {
    // Before anything else is asked: nobody is to read what cannot be done any more.
    let (open, moved) = earlier(connection, submission).await?;
    let workspace = match (submission.want.ahead(), &moved) {
        (Some(ahead), _) => workspaces::load(connection, ahead.workspace).await?,
        (None, Some(moved)) => workspaces::load(connection, moved.workspace).await?,
        (None, None) => anchor(connection, submission.caller).await?,
    };
    let Some(workspace) = workspace else {
        let refusal = match submission.want.ahead() {
            Some(_) => Refusal::FiledNowhere,
            None => Refusal::NoAnchor,
        };
        return Ok(Err((None, refusal)));
    };
    // People are not asked for what could not be done if they agreed.
    if let Some(obstacle) = obstacles::find(connection, submission).await? {
        return Ok(Err((None, obstacle)));
    }
    if let Some(open) = open {
        return tighten(connection, submission, open, terms).await.map(Ok);
    }
    if let Some(denied) = denied_lately(connection, submission).await? {
        return Ok(Err((
            Some(denied.id),
            grants::denial(&denied, submission.lives.cool_down),
        )));
    }
    if count_pending(connection, submission).await? >= PENDING_LIMIT {
        return Ok(Err((None, Refusal::TooManyPending)));
    }
    let mut approval = request(submission, &workspace, terms, policy);
    if let (None, Some(moved)) = (submission.want.ahead(), moved) {
        approval.claim = moved.claim;
    }
    approvals::insert(connection, &approval).await?;
    let detail = json!({
        "approval": approval.id,
        "decision": approval.decision,
        "workspace": approval.workspace,
        "verb": approval.verb,
        "resource": { "kind": approval.resource_kind, "id": approval.resource_id },
        "digest": approval.digest,
        "rule": terms.ground.rule,
        "policy": approval.policy,
        "expires_at": approval.expires_at,
    });
    audit::append(
        connection,
        approval.created_at,
        EventKind::ApprovalRequested,
        &approval.requester.actor,
        detail,
    )
    .await?;
    Ok(Ok(approval))
}

/// What waits for the same request, and what waited for it until now, when its target is found to have moved.
async fn earlier(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<(Option<Approval>, Option<Approval>), Fault> {
    let now = submission.decision.at;
    let Some(open) = same_request(connection, submission).await? else {
        return Ok((None, None));
    };
    if open.state_at(now) != State::Pending {
        sweep::expire(connection, &open, now).await?;
        return Ok((None, None));
    }
    let expected = &submission.facts.precondition;
    Ok(
        match fall::end_unless_for(connection, &open, expected, now).await? {
            true => (None, Some(open)),
            false => (Some(open), None),
        },
    )
}

/// Adds what the policies ask for by now to a request that waits: or people would decide it, and what they
/// said would not be enough. What it was filed under stays, however the policies loosen.
pub(super) async fn tighten(
    connection: &mut Connection,
    submission: &Submission<'_>,
    mut open: Approval,
    terms: &Terms,
) -> Result<Approval, Fault> {
    if approval::cover(&open.terms.quorums, &terms.quorums) {
        return Ok(open);
    }
    open.terms.quorums.extend(terms.quorums.iter().cloned());
    open.terms.quorums.sort();
    open.terms.quorums.dedup();
    let now = submission.decision.at;
    sqlx::query(
        "UPDATE approvals SET terms = $3 WHERE id = $2 AND state = 'pending' AND expires_at > $1",
    )
    .bind(now.as_micros())
    .bind(open.id.to_string())
    .bind(to_json(&open.terms))
    .execute(&mut *connection)
    .await?;
    let detail = json!({
        "approval": open.id,
        "decision": submission.decision.id,
        "cause": "the policies ask for more people by now",
        "quorums": open.terms.quorums,
    });
    let (event, actor) = (EventKind::ApprovalTightened, submission.caller.actor());
    audit::append(connection, now, event, &actor, detail).await?;
    Ok(open)
}

/// The workspace under which the caller's requests are filed, if it has one that stands.
async fn anchor(connection: &mut Connection, caller: &Caller) -> Result<Option<Workspace>, Fault> {
    match caller.filed_under() {
        Some(id) => workspaces::load(connection, id).await,
        None => Ok(None),
    }
}

fn request(
    submission: &Submission<'_>,
    workspace: &Workspace,
    terms: &Terms,
    policy: &str,
) -> Approval {
    let Submission {
        caller,
        intent,
        facts,
        decision,
        ..
    } = submission;
    let asked = intent.action.summary(facts.title.as_deref());
    Approval {
        id: submission.fresh,
        workspace: workspace.id,
        workspace_name: Some(workspace.name.clone()),
        requester: Requester {
            credential: caller.credential_key(),
            actor: caller.actor(),
            lineage: caller.lineage(),
        },
        verb: intent.verb(),
        resource_kind: intent.resource_kind.to_owned(),
        resource_id: intent.resource_id.clone(),
        resource_name: facts.title.clone(),
        digest: intent.digest.clone(),
        payload: intent.payload.clone(),
        reason: format!("{asked}: {}", terms.ground.reason),
        claim: submission
            .want
            .ahead()
            .map_or_else(Default::default, |ahead| ahead.claim.clone()),
        terms: terms.clone(),
        policy: policy.to_owned(),
        decision: decision.id,
        precondition: facts.precondition.clone(),
        state: State::Pending,
        created_at: decision.at,
        expires_at: decision
            .at
            .plus(submission.lives.pending.bounded(terms.pending_ttl)),
        grant_expires_at: None,
        decided_at: None,
        revoke_reason: None,
        end: None,
        votes: Vec::new(),
    }
}

/// The latest denial of the same verb on the same resource to the same lineage, within the cool-down. Of other
/// policies than those that were denied, operators are asked at once: they are the answer to that denial.
async fn denied_lately(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Option<Approval>, Fault> {
    let intent = submission.intent;
    let row: Option<approvals::Row> = sqlx::query_as(concat!(
        approvals::select!(),
        "WHERE state = 'denied' AND decided_at > $1 AND requester_lineage = $2
           AND verb = $3 AND resource_kind = $4 AND resource_id = $5
           AND ($6 IS NULL OR digest = $6)
         ORDER BY decided_at DESC LIMIT 1"
    ))
    .bind(
        submission
            .decision
            .at
            .minus(submission.lives.cool_down)
            .as_micros(),
    )
    .bind(submission.caller.lineage())
    .bind(intent.verb().as_str())
    .bind(intent.resource_kind)
    .bind(&intent.resource_id)
    .bind(
        intent
            .verb()
            .changes_policies()
            .then_some(intent.digest.as_str()),
    )
    .fetch_optional(&mut *connection)
    .await?;
    approvals::found(connection, row).await
}

/// The approval of the same request whose recorded state is pending.
async fn same_request(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<Option<Approval>, Fault> {
    let intent = submission.intent;
    let row: Option<approvals::Row> = sqlx::query_as(concat!(
        approvals::select!(),
        "WHERE state = 'pending' AND requester_credential = $1 AND verb = $2
           AND resource_kind = $3 AND resource_id = $4 AND digest = $5"
    ))
    .bind(submission.caller.credential_key())
    .bind(intent.verb().as_str())
    .bind(intent.resource_kind)
    .bind(&intent.resource_id)
    .bind(intent.digest.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    approvals::found(connection, row).await
}

async fn count_pending(
    connection: &mut Connection,
    submission: &Submission<'_>,
) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM approvals
         WHERE state = 'pending' AND expires_at > $1 AND requester_lineage = $2",
    )
    .bind(submission.decision.at.as_micros())
    .bind(submission.caller.lineage())
    .fetch_one(connection)
    .await?)
}

/// The review of `change` that people are asked to accept, or have accepted and nobody has used yet.
pub(super) async fn open_review(
    connection: &mut Connection,
    change: &GenerationChange,
) -> Result<Option<Review>, Fault> {
    // There are few: whatever becomes live ends the others. What is accepted comes first.
    let payloads: Vec<String> = sqlx::query_scalar(
        "SELECT payload FROM approvals
         WHERE state IN ('pending', 'approved') AND verb = $1 ORDER BY state, id DESC",
    )
    .bind(Verb::PolicyActivate.as_str())
    .fetch_all(connection)
    .await?;
    let wanted = json!({
        "follows": change.follows,
        "modules": change.modules,
        "shadow": change.shadow,
    });
    review_among(payloads, |arguments| {
        ["follows", "modules", "shadow"]
            .iter()
            .all(|member| arguments[*member] == wanted[*member])
    })
}

/// So many of the latest are looked at.
const LATEST: i64 = 50;

/// The newest review of a change to these modules that people did not accept.
pub(super) async fn unaccepted_review(
    connection: &mut Connection,
    change: &GenerationChange,
) -> Result<Option<Review>, Fault> {
    let latest: Vec<(String, bool)> = sqlx::query_as(
        "SELECT payload, state = 'withdrawn' FROM approvals
         WHERE state IN ('denied', 'expired', 'revoked', 'withdrawn') AND verb = $1
         ORDER BY id DESC LIMIT $2",
    )
    .bind(Verb::PolicyActivate.as_str())
    .bind(LATEST)
    .fetch_all(connection)
    .await?;
    // Where a module comes from changes nothing of what it decides: another file's name makes no other list.
    let decide = |modules: &Value| -> Vec<[Value; 3]> {
        let modules = modules.as_array().into_iter().flatten();
        let part = |module: &Value| ["name", "digest", "settings"].map(|name| module[name].clone());
        modules.map(part).collect()
    };
    let wanted = decide(&json!(change.modules));
    let is_meant = |arguments: &Value| decide(&arguments["modules"]) == wanted;
    let (withdrawn, refused): (Vec<_>, Vec<_>) = latest.into_iter().partition(|(_, is)| *is);
    let payloads =
        |some: Vec<(String, bool)>| some.into_iter().map(|(payload, _)| payload).collect();
    // One that nobody answered says something of the same step alone: most end because another one was made.
    let answered = review_among(payloads(refused), is_meant)?;
    let unanswered = review_among(payloads(withdrawn), |arguments| {
        is_meant(arguments) && arguments["follows"] == json!(change.follows)
    })?;
    Ok(answered.or(unanswered))
}

/// The first review among `payloads` of actions with the arguments that are meant.
fn review_among(
    payloads: Vec<String>,
    is_meant: impl Fn(&Value) -> bool,
) -> Result<Option<Review>, Fault> {
    for payload in payloads {
        let mut payload: Value = from_json("approvals.payload", &payload)?;
        let arguments = &mut payload["arguments"];
        if is_meant(arguments) {
            let review = serde_json::from_value(arguments["review"].take());
            return review
                .map(Some)
                .map_err(|error| Fault::Corrupt(format!("approvals.payload: {error}")));
        }
    }
    Ok(None)
}
