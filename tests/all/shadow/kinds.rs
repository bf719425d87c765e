//! What an operator reads before a policy in shadow may decide: how often it would have changed what, and the
//! decisions themselves; and how often it failed.

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Reply, until};
use serde_json::json;

use super::{PATIENCE, counts, mode, push};
use crate::metrics::samples;
use crate::reload::hostile::waking;
use crate::reload::shelf::{Freeze, Shelf};

/// A host with `freeze` in shadow, and the number of that generation.
pub async fn frozen() -> (Shelf, Caller, u64) {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    push(&operator, Freeze::FIRST.component()).await;
    let body = json!({ "mode": "shadow", "version": "1.0.0" });
    let live = mode(&operator, "freeze", body).await.expect(200).json;
    let generation = live["generation"].as_u64().expect("a number");
    (shelf, operator, generation)
}

/// Waits until it was asked about so many decisions, or more: pages that a browser opens are among them.
pub async fn again(shelf: &Shelf, least: u64) {
    until("it is asked about them", PATIENCE, async || {
        let asked = shelf.policies().await["shadow"]["asked"].as_u64()?;
        (asked >= least).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_a_candidate_would_change_is_told_kind_by_kind_with_the_decisions_that_differ() {
    let (shelf, operator, generation) = frozen().await;
    let agent = shelf.agent();
    agent.get("/org/tokens").await.expect(200);
    let listed = agent.get("/org/tokens").await.expect(200);
    let asked = json!({ "name": "<b>ci</b>" });
    let minted = agent.post("/org/tokens", asked).await.expect(202);
    let alike = operator.get("/org/tokens").await.expect(200);
    let id = |reply: &Reply| {
        let id = reply.header("x-decision-id").expect("an id");
        id.to_owned()
    };
    let (listed, minted, alike) = (id(&listed), id(&minted), id(&alike));
    counts(&shelf, 4).await;

    let path = format!("/policies/generations/{generation}/differences");
    let found = operator.get(&path).await.expect(200).json;
    let gist = |effect: &str, rule: &str, policy: &str| json!({ "class": "agent", "effect": effect, "rule": rule, "policy": policy });
    let deny = gist("deny", "freeze", "freeze@1.0.0");
    assert_eq!(
        found["kinds"],
        json!([
            {
                "kind": 1, "verb": "org_token_list", "change": "tighter", "count": 2,
                "was": gist("allow", "open-to-agents", "baseline@0.1.0"), "would_be": deny,
                "last_decision_id": listed,
            },
            {
                "kind": 2, "verb": "org_token_mint", "change": "tighter", "count": 1,
                "was": gist("gate", "agents-need-a-person", "baseline@0.1.0"), "would_be": deny,
                "last_decision_id": minted,
            },
        ])
    );
    let first = &found["differences"][0];
    assert_eq!(
        (&first["decision_id"], &first["verb"], &first["was"]),
        (
            &json!(minted),
            &json!("org_token_mint"),
            &found["kinds"][1]["was"]
        )
    );
    let of_one = operator
        .get(&format!("{path}?kind=2"))
        .await
        .expect(200)
        .json;
    assert_eq!(of_one["differences"].as_array().map(Vec::len), Some(1));
    assert_eq!(of_one["kinds"], found["kinds"]);
    operator
        .get(&format!("{path}?kind=two"))
        .await
        .blames("kind");

    let page = operator.get("/console/policies/shadow").await.expect(200);
    let page = page.page();
    for shown in [
        "Would let less happen",
        "List the organisation keys",
        "open-to-agents",
        "agents-need-a-person",
        "freeze@1.0.0",
        &format!("generation={generation}&#38;kind=2"),
        &format!("/console/decisions/{listed}"),
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert!(!page.contains(&alike), "{page}");
    // Three differ: a page that they fill leads nowhere.
    for (limit, is_older) in [(2, true), (3, false)] {
        let page = format!("/console/policies/shadow?generation={generation}&limit={limit}");
        let page = operator.get(&page).await.expect(200).page();
        assert_eq!(page.contains(">Older</a>"), is_older, "{page}");
    }
    let of_one = format!("/console/policies/shadow?generation={generation}&kind=2");
    let of_one = operator.get(&of_one).await.expect(200);
    assert!(of_one.page().contains(&minted), "{of_one}");
    assert!(!of_one.page().contains(&listed), "{of_one}");
    let cut = format!("/console/policies/shadow?generation={generation}&limit=1&cursor={minted}");
    let cut = operator.get(&cut).await.expect(200);
    assert!(
        cut.page().contains(&listed) && !cut.page().contains("What would differ"),
        "{cut}"
    );

    let decision = operator
        .get(&format!("/console/decisions/{minted}"))
        .await
        .expect(200);
    let decision = decision.page();
    for shown in [
        "Beside what was in shadow",
        "They would have let less happen",
        "agents do nothing during the freeze",
        "data-label=\"Decided\"><bdi class=\"literal\">gate",
        "data-label=\"In shadow\"><bdi class=\"literal\">deny",
    ] {
        assert!(decision.contains(shown), "{shown}: {decision}");
    }
    let decision = operator
        .get(&format!("/console/decisions/{alike}"))
        .await
        .expect(200);
    assert!(
        !decision.page().contains("Beside what was in shadow"),
        "{decision}"
    );
    // Of a generation that does not decide any more, it is still there.
    mode(&operator, "freeze", json!({ "mode": "enforce" }))
        .await
        .expect(200);
    let later = format!("/console/policies/shadow?generation={generation}");
    let later = operator.get(&later).await.expect(200);
    assert!(later.page().contains("agents-need-a-person"), "{later}");
    let none = operator.get("/console/policies/shadow").await.expect(200);
    assert!(
        none.page().contains("Nothing is in shadow of generation"),
        "{none}"
    );
}

#[tokio::test]
async fn what_would_differ_is_for_people_and_what_is_not_there_is_said() {
    let (shelf, operator, generation) = frozen().await;
    let denied = shelf.agent().get("/console/policies/shadow").await;
    assert_eq!(denied.status, 403, "{denied}");
    for (query, status) in [
        ("generation=4711", 404),
        ("generation=first", 400),
        (&*format!("generation={generation}&kind=9"), 404),
        ("kind=all", 400),
        ("cursor=x", 400),
    ] {
        let path = format!("/console/policies/shadow?{query}");
        let reply = operator.get(&path).await;
        assert_eq!(reply.status, status, "{query}: {reply}");
    }
}

// Guard: `candidates.names.contains` in host/server/src/policies/shadow/asking.rs.
#[tokio::test]
async fn a_module_that_fails_in_shadow_is_counted_there_and_not_among_those_that_deny() {
    const WORD: &str = "TRIPWIRE";
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    let tripwire = |name: &'static str, version: &'static str| {
        let guest = Guest {
            name,
            version,
            ..Guest::default()
        };
        waking(guest, *b"TRIPWIRE", "(unreachable)")
    };
    // One that decides fails as well: that is not the candidate's failure.
    shelf.write("decides.wasm", tripwire("decides", "1.0.0"));
    until("it is live", PATIENCE, async || {
        let live = shelf.policies().await;
        let modules = live["modules"].as_array()?;
        (modules.len() == 2).then_some(())
    })
    .await;
    push(&operator, tripwire("freeze", "1.0.0")).await;
    let body = json!({ "mode": "shadow", "version": "1.0.0" });
    mode(&operator, "freeze", body).await.expect(200);
    for _ in 0..2 {
        let denied = shelf
            .agent()
            .post("/org/tokens", json!({ "name": WORD }))
            .await;
        denied.refused(403, "denied_by_policy");
    }
    counts(&shelf, 2).await;
    let failing = shelf.module("freeze").await;
    assert_eq!(failing["failures"]["count"], 2, "{failing}");
    assert_eq!(failing["failures"]["last_kind"], "trap", "{failing}");
    assert_eq!(failing["last_error"], "it trapped, or gave up");
    assert_eq!(shelf.module("decides").await["failures"]["count"], 2);

    let samples = samples(&shelf.host).await;
    let sample = |counter: &str, module: &str| {
        let name =
            format!("countersign_policy_{counter}_total{{module=\"{module}\",kind=\"trap\"}}");
        samples.get(&name).copied()
    };
    assert_eq!(
        sample("shadow_failures", "freeze"),
        Some(2.0),
        "{samples:#?}"
    );
    assert_eq!(sample("failures", "freeze"), None, "{samples:#?}");
    assert_eq!(sample("failures", "decides"), Some(2.0), "{samples:#?}");
    assert_eq!(sample("shadow_failures", "decides"), None, "{samples:#?}");

    let page = operator.get("/console/policies").await.expect(200);
    let page = page.page();
    assert!(
        page.contains("2 decisions in shadow, which it would have denied"),
        "{page}"
    );
    assert!(page.contains("2 decisions, which were denied"), "{page}");
    let page = operator.get("/console/policies/shadow").await.expect(200);
    assert!(
        page.page()
            .contains("failed 2 decisions since this host started"),
        "{page}"
    );
    let said = shelf.host.said();
    assert_eq!(
        said.matches("a policy in shadow fails").count(),
        1,
        "{said}"
    );
    assert!(!said.contains(WORD), "{said}");
}
