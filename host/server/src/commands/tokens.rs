//! `countersign token …`.

use countersign_core::id::TokenId;
use countersign_core::time::{Clock as _, SystemClock, Timestamp};
use reqwest::Method;
use serde_json::{Map, Value};

use super::answers::{Minted, Token, Tokens};
use super::client::{Answer, Client, Request};
use super::failure::Failure;
use super::moments::{Moments, when};
use super::span;
use super::table::{Table, listed};
use super::terminal::{self, Plain};
use super::waiting::{Plan, perform};
use crate::cli::{Access, Mint, Revoke, TokenCommand};
use crate::config::Flags;

/// The longest a revoked token may still work (API.md).
const MAX_DRAIN: u64 = 3_600;

/// Runs one of them.
pub async fn run(command: TokenCommand, flags: Flags) -> Result<(), Failure> {
    match command {
        TokenCommand::Mint(mint) => mint_one(mint, flags).await,
        TokenCommand::List(access) => list(access, flags).await,
        TokenCommand::Revoke(revoke) => revoke_one(revoke, flags).await,
    }
}

async fn mint_one(mint: Mint, flags: Flags) -> Result<(), Failure> {
    let now = SystemClock.now();
    let expires_at = mint
        .expires
        .as_deref()
        .map(|text| span::instant("--expires", text, now))
        .transpose()?;
    let client = Client::new(&mint.access, flags)?;
    let mut request = Request::new(Method::POST, "/org/tokens", Some(body(&mint, expires_at)));
    request.approval = mint.approval.map(|id| id.to_string());
    let repeat = repeat(&mint, expires_at);
    let plan = Plan {
        waits: mint.wait,
        is_json: mint.access.json,
        repeat: Some(&repeat),
    };
    let answer = perform(&client, request, plan).await?;
    if mint.access.json {
        return answer.print();
    }
    let minted: Minted = client.parse(&answer)?;
    if mint.quiet || !terminal::is_seen() {
        // The token alone, and nothing if it is none: it becomes the value of a variable.
        let token = Plain::new(minted.auth_token.reveal());
        return terminal::write(format!("{token}\n").as_bytes());
    }
    show(&minted)
}

fn body(mint: &Mint, expires_at: Option<Timestamp>) -> Value {
    let mut body = Map::new();
    let workspace = mint.workspace.map(|id| id.to_string());
    let expires_at = expires_at.map(|at| at.to_string());
    let members = [
        ("name", mint.name.clone()),
        ("role", mint.role.clone()),
        ("workspace_id", workspace),
        ("expires_at", expires_at),
    ];
    for (name, value) in members {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.into());
        }
    }
    Value::Object(body)
}

/// The command that asks for the very same, at any later time.
fn repeat(mint: &Mint, expires_at: Option<Timestamp>) -> String {
    let mut command = "countersign token mint".to_owned();
    let mut add = |option: &str, value: Option<String>| {
        if let Some(value) = value {
            command.push_str(&format!(" --{option} {}", quoted(&value)));
        }
    };
    add("name", mint.name.clone());
    add("role", mint.role.clone());
    add("workspace", mint.workspace.map(|id| id.to_string()));
    add("expires", expires_at.map(|at| at.to_string()));
    command
}

/// `text` as a shell takes it for one word.
fn quoted(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
    if !text.is_empty() && text.chars().all(is_word) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn show(minted: &Minted) -> Result<(), Failure> {
    let mut pairs = vec![
        ("id", minted.id.to_string()),
        ("prefix", minted.prefix.to_string()),
    ];
    if let Some(name) = &minted.name {
        pairs.push(("name", name.to_string()));
    }
    if let Some(role) = &minted.role {
        pairs.push(("role", role.to_string()));
    }
    if let Some(workspace) = &minted.workspace_id {
        pairs.push(("workspace", workspace.to_string()));
    }
    let expires = match minted.expires_at {
        Some(at) => when(at).to_string(),
        None => "never".to_owned(),
    };
    pairs.push(("expires", expires));
    let text = format!(
        "{}\n\n{}\n\nCopy the token now; it will not be shown again.\n",
        Plain::new(minted.auth_token.reveal()),
        listed(&pairs, terminal::width())
    );
    terminal::write(text.as_bytes())
}

async fn list(access: Access, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&access, flags)?;
    let answer = client
        .get(&Request::get("/org/tokens"), access.json)
        .await?;
    if access.json {
        return answer.print();
    }
    let Tokens { tokens } = client.parse(&answer)?;
    if tokens.is_empty() {
        terminal::say("No token is live.");
        return Ok(());
    }
    let width = terminal::width();
    let moments = Moments::now(width);
    let headings = [
        "PREFIX",
        "NAME",
        "ROLE",
        "CREATED BY",
        "CREATED",
        "LAST USED",
        "EXPIRES",
    ];
    let mut table = Table::new(&headings, &[1, 3]);
    for token in tokens {
        table.row(vec![
            token.prefix,
            token.name.unwrap_or_default(),
            match token.workspace_id {
                Some(_) => Plain::new(&format!("{}, one workspace", token.role)),
                None => token.role,
            },
            token.created_by,
            moments.cell(token.created_at),
            moments.cell_or(token.last_used_at, "never"),
            moments.cell_or(token.expires_at, "never"),
        ]);
    }
    terminal::say(&table.drawn(width));
    Ok(())
}

async fn revoke_one(revoke: Revoke, flags: Flags) -> Result<(), Failure> {
    let drain = span::of_option("--drain", revoke.drain.as_deref())?;
    if drain.is_some_and(|drain| drain.as_secs() > MAX_DRAIN) {
        return Err(Failure::usage("--drain: an hour is the longest"));
    }
    let client = Client::new(&revoke.access, flags)?;
    let id = match TokenId::parse(&revoke.token) {
        Some(id) => id,
        None => find(&client, &revoke.token).await?,
    };
    let mut query = Vec::new();
    if let Some(drain) = drain {
        query.push(format!("drain_seconds={}", drain.as_secs()));
    }
    if revoke.descendants {
        query.push("descendants=true".to_owned());
    }
    let mut path = format!("/org/tokens/{id}");
    if !query.is_empty() {
        path.push_str(&format!("?{}", query.join("&")));
    }
    let plan = Plan {
        waits: revoke.wait,
        is_json: revoke.access.json,
        repeat: None,
    };
    let answer = perform(&client, Request::new(Method::DELETE, path, None), plan).await?;
    if revoke.access.json {
        return answer.print();
    }
    terminal::say(&revoked(id, &revoke, &answer));
    Ok(())
}

fn revoked(id: TokenId, revoke: &Revoke, answer: &Answer) -> String {
    let mut text = match &revoke.drain {
        Some(drain) => format!("Revoked {id}; it works for {} more.", Plain::new(drain)),
        None => format!("Revoked {id}."),
    };
    // What fell along is the host's to list, as it calls it; none of it is guessed here.
    if revoke.descendants
        && let Ok(Value::Object(members)) = serde_json::from_str(&answer.body)
    {
        let pairs: Vec<(String, String)> = members
            .into_iter()
            .filter(|(name, _)| name != "revoked")
            .map(|(name, value)| (name, terminal::plain_json(&value.to_string())))
            .collect();
        for (name, value) in pairs {
            text.push_str(&format!("\n  {}  {value}", Plain::new(&name)));
        }
    }
    text
}

/// The one live token with this prefix.
async fn find(client: &Client, prefix: &str) -> Result<TokenId, Failure> {
    let answer = client.get(&Request::get("/org/tokens"), false).await?;
    let Tokens { tokens } = client.parse(&answer)?;
    let shown = Plain::new(prefix);
    let found: Vec<Token> = tokens
        .into_iter()
        .filter(|token| token.prefix == shown)
        .collect();
    match found.as_slice() {
        [token] => Ok(token.id),
        [] => Err(Failure::failed(format!(
            "no live token has the id or the prefix `{shown}`: `countersign token list` shows them"
        ))),
        several => {
            let listed: Vec<String> = several
                .iter()
                .map(|token| {
                    let name = token.name.clone().unwrap_or_default();
                    format!("\n  {}  {name}", token.id)
                })
                .collect();
            Err(Failure::failed(format!(
                "several live tokens have the prefix `{shown}`: name one by its id{}",
                listed.concat()
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_is_told_to_repeat_is_one_word_to_a_shell() {
        assert_eq!(quoted("ci-1.4"), "ci-1.4");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("$(rm) 'x'"), r"'$(rm) '\''x'\'''");
        assert_eq!(quoted(""), "''");
    }
}
