//! What changes of policies would change is compared before they are made: what only tightens goes live at once,
//! and what loosens waits until an operator accepts that very list.

mod asked;
mod starts;

use std::time::Duration;

use countersign_engine::BASELINE;
use countersign_tests::{Caller, until};
use serde_json::{Value, json};

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::{approval, approve, decide};

/// A comparison takes seconds, and more on a machine that does much else.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The baseline, set so that agents mint tokens alone: one word is left out of a list.
pub const LOOSER: &str = r#"gated_verbs = ["secret_delete", "org_token_revoke", "secret_write", "workspace_update", "delete_workspace", "workspace_token_mint", "deprovision"]"#;

impl Shelf {
    /// Puts the baseline into the folder, set otherwise.
    pub fn sets(&self, settings: &str) {
        self.write("baseline.toml", settings);
        self.write("baseline.wasm", BASELINE);
    }

    /// Puts a module into the folder that only tightens: nobody writes a secret.
    fn locks_secrets(&self) {
        let committed = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../policies/lockdown/lockdown.wasm"
        );
        let lockdown = std::fs::read(committed).expect("the component is committed");
        self.write("lockdown.toml", r#"verbs = ["secret_write"]"#);
        self.write("lockdown.wasm", lockdown);
    }

    /// What comes of an agent that writes a secret.
    async fn writes(&self) -> u16 {
        let secret = json!({ "key": "A", "value": "b" });
        self.agent().post("/settings/secrets", secret).await.status
    }

    /// What comes of an agent that mints a token.
    pub async fn mints(&self) -> u16 {
        let reply = self.agent().post("/org/tokens", json!({})).await;
        reply.status
    }

    pub async fn is_live(&self, generation: u64) {
        until("it is live", PATIENCE, async || {
            (self.generation().await == generation).then_some(())
        })
        .await;
    }
}

fn id(candidate: &Value) -> &str {
    candidate["approval_id"].as_str().expect("an approval")
}

/// The list of what loosens, as an approval has it.
async fn loosens(operator: &Caller, id: &str) -> Vec<Value> {
    let approval = approval(operator, id).await;
    let review = &approval["payload"]["arguments"]["review"];
    review["loosens"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn one_line_that_loosens_waits_until_an_operator_accepts_that_list() {
    let shelf = Shelf::reviewed().await;
    let operator = shelf.host.operator().await;
    let first = shelf.generation().await;
    assert_eq!(shelf.mints().await, 202, "agents need a person for it");

    shelf.sets(LOOSER);
    let candidate = shelf.waits().await;
    assert_eq!(shelf.generation().await, first, "nothing is live yet");
    let items = loosens(&operator, id(&candidate)).await;
    let rules: Vec<_> = items
        .iter()
        .map(|item| {
            (
                &item["change"],
                &item["before"]["effect"],
                &item["after"]["effect"],
            )
        })
        .collect();
    assert!(!rules.is_empty());
    assert!(
        rules
            .iter()
            .all(|rule| *rule == (&json!("looser"), &json!("gate"), &json!("allow"))),
        "{items:#?}"
    );
    for item in &items {
        let phrases = item["phrases"].as_array().expect("phrases");
        let is_of_it = |phrase: &Value| {
            let phrase = phrase.as_str().expect("a text");
            phrase.starts_with("org_token_mint: ")
        };
        assert!(
            phrases.iter().all(is_of_it),
            "only what loosens is listed: {item:#}"
        );
    }
    // The agent's own request from before is among the recorded ones that are asked again.
    assert!(items.iter().any(|item| item["recorded"] == 1), "{items:#?}");
    assert_eq!(shelf.mints().await, 202);

    let agents = decide(&shelf.agent(), id(&candidate), "approved").await;
    agents.refused(403, "approver_must_be_human");
    approve(&operator, id(&candidate)).await;
    shelf.is_live(first + 1).await;
    assert_eq!(shelf.mints().await, 200, "an agent does it alone");

    let recorded = operator.get("/policies/generations").await.expect(200).json;
    let newest = &recorded["generations"][0];
    assert_eq!(
        (&newest["by"], &newest["approval"]),
        (&json!("policy-folder"), &candidate["approval_id"])
    );
    let used = approval(&operator, id(&candidate)).await;
    assert_eq!(used["status"], "used");
    assert_eq!(shelf.policies().await["candidate"], Value::Null);
    assert_eq!(shelf.problems().await, [] as [Value; 0]);
}

#[tokio::test]
async fn what_tightens_goes_live_at_once_and_what_vanishes_stands_until_somebody_accepts() {
    let shelf = Shelf::reviewed().await;
    let operator = shelf.host.operator().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;

    shelf.remove("freeze.wasm");
    let candidate = shelf.waits().await;
    assert_eq!(shelf.rule().await, "freeze", "it stands");
    let summary = candidate["summary"].as_str().expect("a summary");
    assert!(summary.contains("freeze@1.0.0"), "{summary}");
    assert!(summary.ends_with("removed"), "{summary}");

    // The file is back, and nobody is asked any more.
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    until("nobody is asked", PATIENCE, async || {
        shelf.policies().await["candidate"].is_null().then_some(())
    })
    .await;
    let ended = approval(&operator, id(&candidate)).await;
    assert_eq!(ended["status"], "withdrawn");

    shelf.remove("freeze.wasm");
    let candidate = shelf.waits().await;
    approve(&operator, id(&candidate)).await;
    shelf.decides("open-to-agents", PATIENCE).await;
}

#[tokio::test]
async fn what_was_denied_is_asked_about_again_when_the_folder_changes() {
    let shelf = Shelf::reviewed().await;
    let operator = shelf.host.operator().await;
    let first = shelf.generation().await;
    shelf.sets(LOOSER);
    let candidate = shelf.waits().await;
    decide(&operator, id(&candidate), "denied")
        .await
        .expect(200);
    let denied = until("it is seen", PATIENCE, async || {
        let candidate = shelf.policies().await["candidate"].clone();
        (candidate["state"] == "denied").then_some(candidate)
    })
    .await;
    assert_eq!(id(&denied), id(&candidate));
    let page = operator.get("/console/policies").await.expect(200).page();
    let link = format!("href=\"/console/approvals/{}\"", id(&candidate));
    assert!(page.contains(&link), "{page}");
    let problems = shelf.problems().await;
    let sentence = problems[0]["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with("an operator denied"), "{sentence}");

    // Nor is it asked about again by a start.
    let shelf = shelf.restart(|_| ()).await;
    assert_eq!(shelf.generation().await, first);
    assert_eq!(shelf.policies().await["candidate"], Value::Null);
    assert_eq!(shelf.mints().await, 202);

    shelf.sets("grant_ttl_seconds = 3600");
    let other = shelf.waits().await;
    assert_ne!(id(&other), id(&candidate));
}

#[tokio::test]
async fn what_tightens_does_not_wait_for_what_loosens_beside_it() {
    let shelf = Shelf::reviewed().await;
    let operator = shelf.host.operator().await;
    let first = shelf.generation().await;
    shelf.sets(LOOSER);
    let early = shelf.waits().await;
    shelf.locks_secrets();
    shelf.is_live(first + 1).await;
    let secret = json!({ "key": "A", "value": "b" });
    let stopped = shelf.agent().post("/settings/secrets", secret).await;
    let stopped = stopped.refused(403, "denied_by_policy");
    assert_eq!(stopped.text("rule"), "lockdown");
    assert_eq!(shelf.mints().await, 202);

    // What was asked is moot: it was held against what is not live any more.
    let ended = approval(&operator, id(&early)).await;
    assert_eq!(ended["status"], "withdrawn");
    let late = until("it is asked anew", PATIENCE, async || {
        let candidate = shelf.policies().await["candidate"].clone();
        (candidate["state"] == "waits" && candidate["approval_id"] != early["approval_id"])
            .then_some(candidate)
    })
    .await;
    approve(&operator, id(&late)).await;
    shelf.is_live(first + 2).await;
    assert_eq!(shelf.mints().await, 200);
}

#[tokio::test]
async fn what_no_row_of_the_table_shows_is_listed_as_well() {
    let shelf = Shelf::reviewed().await;
    let operator = shelf.host.operator().await;
    shelf.sets(
        r#"exempt = ["actor=org-token:cso_Ab12 verb=secret_write until=2099-01-01T00:00:00Z reason=nightly"]"#,
    );
    let candidate = shelf.waits().await;
    let items = loosens(&operator, id(&candidate)).await;
    assert_eq!(items.len(), 1, "{items:#?}");
    assert_eq!(items[0]["rows"], 0);
    let case = items[0]["case"].as_str().expect("a case");
    assert!(case.contains("org-token:cso_Ab12"), "{case}");
}

#[tokio::test]
async fn what_a_person_went_back_from_does_not_come_back_by_itself() {
    let (shelf, operator, gone) = gone_back().await;
    assert_eq!(shelf.writes().await, 202);
    is_asked_about_as_a_whole(&shelf, &operator, &gone).await;
}

/// A folder of which a part was live until a person went back, and the number of what is live by now. What
/// tightens was live, and what loosens waited: the folder still proposes both.
async fn gone_back() -> (Shelf, Caller, Value) {
    let shelf = Shelf::reviewed().await;
    let operator = shelf.host.operator().await;
    let first = shelf.generation().await;
    shelf.sets(LOOSER);
    shelf.waits().await;
    shelf.locks_secrets();
    shelf.is_live(first + 1).await;
    assert_eq!(shelf.writes().await, 403);
    let back = json!({ "generation": first });
    let gone = operator.post("/policies/rollback", back).await;
    let gone = gone.expect(200).json["generation"].clone();
    (shelf, operator, gone)
}

/// And nothing of it goes live meanwhile.
async fn is_asked_about_as_a_whole(shelf: &Shelf, operator: &Caller, gone: &Value) {
    let candidate = until("it is asked anew", PATIENCE, async || {
        let candidate = shelf.policies().await["candidate"].clone();
        let approval = approval(operator, candidate["approval_id"].as_str()?).await;
        let follows = &approval["payload"]["arguments"]["follows"];
        (follows == gone).then_some(approval)
    })
    .await;
    let review = &candidate["payload"]["arguments"]["review"];
    assert_eq!(review["undoes"], *gone);
    assert_eq!(json!(shelf.generation().await), *gone);
    assert_eq!(shelf.writes().await, 202);
}
