//! What an export reads of a host, patiently: it is many requests, of which one or the other comes at a bad
//! moment.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::Duration;

use countersign_core::id::DecisionId;
use countersign_core::time::Timestamp;
use countersign_core::verdict::ModuleId;
use reqwest::header::RETRY_AFTER;
use serde::Deserialize;
use serde_json::Value;

use super::super::client::{Answer, Client, Request};
use super::super::failure::{Exit, Failure};
use super::super::terminal;
use crate::export::{self, Generation};

/// What a list hands out at once: a decision has some kilobytes.
const PAGE: usize = 200;
/// No component is longer: it is more than a host takes.
const MAX_COMPONENT: usize = 64 << 20;
/// How often in a row the host may have no time for a request.
const ATTEMPTS: u32 = 10;
/// How long is waited where the host does not say, and at most.
const A_MOMENT: Duration = Duration::from_secs(2);
const MOST: Duration = Duration::from_secs(60);

/// A host that is read.
pub struct Host {
    client: Client,
    /// One that never answered is not waited for.
    has_answered: Cell<bool>,
}

/// A part of the decisions.
#[derive(Deserialize)]
pub struct Page {
    /// Each as it is.
    pub decisions: Vec<Value>,
    /// What the next one goes on after.
    pub next_cursor: Option<String>,
}

/// What an export looks at in a decision.
#[derive(Deserialize)]
pub struct Decided {
    /// Which.
    pub id: DecisionId,
    /// When.
    pub at: Timestamp,
    /// By which policies; 0: by none.
    pub policy_generation: u64,
}

#[derive(Deserialize)]
struct Generations {
    generations: Vec<Generation>,
}

impl Host {
    pub fn new(client: Client) -> Self {
        Self {
            client,
            has_answered: Cell::new(false),
        }
    }

    pub fn origin(&self) -> String {
        self.client.origin()
    }

    /// Decisions before the one that `cursor` names, the newest first.
    pub async fn decisions(&self, cursor: Option<String>) -> Result<Page, Failure> {
        let mut path = format!("/decisions?whole=true&limit={PAGE}");
        if let Some(cursor) = cursor {
            path.push_str(&format!("&cursor={cursor}"));
        }
        self.client.parse(&self.get(path).await?)
    }

    /// What is looked at in one of them.
    pub fn decided(&self, decision: &Value) -> Result<Decided, Failure> {
        let members = ["id", "at", "policy_generation"];
        let members = members.map(|name| (name.to_owned(), decision[name].clone()));
        self.client
            .parse_value(Value::Object(members.into_iter().collect()))
    }

    /// The generation of that number, and some before it, which are asked for next.
    pub async fn generations(&self, newest: u64) -> Result<HashMap<u64, Generation>, Failure> {
        let after = newest.saturating_add(1);
        let path = format!("/policies/generations?limit={PAGE}&cursor={after}");
        let page: Generations = self.client.parse(&self.get(path).await?)?;
        let numbered = page.generations.into_iter().map(|one| (one.number, one));
        Ok(numbered.collect())
    }

    /// The bytes of a module, if the host keeps them.
    pub async fn component(&self, id: &ModuleId) -> Result<Option<Vec<u8>>, Failure> {
        let request = Request::get(format!("/policies/{}/versions/{}", id.name, id.digest));
        let fetch = async || self.client.fetch(&request, MAX_COMPONENT).await;
        match self.patiently(fetch).await? {
            Ok(bytes) if export::digest(&bytes) == id.digest => Ok(Some(bytes)),
            Ok(_) => Err(Failure::failed(format!(
                "{} sent other bytes for `{id}` than those of its digest {}: nothing that it says of its policies can be trusted; `countersign doctor` looks for what is wrong",
                self.origin(),
                id.digest
            ))),
            Err(answer) if answer.status == 404 => Ok(None),
            Err(answer) => Err(self.client.failure(&answer)),
        }
    }

    async fn get(&self, path: String) -> Result<Answer, Failure> {
        let request = Request::get(path);
        let asked = self.patiently(async || {
            let answer = self.client.ask(&request).await?;
            Ok(match answer.status {
                200 => Ok(answer),
                _ => Err(answer),
            })
        });
        asked.await?.map_err(|answer| self.client.failure(&answer))
    }

    /// What is asked for, or what the host answers in its place, when it has the time.
    async fn patiently<T>(
        &self,
        ask: impl AsyncFn() -> Result<Result<T, Answer>, Failure>,
    ) -> Result<Result<T, Answer>, Failure> {
        for _ in 1..ATTEMPTS {
            let asked = ask().await;
            let Some(pause) = self.pause(&asked) else {
                self.has_answered.set(true);
                return asked;
            };
            terminal::tell(&format!(
                "the host has no time now: going on in {} s",
                pause.as_secs()
            ));
            tokio::time::sleep(pause).await;
        }
        ask().await
    }

    /// How long to wait, where another attempt may do.
    fn pause<T>(&self, asked: &Result<Result<T, Answer>, Failure>) -> Option<Duration> {
        let is_known = self.has_answered.get();
        match asked {
            Ok(Err(answer)) if answer.status == 429 => Some(told(answer)),
            Ok(Err(answer)) if answer.status == 503 && is_known => Some(told(answer)),
            Err(failure) if failure.exit == Exit::Unreachable && is_known => Some(A_MOMENT),
            _ => None,
        }
    }
}

fn told(answer: &Answer) -> Duration {
    let header = answer.headers.get(RETRY_AFTER);
    let seconds = header.and_then(|value| value.to_str().ok()?.parse().ok());
    seconds.map_or(A_MOMENT, Duration::from_secs).min(MOST)
}
