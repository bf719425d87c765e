//! `countersign approval …`.

mod shown;

use countersign_core::approval::State;
use countersign_core::caller::POLICY_FOLDER;
use countersign_core::id::ApprovalId;
use reqwest::Method;
use serde_json::{Value, json};

use self::shown::shown;
use super::answers::{Approval, Decided};
use super::client::{Answer, Client, Request};
use super::failure::{Exit, Failure};
use super::moments::Moments;
use super::span;
use super::table::Table;
use super::terminal::{self, Plain};
use super::waiting::{passed, until_decided};
use crate::cli::{Access, ApprovalCommand, Decision, Named};
use crate::config::Flags;

/// Approvals that are asked for at once.
const PAGE: u32 = 200;
/// Nobody reads more.
const MAX_PAGES: usize = 50;
/// On a narrower terminal, a table would cut off what is asked, and that is what matters.
const ROOMY: usize = 150;

/// Runs one of them.
pub async fn run(command: ApprovalCommand, flags: Flags) -> Result<(), Failure> {
    match command {
        ApprovalCommand::List(access) => list(access, flags).await,
        ApprovalCommand::Show(named) => show(named, flags).await,
        ApprovalCommand::Approve {
            yes,
            digest,
            decision,
        } => approve(decision, Agreed { yes, digest }, flags).await,
        ApprovalCommand::Deny(decision) => deny(decision, flags).await,
        ApprovalCommand::Wait { patience, named } => wait(named, patience, flags).await,
        ApprovalCommand::Withdraw(named) => withdraw(named, flags).await,
        ApprovalCommand::Revoke(named) => revoke(named, flags).await,
    }
}

/// What a person has agreed to before they are asked.
struct Agreed {
    yes: bool,
    digest: Option<String>,
}

async fn list(access: Access, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&access, flags)?;
    let mut approvals: Vec<Value> = Vec::new();
    let mut cursor: Option<String> = None;
    for page in 0..MAX_PAGES {
        let mut path = format!("/approvals/pending?limit={PAGE}");
        if let Some(cursor) = &cursor {
            path.push_str(&format!("&cursor={cursor}"));
        }
        let answer = client.get(&Request::get(path), access.json).await?;
        cursor = answer.header("x-next-cursor").map(|next| next.to_string());
        if access.json && page == 0 && cursor.is_none() {
            return answer.print();
        }
        let more: Vec<Value> = client.parse(&answer)?;
        approvals.extend(more);
        if cursor.is_none() {
            break;
        }
    }
    if access.json {
        let json = terminal::plain_json(&Value::Array(approvals).to_string());
        return terminal::write(format!("{json}\n").as_bytes());
    }
    let approvals: Vec<Approval> = approvals
        .into_iter()
        .map(|approval| client.parse_value(approval))
        .collect::<Result<_, _>>()?;
    if approvals.is_empty() {
        terminal::say("Nothing waits for people.");
        return Ok(());
    }
    terminal::say(&drawn(&approvals));
    if cursor.is_some() {
        terminal::tell("note: more wait than are shown; decide some of these first");
    }
    Ok(())
}

fn drawn(approvals: &[Approval]) -> String {
    let width = terminal::width();
    let moments = Moments::now(width);
    if width.is_some_and(|width| width < ROOMY) {
        let cards: Vec<String> = approvals
            .iter()
            .map(|approval| shown::card(approval, &moments, width))
            .collect();
        return cards.join("\n\n");
    }
    let headings = ["ID", "REQUEST", "REQUESTER", "APPROVED", "ASKED", "EXPIRES"];
    let mut table = Table::new(&headings, &[1, 2]);
    for approval in approvals {
        table.row(vec![
            Plain::new(&approval.id.to_string()),
            approval.reason.clone(),
            approval.requester.clone(),
            Plain::new(&shown::count(approval)),
            moments.cell(approval.created_at),
            moments.cell(approval.expires_at),
        ]);
    }
    table.drawn(width)
}

async fn read(
    client: &Client,
    id: ApprovalId,
    is_json: bool,
) -> Result<(Approval, Answer), Failure> {
    let request = Request::get(format!("/approvals/{id}"));
    let answer = client.get(&request, is_json).await?;
    let approval: Approval = client.parse(&answer)?;
    if approval.id != id {
        return Err(Failure::failed(format!(
            "the host answered with another approval than {id}: nothing was done"
        )));
    }
    Ok((approval, answer))
}

async fn show(named: Named, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&named.access, flags)?;
    let (approval, answer) = read(&client, named.id, named.access.json).await?;
    if named.access.json {
        return answer.print();
    }
    terminal::say(&shown(&approval, terminal::width()));
    Ok(())
}

async fn approve(decision: Decision, agreed: Agreed, flags: Flags) -> Result<(), Failure> {
    let Named { id, access } = decision.named;
    let client = Client::new(&access, flags)?;
    let (approval, _) = read(&client, id, access.json).await?;
    let text = shown(&approval, terminal::width());
    // With --json, the host's answer alone is the result.
    match access.json {
        true => terminal::tell(&text),
        false => terminal::say(&text),
    }
    if approval.status != State::Pending {
        return Err(no_longer_pending(&approval));
    }
    if let Some(digest) = &agreed.digest
        && *digest != approval.digest.as_str()
    {
        return Err(Failure::failed(
            "the digest of what is asked is another one than --digest says: nothing was approved",
        ));
    }
    if !agreed.yes {
        match terminal::ask("\nApprove exactly this?") {
            Some(true) => {}
            Some(false) => return Err(Failure::failed("nothing was decided")),
            None => {
                return Err(Failure::usage(
                    "there is no terminal to ask at, so nothing was approved: say --yes, and --digest with what was read before",
                ));
            }
        }
    }
    let body = json!({
        "decision": "approved",
        "digest": approval.digest,
        "reason": decision.reason,
    });
    let answer = decide(&client, id, body, access.json).await?;
    if access.json {
        return answer.print();
    }
    let Decided { status } = client.parse(&answer)?;
    terminal::say(match status {
        State::Approved if approval.requester.as_str() == POLICY_FOLDER => {
            "\nApproved. The host makes it live by itself: `countersign policy list` shows it."
        }
        State::Approved => "\nApproved. The requester can now do this, once.",
        State::Pending => "\nYour approval counts; more people must approve.",
        _ => "\nDecided.",
    });
    Ok(())
}

fn no_longer_pending(approval: &Approval) -> Failure {
    let exit = match passed(approval) {
        Ok(()) => Exit::Failed,
        Err(failure) => failure.exit,
    };
    Failure::new(
        exit,
        format!(
            "there is nothing to decide: it is {} already",
            approval.status
        ),
    )
}

async fn deny(decision: Decision, flags: Flags) -> Result<(), Failure> {
    let Named { id, access } = decision.named;
    let client = Client::new(&access, flags)?;
    let (approval, _) = read(&client, id, access.json).await?;
    if approval.status != State::Pending {
        return Err(no_longer_pending(&approval));
    }
    let body = json!({ "decision": "denied", "reason": decision.reason });
    let answer = decide(&client, id, body, access.json).await?;
    if access.json {
        return answer.print();
    }
    terminal::say(&format!("Denied: {}", approval.reason));
    Ok(())
}

async fn decide(
    client: &Client,
    id: ApprovalId,
    body: Value,
    is_json: bool,
) -> Result<Answer, Failure> {
    let request = Request::new(Method::POST, format!("/approvals/{id}/decide"), Some(body));
    client.get(&request, is_json).await
}

async fn wait(named: Named, patience: Option<String>, flags: Flags) -> Result<(), Failure> {
    let patience = span::of_option("--for", patience.as_deref())?;
    let client = Client::new(&named.access, flags)?;
    let (approval, answer) = until_decided(&client, named.id, patience).await?;
    if named.access.json {
        answer.print()?;
        return passed(&approval).map_err(|failure| Failure::said(failure.exit));
    }
    passed(&approval)?;
    terminal::say(match approval.status {
        State::Used => "Approved, and used already.",
        _ => "Approved.",
    });
    Ok(())
}

async fn withdraw(named: Named, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&named.access, flags)?;
    let (approval, _) = read(&client, named.id, named.access.json).await?;
    let path = format!(
        "/workspaces/{}/approvals/{}/withdraw",
        approval.workspace_id, named.id
    );
    let request = Request::new(Method::POST, path, Some(json!({})));
    let answer = client.get(&request, named.access.json).await?;
    if named.access.json {
        return answer.print();
    }
    terminal::say(&format!("Withdrawn: {}", approval.reason));
    Ok(())
}

async fn revoke(named: Named, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&named.access, flags)?;
    let path = format!("/approvals/{}/revoke", named.id);
    let request = Request::new(Method::POST, path, Some(json!({})));
    let answer = client.get(&request, named.access.json).await?;
    if named.access.json {
        return answer.print();
    }
    terminal::say(&format!("Revoked: {} can no longer be used.", named.id));
    Ok(())
}
