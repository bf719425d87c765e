//! Revoking a key in the console: what it minted falls as it was shown, or not at all.

use countersign_tests::{Caller, Reply};
use serde_json::json;

use crate::stage::{Stage, approve, tokens};

/// A key that agents hold, by a person.
pub(super) struct Held {
    pub(super) stage: Stage,
    pub(super) person: Caller,
    pub(super) id: String,
    robot: Caller,
}

impl Held {
    pub(super) async fn by_robot() -> Self {
        let stage = Stage::set().await;
        let person = stage.person("ann").await;
        let body = json!({ "name": "robot", "role": "admin" });
        let key = person.post("/org/tokens", body).await.expect(200);
        let robot = stage.agent().bearer(key.text("auth_token"));
        Self {
            id: key.text("id").to_owned(),
            robot,
            person,
            stage,
        }
    }

    /// The robot mints a key, as another person agrees.
    pub(super) async fn mints(&self, name: &str) -> Caller {
        let body = json!({ "name": name });
        let asked = self
            .robot
            .post("/org/tokens", body.clone())
            .await
            .approval();
        approve(&self.stage.person("bob").await, &asked).await;
        let minted = self.robot.post("/org/tokens", body).await.expect(200);
        self.robot.bearer(minted.text("auth_token"))
    }

    fn page(&self) -> String {
        format!("/console/keys/{}/revoke", self.id)
    }

    /// Presses the button of `page`.
    async fn presses(&self, page: &Reply, descendants: bool) -> Reply {
        let shown = hidden(page, "shown");
        let looked_at = hidden(page, "looked_at");
        let mut form = vec![
            ("shown", &*shown),
            ("looked_at", &looked_at),
            ("drain_seconds", "0"),
        ];
        if descendants {
            form.push(("descendants", "true"));
        }
        self.person.post_form(&self.page(), &form).await
    }
}

/// What a hidden field of the page holds.
fn hidden(page: &Reply, name: &str) -> String {
    let page = page.page();
    let start = format!("name=\"{name}\" value=\"");
    let (_, rest) = page
        .split_once(&start)
        .unwrap_or_else(|| panic!("no {name}: {page}"));
    let (value, _) = rest.split_once('"').expect("an end");
    value.to_owned()
}

// Guard: the comparison in `revoke` in host/store/src/portable/revocation.rs.
#[tokio::test]
async fn what_a_key_minted_after_somebody_looked_does_not_fall_unread() {
    let held = Held::by_robot().await;
    let early = held.mints("early").await;
    let looked = held.person.get(&held.page()).await.expect(200);
    let late = held.mints("late").await;

    let moved = held.presses(&looked, true).await.expect(409);
    let page = moved.page();
    for shown in [
        "Nothing was revoked",
        "1 key came since",
        "late",
        "since you looked</span>",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    for key in [&held.robot, &early, &late] {
        key.get("/approvals/pending").await.expect(200);
    }
    held.presses(&looked, true).await.expect(409);
    // What was read by now is what falls.
    held.presses(&moved, true).await.expect(303);
    for key in [&held.robot, &early, &late] {
        key.get("/approvals/pending").await.expect(401);
    }
    assert!(tokens(&held.person).await.is_empty());
    let none = held.person.get(&held.page()).await;
    assert_eq!(none.status, 404, "{none}");
}

#[tokio::test]
async fn a_key_alone_is_revoked_whatever_it_minted_meanwhile_and_that_is_told() {
    let held = Held::by_robot().await;
    let looked = held.person.get(&held.page()).await.expect(200);
    assert!(
        looked.page().contains("It has minted nothing that works"),
        "{looked}"
    );
    let late = held.mints("late").await;
    let rest = held.presses(&looked, false).await.expect(200);
    let page = rest.page();
    for shown in [
        "The key is revoked",
        "1 key came since",
        "late",
        "Revoke what it minted",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    held.robot.get("/approvals/pending").await.expect(401);
    late.get("/approvals/pending").await.expect(200);
    held.presses(&rest, true).await.expect(303);
    late.get("/approvals/pending").await.expect(401);
}

#[tokio::test]
async fn without_a_look_a_revocation_is_what_it_was() {
    let held = Held::by_robot().await;
    let early = held.mints("early").await;
    let form = [("drain_seconds", "0"), ("descendants", "true")];
    held.person.post_form(&held.page(), &form).await.expect(303);
    early.get("/approvals/pending").await.expect(401);

    let held = Held::by_robot().await;
    held.mints("early").await;
    let path = format!("/org/tokens/{}?descendants=true&shown=nonsense", held.id);
    let revoked = held.person.delete(&path).await.expect(200);
    assert_eq!(
        revoked.json["descendants"].as_array().map(Vec::len),
        Some(1)
    );
    let wrong = [("shown", "nonsense"), ("looked_at", "2026-01-01T00:00:00Z")];
    let wrong = held.person.post_form(&held.page(), &wrong).await;
    assert_eq!(wrong.status, 400, "{wrong}");
}
