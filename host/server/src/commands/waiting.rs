//! Requests that a person may have to approve first.

use std::time::Duration;

use countersign_core::approval::State;
use countersign_core::id::ApprovalId;
use tokio::time::Instant;

use super::answers::{Approval, Pending};
use super::client::{Answer, Client, Request};
use super::failure::{Exit, Failure};
use super::moments::when;
use super::terminal;

/// One long poll. The host holds one for 55 seconds at most.
const POLL: u64 = 50;
/// A host that went away may only have been started anew.
const AWAY: Duration = Duration::from_secs(120);
/// Before one that is away is asked again.
const PAUSE: Duration = Duration::from_secs(2);
/// How often the deed is asked for again where its answer was lost. A named approval works once, and a
/// repeat that names it takes the place of what was lost.
const REPEATS: u32 = 3;

/// Asks for a deed. Where a person has to approve it, either waits until they have and repeats the very
/// same request, or says where to wait.
pub async fn perform(client: &Client, request: Request, plan: Plan<'_>) -> Result<Answer, Failure> {
    let mut request = request;
    let mut lost = 0;
    loop {
        let answer = match client.ask(&request).await {
            Err(failure)
                if failure.exit == Exit::Unreachable
                    && request.approval.is_some()
                    && lost < REPEATS =>
            {
                lost += 1;
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            answer => answer?,
        };
        match answer.status {
            200 | 201 => return Ok(answer),
            202 => {}
            _ => {
                if plan.is_json && answer.is_json() {
                    answer.print()?;
                }
                return Err(client.failure(&answer));
            }
        }
        let pending: Pending = client.parse(&answer)?;
        if !plan.waits {
            if plan.is_json {
                answer.print()?;
            }
            terminal::tell(&postponed(&pending, plan.repeat));
            return Err(Failure::said(Exit::Pending));
        }
        terminal::tell(&format!(
            "waiting for a person: {}\n  approve  {}\n  until    {}",
            pending.reason,
            pending.approve_url,
            when(pending.expires_at)
        ));
        let (approval, _) = until_decided(client, pending.approval_id, None).await?;
        passed(&approval)?;
        terminal::tell("approved");
        request.approval = Some(approval.id.to_string());
    }
}

/// What becomes of a request that waits.
pub struct Plan<'a> {
    /// Whether to wait for the person.
    pub waits: bool,
    /// Whether the host's JSON is wanted, a refusal's too.
    pub is_json: bool,
    /// The command that uses the approval, without its id, where the same one does not.
    pub repeat: Option<&'a str>,
}

fn postponed(pending: &Pending, repeat: Option<&str>) -> String {
    let id = pending.approval_id;
    let then = match repeat {
        Some(repeat) => format!("{repeat} --approval {id}"),
        None => "the same command again".to_owned(),
    };
    format!(
        "countersign: this waits for a person, and nothing was done yet: {}\n  approve  {}\n  until    {}\n  wait     countersign approval wait {id}\n  then     {then}",
        pending.reason,
        pending.approve_url,
        when(pending.expires_at),
    )
}

/// The approval as soon as it is decided, or when `patience` ends; with the host's own words.
pub async fn until_decided(
    client: &Client,
    id: ApprovalId,
    patience: Option<Duration>,
) -> Result<(Approval, Answer), Failure> {
    let end = patience.map(|patience| Instant::now() + patience);
    let mut away_since = None;
    let mut wait = 0;
    loop {
        let asked = client
            .get(&Request::get(format!("/approvals/{id}?wait={wait}")), false)
            .await;
        let answer = match asked {
            Err(failure) if failure.exit == Exit::Unreachable => {
                let since = *away_since.get_or_insert_with(Instant::now);
                let is_over = end.is_some_and(|end| Instant::now() >= end);
                if since.elapsed() > AWAY || is_over {
                    return Err(failure);
                }
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            answer => answer?,
        };
        away_since = None;
        let approval: Approval = client.parse(&answer)?;
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        if approval.status != State::Pending || left.is_some_and(|left| left.is_zero()) {
            return Ok((approval, answer));
        }
        // Rounded up, or the last moment would be asked for in a loop.
        wait = left.map_or(POLL, |left| POLL.min(left.as_secs() + 1));
    }
}

/// Whether the approval is a yes; else how that ends a command, in words.
pub fn passed(approval: &Approval) -> Result<(), Failure> {
    let reasons: Vec<String> = approval
        .votes
        .iter()
        .filter(|vote| vote.decision.as_str() == "denied")
        .map(|vote| match &vote.reason {
            Some(reason) => format!("{}: {reason}", vote.by),
            None => vote.by.to_string(),
        })
        .collect();
    let (exit, sentence) = match approval.status {
        State::Approved | State::Used => return Ok(()),
        State::Pending => (Exit::Pending, "it still waits for a person".to_owned()),
        State::Denied if reasons.is_empty() => (Exit::Denied, "it was denied".to_owned()),
        State::Denied => (
            Exit::Denied,
            format!("it was denied by {}", reasons.join(", ")),
        ),
        State::Expired => (Exit::Ended, "nobody decided in time: ask again".to_owned()),
        State::Withdrawn => (Exit::Ended, "the request was taken back".to_owned()),
        State::Lapsed => (
            Exit::Ended,
            "the approval was not used in time, or what it was for has changed: ask again"
                .to_owned(),
        ),
        State::Revoked => (Exit::Ended, "a person took the approval back".to_owned()),
    };
    Err(Failure::new(exit, sentence))
}
