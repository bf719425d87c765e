//! Policies in shadow are asked what the live ones were asked, and change nothing: what they would have changed
//! is counted and kept.

pub mod kinds;

use std::time::Duration;

use countersign_tests::guest::Guest;
use countersign_tests::{Caller, Reply, until};
use reqwest::Method;
use serde_json::{Value, json};

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::changed;

const PATIENCE: Duration = Duration::from_secs(30);

async fn push(caller: &Caller, bytes: Vec<u8>) {
    let kind = Some("application/wasm");
    let put = caller.send(reqwest::Method::PUT, "/policies/freeze", kind, bytes);
    put.await.expect(201);
}

async fn mode(caller: &Caller, name: &str, body: Value) -> Reply {
    let path = format!("/policies/{name}/mode");
    changed(caller, Method::PUT, &path, &body).await
}

/// Name, version and mode of each module.
async fn modules(shelf: &Shelf) -> Vec<String> {
    let live = shelf.agent().get("/policies").await.expect(200).json;
    let modules = live["modules"].as_array().expect("modules");
    let text = |module: &Value, member: &str| module[member].as_str().expect("a text").to_owned();
    let shown = |module: &Value| {
        format!(
            "{} {} {}",
            text(module, "name"),
            text(module, "version"),
            text(module, "mode")
        )
    };
    modules.iter().map(shown).collect()
}

/// The counts of what is in shadow now, when it was asked about so many decisions.
async fn counts(shelf: &Shelf, asked: u64) -> Value {
    until("it is asked about them", PATIENCE, async || {
        // Which policies are live the core alone lets read, so that this is none of them.
        let live = shelf.agent().get("/policies").await.expect(200).json;
        (live["shadow"]["asked"] == asked).then(|| live["shadow"].clone())
    })
    .await
}

/// What would have been otherwise.
async fn differences(person: &Caller, generation: u64) -> Vec<Value> {
    let path = format!("/policies/generations/{generation}/differences");
    let found = person.get(&path).await.expect(200).json;
    found["differences"]
        .as_array()
        .expect("differences")
        .clone()
}

#[tokio::test]
async fn a_candidate_in_shadow_changes_nothing_and_what_it_would_have_changed_is_kept() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    push(&operator, Freeze::FIRST.component()).await;
    let first = shelf.generation().await;
    let live = mode(
        &operator,
        "freeze",
        json!({ "mode": "shadow", "version": "1.0.0" }),
    )
    .await;
    assert_eq!(
        live.expect(200).json,
        json!({ "generation": first + 1, "live": true })
    );
    assert_eq!(
        modules(&shelf).await,
        ["baseline 0.1.0 enforce", "freeze 1.0.0 shadow"]
    );

    // An agent's two questions it would have denied, and a person's it has nothing to say about.
    let decision = async |caller: &Caller| {
        let reply = caller.get("/org/tokens").await.expect(200);
        reply.header("x-decision-id").expect("an id").to_owned()
    };
    let agents = [
        decision(&shelf.agent()).await,
        decision(&shelf.agent()).await,
    ];
    decision(&operator).await;
    assert_eq!(
        counts(&shelf, 3).await,
        json!({ "asked": 3, "looser": 0, "mixed": 0, "tighter": 2, "reworded": 0, "missed": 0 })
    );
    // What it says is counted as what the live ones say is, and apart.
    let page = operator.get("/console/policies").await.expect(200).page();
    let (live, shadowed) = page.split_once("id=\"module-2\"").expect("two modules");
    let said =
        "1 abstained · 0 allowed · 0 gated · 2 denied</span> <span class=\"quiet\">in shadow";
    assert!(
        shadowed.contains(said) && shadowed.contains("<dt>Takes</dt>"),
        "{page}"
    );
    assert!(
        live.contains(" · 0 denied</span> <span class=\"quiet\">since"),
        "{page}"
    );
    let differences = differences(&operator, first + 1).await;
    let ids: Vec<&str> = differences
        .iter()
        .filter_map(|one| one["decision_id"].as_str())
        .collect();
    assert_eq!(ids, [&*agents[1], &*agents[0]], "newest first");
    for difference in &differences {
        assert_eq!(
            (
                &difference["change"],
                &difference["effect"],
                &difference["rule"]
            ),
            (&json!("tighter"), &json!("deny"), &json!("freeze"))
        );
    }
    let page = format!(
        "/policies/generations/{}/differences?limit=1&cursor={}",
        first + 1,
        ids[0]
    );
    let page = operator.get(&page).await.expect(200).json;
    assert_eq!(page["differences"], json!([differences[1]]));
    // The record says what was decided, and not what would have been.
    let recorded = operator
        .get(&format!("/decisions/{}", agents[0]))
        .await
        .expect(200)
        .json;
    assert_eq!(recorded["effect"], "allow");
    assert_eq!(
        recorded["opinions"].as_array().map(Vec::len),
        Some(1),
        "{recorded}"
    );

    // It decides by the same word, and goes back.
    mode(&operator, "freeze", json!({ "mode": "enforce" }))
        .await
        .expect(200);
    assert_eq!(shelf.rule().await, "freeze");
    mode(&operator, "freeze", json!({ "mode": "shadow" }))
        .await
        .expect(200);
    assert_eq!(shelf.rule().await, "open-to-agents");
    counts(&shelf, 1).await;

    // What is counted outlives the host, and what is asked goes on.
    let shelf = shelf.restart(|_| ()).await;
    assert_eq!(
        modules(&shelf).await,
        ["baseline 0.1.0 enforce", "freeze 1.0.0 shadow"]
    );
    assert_eq!(shelf.rule().await, "open-to-agents");
    counts(&shelf, 2).await;
}

#[tokio::test]
async fn another_version_in_shadow_is_compared_in_the_place_of_the_one_that_decides() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    push(&operator, Freeze::SECOND.component()).await;
    let live = mode(
        &operator,
        "freeze",
        json!({ "mode": "shadow", "version": "2.0.0" }),
    )
    .await;
    let live = live.expect(200).json["generation"]
        .as_u64()
        .expect("a number");
    assert_eq!(
        modules(&shelf).await,
        [
            "baseline 0.1.0 enforce",
            "freeze 1.0.0 enforce",
            "freeze 2.0.0 shadow"
        ]
    );
    assert_eq!(shelf.rule().await, "freeze");
    assert_eq!(counts(&shelf, 1).await["reworded"], 1);
    assert_eq!(differences(&operator, live).await[0]["rule"], "deep-freeze");

    // Which of the two is meant to go is not said.
    let which = mode(&operator, "freeze", json!({ "mode": "shadow" })).await;
    which.refused(409, "ambiguous_version");

    // The class of the caller is asked of the candidate too: with everything gated it would be otherwise.
    let digest = shelf.module("baseline").await["digest"].clone();
    let settings = json!({ "gated_verbs": ["org_token_list"] });
    let body = json!({ "mode": "shadow", "digest": digest, "settings": settings });
    mode(&operator, "baseline", body).await.expect(200);
    assert_eq!(shelf.rule().await, "freeze");
    assert_eq!(counts(&shelf, 1).await["reworded"], 1, "denied by both");
    let page = operator.get("/console/policies").await.expect(200);
    assert!(page.page().contains("in shadow"), "{page}");

    // What decides then is what was tried, settings and all.
    let body = json!({ "mode": "enforce", "digest": digest });
    mode(&operator, "baseline", body).await.expect(200);
    let decides = shelf.module("baseline").await;
    assert_eq!(
        (&decides["mode"], &decides["settings"]["gated_verbs"]),
        (&json!("enforce"), &json!(["org_token_list"]))
    );
    let names = modules(&shelf).await;
    let baselines = names.iter().filter(|name| name.starts_with("baseline"));
    assert_eq!(baselines.count(), 1, "{names:?}");
}

#[tokio::test]
async fn the_folder_changes_no_mode_and_takes_what_is_gone_from_it_out_of_shadow() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    mode(&operator, "freeze", json!({ "mode": "shadow" }))
        .await
        .expect(200);
    assert_eq!(shelf.rule().await, "open-to-agents");
    assert_eq!(
        shelf.problems().await,
        [] as [Value; 0],
        "the folder holds what is live"
    );

    shelf.write("freeze.wasm", Freeze::SECOND.component());
    until("the new version is in shadow", PATIENCE, async || {
        (modules(&shelf).await == ["baseline 0.1.0 enforce", "freeze 2.0.0 shadow"]).then_some(())
    })
    .await;
    assert_eq!(shelf.rule().await, "open-to-agents");
    let shelf = shelf.restart(|_| ()).await;
    assert_eq!(
        modules(&shelf).await,
        ["baseline 0.1.0 enforce", "freeze 2.0.0 shadow"]
    );
    let generation = shelf.generation().await;
    let recorded = shelf
        .host
        .operator()
        .await
        .get("/policies/generations")
        .await
        .expect(200)
        .json;
    let newest = &recorded["generations"][0];
    assert_eq!(newest["number"], generation, "a start changes nothing");
    assert!(
        newest["summary"]
            .as_str()
            .is_some_and(|summary| summary.ends_with(" in shadow")),
        "{newest}"
    );

    // A broken file takes it neither out of shadow nor into deciding.
    let shelf = shelf
        .restart(|folder| {
            std::fs::write(folder.join("freeze.wasm"), b"broken").expect("written");
        })
        .await;
    let shadowed = ["baseline 0.1.0 enforce", "freeze 2.0.0 shadow"];
    assert_eq!(modules(&shelf).await, shadowed);
    shelf.write("freeze.wasm", Freeze::SECOND.component());
    shelf.blames_nothing().await;
    assert_eq!(modules(&shelf).await, shadowed);

    shelf.remove("freeze.wasm");
    until("nothing is in shadow", PATIENCE, async || {
        (modules(&shelf).await == ["baseline 0.1.0 enforce"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_candidate_that_never_ends_keeps_neither_callers_nor_the_host_waiting() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    // The questions that it is proven with are of an earlier time.
    let endless = Guest {
        name: "freeze",
        clock_seconds: 1,
        decide: "(if (result i32) (i64.gt_u (i64.load offset=112 (local.get $request)) (i64.const 1782864000000))
                   (then (loop $again (br $again)) (unreachable)) (else (global.get $abstain)))",
        ..Guest::default()
    };
    push(&operator, endless.component()).await;
    let body = json!({ "mode": "shadow", "version": "1.0.0" });
    let live = mode(&operator, "freeze", body).await.expect(200).json;
    let generation = live["generation"].as_u64().expect("a number");
    assert_eq!(shelf.rule().await, "open-to-agents");
    // It fails, and that would deny.
    assert_eq!(counts(&shelf, 1).await["tighter"], 1);
    for _ in 0..60 {
        assert_eq!(shelf.rule().await, "open-to-agents");
    }
    let begun = std::time::Instant::now();
    let shelf = shelf.restart(|_| ()).await;
    assert!(
        begun.elapsed() < Duration::from_secs(15),
        "{:?}",
        begun.elapsed()
    );
    let recorded = shelf
        .agent()
        .get("/policies/generations")
        .await
        .expect(200)
        .json;
    let counts = &recorded["generations"][0]["shadow_counts"];
    let count = |name: &str| counts[name].as_u64().expect("a number");
    assert_eq!(recorded["generations"][0]["number"], generation);
    assert_eq!(count("asked") + count("missed"), 61, "{counts}");
    assert!(count("missed") > 30, "{counts}");
}

#[tokio::test]
async fn only_an_operator_changes_a_mode_and_somebody_always_decides() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    let generation = shelf.generation().await;
    push(&operator, Freeze::FIRST.component()).await;
    let shadow = json!({ "mode": "shadow", "version": "1.0.0" });
    let denied = mode(&shelf.agent(), "freeze", shadow).await;
    assert_eq!(
        denied.refused(403, "denied_by_policy").json["rule"],
        "people-only"
    );
    let alone = mode(&operator, "baseline", json!({ "mode": "shadow" })).await;
    let alone = alone.refused(400, "policy_refused");
    assert!(alone.text("error").contains("baseline"), "{alone}");
    mode(&operator, "baseline", json!({ "mode": "enforce" }))
        .await
        .refused(409, "no_change");
    let nothing = mode(&operator, "freeze", json!({ "mode": "shadow" })).await;
    let nothing = nothing.refused(404, "not_found");
    assert!(
        nothing.text("error").contains("/policies/freeze/versions"),
        "{nothing}"
    );
    for wrong in [json!({ "mode": "off" }), json!({})] {
        mode(&operator, "freeze", wrong)
            .await
            .refused(400, "bad_request");
    }
    let both = json!({ "mode": "shadow", "version": "1.0.0", "digest": "0" });
    mode(&operator, "freeze", both).await.blames("digest");
    let whose = json!({ "mode": "shadow", "settings": {} });
    mode(&operator, "freeze", whose).await.blames("settings");
    let twice = json!({ "modules": [
        { "name": "baseline", "digest": shelf.module("baseline").await["digest"] },
        { "name": "freeze", "version": "1.0.0", "mode": "shadow" },
        { "name": "freeze", "version": "1.0.0", "mode": "shadow" },
    ] });
    operator
        .post("/policies/generations", twice)
        .await
        .blames("modules");
    shelf
        .agent()
        .get("/policies/generations/1/differences")
        .await
        .refused(403, "denied_by_policy");
    assert_eq!(shelf.generation().await, generation);
}
