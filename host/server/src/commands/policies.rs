//! `countersign policy list|history|push|mode|pin|rollback`: the policies of a host.

mod activation;
mod candidate;
mod differences;

use std::collections::BTreeMap;
use std::path::Path;

use countersign_core::time::Timestamp;
use countersign_engine::{Engine, Limits, Settings};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::activation::{WAIT, make_live};
use self::candidate::Candidate;
use super::client::{Client, Request};
use super::failure::Failure;
use super::moments::{Moments, when};
use super::signed::{Signature, beside, signed_by};
use super::table::{Table, listed};
use super::terminal::{self, Plain};
use crate::cli::{Access, History, HostedCommand, Pin, Push, Rollback, SetMode, Unpin};
use crate::config::Flags;

/// The largest file of settings that is read.
const MAX_SETTINGS: u64 = 1 << 20;

/// What `GET /policies` answers.
#[derive(Deserialize)]
struct Live {
    generation: u64,
    modules: Vec<Module>,
    shadow: Option<BTreeMap<String, u64>>,
    #[serde(default)]
    candidate: Option<Candidate>,
    problems: Vec<Problem>,
}

#[derive(Deserialize)]
struct Module {
    name: Plain,
    version: Plain,
    digest: Plain,
    mode: Plain,
    settings: BTreeMap<String, Vec<String>>,
    classifier: bool,
    #[serde(default)]
    signatures: Vec<Signature>,
    #[serde(default)]
    built_in: bool,
    pinned: Option<Pinned>,
    failures: Failures,
    last_error: Option<Plain>,
}

#[derive(Deserialize)]
struct Pinned {
    by: Plain,
    since: u64,
}

#[derive(Deserialize)]
struct Failures {
    count: u64,
    last_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Problem {
    file: Option<Plain>,
    sentence: Plain,
}

#[derive(Deserialize)]
struct Generations {
    generations: Vec<Generation>,
}

#[derive(Deserialize)]
struct Generation {
    number: u64,
    at: Timestamp,
    by: Plain,
    summary: Plain,
    genuine: bool,
}

/// A component that a host keeps.
#[derive(Deserialize)]
struct Kept {
    name: String,
    version: Plain,
    digest: String,
    #[serde(default)]
    signatures: Vec<Signature>,
}

/// Runs one of them.
pub async fn run(command: HostedCommand, flags: Flags) -> Result<(), Failure> {
    match command {
        HostedCommand::List(access) => list(access, flags).await,
        HostedCommand::History(history) => list_generations(history, flags).await,
        HostedCommand::Differences(asked) => differences::list(asked, flags).await,
        HostedCommand::Push(push) => push_one(push, flags).await,
        HostedCommand::Mode(mode) => change_mode(mode, flags).await,
        HostedCommand::Pin(pin) => pin_one(pin, flags).await,
        HostedCommand::Unpin(unpin) => unpin_one(unpin, flags).await,
        HostedCommand::Rollback(rollback) => roll_back(rollback, flags).await,
    }
}

async fn list(access: Access, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&access, flags)?;
    let answer = client.get(&Request::get("/policies"), access.json).await?;
    if access.json {
        return answer.print();
    }
    let live: Live = client.parse(&answer)?;
    let mut table = Table::new(
        &["NAME", "VERSION", "MODE", "DIGEST", "SIGNED BY", "SETTINGS"],
        &[5, 0],
    );
    let (mut pinned, mut failing) = (Vec::new(), Vec::new());
    for module in live.modules {
        if let (Some(at), Some(error)) = (module.failures.last_at, module.last_error) {
            let so = match module.mode.as_str() {
                "shadow" => " in shadow, which it would have denied",
                _ => ", which were denied",
            };
            failing.push(format!(
                "{} failed {} decisions{so}, the last {}: {error}",
                module.name,
                module.failures.count,
                when(at),
            ));
        }
        let mut mode = module.mode.to_string();
        if module.classifier {
            mode += ", classifier";
        }
        if let Some(pin) = module.pinned {
            mode += ", pinned";
            pinned.push(format!(
                "{} is pinned by {} since generation {}.",
                module.name, pin.by, pin.since
            ));
        }
        let mode = Plain::new(&mode);
        let settings: Vec<String> = module
            .settings
            .iter()
            .map(|(name, values)| format!("{name}={}", values.join(",")))
            .collect();
        table.row(vec![
            module.name,
            module.version,
            mode,
            short(module.digest.as_str()),
            signed_by(&module.signatures, module.built_in),
            Plain::new(&settings.join(" ")),
        ]);
    }
    terminal::say(&format!("Generation {} decides.\n", live.generation));
    terminal::say(&table.drawn(terminal::width()));
    if !pinned.is_empty() {
        terminal::say(&format!("\n{}", pinned.join("\n")));
    }
    if let Some(counts) = live.shadow {
        let pairs: Vec<_> = ["asked", "looser", "mixed", "tighter", "reworded", "missed"]
            .into_iter()
            .filter_map(|name| Some((name, counts.get(name)?.to_string())))
            .collect();
        let shown = listed(&pairs, terminal::width());
        terminal::say(&format!(
            "\nIn shadow, of this generation's decisions:\n{shown}"
        ));
    }
    for failing in failing {
        terminal::tell(&format!("\nfailing: {failing}"));
    }
    if let Some(candidate) = &live.candidate {
        let shown = candidate.shown(terminal::width());
        terminal::say(&format!("\nIn the policy folder, and not live:\n{shown}"));
    }
    let told = live.candidate.and_then(|candidate| candidate.sentence);
    let is_told = |problem: &Problem| told.as_ref() == Some(&problem.sentence);
    for problem in live.problems.into_iter().filter(|one| !is_told(one)) {
        let file = problem
            .file
            .map(|file| format!("{file}: "))
            .unwrap_or_default();
        terminal::tell(&format!("\nnot live: {file}{}", problem.sentence));
    }
    Ok(())
}

async fn list_generations(history: History, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&history.access, flags)?;
    let path = format!("/policies/generations?limit={}", history.limit);
    let answer = client.get(&Request::get(path), history.access.json).await?;
    if history.access.json {
        return answer.print();
    }
    let Generations { generations } = client.parse(&answer)?;
    let width = terminal::width();
    let moments = Moments::now(width);
    let mut table = Table::new(&["GENERATION", "WHEN", "BY", "WHAT CHANGED"], &[3, 2]);
    for generation in generations {
        let summary = match generation.genuine {
            true => generation.summary,
            false => Plain::new(&format!(
                "NOT AS RECORDED, and refused: {}",
                generation.summary
            )),
        };
        table.row(vec![
            Plain::new(&generation.number.to_string()),
            moments.cell(generation.at),
            generation.by,
            summary,
        ]);
    }
    terminal::say(&table.drawn(width));
    Ok(())
}

async fn push_one(push: Push, flags: Flags) -> Result<(), Failure> {
    let settings = push.settings.as_deref().map(settings).transpose()?;
    let bytes = read(&push.component, Limits::default().component_bytes as u64)?;
    let shown = Plain::new(&push.component.display().to_string());
    // The host asks for the name in the path, and the component alone knows it.
    let engine =
        Engine::new(Limits::default()).map_err(|error| Failure::failed(error.to_string()))?;
    let id = engine
        .describe(&bytes)
        .map_err(|error| Failure::failed(format!("`{shown}` is no policy: {error}")))?;
    let client = Client::new(&push.access, flags)?;
    let request = Request::component(
        format!("/policies/{}", id.name),
        bytes,
        beside(&push.component)?,
    );
    let answer = client.get(&request, push.access.json).await?;
    let kept: Kept = client.parse(&answer)?;
    let Some(mode) = push.mode else {
        if push.access.json {
            return answer.print();
        }
        terminal::say(&format!(
            "{}@{} is kept ({}), signed by {}. It decides nothing yet:\n  countersign policy mode {} shadow --version {}",
            Plain::new(&kept.name),
            kept.version,
            kept.digest,
            signed_by(&kept.signatures, false),
            Plain::new(&kept.name),
            kept.version
        ));
        return Ok(());
    };
    let mut body = json!({ "mode": mode, "digest": kept.digest });
    if let Some(settings) = settings {
        body["settings"] = settings;
    }
    let path = change_of(&kept.name, "mode")?;
    let request = Request::new(Method::PUT, path, Some(body));
    make_live(&client, &request, push.access.json).await
}

async fn change_mode(mode: SetMode, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&mode.access, flags)?;
    let mut body = Map::new();
    body.insert("mode".to_owned(), mode.mode.into());
    for (name, value) in [("version", mode.version), ("digest", mode.digest)] {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.into());
        }
    }
    let path = change_of(&mode.name, "mode")?;
    let request = Request::new(Method::PUT, path, Some(Value::Object(body)));
    make_live(&client, &request, mode.access.json).await
}

async fn pin_one(pin: Pin, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&pin.access, flags)?;
    let mut body = Map::new();
    for (name, value) in [("version", pin.version), ("digest", pin.digest)] {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.into());
        }
    }
    let path = change_of(&pin.name, "pin")?;
    let request = Request::new(Method::PUT, path, Some(Value::Object(body)));
    make_live(&client, &request, pin.access.json).await
}

async fn unpin_one(unpin: Unpin, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&unpin.access, flags)?;
    let request = Request::new(Method::DELETE, change_of(&unpin.name, "pin")?, None);
    make_live(&client, &request, unpin.access.json).await?;
    if !unpin.access.json {
        terminal::say("It decides as before, until the folder or somebody changes it.");
    }
    Ok(())
}

/// Where the host takes this change of the policy `name`, with how long its answer is waited for at a time.
fn change_of(name: &str, what: &str) -> Result<String, Failure> {
    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || !name.chars().all(is_name) {
        let name = Plain::new(name);
        return Err(Failure::usage(format!("`{name}` is no policy's name")));
    }
    Ok(format!("/policies/{name}/{what}?wait={WAIT}"))
}

async fn roll_back(rollback: Rollback, flags: Flags) -> Result<(), Failure> {
    let client = Client::new(&rollback.access, flags)?;
    let body = json!({ "generation": rollback.generation });
    let request = Request::new(Method::POST, "/policies/rollback", Some(body));
    make_live(&client, &request, rollback.access.json).await
}

/// The start of a digest.
fn short(digest: &str) -> Plain {
    Plain::new(digest.get(..12).unwrap_or(digest))
}

/// A file of settings, as the host takes them.
fn settings(file: &Path) -> Result<Value, Failure> {
    let shown = Plain::new(&file.display().to_string());
    let text = String::from_utf8(read(file, MAX_SETTINGS)?)
        .map_err(|_| Failure::failed(format!("`{shown}` is not text")))?;
    let settings = Settings::parse_toml(&text)
        .map_err(|error| Failure::failed(format!("`{shown}` is not understood: {error}")))?;
    let members = settings
        .iter()
        .map(|(name, values)| (name.clone(), json!(values)));
    Ok(Value::Object(members.collect()))
}

pub fn read(file: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let shown = Plain::new(&file.display().to_string());
    let cannot = |error: std::io::Error| Failure::failed(format!("cannot read `{shown}`: {error}"));
    let length = std::fs::metadata(file).map_err(cannot)?.len();
    if length > most {
        let why = format!("`{shown}` is too large: {length} bytes, of {most} at most");
        return Err(Failure::failed(why));
    }
    std::fs::read(file).map_err(cannot)
}
