//! A host that has lived a little, and what is exported of it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use countersign_tests::{Caller, CommandLine};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::{approve, minted};

const PATIENCE: Duration = Duration::from_secs(30);
/// How many tokens the agent asks for before the freeze, each of which waits for a person.
pub const ASKED: u64 = 3;

/// A host that has lived a little, under two generations of policies, and somebody at its command line.
pub struct Lived {
    pub shelf: Shelf,
    pub person: CommandLine,
    pub operator: Caller,
    pub folder: PathBuf,
}

impl Lived {
    pub async fn a_little() -> Self {
        let shelf = Shelf::set().await;
        let person = shelf.host.command_line();
        person.run(&["login"]).await.expect(0);
        let operator = shelf.host.operator_by_link(&person).await;
        let agent = shelf.agent();
        minted(&operator, json!({ "name": "by a person" })).await;
        for number in 0..ASKED {
            let body = json!({ "name": format!("by an agent {number}"), "role": "reader" });
            let waits = agent.post("/org/tokens", body.clone()).await.expect(202);
            if number == 0 {
                approve(&operator, waits.text("approval_id")).await;
                agent.post("/org/tokens", body).await.expect(200);
            }
        }
        agent.get("/audit").await.refused(403, "denied_by_policy");
        // Which the core judges alone.
        operator.get("/policies").await.expect(200);
        let secret = json!({ "key": "API_KEY", "value": "the-value-of-the-secret" });
        operator.post("/settings/secrets", secret).await.expect(200);
        shelf.write("freeze.wasm", Freeze::FIRST.component());
        shelf.decides("freeze", PATIENCE).await;
        let body = json!({ "name": "too late" });
        agent
            .post("/org/tokens", body)
            .await
            .refused(403, "denied_by_policy");
        let folder = person.folder();
        Self {
            shelf,
            person,
            operator,
            folder,
        }
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        fs::write(self.folder.join(name), content).expect("the folder can be written");
        self.path(name)
    }

    /// An export, and its text.
    pub async fn export(&self, name: &str) -> (String, String) {
        let path = self.path(name);
        self.person.run(&exporting(&path)).await.expect(0);
        let text = fs::read_to_string(&path).expect("it was written");
        (path, text)
    }

    /// The baseline with a setting that lets agents mint alone.
    pub fn looser(&self) -> String {
        self.write(
            "looser.toml",
            r#"gated_verbs = ["org_token_revoke", "secret_write", "secret_delete", "workspace_update",
                "delete_workspace", "workspace_token_mint", "deprovision"]"#,
        );
        self.write("looser.wasm", countersign_engine::BASELINE)
    }
}

/// The command that exports everything.
pub fn exporting(path: &str) -> [&str; 4] {
    ["decision", "export", "--out", path]
}

/// The lines of an export that are decisions.
pub fn decisions(export: &str) -> Vec<Value> {
    let lines = export.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        line
    });
    lines.filter(|line| line.get("id").is_some()).collect()
}

/// An export of these lines, with an end that fits them.
pub fn sealed(lines: &[&str]) -> String {
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let ids: Vec<Value> = decisions(&text)
        .into_iter()
        .map(|mut line| line["id"].take())
        .collect();
    let digest: String = Sha256::digest(&text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let end = json!({ "decisions": ids.len(), "oldest": ids.last(), "sha256": digest });
    text.push_str(&format!("{}\n", json!({ "end": end })));
    text
}
