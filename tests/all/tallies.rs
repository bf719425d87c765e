//! Budgets: what was done before is counted by the host, told to the policies, and looked at again in the deed's
//! own transaction.

use std::time::Duration;

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Reply};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::reload::shelf::Shelf;

const PATIENCE: Duration = Duration::from_secs(30);

/// Stops whoever has done two deeds within a minute.
fn two_a_minute() -> Vec<u8> {
    Guest {
        name: "budget",
        tally: Some("deeds"),
        rule: "spent",
        reason: "two deeds a minute are enough",
        // The list of tallies begins at 120 of the request, and the count at 8 of each.
        decide: "(if (result i32)
                   (i32.ge_u (i32.load offset=8 (i32.load offset=120 (local.get $request))) (i32.const 2))
                   (then (global.get $deny)) (else (global.get $abstain)))",
        ..Guest::default()
    }
    .component()
}

async fn create(caller: &Caller, name: &str) -> Reply {
    caller.post("/workspaces", json!({ "name": name })).await
}

async fn budgeted() -> Shelf {
    let shelf = Shelf::set().await;
    let before = shelf.generation().await;
    shelf.write("budget.wasm", two_a_minute());
    countersign_tests::until("the budget is live", PATIENCE, async || {
        (shelf.generation().await > before).then_some(())
    })
    .await;
    shelf
}

#[tokio::test]
async fn a_budget_counts_deeds_and_what_waits_and_no_reads() {
    let shelf = budgeted().await;
    let agent = shelf.agent();
    for _ in 0..4 {
        agent.get("/workspaces").await.expect(200);
    }
    create(&agent, "one").await.expect(201);
    // What waits counts, and asking for it again does not count twice, nor against itself.
    let mint = json!({ "name": "waits" });
    for _ in 0..2 {
        agent.post("/org/tokens", mint.clone()).await.expect(202);
    }
    let spent = create(&agent, "two").await.refused(403, "denied_by_policy");
    assert_eq!(spent.text("rule"), "spent");
    agent
        .get("/workspaces")
        .await
        .refused(403, "denied_by_policy");

    // Another one has a budget of their own.
    let operator = shelf.host.operator().await;
    create(&operator, "three").await.expect(201);

    // What the policies were told is recorded, to be asked again.
    let id = spent.header("x-decision-id").expect("an id").to_owned();
    let decision = operator
        .get(&format!("/decisions/{id}"))
        .await
        .expect(200)
        .json;
    let expected = json!([{ "scope": "actor", "verbs": [], "window_seconds": 60, "count": 2 }]);
    assert_eq!(decision["question"]["tallies"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_no_more_get_through_than_the_budget_has() {
    let shelf = budgeted().await;
    let mut requests = JoinSet::new();
    for n in 0..12 {
        let agent = shelf.agent();
        requests.spawn(async move { create(&agent, &format!("w{n}")).await });
    }
    let replies = requests.join_all().await;
    let done = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(done, 2, "{replies:?}");
    for reply in replies.into_iter().filter(|reply| reply.status != 201) {
        reply.refused(403, "denied_by_policy");
    }
    let list = shelf
        .host
        .operator()
        .await
        .get("/workspaces")
        .await
        .expect(200);
    let made = list
        .json
        .as_array()
        .expect("workspaces")
        .iter()
        .filter(|one: &&Value| {
            one["name"]
                .as_str()
                .is_some_and(|name| name.starts_with('w'))
        });
    assert_eq!(made.count(), 2);
}

#[tokio::test]
async fn the_budget_that_comes_with_the_host_asks_people_once_it_is_spent() {
    let shelf = Shelf::set().await;
    let before = shelf.generation().await;
    shelf.write("budget.toml", "workspaces_per_hour = 2\n");
    let budget = include_bytes!("../../policies/budget/budget.wasm");
    shelf.write(".budget.part", budget);
    shelf.rename(".budget.part", "budget.wasm");
    countersign_tests::until("the budget is live", PATIENCE, async || {
        (shelf.generation().await > before).then_some(())
    })
    .await;
    let agent = shelf.agent();
    for name in ["one", "two"] {
        create(&agent, name).await.expect(201);
    }
    let waits = create(&agent, "three").await;
    let approval = waits.approval();
    let operator = shelf.host.operator().await;
    let shown = operator
        .get(&format!("/approvals/{approval}"))
        .await
        .expect(200);
    assert!(shown.text("policy").starts_with("budget@"), "{shown}");
    crate::stage::approve(&operator, &approval).await;
    create(&agent, "three").await.expect(201);
    // What people do is nobody's budget.
    create(&operator, "four").await.expect(201);
    // The next one waits again, since what was approved is done.
    assert_ne!(create(&agent, "five").await.approval(), approval);
}
