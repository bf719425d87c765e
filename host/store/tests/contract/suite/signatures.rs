use countersign_core::generation::{GenerationChange, GenerationLedger as _, ModuleRecord, Seal};
use countersign_core::signature::{KeptSignature, SignatureLedger as _};
use countersign_core::verdict::ModuleId;

use super::world::*;

fn signature(key_id: &str, text: &str) -> KeptSignature {
    KeptSignature {
        digest: "d1".to_owned(),
        key_id: key_id.to_owned(),
        text: text.to_owned(),
        at: at(1),
        by: "policy-folder".to_owned(),
    }
}

#[tokio::test]
async fn several_keys_sign_one_module_and_a_keys_later_signature_takes_the_place_of_its_former() {
    let world = World::new().await;
    let keep = async |one: &KeptSignature| {
        let kept = world.ledger.keep_policy_signature(one).await;
        kept.expect("an answer")
    };
    assert!(keep(&signature("B", "first")).await);
    assert!(!keep(&signature("B", "first")).await, "it is there already");
    assert!(keep(&signature("A", "other")).await);
    assert!(keep(&signature("B", "second")).await);
    let kept = world.ledger.policy_signatures("d1").await;
    assert_eq!(
        kept.expect("an answer"),
        [signature("A", "other"), signature("B", "second")]
    );
    let others = world.ledger.policy_signatures("d2").await;
    assert_eq!(others.expect("an answer"), []);
    assert_eq!(world.audited("policy_signed").await, 3);

    let module = ModuleRecord {
        id: ModuleId {
            name: "freeze".to_owned(),
            version: "1.0.0".to_owned(),
            digest: "d1".to_owned(),
        },
        settings: [].into(),
        file: None,
        pinned: None,
    };
    let change = GenerationChange {
        modules: vec![module],
        shadow: Vec::new(),
        components: vec![("d1".to_owned(), b"d1".to_vec())],
        follows: 0,
        by: "policy-folder".to_owned(),
        summary: "signed".to_owned(),
        at: at(2),
        approval: None,
        seal: Seal::from_text("seal".to_owned()),
    };
    let recorded = world.ledger.record_generation(&change).await;
    assert_eq!(recorded.expect("an answer"), Some(1));
    world.end().await;
}
