//! The stage of the incident: a host, the control plane that knows its people, and an agent that holds
//! the tenant's ADMIN_TOKEN.

use std::path::Path;
use std::time::Duration;

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, ControlPlane, Database, Host, HostBuilder, Reply};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, Connection as _};

/// The tenant's ADMIN_TOKEN, which an agent holds.
pub const ADMIN_TOKEN: &str = "the-admin-token-that-the-agent-holds";

/// A host and its control plane.
pub struct Stage {
    pub control_plane: ControlPlane,
    pub host: Host,
}

impl Stage {
    /// With a fresh host.
    pub async fn set() -> Self {
        Self::set_for(Host::builder()).await
    }

    /// With the policy by which people need each other, as `settings` say.
    pub async fn gated(settings: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies/two-person");
        let module = std::fs::read(folder.join("two-person.wasm")).expect("it is committed");
        let builder = Host::builder()
            .policy("two-person.wasm", module)
            .policy("two-person.toml", settings);
        Self::set_for(builder).await
    }

    /// With the host that `builder` describes.
    pub async fn set_for(builder: HostBuilder) -> Self {
        let control_plane = ControlPlane::start();
        let host = builder
            .admin_token(ADMIN_TOKEN)
            .control_plane(&control_plane)
            .start()
            .await;
        Self {
            control_plane,
            host,
        }
    }

    /// The agent.
    pub fn agent(&self) -> Caller {
        self.host.agent(ADMIN_TOKEN)
    }

    /// `user`, signed in at the control plane, at their browser.
    pub async fn person(&self, user: &str) -> Caller {
        self.host.session(&self.control_plane.sign_in(user).await)
    }
}

/// A page over 5,000 approvals or decisions is drawn in so long, by a debug build as well.
const LONG_PAGE: Duration = Duration::from_millis(300);
/// A machine that does much else may hold one up for so long.
const LONG_PAGE_AT_WORST: Duration = Duration::from_millis(2_000);

/// Holds such a page to that, which took so long each time that it was asked for, and says how long.
pub fn in_time(page: &str, mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let (median, worst) = (took[took.len() / 2], took[took.len() - 1]);
    assert!(median < LONG_PAGE, "{page}: {took:?}");
    assert!(worst < LONG_PAGE_AT_WORST, "{page}: {took:?}");
    format!("{median:.1?}, at worst {worst:.1?}")
}

/// `person` decides.
pub async fn decide(person: &Caller, approval: &str, decision: &str) -> Reply {
    let path = format!("/approvals/{approval}/decide");
    person.post(&path, json!({ "decision": decision })).await
}

/// `person` approves.
pub async fn approve(person: &Caller, approval: &str) {
    let reply = decide(person, approval, "approved").await.expect(200);
    assert_eq!(reply.json["status"], "approved", "{reply}");
    assert_eq!(reply.json["approval_id"], approval, "{reply}");
}

/// A change of policies that `operator`, who is the only one, asks for and accepts where it loosens.
pub async fn changed(operator: &Caller, method: Method, path: &str, body: &Value) -> Reply {
    let send = async || {
        let body = body.to_string().into_bytes();
        let kind = Some("application/json");
        operator.send(method.clone(), path, kind, body).await
    };
    // On a machine that does much else, comparing may take longer than an answer; whoever asks again finds it done.
    let ask = async || {
        let reply = send().await;
        match reply.json["code"] == "timeout" {
            true => send().await,
            false => reply,
        }
    };
    let reply = ask().await;
    if reply.status != 202 {
        return reply;
    }
    approve(operator, reply.text("approval_id")).await;
    ask().await
}

/// What waits for people, as `caller` sees it.
pub async fn pending(caller: &Caller) -> Vec<Value> {
    let reply = caller.get("/approvals/pending").await.expect(200);
    reply.items().to_vec()
}

/// One approval, as `caller` sees it.
pub async fn approval(caller: &Caller, id: &str) -> Value {
    caller
        .get(&format!("/approvals/{id}"))
        .await
        .expect(200)
        .json
}

/// The live organisation tokens, as `caller` sees them.
pub async fn tokens(caller: &Caller) -> Vec<Value> {
    let reply = caller.get("/org/tokens").await.expect(200);
    let tokens = reply.json["tokens"].as_array().expect("tokens").clone();
    assert_eq!(reply.json["count"], tokens.len(), "{reply}");
    tokens
}

/// The keys of the organisation's secrets, as `caller` sees them.
pub async fn secrets(caller: &Caller) -> Vec<Value> {
    let reply = caller.get("/settings/secrets").await.expect(200);
    reply
        .items()
        .iter()
        .map(|secret| secret["key"].clone())
        .collect()
}

/// A token that `person` mints: its plaintext.
pub async fn minted(person: &Caller, body: Value) -> String {
    let reply = person.post("/org/tokens", body).await.expect(200);
    reply.text("auth_token").to_owned()
}

/// A workspace that `person` creates: its id.
pub async fn workspace(person: &Caller, name: &str, parent: Option<&str>) -> String {
    let body = json!({ "name": name, "parent_id": parent });
    let reply = person.post("/workspaces", body).await.expect(201);
    reply.text("id").to_owned()
}

/// The workspaces that stand, as `caller` sees them, but for the approval anchor that stands always.
pub async fn workspaces(caller: &Caller) -> Vec<Value> {
    let reply = caller.get("/workspaces").await.expect(200);
    let (anchors, others): (Vec<_>, Vec<_>) = reply
        .items()
        .iter()
        .cloned()
        .partition(|workspace| workspace["created_by"] == "host");
    assert_eq!(anchors.len(), 1, "{reply}");
    others
}

/// A workspace's token that `person` mints: its plaintext.
pub async fn workspace_token(person: &Caller, workspace: &str) -> String {
    let path = format!("/workspaces/{workspace}/tokens");
    let reply = person.post(&path, json!({})).await.expect(201);
    reply.text("auth_token").to_owned()
}

/// A policy that denies whom the last character of the address is 2. (The offsets are those of the request's
/// context, and of the text in its one property; where a module is proven, there is none.)
pub fn denying_addresses_that_end_in_2() -> Vec<u8> {
    Guest {
        context: vec!["host.address"],
        functions: "(func $last (param $text i32) (result i32)
            (i32.load8_u (i32.sub (i32.add (i32.load offset=16 (local.get $text))
                                           (i32.load offset=20 (local.get $text)))
                                  (i32.const 1))))",
        decide: "(if (i32.load offset=132 (local.get $request)) (then
                (if (i32.eq (call $last (i32.load offset=128 (local.get $request))) (i32.const 50))
                    (then (return (global.get $deny))))))
            (global.get $allow)",
        ..Guest::default()
    }
    .component()
}

/// Changes what a database keeps, behind the back of the host with this data folder. How many rows, where that is
/// said.
pub async fn rewrite(database: &Database, data_dir: &Path, sql: &str) -> Option<u64> {
    if let Database::Postgres { .. } = database {
        database.ask(sql);
        return None;
    }
    let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(data_dir.join("countersign.db"))
        .connect()
        .await
        .expect("the file opens");
    let changed = sqlx::query(sqlx::AssertSqlSafe(sql))
        .execute(&mut connection)
        .await
        .expect("the statement is right");
    connection.close().await.expect("it closes");
    Some(changed.rows_affected())
}
