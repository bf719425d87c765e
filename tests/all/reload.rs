//! Hot reload, through the running host: what lies in the policy folder decides, however it got there,
//! and what cannot stand there leaves the last good policies standing.

pub mod hostile;
mod load;
pub mod shelf;

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use countersign_tests::{Host, Yardstick, until};
use serde_json::Value;

use crate::stage::ADMIN_TOKEN;
use shelf::{Freeze, Shelf};

/// Within this a change decides, on an idle machine.
const PROMPT: Duration = Duration::from_secs(1);
/// Within this it decides on a machine that also runs all the other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_module_dropped_into_the_folder_decides_within_a_second() {
    let shelf = Shelf::set().await;
    // Others want the processors too, more at one moment than at the next: the best of some counts.
    let mut tried = Vec::new();
    for _ in 0..5 {
        let yardstick = Yardstick::new().await;
        let dropped = Instant::now();
        shelf.write("freeze.wasm", Freeze::FIRST.component());
        shelf.decides("freeze", PATIENCE).await;
        let took = dropped.elapsed();
        let prompt = yardstick.stretches(PROMPT).await;
        if took <= prompt {
            println!("reload: a module that is dropped decides after {took:?}, of {prompt:?}");
            return;
        }
        tried.push((took, prompt));
        shelf.remove("freeze.wasm");
        shelf.decides("open-to-agents", PATIENCE).await;
    }
    panic!("it took longer than it may, each time: {tried:?}");
}

#[tokio::test]
async fn a_module_renamed_into_place_decides_and_one_that_is_removed_no_longer_does() {
    let shelf = Shelf::set().await;
    shelf.write(".freeze.wasm.part", Freeze::FIRST.component());
    shelf.rename(".freeze.wasm.part", "freeze.wasm");
    shelf.decides("freeze", PATIENCE).await;

    // In place of one that is live, under the same name.
    shelf.write(".freeze.wasm.part", Freeze::SECOND.component());
    shelf.rename(".freeze.wasm.part", "freeze.wasm");
    shelf.decides("deep-freeze", PATIENCE).await;

    shelf.remove("freeze.wasm");
    shelf.decides("open-to-agents", PATIENCE).await;
    assert_eq!(shelf.problems().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_half_written_module_decides_nothing_until_it_is_whole() {
    let shelf = Shelf::set().await;
    let component = Freeze::FIRST.component();
    let (half, rest) = component.split_at(component.len() / 2);
    shelf.write("freeze.wasm", half);
    shelf.blames("freeze.wasm").await;
    assert_eq!(shelf.rule().await, "open-to-agents");

    shelf.append("freeze.wasm", rest);
    shelf.decides("freeze", PATIENCE).await;
    assert_eq!(shelf.problems().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_baseline_with_settings_of_its_own_decides_until_it_is_deleted() {
    let shelf = Shelf::set().await;
    let built_in = shelf.module("baseline").await;

    // The settings first: without a module beside them they mean nothing.
    shelf.write("baseline.toml", "gated_verbs = [\"org_token_list\"]\n");
    shelf.write("baseline.wasm", countersign_engine::BASELINE);
    shelf.decides("agents-need-a-person", PATIENCE).await;
    let configured = shelf.module("baseline").await;
    assert_eq!(configured["settings"]["gated_verbs"][0], "org_token_list");
    assert_eq!(configured["digest"], built_in["digest"]);

    // Only the settings change.
    shelf.write("baseline.toml", "gated_verbs = []\n");
    shelf.decides("open-to-agents", PATIENCE).await;
    shelf.write("baseline.toml", "gated_verbs = \"org_token_list\"\n");
    shelf.decides("agents-need-a-person", PATIENCE).await;

    shelf.remove("baseline.wasm");
    shelf.decides("open-to-agents", PATIENCE).await;
    assert_eq!(shelf.module("baseline").await, built_in);
}

#[tokio::test]
async fn a_broken_file_leaves_the_last_good_one_standing_and_shows_its_error() {
    let shelf = Shelf::set().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    let good = shelf.module("freeze").await;
    let generation = shelf.generation().await;

    for (broken, word) in [
        (&b"this is no component"[..], "component"),
        (&b""[..], "component"),
        (&b"\0asm\x01\0\0\0"[..], "component"),
    ] {
        shelf.write("freeze.wasm", broken);
        let sentence = shelf.blames("freeze.wasm").await;
        assert!(sentence.contains(word), "{sentence}");
        assert_eq!(shelf.rule().await, "freeze");
        // The same error is not news: the next one must be.
        shelf.write("freeze.wasm", Freeze::FIRST.component());
        shelf.blames_nothing().await;
    }

    shelf.write("freeze.toml", "no_such_setting = 1\n");
    let sentence = shelf.blames("freeze.wasm").await;
    assert!(sentence.contains("no_such_setting"), "{sentence}");
    assert_eq!(shelf.rule().await, "freeze");
    shelf.remove("freeze.toml");
    shelf.blames_nothing().await;

    assert_eq!(shelf.module("freeze").await, good);
    assert_eq!(
        shelf.generation().await,
        generation,
        "nothing that decides has changed"
    );
}

#[tokio::test]
async fn a_flood_of_events_ends_in_what_the_folder_holds() {
    const FLOOD: usize = 2_000;
    let shelf = Shelf::set().await;
    let before = shelf.generation().await;
    for (n, round) in (0..FLOOD).zip((0..).flat_map(|round| [round; 3])) {
        shelf.write(&format!("note-{}.txt", n % 10), n.to_string());
        shelf.write(".draft.wasm", n.to_string());
        match n % 3 {
            0 => shelf.write("freeze.wasm", Freeze::FIRST.later(round).component()),
            1 => shelf.write("freeze.wasm", Freeze::SECOND.later(round).component()),
            _ => shelf.remove("freeze.wasm"),
        }
    }
    let last = Freeze::SECOND.later(FLOOD as u64);
    shelf.write("freeze.wasm", last.component());
    shelf.decides("deep-freeze", PATIENCE).await;
    // A look in the middle of the flood may have met a file between its removal and its return.
    shelf.blames_nothing().await;
    let generations = shelf.generation().await - before;
    assert!(
        generations < 100,
        "{FLOOD} changes made {generations} generations"
    );
}

/// Kubernetes mounts a ConfigMap so: each file is a link through `..data`, which is itself a link to a
/// folder named after an instant, and is moved to the next such folder by one rename.
#[tokio::test]
async fn a_folder_whose_content_is_swapped_by_one_link_decides_anew() {
    let mount = tempfile::tempdir().expect("a folder to mount");
    let path = |name: &str| mount.path().join(name);
    let publish = |instant: &str, freeze: Freeze| {
        fs::create_dir(path(instant)).expect("a folder");
        fs::write(path(instant).join("freeze.wasm"), freeze.component()).expect("a file");
        symlink(instant, path("..data_tmp")).expect("a link");
        fs::rename(path("..data_tmp"), path("..data")).expect("the swap");
    };
    publish("..2026_01_01_00_00_00.1", Freeze::FIRST);
    symlink("..data/freeze.wasm", path("freeze.wasm")).expect("a link");
    let folder = mount.path().to_string_lossy().into_owned();
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("COUNTERSIGN_POLICIES", folder.clone())
        .start()
        .await;
    let shelf = Shelf::of(host, mount.path());
    shelf.decides("freeze", PATIENCE).await;

    publish("..2026_01_01_00_01_00.2", Freeze::SECOND);
    fs::remove_dir_all(path("..2026_01_01_00_00_00.1")).expect("the old folder goes");
    shelf.decides("deep-freeze", PATIENCE).await;
    publish("..2026_01_01_00_02_00.3", Freeze::FIRST.later(1));
    shelf.decides("freeze", PATIENCE).await;
    // What decides is swapped a moment before the folder is known to hold it.
    shelf.blames_nothing().await;
}

#[tokio::test]
async fn each_generation_is_numbered_recorded_and_audited() {
    let shelf = Shelf::set().await;
    let operator = shelf.host.operator().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    shelf.write("freeze.wasm", Freeze::SECOND.component());
    shelf.decides("deep-freeze", PATIENCE).await;
    shelf.remove("freeze.wasm");
    shelf.decides("open-to-agents", PATIENCE).await;

    let reply = operator.get("/policies/generations").await.expect(200);
    let generations = reply.json["generations"]
        .as_array()
        .expect("generations")
        .clone();
    let live = shelf.generation().await;
    let numbers: Vec<_> = generations
        .iter()
        .filter_map(|one| one["number"].as_u64())
        .collect();
    assert_eq!(numbers, (1..=live).rev().collect::<Vec<_>>(), "{reply}");
    assert!(live >= 4, "{reply}");
    for generation in &generations {
        assert!(
            generation["at"].is_string() && generation["by"].is_string(),
            "{generation}"
        );
        assert!(
            generation["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{generation}"
        );
        assert_ne!(generation["modules"], serde_json::json!([]), "{generation}");
    }
    let said = |word: &str| {
        let says = |one: &&Value| {
            one["summary"]
                .as_str()
                .is_some_and(|text| text.contains(word))
        };
        generations.iter().filter(says).count()
    };
    assert_eq!(
        (said("added"), said("replaced by"), said("removed")),
        (1, 1, 1),
        "{reply}"
    );

    let audit = operator.get("/audit?limit=200").await.expect(200);
    let entries = audit.json["entries"].as_array().expect("entries");
    for number in numbers {
        let tells = |entry: &&Value| entry["detail"]["generation"].as_u64() == Some(number);
        let told = entries.iter().filter(tells).count();
        assert_eq!(told, 1, "generation {number} in {audit}");
    }
    let verified = operator.get("/audit/verify").await.expect(200);
    assert_eq!(verified.json["whole"], true, "{verified}");
}

#[tokio::test]
async fn a_host_that_starts_again_on_the_same_folder_goes_on_under_the_same_number() {
    let mut shelf = Shelf::set().await;
    shelf.write("baseline.wasm", countersign_engine::BASELINE);
    shelf.write("baseline.toml", "gated_verbs = [\"org_token_list\"]\n");
    shelf.decides("agents-need-a-person", PATIENCE).await;
    let before = shelf.generation().await;
    shelf = shelf.restart(|_| {}).await;
    assert_eq!(shelf.generation().await, before);
    assert_eq!(shelf.rule().await, "agents-need-a-person");

    // What was changed while it did not run is a change all the same.
    shelf = shelf
        .restart(|folder| {
            fs::write(folder.join("baseline.toml"), "gated_verbs = []\n").expect("a file");
        })
        .await;
    assert_eq!(shelf.rule().await, "open-to-agents");
    assert_eq!(
        shelf.generation().await,
        before + 1,
        "other settings are another generation"
    );
}

#[tokio::test]
async fn a_file_that_breaks_while_the_host_is_down_decides_as_it_last_did() {
    let mut shelf = Shelf::set().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    let before = shelf.generation().await;
    for (file, content) in [("freeze.toml", "x = ["), ("freeze.wasm", "broken")] {
        shelf = shelf
            .restart(|folder| fs::write(folder.join(file), content).expect("a file"))
            .await;
        assert_eq!(shelf.rule().await, "freeze", "{file} is broken");
        assert_eq!(shelf.generation().await, before);
        shelf.blames("freeze.wasm").await;
    }
    // Whole again, and under another name: that it decides under that one is remembered too.
    shelf.remove("freeze.toml");
    shelf.write("moved.wasm", Freeze::FIRST.component());
    shelf.remove("freeze.wasm");
    until("it is whole", PATIENCE, async || {
        (shelf.generation().await > before).then_some(())
    })
    .await;
    shelf.blames_nothing().await;
    shelf = shelf
        .restart(|folder| fs::write(folder.join("moved.wasm"), "broken").expect("a file"))
        .await;
    assert_eq!(shelf.rule().await, "freeze");
    shelf = shelf
        .restart(|folder| fs::remove_file(folder.join("moved.wasm")).expect("it is there"))
        .await;
    assert_eq!(shelf.rule().await, "open-to-agents");
}

#[tokio::test]
async fn a_folder_that_vanishes_leaves_what_it_held_standing() {
    let shelf = Shelf::set().await;
    shelf.write("freeze.wasm", Freeze::FIRST.component());
    shelf.decides("freeze", PATIENCE).await;
    let away = shelf.folder().with_extension("away");
    fs::rename(shelf.folder(), &away).expect("the folder can be moved");
    until("the host says so", PATIENCE, async || {
        let problems = shelf.problems().await;
        problems
            .iter()
            .any(|problem| problem["file"].is_null())
            .then_some(())
    })
    .await;
    assert_eq!(shelf.rule().await, "freeze");

    fs::rename(&away, shelf.folder()).expect("the folder can be moved back");
    shelf.blames_nothing().await;
    shelf.remove("freeze.wasm");
    shelf.decides("open-to-agents", PATIENCE).await;
}
