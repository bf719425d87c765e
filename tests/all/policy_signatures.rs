//! Signatures of policies: who answers for a module is asked at each load, and what does not hold is refused
//! with a sentence that says who signed, and why that does not count.

mod commands;
mod older;
mod records;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_core::signature::{KeyId, PublicKey, Signature};
use countersign_tests::{Caller, Host, HostBuilder, Reply};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::reload::shelf::{Freeze, Shelf};
use crate::stage::ADMIN_TOKEN;

const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who signs.
pub struct Key {
    id: KeyId,
    pair: Ed25519KeyPair,
}

impl Key {
    /// The one whose id and secret are made of this.
    pub fn of(byte: u8) -> Self {
        Self {
            id: KeyId::new([byte; 8]),
            pair: Ed25519KeyPair::from_seed_unchecked(&[byte; 32]).expect("a seed"),
        }
    }

    /// As a host is told of it.
    pub fn trusted(&self, name: &str) -> String {
        let key = self
            .pair
            .public_key()
            .as_ref()
            .try_into()
            .expect("32 bytes");
        format!("{name}={}", PublicKey::new(self.id, key).line())
    }

    /// The text of a signature file.
    pub fn sign(&self, bytes: &[u8]) -> String {
        let sign = |message: &[u8]| {
            let signature = self.pair.sign(message);
            signature.as_ref().try_into().expect("64 bytes")
        };
        Signature::make(bytes, self.id, "countersign policy freeze", sign).file()
    }
}

const RELEASE: u8 = 0x11;
const STRANGER: u8 = 0x22;

fn trusting(is_required: bool) -> HostBuilder {
    Host::builder()
        .admin_token(ADMIN_TOKEN)
        .env("RATE_LIMIT", "0")
        .env(
            "COUNTERSIGN_POLICY_KEYS",
            Key::of(RELEASE).trusted("release"),
        )
        .env("COUNTERSIGN_REQUIRE_SIGNATURE", is_required.to_string())
}

async fn shelf(is_required: bool) -> Shelf {
    let host = trusting(is_required).start().await;
    let folder = host.data_dir().join("policies");
    Shelf::of(host, &folder)
}

async fn push(operator: &Caller, bytes: Vec<u8>, signature: Option<&str>) -> Reply {
    let operator = match signature {
        Some(text) => operator.with("Policy-Signature", STANDARD.encode(text)),
        None => operator.clone(),
    };
    let kind = Some("application/wasm");
    operator
        .send(reqwest::Method::PUT, "/policies/freeze", kind, bytes)
        .await
}

/// The host says all of this of its file, which does not decide.
async fn refused(shelf: &Shelf, words: &[&str]) {
    let mut said = String::new();
    let told = countersign_tests::until("the host says why", PATIENCE, async || {
        said = shelf.blames("freeze.wasm").await;
        words.iter().all(|word| said.contains(word)).then_some(())
    });
    told.await;
}

#[tokio::test]
async fn a_host_that_requires_a_signature_loads_what_a_trusted_key_signed_and_nothing_else() {
    let shelf = shelf(true).await;
    let module = Freeze::FIRST.component();
    shelf.write("freeze.wasm", &module);
    refused(&shelf, &["nobody signed it", "countersign policy sign"]).await;
    assert_eq!(shelf.rule().await, "open-to-agents");

    shelf.write("freeze.wasm.minisig", Key::of(STRANGER).sign(&module));
    let words = [
        "2222222222222222",
        "does not trust",
        "release (1111111111111111)",
    ];
    refused(&shelf, &words).await;
    assert_eq!(shelf.rule().await, "open-to-agents");

    // The signature alone changes, and the module loads.
    shelf.write("freeze.wasm.minisig", Key::of(RELEASE).sign(&module));
    shelf.decides("freeze", PATIENCE).await;
    shelf.blames_nothing().await;
    let shown = shelf.module("freeze").await["signatures"].clone();
    assert_eq!(shown.as_array().map(Vec::len), Some(1), "{shown}");
    assert_eq!(
        (&shown[0]["name"], &shown[0]["trusted"]),
        (&"release".into(), &true.into())
    );
    let baseline = shelf.module("baseline").await;
    assert_eq!(baseline["built_in"], true);
    let audit = shelf
        .host
        .operator()
        .await
        .get("/audit?limit=200")
        .await
        .expect(200);
    let text = audit.json.to_string();
    assert!(
        text.contains("policy_signed") && text.contains("signed_by"),
        "{text}"
    );
}

// Guard: `Signature::is_of` in host/core/src/signature.rs.
#[tokio::test]
async fn what_was_changed_or_cut_is_refused_and_the_last_good_one_stands() {
    for is_required in [true, false] {
        let shelf = shelf(is_required).await;
        let module = Freeze::FIRST.component();
        let signature = Key::of(RELEASE).sign(&module);
        shelf.write("freeze.wasm.minisig", &signature);
        shelf.write("freeze.wasm", &module);
        shelf.decides("freeze", PATIENCE).await;

        shelf.write("freeze.wasm", Freeze::SECOND.component());
        refused(
            &shelf,
            &[
                "release (1111111111111111)",
                "was changed after it was signed",
            ],
        )
        .await;
        shelf.write("freeze.wasm", &module[..module.len() / 2]);
        refused(&shelf, &["does not hold"]).await;
        shelf.write("freeze.wasm", &module);
        shelf.blames_nothing().await;

        shelf.write("freeze.wasm.minisig", &signature[..signature.len() / 2]);
        refused(&shelf, &["cannot be read", "cut off"]).await;
        let comment = signature.replace("policy freeze", "policy thaw");
        shelf.write("freeze.wasm.minisig", comment);
        refused(&shelf, &["trusted comment", "was changed"]).await;
        shelf.write("freeze.wasm.minisig", "");
        refused(&shelf, &["cannot be read"]).await;
        assert_eq!(shelf.rule().await, "freeze");
        shelf.write("freeze.wasm.minisig", &signature);
        shelf.blames_nothing().await;
    }
}

#[tokio::test]
async fn without_the_requirement_a_strangers_signature_is_only_told_of() {
    let shelf = shelf(false).await;
    let module = Freeze::FIRST.component();
    shelf.write("freeze.wasm.minisig", Key::of(STRANGER).sign(&module));
    shelf.write("freeze.wasm", &module);
    shelf.decides("freeze", PATIENCE).await;
    let shown = shelf.module("freeze").await["signatures"].clone();
    assert_eq!(
        (&shown[0]["key_id"], &shown[0]["trusted"]),
        (&"2222222222222222".into(), &false.into()),
        "{shown}"
    );
    shelf.remove("freeze.wasm.minisig");
    countersign_tests::until("nobody signed it", PATIENCE, async || {
        let shown = shelf.module("freeze").await["signatures"].clone();
        shown.as_array().is_some_and(Vec::is_empty).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_push_brings_its_signature_which_holds_when_it_is_activated_and_when_people_go_back() {
    let shelf = shelf(true).await;
    let operator = shelf.host.operator().await;
    let module = Freeze::FIRST.component();
    let unsigned = push(&operator, module.clone(), None).await;
    unsigned
        .refused(400, "policy_refused")
        .text("error")
        .contains("nobody signed it")
        .then_some(())
        .expect("the sentence");
    let stranger = Key::of(STRANGER).sign(&module);
    let refused = push(&operator, module.clone(), Some(&stranger)).await;
    let refused = refused.refused(400, "policy_refused");
    assert!(
        refused.text("error").contains("does not trust"),
        "{refused}"
    );
    let other = Key::of(RELEASE).sign(&Freeze::SECOND.component());
    let refused = push(&operator, module.clone(), Some(&other)).await;
    let refused = refused.refused(400, "policy_refused");
    assert!(refused.text("error").contains("does not hold"), "{refused}");
    let kind = Some("application/wasm");
    let scribble = operator.with("Policy-Signature", "not base64!");
    let path = "/policies/freeze";
    let sent = scribble.send(reqwest::Method::PUT, path, kind, module.clone());
    sent.await.blames("Policy-Signature");
    operator
        .get("/policies/freeze/versions")
        .await
        .refused(404, "not_found");

    let signature = Key::of(RELEASE).sign(&module);
    let kept = push(&operator, module.clone(), Some(&signature)).await;
    let kept = kept.expect(201).json;
    assert_eq!(kept["signatures"][0]["name"], "release", "{kept}");
    // It is kept by then, and need not come again.
    push(&operator, module, None).await.expect(201);
    let enforce = serde_json::json!({ "mode": "enforce", "version": "1.0.0" });
    operator
        .put("/policies/freeze/mode", enforce)
        .await
        .expect(200);
    assert_eq!(shelf.rule().await, "freeze");
    let body = serde_json::json!({ "generation": 1 });
    operator.post("/policies/rollback", body).await.expect(200);
    let body = serde_json::json!({ "generation": 2 });
    operator.post("/policies/rollback", body).await.expect(200);
    assert_eq!(shelf.rule().await, "freeze");
    let shelf = shelf.restart(|_| ()).await;
    assert_eq!(shelf.rule().await, "freeze");
}
