//! An approval, as a person reads it before they decide.

use countersign_core::approval::State;
use serde_json::Value;

use super::super::answers::{Approval, Quorum, Vote};
use super::super::moments::{Moments, when};
use super::super::review;
use super::super::table::{listed, wrapped};
use super::super::terminal::{Plain, plain_json};
use crate::reviews::{self, ReviewView};

/// All there is to know about it.
pub fn shown(approval: &Approval, width: Option<usize>) -> String {
    let state = match (approval.status, approval.grant_expires_at) {
        (State::Pending, _) => format!("pending, until {}", when(approval.expires_at)),
        (State::Approved, Some(end)) => format!("approved, to be used until {}", when(end)),
        (state, _) => state.to_string(),
    };
    let review = approval.review();
    let with = match &review {
        Some(review) => policies(approval, review),
        None => arguments(&approval.payload),
    };
    let mut pairs = vec![
        ("state", state),
        ("id", approval.id.to_string()),
        ("action", approval.action.to_string()),
        (
            "on",
            format!("{} {}", approval.resource.kind, approval.resource.id),
        ),
        ("with", with),
        ("requester", approval.requester.to_string()),
        ("filed under", filed(approval)),
        ("asked", when(approval.created_at).to_string()),
        (
            "held by",
            format!("rule {} of {}", approval.rule, approval.policy),
        ),
        ("approved", needs(approval)),
    ];
    let votes: Vec<String> = approval.votes.iter().map(vote).collect();
    if !votes.is_empty() {
        pairs.push(("votes", votes.join("\n")));
    }
    pairs.push(("digest", approval.digest.to_string()));
    let heading = wrapped(approval.reason.as_str(), width.unwrap_or(usize::MAX)).join("\n");
    let mut text = format!("{heading}\n\n{}", listed(&pairs, width));
    if let Some(review) = &review {
        text.push_str(&format!("\n\n{}", review::shown(review, width)));
    }
    text
}

/// The same in a few lines, for a list.
pub fn card(approval: &Approval, moments: &Moments, width: Option<usize>) -> String {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(2));
    let facts = format!(
        "asked by {} {}, expires {}, {} approved",
        approval.requester,
        moments.cell(approval.created_at),
        moments.cell(approval.expires_at),
        count(approval)
    );
    let lines: Vec<String> = [approval.reason.as_str(), &facts]
        .iter()
        .flat_map(|text| wrapped(text, room))
        .map(|line| format!("\n  {line}"))
        .collect();
    format!("{}{}", approval.id, lines.concat())
}

/// Of the people needed, how many have approved.
pub fn count(approval: &Approval) -> String {
    let approved = approval
        .votes
        .iter()
        .filter(|vote| vote.decision.as_str() == "approved")
        .count();
    format!("{approved} of {}", approval.people_needed)
}

fn needs(approval: &Approval) -> String {
    let mut needs = count(approval);
    let groups: Vec<String> = approval
        .quorums
        .iter()
        .filter(|quorum| !quorum.groups.is_empty())
        .map(of_groups)
        .collect();
    if !groups.is_empty() {
        needs.push_str(&format!(", of them {}", groups.join(" and ")));
    }
    needs
}

fn of_groups(quorum: &Quorum) -> String {
    let groups: Vec<String> = quorum.groups.iter().map(Plain::to_string).collect();
    format!("{} from {}", quorum.people.max(1), groups.join(" or "))
}

fn filed(approval: &Approval) -> String {
    match approval.workspace_name.as_str() {
        "" => format!("workspace {}", approval.workspace_id),
        name => format!("workspace {} ({name})", approval.workspace_id),
    }
}

fn vote(vote: &Vote) -> String {
    let mut text = format!("{} {} {}", vote.user, vote.decision, when(vote.at));
    if let Some(reason) = &vote.reason {
        text.push_str(&format!(": {reason}"));
    }
    text
}

/// Every argument, one a line: what a person does not see, they have not approved.
fn arguments(payload: &Value) -> String {
    let Some(Value::Object(arguments)) = payload.get("arguments") else {
        // A shape that this version does not know is shown as it is.
        return plain_json(&payload.to_string());
    };
    if arguments.is_empty() {
        return "nothing".to_owned();
    }
    let longest = arguments.keys().map(String::len).max().unwrap_or(0);
    let lines: Vec<String> = arguments
        .iter()
        .map(|(name, value)| format!("{:longest$}  {}", Plain::new(name), argument(value)))
        .collect();
    lines.join("\n")
}

/// The same of a change of policies: a module a line, and the list by itself.
fn policies(approval: &Approval, review: &ReviewView) -> String {
    let Some(Value::Object(arguments)) = approval.payload.get("arguments") else {
        return plain_json(&approval.payload.to_string());
    };
    let longest = arguments.keys().map(String::len).max().unwrap_or(0);
    let mut lines = Vec::new();
    for (name, value) in arguments {
        let values: Vec<String> = match (name.as_str(), value) {
            ("review", _) => vec![format!("{}, as listed below", review.sentence)],
            ("modules" | "shadow", Value::Array(modules)) if modules.is_empty() => {
                vec!["none".to_owned()]
            }
            ("modules" | "shadow", Value::Array(modules)) => {
                modules.iter().flat_map(module).collect()
            }
            _ => vec![argument(value)],
        };
        for (at, value) in values.into_iter().enumerate() {
            let name = if at == 0 { name } else { "" };
            lines.push(format!("{:longest$}  {value}", Plain::new(name)));
        }
    }
    lines.join("\n")
}

/// A module, and its settings below it.
fn module(module: &Value) -> Vec<String> {
    let mut lines = vec![reviews::module(module, usize::MAX)];
    let settings = reviews::settings(module).into_iter();
    lines.extend(settings.map(|(name, values)| format!("  {name} = {values}")));
    lines
        .iter()
        .map(|line| Plain::new(line).to_string())
        .collect()
}

fn argument(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => Plain::new(text).to_string(),
        Value::Object(members) if members.get("secret") == Some(&Value::Bool(true)) => {
            match members.get("fingerprint").and_then(Value::as_str) {
                Some(fingerprint) => {
                    format!("a secret, with the fingerprint {}", Plain::new(fingerprint))
                }
                None => "a secret".to_owned(),
            }
        }
        other => plain_json(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn approval() -> Approval {
        let id = "01a2b3c4-0000-7000-8000-000000000001";
        serde_json::from_value(json!({
            "id": id,
            "workspace_id": id,
            "workspace_name": "platform\u{1b}[2J",
            "action": "secret_write",
            "reason": "write secret `KEY`\r\n: agents need a person",
            "status": "pending",
            "created_at": "2026-01-01T00:00:00Z",
            "expires_at": "2026-01-01T01:00:00Z",
            "grant_expires_at": null,
            "requester": "org-token:\u{202e}x",
            "resource": { "kind": "secret", "id": "global/KEY" },
            "payload": {
                "verb": "secret_write",
                "arguments": {
                    "key": "KEY\u{7}",
                    "value": { "secret": true, "fingerprint": "abc123" },
                    "workspace": null,
                },
            },
            "digest": "0".repeat(64),
            "rule": "agents-need-a-person",
            "policy": "baseline@0.1.0",
            "people_needed": 2,
            "quorums": [{ "people": 2, "groups": ["security"] }],
            "votes": [{
                "by": "session:1", "user": "ann", "decision": "approved",
                "reason": "fine\u{1b}[31m", "at": "2026-01-01T00:10:00Z",
            }],
        }))
        .expect("an approval")
    }

    #[test]
    fn every_argument_is_shown_and_no_secret_and_nothing_that_a_terminal_obeys() {
        let text = shown(&approval(), Some(100));
        for part in [
            "write secret `KEY`\\u{d}\\u{a}: agents need a person",
            "a secret, with the fingerprint abc123",
            "KEY\\u{7}",
            "workspace  none",
            "1 of 2, of them 2 from security",
            "ann approved",
            &"0".repeat(64),
        ] {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
        let obeyed = |c: char| countersign_core::text::is_misleading(c) && c != '\n';
        assert!(!text.chars().any(obeyed), "{text}");
    }
}
