//! The audit's head is signed and kept beside the database: a tail that is cut, and a chain that is written
//! anew, show there, at the running host and in an export that nobody needs a host to check.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use countersign_tests::{Caller, Host, HostBuilder, OperatorSession};
use serde_json::{Value, json};

use crate::stage::ADMIN_TOKEN;
use crate::workspace_secrets::tamper;

/// A host that has something to tell.
async fn told() -> (Host, OperatorSession) {
    let host = Host::start(ADMIN_TOKEN).await;
    let session = host.operator_session().await;
    let person = host.signed_in(&session);
    for n in 0..5 {
        let name = json!({ "name": format!("token {n} \"ä\"") });
        person.post("/org/tokens", name).await.expect(200);
    }
    (host, session)
}

/// All entries, as whoever exports them gets them page by page.
async fn exported(person: &Caller) -> Vec<Value> {
    let mut entries = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/audit?limit=3{cursor}");
        let page = person.get(&path).await.expect(200);
        entries.extend(page.json["entries"].as_array().expect("entries").clone());
        match page.json["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return entries,
        }
    }
}

fn keep(path: &Path, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(path, text).expect("written");
}

/// The exit code and the words of `countersign audit verify`.
fn verified(host: &HostBuilder, arguments: &[&str]) -> (i32, String) {
    let arguments = [&["audit", "verify"], arguments].concat();
    let output = host.run(&arguments);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).expect("UTF-8");
    (output.status.code().expect("a code"), said)
}

fn heads(data: &Path) -> Vec<Value> {
    let text = fs::read_to_string(data.join("audit-heads.jsonl")).expect("heads");
    let head = |line| serde_json::from_str(line).expect("a head");
    text.lines().map(head).collect()
}

fn path(folder: &tempfile::TempDir, name: &str) -> (PathBuf, String) {
    let path = folder.path().join(name);
    let text = path.display().to_string();
    (path, text)
}

#[tokio::test]
async fn an_export_is_checked_without_the_host_against_the_heads_that_it_signed() {
    let (host, session) = told().await;
    let person = host.signed_in(&session);
    let walked = person.get("/audit/verify").await.expect(200);
    let entries = exported(&person).await;
    assert_eq!(walked.json["head"]["seq"], entries.len(), "{walked}");
    let data = host.data_dir();
    let public = fs::read_to_string(data.join("audit.pub")).expect("a public key");
    let public = public.trim();
    assert_eq!(walked.json["public_key"], public);
    let introduced = entries
        .iter()
        .find(|entry| entry["kind"] == "audit_key_made");
    assert_eq!(
        introduced.expect("the key is introduced")["detail"]["public_key"],
        public
    );
    for name in ["audit.key", "audit-heads.jsonl"] {
        let mode = fs::metadata(data.join(name))
            .expect("a file")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(heads(&data).last(), Some(&walked.json["head"]));

    let folder = tempfile::tempdir().expect("a folder");
    let (export, export_text) = path(&folder, "export.jsonl");
    let signed = data.join("audit-heads.jsonl").display().to_string();
    let stopped = host.stop().await;
    let check = |lines: &[Value], more: &[&str]| {
        keep(&export, lines);
        verified(&stopped, &[&[export_text.as_str()], more].concat())
    };
    let with_heads = ["--heads", &signed, "--public-key", public];

    let (code, said) = check(&entries, &with_heads);
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains(&format!("{} entries", entries.len())),
        "{said}"
    );
    let (code, said) = check(&entries, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("would not show"), "{said}");
    // The head may be the export's last line.
    let sealed = [entries.as_slice(), &[walked.json["head"].clone()]].concat();
    assert_eq!(check(&sealed, &["--public-key", public]).0, 0);

    let cut = &entries[..entries.len() - 1];
    let (code, said) = check(cut, &with_heads);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("its tail is cut"), "{said}");
    let mut changed = entries.clone();
    changed[1]["actor"] = json!("nobody");
    let (code, said) = check(&changed, &with_heads);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("entry 2 was changed"), "{said}");
    let (code, said) = check(
        &entries,
        &["--heads", &signed, "--public-key", &"0".repeat(64)],
    );
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("none of the keys that were named"), "{said}");

    assert_eq!(check(&[json!("diary")], &[]).0, 3);
    assert_eq!(check(&entries, &["--public-key", "x"]).0, 1);
    assert_eq!(check(&entries, &["--heads", "/no/such/file"]).0, 1);
}

#[tokio::test]
async fn a_tail_that_was_cut_from_the_database_shows_at_the_host_and_is_not_signed_over() {
    let (host, session) = told().await;
    let stopped = host.stop().await;
    let kept = heads(&stopped.data_dir());
    let signed = kept
        .last()
        .expect("the host signs when it is stopped")
        .clone();
    let seq = signed["seq"].as_i64().expect("a number");
    // As someone would who has the database alone; more entries than a start writes.
    const CUT: i64 = 4;
    for seq in seq - CUT + 1..=seq {
        let sql = format!("DELETE FROM audit WHERE seq = {seq}");
        tamper(&stopped, sql.leak()).await;
    }
    let sql = format!(
        "UPDATE audit_head SET seq = {0}, hash = (SELECT hash FROM audit WHERE seq = {0})",
        seq - CUT
    );
    tamper(&stopped, sql.leak()).await;
    let host = stopped.start().await;
    let person = host.signed_in(&session);
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], false, "{walked}");
    assert!(
        walked.text("broken").contains("its tail was cut"),
        "{walked}"
    );
    // A later entry takes its place, and is not the one that was signed.
    for _ in 0..CUT {
        person.post("/org/tokens", json!({})).await.expect(200);
    }
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], false, "{walked}");
    assert!(walked.text("broken").contains("written anew"), "{walked}");
    assert_eq!(heads(&host.data_dir()), kept);

    // Whoever did it on purpose says so by moving the file.
    let stopped = host.stop().await;
    let file = stopped.data_dir().join("audit-heads.jsonl");
    fs::rename(&file, file.with_extension("before")).expect("moved");
    let host = stopped.start().await;
    let person = host.signed_in(&session);
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], true, "{walked}");
}

#[tokio::test]
async fn a_head_that_was_half_written_when_the_host_died_is_taken_away() {
    let (host, session) = told().await;
    let stopped = host.stop().await;
    let file = stopped.data_dir().join("audit-heads.jsonl");
    let kept = heads(&stopped.data_dir());
    let whole = fs::read_to_string(&file).expect("heads");
    fs::write(&file, format!("{whole}{{\"seq\":7,")).expect("written");
    let host = stopped.start().await;
    let person = host.signed_in(&session);
    person.post("/org/tokens", json!({})).await.expect(200);
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], true, "{walked}");
    let after = heads(&host.data_dir());
    assert_eq!(after[..kept.len()], kept);
    assert_eq!(after.last(), Some(&walked.json["head"]));
}

#[tokio::test]
async fn a_head_that_this_host_did_not_sign_is_told_and_not_believed() {
    let (host, session) = told().await;
    let stopped = host.stop().await;
    let file = stopped.data_dir().join("audit-heads.jsonl");
    let whole = fs::read_to_string(&file).expect("heads");
    let kept = heads(&stopped.data_dir());
    let mut forged = kept.last().expect("a head").clone();
    forged["seq"] = json!(forged["seq"].as_i64().expect("a number") + 1_000);
    fs::write(&file, format!("{whole}{forged}\n")).expect("written");
    let host = stopped.start().await;
    let person = host.signed_in(&session);
    // Believed, it would say that a tail is missing.
    let walked = person.get("/audit/verify").await.expect(200);
    assert_eq!(walked.json["whole"], true, "{walked}");
    assert!(host.log().contains("did not sign"), "{}", host.log());
}
