//! A ledger from before there were seals: what it holds is sealed at the first start, once.

use std::fs;

use countersign_tests::{Database, HostBuilder};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac::{HMAC_SHA256, Key, sign};

use super::{change, frozen, says};
use crate::reload::shelf::Shelf;

/// As the host derives what it needs of its root.
fn derived(root: &[u8], label: &str) -> Vec<u8> {
    let mut message = Vec::new();
    for part in [b"countersign key v1", label.as_bytes()] {
        message.extend((part.len() as u64).to_be_bytes());
        message.extend(part);
    }
    sign(&Key::new(HMAC_SHA256, root), &message)
        .as_ref()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The key for commitments, wrapped as a version wrapped it that knew of no seals.
fn wrapped_before(root: &[u8]) -> Vec<u8> {
    let id = hex(&derived(root, "id")[..4]);
    let with = format!("countersign data key v1 {id} commit commit");
    let nonce = [7; 12];
    let key = UnboundKey::new(&AES_256_GCM, &derived(root, "wrap")).expect("32 bytes");
    let mut sealed = derived(root, "commit");
    LessSafeKey::new(key)
        .seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(with),
            &mut sealed,
        )
        .expect("it seals");
    [nonce.as_slice(), &sealed].concat()
}

/// Makes the stopped host's ledger one from before.
async fn forget_seals(stopped: &HostBuilder) {
    let root = fs::read(stopped.data_dir().join("secrets.key")).expect("the host made a key");
    let wrapped = hex(&wrapped_before(&root));
    let bytes = match stopped.database() {
        Database::Sqlite => format!("X'{wrapped}'"),
        Database::Postgres { .. } => format!("'\\x{wrapped}'"),
    };
    let key = format!("UPDATE wrapped_keys SET wrapped = {bytes} WHERE data_key = 'commit'");
    change(
        stopped,
        &[
            key.leak(),
            "UPDATE generations SET seal = NULL WHERE number = 1",
            "UPDATE generations SET seal = NULL WHERE number = 2",
        ],
    )
    .await;
}

// Guard: `are_generations_sealed` in host/server/src/sealing.rs.
#[tokio::test]
async fn what_an_earlier_version_recorded_is_sealed_once_and_never_again() {
    let (shelf, session) = frozen().await;
    let folder = shelf.folder().to_owned();
    let stopped = shelf.host.stop().await;
    forget_seals(&stopped).await;
    let shelf = Shelf::of(stopped.start().await, &folder);
    assert_eq!(shelf.rule().await, "freeze");
    let person = shelf.host.signed_in(&session);
    let audit = person.get("/audit?limit=200").await.expect(200);
    let entries = audit.json["entries"].as_array().expect("entries");
    let sealed = entries
        .iter()
        .filter(|entry| entry["kind"] == "generations_sealed");
    let sealed: Vec<_> = sealed
        .map(|entry| &entry["detail"]["generations"])
        .collect();
    assert_eq!(sealed, [&serde_json::json!([1, 2])]);

    // To take the seals away once more makes it none from before.
    let stopped = shelf.host.stop().await;
    change(
        &stopped,
        &["UPDATE generations SET seal = NULL WHERE number = 2"],
    )
    .await;
    let shelf = Shelf::of(stopped.start().await, &folder);
    assert_eq!(shelf.rule().await, "policies_outdated");
    says(&shelf, &["generation 2", "has no seal"]).await;
}
