//! The file that an export is: whole, nobody else's, and what it says of itself.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use countersign_tests::{CommandLine, Host};
use serde_json::{Value, json};

use super::lived::{Lived, decisions, exporting, sealed};
use crate::reload::shelf::Freeze;
use crate::stage::ADMIN_TOKEN;

fn parsed(line: Option<&str>) -> Value {
    serde_json::from_str(line.expect("a line")).expect("JSON")
}

fn mode(path: &Path) -> u32 {
    let there = fs::symlink_metadata(path).expect("it is there");
    there.permissions().mode() & 0o777
}

/// What is in the folder beside what the test put there.
fn beside(folder: &Path, name: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
    let names = names.map(|name| name.expect("UTF-8"));
    names.filter(|other| other.starts_with(name)).collect()
}

#[tokio::test]
async fn an_export_says_of_what_it_is_and_is_only_its_owners() {
    let lived = Lived::a_little().await;
    let (path, text) = lived.export("decisions.jsonl").await;
    assert_eq!(mode(Path::new(&path)), 0o600);
    let (head, end) = (parsed(text.lines().next()), parsed(text.lines().last()));
    let made = decisions(&text);
    assert_eq!(
        (&head["format"], &head["version"], &head["newest"]),
        (&json!("countersign-decisions"), &json!(1), &made[0]["id"])
    );
    assert_eq!(head["origin"], lived.shelf.host.origin());
    assert!(head["at"].is_string() && head["since"].is_null() && head["until"].is_null());
    let end = &end["end"];
    assert_eq!(
        (&end["decisions"], &end["oldest"]),
        (&json!(made.len()), &made[made.len() - 1]["id"])
    );
    // Every generation is there before the first decision that it made, and no other.
    let mut known = Vec::new();
    for line in text.lines().map(|line| parsed(Some(line))) {
        if let Some(number) = line["generation"]["number"].as_u64() {
            assert!(!known.contains(&number), "{number} twice");
            known.push(number);
        }
        let by = line["policy_generation"].as_u64().unwrap_or_default();
        assert!(by == 0 || known.contains(&by), "{line}");
    }
    assert_eq!(known, [2, 1]);
    // On standard output it is the same, but for what came since.
    let again = lived.person.run(&["decision", "export"]).await.expect(0);
    assert!(again.out.contains(text.lines().nth(2).expect("a line")));
    assert!(parsed(again.out.lines().last())["end"]["sha256"].is_string());
}

#[tokio::test]
async fn an_export_has_the_time_that_is_asked_for() {
    let lived = Lived::a_little().await;
    let (_, text) = lived.export("all.jsonl").await;
    let all = decisions(&text);
    let (first, last) = (all[all.len() - 3]["at"].clone(), all[2]["at"].clone());
    let (since, until) = (first.as_str().expect("text"), last.as_str().expect("text"));
    let path = lived.path("some.jsonl");
    let some = ["--since", since, "--until", until];
    let some = [&exporting(&path)[..], &some].concat();
    lived.person.run(&some).await.expect(0);
    let text = fs::read_to_string(&path).expect("it was written");
    let within = |one: &&Value| {
        let at = one["at"].as_str().expect("text");
        at >= since && at < until
    };
    let expected: Vec<&Value> = all.iter().filter(within).collect();
    assert!(expected.len() > 2 && expected.len() < all.len());
    assert_eq!(decisions(&text).iter().collect::<Vec<_>>(), expected);
    let head = parsed(text.lines().next());
    assert!(head["since"].is_string() && head["until"].is_string());
    let none = ["decision", "export", "--since", until, "--until", since];
    let said = lived.person.run(&none).await.expect(2);
    said.says(&["there is nothing between them"]);
    let said = lived.person.run(&["decision", "export", "--since", "soon"]);
    said.await.expect(2).says(&["--since: write how long ago"]);
}

#[tokio::test]
async fn what_is_in_the_way_of_an_export_is_left_as_it_is() {
    let lived = Lived::a_little().await;
    let path = lived.path("decisions.jsonl");
    // Another one that is being written, or was broken off.
    lived.write("decisions.jsonl.unfinished", "what another one has");
    let said = lived.person.run(&exporting(&path)).await.expect(1);
    said.says(&[
        "decisions.jsonl.unfinished",
        "is in the way",
        "remove it and run this again",
    ]);
    let kept = fs::read_to_string(lived.path("decisions.jsonl.unfinished"));
    assert_eq!(kept.expect("it is there"), "what another one has");
    assert!(!Path::new(&path).exists());
    fs::remove_file(lived.path("decisions.jsonl.unfinished")).expect("it can be removed");

    // A link that somebody laid, where it would be written and where it would be.
    let treasure = lived.write("treasure", "gold");
    symlink(&treasure, lived.path("decisions.jsonl.unfinished")).expect("a link");
    lived.person.run(&exporting(&path)).await.expect(1);
    fs::remove_file(lived.path("decisions.jsonl.unfinished")).expect("it can be removed");
    symlink(&treasure, &path).expect("a link");
    let said = lived.person.run(&exporting(&path)).await.expect(2);
    said.says(&["is a link, which is neither replaced nor followed"]);
    assert_eq!(fs::read_to_string(&treasure).expect("it is there"), "gold");
    let folder = lived.folder.display().to_string();
    let said = lived.person.run(&exporting(&folder)).await.expect(2);
    said.says(&["is a folder"]);
    lived.person.run(&exporting("/dev/null")).await.expect(2);

    // A file that was an export before is replaced, and with it whoever could read it.
    fs::remove_file(&path).expect("it can be removed");
    lived.write("decisions.jsonl", "old");
    let readable = fs::Permissions::from_mode(0o644);
    fs::set_permissions(&path, readable).expect("it can be set");
    lived.person.run(&exporting(&path)).await.expect(0);
    assert_eq!(mode(Path::new(&path)), 0o600);
    assert_eq!(
        beside(&lived.folder, "decisions.jsonl"),
        ["decisions.jsonl"]
    );
}

#[tokio::test]
async fn an_export_that_fails_leaves_nothing_and_touches_nothing() {
    let lived = Lived::a_little().await;
    let old = lived.write("decisions.jsonl", "an older export");
    let agent = lived.person.agent(ADMIN_TOKEN);
    let agent = agent.env("COUNTERSIGN_URL", lived.shelf.host.origin());
    agent.run(&exporting(&old)).await.expect(4);
    lived.shelf.host.stop().await;
    let said = lived.person.run(&exporting(&old)).await.expect(6);
    said.says(&["cannot reach"]);
    assert_eq!(
        fs::read_to_string(&old).expect("it is there"),
        "an older export"
    );
    assert_eq!(
        beside(&lived.folder, "decisions.jsonl"),
        ["decisions.jsonl"]
    );
}

#[tokio::test]
async fn an_export_that_is_not_whole_is_refused_in_a_sentence() {
    let lived = Lived::a_little().await;
    let (_, whole) = lived.export("decisions.jsonl").await;
    let lines: Vec<&str> = whole.lines().collect();
    let (end, rest) = lines.split_last().expect("lines");
    let without = |place: usize| {
        let kept = lines.iter().enumerate().filter(|(at, _)| *at != place);
        kept.map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    let decision = lines
        .iter()
        .position(|line| line.contains("\"effect\":\"gate\""));
    let decision = decision.expect("there is one");
    let edited = whole.replacen("\"effect\":\"gate\"", "\"effect\":\"deny\"", 1);
    let fewer = end.replacen("\"decisions\":", "\"decisions\":1", 1);
    let mut head: Value = parsed(lines.first().copied());
    head["version"] = json!(2);
    let head = head.to_string();
    let later = [&[&*head], &rest[1..]].concat();
    let freeze = lived.write("kept.wasm", Freeze::FIRST.component());
    let mut taken = Vec::new();
    for (name, text, words) in [
        ("empty", String::new(), "is empty: write the export again"),
        (
            "cut-line",
            whole[..whole.len() / 2].to_owned(),
            "was cut: its last line is missing",
        ),
        (
            "cut-end",
            without(lines.len() - 1),
            "was cut: its last line is missing",
        ),
        (
            "edited",
            edited,
            "was changed after it was written: its lines do not have the digest",
        ),
        (
            "removed",
            without(decision),
            "was changed after it was written",
        ),
        ("headless", without(0), "does not begin as an export does"),
        (
            "other",
            "{\"id\": 7}\n".to_owned(),
            "does not begin as an export does",
        ),
        ("joined", format!("{whole}{whole}"), "goes on after its end"),
        (
            "counted",
            format!("{}\n{fewer}\n", rest.join("\n")),
            "it has not as many decisions as it says",
        ),
        (
            "later",
            sealed(&later),
            "version 2 of the format, and this program reads version 1",
        ),
    ] {
        let path = lived.write(&format!("{name}.jsonl"), text);
        let again = ["policy", "replay", &path, "--kept", &freeze];
        let said = lived.person.run(&again).await;
        if (said.code, said.out.as_str()) == (Some(2), "") && said.err.contains(words) {
            said.says(&[&format!("{name}.jsonl")]);
        } else {
            taken.push(format!("{name}: {said}"));
        }
    }
    assert!(taken.is_empty(), "{}", taken.join("\n"));
    let nothing = lived.path("nothing.jsonl");
    let again = ["policy", "replay", &nothing];
    lived
        .person
        .run(&again)
        .await
        .expect(2)
        .says(&["cannot read"]);
    let said = lived.person.run(&["policy", "replay", "/dev/null"]).await;
    said.expect(2).says(&["is no ordinary file"]);
    // What was put together again, line by line, is whole.
    let path = lived.write("sealed.jsonl", sealed(rest));
    let again = ["policy", "replay", &path, "--kept", &freeze];
    lived.person.run(&again).await.expect(0);
}

#[tokio::test]
async fn an_export_of_nothing_is_one() {
    let lived = Lived::a_little().await;
    let path = lived.path("none.jsonl");
    let none = [&exporting(&path)[..], &["--until", "2020-01-01T00:00:00Z"]].concat();
    lived
        .person
        .run(&none)
        .await
        .expect(0)
        .says(&["0 decisions"]);
    let said = lived.person.run(&["policy", "replay", &path]).await;
    said.expect(0).says(&["No decision is recorded"]);
}

#[tokio::test]
async fn the_bytes_of_a_policy_are_for_people() {
    let lived = Lived::a_little().await;
    let path = "/policies/freeze/versions";
    let kept = lived.operator.get(path).await.expect(200);
    let digest = kept.json["versions"][0]["digest"].as_str().expect("text");
    let component = format!("{path}/{digest}");
    let reply = lived.operator.get(&component).await.expect(200);
    assert_eq!(reply.header("content-type"), Some("application/wasm"));
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    assert!(reply.body == Freeze::FIRST.component());
    // An agent may know which policies there are, and not what they let through.
    let agent = lived.shelf.agent();
    agent.get(path).await.expect(200);
    let refused = agent.get(&component).await.refused(403, "denied_by_policy");
    assert_eq!(refused.text("rule"), "people-only");
    lived
        .shelf
        .host
        .anonymous()
        .get(&component)
        .await
        .expect(401);
    let elsewhere = format!("/policies/baseline/versions/{digest}");
    lived
        .operator
        .get(&elsewhere)
        .await
        .refused(404, "not_found");
    let odd = format!("{path}/{}", digest.to_uppercase());
    lived.operator.get(&odd).await.blames("digest");
    let export = ["decision", "export", "--with-modules"];
    let agent = lived.person.agent(ADMIN_TOKEN);
    let agent = agent.env("COUNTERSIGN_URL", lived.shelf.host.origin());
    agent.run(&export).await.expect(4);
}

/// A host that has answered as much as it does for a while, and who asked.
async fn exhausted(limit: &str) -> (Host, CommandLine) {
    let builder = Host::builder().admin_token(ADMIN_TOKEN);
    let host = builder.env("RATE_LIMIT", limit).start().await;
    let person = host.command_line();
    person.run(&["login"]).await.expect(0);
    let operator = host.operator_by_link(&person).await;
    let agent = host.agent(ADMIN_TOKEN);
    agent.get("/org/tokens").await.expect(200);
    while operator.get("/decisions").await.status == 200 {}
    (host, person)
}

#[tokio::test]
async fn an_export_waits_where_the_host_has_too_many_requests() {
    let (_host, person) = exhausted("60").await;
    let path = person.folder().join("decisions.jsonl");
    let export = exporting(path.to_str().expect("UTF-8"));
    let said = person.run(&export).await.expect(0);
    said.says(&["the host has no time now: going on in", "decisions"]);
}

#[tokio::test]
async fn an_export_that_is_stopped_leaves_nothing() {
    // One request in five seconds.
    let (_host, person) = exhausted("12").await;
    let path = person.folder().join("decisions.jsonl");
    let export = exporting(path.to_str().expect("UTF-8"));
    let mut running = person.start(&export);
    // For the decisions, and then for their generation: by now there is a file.
    running.hears("the host has no time now").await;
    running.hears("the host has no time now").await;
    assert_eq!(
        beside(&person.folder(), "decisions"),
        ["decisions.jsonl.unfinished"]
    );
    running.stop().await.expect(1);
    assert!(beside(&person.folder(), "decisions").is_empty());
}
