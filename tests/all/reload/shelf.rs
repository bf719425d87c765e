//! A host and its policy folder, and what the host makes of it.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Host, HostBuilder, until, within};
use serde_json::Value;

use crate::stage::ADMIN_TOKEN;

use super::PATIENCE;

/// A policy by hand: agents do nothing while it stands.
#[derive(Clone, Copy, Debug)]
pub struct Freeze {
    version: u64,
    /// What it denies by.
    pub rule: &'static str,
}

impl Freeze {
    /// Its first version.
    pub const FIRST: Self = Self {
        version: 1,
        rule: "freeze",
    };
    /// Its second version, whose rule has another name.
    pub const SECOND: Self = Self {
        version: 2,
        rule: "deep-freeze",
    };

    /// A later version with the same rule: no folder goes back to an older one.
    pub fn later(self, round: u64) -> Self {
        let version = self.version + 2 * round;
        Self { version, ..self }
    }

    /// The component.
    pub fn component(self) -> Vec<u8> {
        Guest {
            name: "freeze",
            version: format!("{}.0.0", self.version).leak(),
            rule: self.rule,
            reason: "agents do nothing during the freeze",
            // The class is behind the caller, which takes 64 bytes; 1 is `agent`.
            decide: "(if (result i32) (i32.eq (i32.load8_u offset=64 (local.get $request)) (i32.const 1))
                       (then (global.get $deny)) (else (global.get $abstain)))",
            ..Guest::default()
        }
        .component()
    }
}

/// A host whose policy folder is written to.
pub struct Shelf {
    pub host: Host,
    folder: PathBuf,
}

impl Shelf {
    /// A host with an empty folder.
    pub async fn set() -> Self {
        Self::of_builder(Host::builder()).await
    }

    /// A host with an empty folder whose loosening changes wait.
    pub async fn reviewed() -> Self {
        Self::of_builder(Host::builder().reviewed()).await
    }

    /// The host of `builder`, with an agent that asks much more than anybody may ask.
    pub async fn of_builder(builder: HostBuilder) -> Self {
        let host = builder.admin_token(ADMIN_TOKEN).env("RATE_LIMIT", "0");
        let host = host.start().await;
        let folder = host.data_dir().join("policies");
        Self { host, folder }
    }

    /// A host with a folder elsewhere.
    pub fn of(host: Host, folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self { host, folder }
    }

    /// Stops the host, changes the folder, and starts it again.
    pub async fn restart(self, change: impl FnOnce(&Path)) -> Self {
        let stopped = self.host.stop().await;
        change(&self.folder);
        Self {
            host: stopped.start().await,
            folder: self.folder,
        }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.folder.join(name), content).expect("the folder can be written");
    }

    pub fn append(&self, name: &str, content: &[u8]) {
        File::options()
            .append(true)
            .open(self.folder.join(name))
            .and_then(|mut file| file.write_all(content))
            .expect("the file can be written");
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.folder.join(from), self.folder.join(to)).expect("the file can be moved");
    }

    pub fn remove(&self, name: &str) {
        fs::remove_file(self.folder.join(name)).expect("the file can be removed");
    }

    /// The agent whose requests show what decides.
    pub fn agent(&self) -> Caller {
        self.host.agent(ADMIN_TOKEN)
    }

    /// The rule that stands for an agent that lists keys.
    pub async fn rule(&self) -> String {
        let reply = self.agent().get("/org/tokens").await;
        match reply.status {
            200 => "open-to-agents".to_owned(),
            202 => "agents-need-a-person".to_owned(),
            503 => reply
                .refused(503, "policies_outdated")
                .text("code")
                .to_owned(),
            _ => reply
                .refused(403, "denied_by_policy")
                .text("rule")
                .to_owned(),
        }
    }

    /// Waits until that rule stands.
    pub async fn decides(&self, rule: &str, limit: Duration) {
        let what = format!("`{rule}` decides");
        // Longer than it is waited for: it is not for `until` to say what is wrong.
        let decided = until(&what, limit * 100, async || {
            (self.rule().await == rule).then_some(())
        });
        if within(limit, decided).await.is_none() {
            panic!(
                "waited {limit:?} and more in vain: {what}: {:#}",
                self.policies().await
            );
        }
    }

    /// What `GET /policies` says.
    pub async fn policies(&self) -> Value {
        self.agent().get("/policies").await.expect(200).json
    }

    pub async fn generation(&self) -> u64 {
        self.policies().await["generation"]
            .as_u64()
            .expect("a number")
    }

    pub async fn module(&self, name: &str) -> Value {
        let policies = self.policies().await;
        let modules = policies["modules"].as_array().expect("modules");
        let module = modules.iter().find(|module| module["name"] == name);
        module
            .unwrap_or_else(|| panic!("no `{name}` in {policies}"))
            .clone()
    }

    /// Waits until what the folder holds waits for an operator, and returns what `GET /policies` says of it.
    pub async fn waits(&self) -> Value {
        until("an operator is asked", PATIENCE * 10, async || {
            let candidate = self.policies().await["candidate"].clone();
            (candidate["state"] == "waits").then_some(candidate)
        })
        .await
    }

    pub async fn problems(&self) -> Vec<Value> {
        self.policies().await["problems"]
            .as_array()
            .expect("problems")
            .clone()
    }

    /// Waits until the host blames `file`, and returns its sentence.
    pub async fn blames(&self, file: &str) -> String {
        let what = format!("the host blames `{file}`");
        until(&what, PATIENCE, async || {
            let problems = self.problems().await;
            let problem = problems.iter().find(|problem| problem["file"] == file)?;
            Some(problem["sentence"].as_str()?.to_owned())
        })
        .await
    }

    /// Waits until the host has no complaint.
    pub async fn blames_nothing(&self) {
        until("the host blames nothing", PATIENCE, async || {
            self.problems().await.is_empty().then_some(())
        })
        .await;
    }
}
