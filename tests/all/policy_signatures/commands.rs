//! `countersign policy keygen`, `sign` and `verify-signature`, and what `push`, `list` and `check` say.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use countersign_tests::{CommandLine, Host};

use crate::reload::shelf::Freeze;
use crate::stage::ADMIN_TOKEN;

/// Somebody with a module, and a pair of keys without a password.
async fn with_keys(person: &CommandLine) -> String {
    let folder = person.folder();
    fs::write(folder.join("freeze.wasm"), Freeze::FIRST.component()).expect("written");
    let said = person
        .run(&["policy", "keygen", "--no-password", "--json"])
        .await;
    let made = said.expect(0).json();
    made["public_key"].as_str().expect("a key").to_owned()
}

#[tokio::test]
async fn a_pair_is_made_once_and_what_it_signs_is_checked_and_shown_at_a_host() {
    let person = CommandLine::new();
    let key = with_keys(&person).await;
    let secret = person.folder().join("policy.key");
    let mode = fs::metadata(&secret)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let before = fs::read(&secret).expect("it is there");
    let again = person.run(&["policy", "keygen", "--no-password"]).await;
    again
        .expect(1)
        .says(&["policy.key", "is there already", "nothing is written over"]);
    assert_eq!(fs::read(&secret).expect("it is there"), before);

    let said = person.run(&["policy", "sign", "freeze.wasm"]).await;
    said.expect(0)
        .says(&["freeze.wasm.minisig", "freeze@1.0.0", "sha256:"]);
    let again = person.run(&["policy", "sign", "freeze.wasm"]).await;
    again.expect(1).says(&["is there already"]);
    let verify = ["policy", "verify-signature", "freeze.wasm"];
    person
        .run(&verify)
        .await
        .expect(2)
        .says(&["--public FILE", "COUNTERSIGN_POLICY_KEYS"]);
    let by_file = [&verify[..], &["--public", "policy.pub"]].concat();
    person
        .run(&by_file)
        .await
        .expect(0)
        .says(&["signed by", "countersign policy freeze 1.0.0"]);
    let trusting = person
        .clone()
        .env("COUNTERSIGN_POLICY_KEYS", format!("ours={key}"));
    trusting
        .run(&verify)
        .await
        .expect(0)
        .says(&["signed by ours"]);
    let said = trusting.run(&["policy", "check", "freeze.wasm"]).await;
    said.expect(0).says(&["signed by ours", "would load it"]);

    fs::write(
        person.folder().join("freeze.wasm"),
        Freeze::SECOND.component(),
    )
    .expect("written");
    trusting
        .run(&verify)
        .await
        .expect(1)
        .says(&["does not hold"]);
    let said = trusting.run(&["policy", "check", "freeze.wasm"]).await;
    said.expect(1).says(&["would not load it", "does not hold"]);
    let json = [&verify[..], &["--json"]].concat();
    assert_eq!(trusting.run(&json).await.expect(1).json()["holds"], false);
    fs::write(person.folder().join("notes.wasm"), "notes").expect("written");
    let said = person.run(&["policy", "sign", "notes.wasm"]).await;
    said.expect(2).says(&["notes.wasm", "is no policy"]);
}

#[tokio::test]
async fn a_push_takes_the_signature_along_and_the_list_says_whose_it_is() {
    let keys = CommandLine::new();
    let key = with_keys(&keys).await;
    keys.run(&["policy", "sign", "freeze.wasm"]).await.expect(0);
    let host = Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("COUNTERSIGN_POLICY_KEYS", format!("ours={key}"))
        .env("COUNTERSIGN_REQUIRE_SIGNATURE", "true")
        .start()
        .await;
    let person = host.command_line();
    person.run(&["login"]).await.expect(0);
    let file = keys.folder().join("freeze.wasm").display().to_string();
    let said = person
        .run(&["policy", "push", &file, "--mode", "enforce"])
        .await;
    said.expect(0).says(&["is live"]);
    let said = person.run(&["policy", "list"]).await.expect(0);
    said.says(&["SIGNED BY", "ours", "built in"]);
    fs::remove_file(keys.folder().join("freeze.wasm.minisig")).expect("it is there");
    fs::write(&file, Freeze::SECOND.component()).expect("written");
    let said = person.run(&["policy", "push", &file]).await;
    said.expect(1).says(&["nobody signed it", "ours"]);
}

#[tokio::test]
async fn a_password_is_asked_for_unseen_and_a_wrong_one_signs_nothing() {
    let person = CommandLine::new();
    fs::write(
        person.folder().join("freeze.wasm"),
        Freeze::FIRST.component(),
    )
    .expect("written");
    let said = person.run(&["policy", "keygen"]).await;
    said.expect(2)
        .says(&["there is no terminal", "--no-password"]);
    let typed = "correct horse\ncorrect horse\n";
    let said = person.run_at_terminal(&["policy", "keygen"], typed).await;
    said.expect(0).says(&[
        "Password for the secret key:",
        "encrypted with your password",
    ]);
    let sign = ["policy", "sign", "freeze.wasm"];
    let said = person.run_at_terminal(&sign, "wrong horse\n").await;
    said.expect(1).says(&["the password is wrong"]);
    assert!(!person.folder().join("freeze.wasm.minisig").exists());
    let said = person.run_at_terminal(&sign, "correct horse\n").await;
    said.expect(0).says(&["signs freeze@1.0.0"]);
    let verify = [
        "policy",
        "verify-signature",
        "freeze.wasm",
        "--public",
        "policy.pub",
    ];
    person.run(&verify).await.expect(0);
}

#[tokio::test]
async fn a_host_that_requires_signatures_and_trusts_nobody_does_not_start() {
    let person = CommandLine::new();
    let check = ["config", "check"];
    let required = person.clone().env("COUNTERSIGN_REQUIRE_SIGNATURE", "true");
    required
        .run(&check)
        .await
        .expect(1)
        .says(&["needs COUNTERSIGN_POLICY_KEYS", "keygen"]);
    let wrong = person
        .clone()
        .env("COUNTERSIGN_POLICY_KEYS", "release=hunter2");
    wrong
        .run(&check)
        .await
        .expect(1)
        .says(&["key 1 of the list", "no public key"]);
    let failure = Host::builder()
        .env("COUNTERSIGN_REQUIRE_SIGNATURE", "true")
        .fail()
        .await;
    failure.says(&["needs COUNTERSIGN_POLICY_KEYS"]);
    with_keys(&person).await;
    let secret = fs::read_to_string(person.folder().join("policy.key")).expect("it is there");
    let secret = secret.lines().nth(1).expect("a key").to_owned();
    let leaked = person
        .clone()
        .env("COUNTERSIGN_POLICY_KEYS", secret.clone());
    let said = leaked.run(&check).await.expect(1);
    said.says(&["it is a secret key"]).hides(&[&secret]);
}
