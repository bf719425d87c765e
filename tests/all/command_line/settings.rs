//! `config check`: every mistake, and where each value comes from.

use std::fs;

use countersign_tests::CommandLine;

fn with_file(text: &str) -> (CommandLine, String) {
    let person = CommandLine::new();
    let file = person.folder().join("countersign.toml");
    fs::write(&file, text).expect("written");
    let name = file.display().to_string();
    (person.env("COUNTERSIGN_CONFIG", name.clone()), name)
}

#[tokio::test]
async fn each_value_is_shown_with_where_it_comes_from_and_no_secret_is() {
    let (person, file) = with_file(
        "public_url = \"https://countersign.example\"\nlisten = \"127.0.0.1:1\"\nadmin_token = \"hunter2\"\n",
    );
    let said = person
        .env("COUNTERSIGN_LISTEN", "127.0.0.1:2")
        .env("DATABASE_URL", "postgres://ann:hunter2@db.example/ledger")
        .env("SECRETS_ENCRYPTION_KEY", "ab".repeat(32))
        .run(&["--policies", "rules", "config", "check"])
        .await
        .expect(0);
    let said = said.says(&[
        "The configuration is right",
        "https://countersign.example",
        "listen 127.0.0.1:2 COUNTERSIGN_LISTEN",
        "policies rules --policies",
        "data_dir ./countersign-data default",
        "secrets_encryption_key set SECRETS_ENCRYPTION_KEY",
        &format!("admin_token set {file}"),
        &format!("public_url https://countersign.example {file}"),
    ]);
    said.says(&["postgres://ann@db.example:5432/ledger DATABASE_URL"])
        .hides(&["hunter2", "abab"]);
}

#[tokio::test]
async fn every_mistake_is_explained_at_once_with_what_was_meant_and_where_it_is() {
    let (person, file) = with_file(
        "listn = \"127.0.0.1:1\"\nCOUNTERSIGN_DATA_DIR = \"d\"\nadmin_token = 4711\nmolecule_org_id = \"x\"\n",
    );
    let said = person
        .env("CP_UPSTREAM_URL", "ftp://cp")
        .env("MOLECULE_ORG_SLUG", "acme")
        .run(&["config", "check", "--listen", "nowhere"])
        .await
        .expect(1);
    let said = said.says(&[
        "line 1: unknown key `listn`: did you mean `listen`?",
        "line 2: unknown key `COUNTERSIGN_DATA_DIR`: did you mean `data_dir`?",
        "line 3: `admin_token` is not a string",
        "COUNTERSIGN_LISTEN: `nowhere` is not an address and port",
        "(from --listen)",
        "CP_UPSTREAM_URL: `ftp://cp` is not an http or https URL",
        &format!("MOLECULE_ORG_ID: `x` is not a UUID (from {file})"),
    ]);
    said.hides(&["4711"]);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_a_mistake_beside_the_others() {
    let said = CommandLine::new()
        .run(&["config", "check", "--config", "no.toml", "--listen", "x"])
        .await
        .expect(1);
    said.says(&["no.toml", "No such file", "COUNTERSIGN_LISTEN"]);
}
