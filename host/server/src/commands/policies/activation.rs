//! What makes other policies live, and what is said where an operator has to accept it first.

use std::time::{Duration, Instant};

use serde::Deserialize;

use super::super::answers::{Approval, Pending};
use super::super::client::{Answer, Client, Request};
use super::super::failure::{Exit, Failure};
use super::super::moments::when;
use super::super::progress::Progress;
use super::super::{review, terminal};
use crate::reviews::AcceptedBy;

/// So many seconds the host holds an answer for what it compares, before it is said that it still does.
pub const WAIT: u64 = 2;
/// And then it is asked again so soon.
const AGAIN: Duration = Duration::from_secs(1);
/// Whoever waits so long is told what the host says: it ends every comparison sooner.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// A change that is recorded.
#[derive(Deserialize)]
struct Changed {
    generation: u64,
    live: bool,
}

/// Asks for it. What loosens is shown as the list that an operator judges, with what to do next.
pub async fn make_live(client: &Client, request: &Request, is_json: bool) -> Result<(), Failure> {
    let answer = compared(client, request).await?;
    match answer.status {
        200 | 201 if is_json => answer.print(),
        200 | 201 => {
            let Changed { generation, live } = client.parse(&answer)?;
            terminal::say(&match live {
                true => format!("Generation {generation} is live."),
                false => format!(
                    "Generation {generation} is recorded, and not live at this host yet: `countersign policy list` says when it is."
                ),
            });
            Ok(())
        }
        202 => waits(client, &answer, is_json).await,
        _ => {
            if is_json && answer.is_json() {
                answer.print()?;
            }
            Err(client.failure(&answer))
        }
    }
}

/// What the host answers once it knows what the change would change.
async fn compared(client: &Client, request: &Request) -> Result<Answer, Failure> {
    let (began, progress) = (Instant::now(), Progress::new());
    loop {
        let answer = client.ask(request).await?;
        if !answer.is_refused_as("comparing") || began.elapsed() > PATIENCE {
            return Ok(answer);
        }
        progress.tell(|| {
            format!(
                "countersign: what this would change is being compared with what decides, for {} s so far; nothing is changed yet",
                began.elapsed().as_secs()
            )
        });
        tokio::time::sleep(AGAIN).await;
    }
}

async fn waits(client: &Client, answer: &Answer, is_json: bool) -> Result<(), Failure> {
    if is_json {
        answer.print()?;
    }
    let pending: Pending = client.parse(answer)?;
    let id = pending.approval_id;
    // The list is a part of what is asked. Where it cannot be read now, the next steps are said all the same.
    let read = client
        .get(&Request::get(format!("/approvals/{id}")), false)
        .await;
    let approval: Option<Approval> = read.ok().and_then(|answer| client.parse(&answer).ok());
    let list = approval.and_then(|approval| approval.review());
    let list = list.map_or(
        format!("What it changes is said by `countersign approval show {id}`."),
        |list| review::shown(&list, terminal::width()),
    );
    let (accept, note) = match pending.accepted_by {
        Some(AcceptedBy::You) => ("yourself", ": you are the only operator"),
        Some(AcceptedBy::AnotherOperator) => ("another operator", ": not whoever asked"),
        None => ("an operator", ""),
    };
    terminal::tell(&format!(
        "countersign: this waits for an operator, and nothing was done yet: {}\n\n{list}\n\n  accept   countersign approval approve {id}   ({accept}{note})\n  console  {}\n  until    {}\n  wait     countersign approval wait {id}\n  then     the same command again",
        pending.reason,
        pending.approve_url,
        when(pending.expires_at),
    ));
    Err(Failure::said(Exit::Pending))
}
