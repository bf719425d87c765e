use countersign_core::action::Action;
use countersign_core::chance::OsChance;
use countersign_core::keys::{KeyLedger as _, Keys, Resealed, RootKey, StoredKeys};
use countersign_core::ledger::Settled;
use countersign_core::ports::Ledger as _;
use countersign_core::secret::{self, SealedSecret, SecretAddress, SecretScope};

use super::world::*;

fn root(byte: u8) -> RootKey {
    RootKey::new([byte; 32])
}

/// The root under which every world is made.
fn former() -> RootKey {
    root(7)
}

async fn stored(world: &World) -> StoredKeys {
    world.ledger.stored_keys().await.expect("keys")
}

/// The keys of a host that was given these roots.
async fn given(world: &World, roots: &[u8]) -> Keys {
    let roots = roots.iter().copied().map(root).collect();
    Keys::open(roots, &stored(world).await).expect("they open")
}

/// Opens the ledger to the root `new` beside the former one.
async fn begin(world: &World, new: u8) -> Keys {
    let keys = given(world, &[new, 7]).await;
    let change = keys.change_root(&OsChance);
    let added = world.ledger.add_root(&change, at(5)).await;
    assert!(added.expect("an answer"));
    keys.refresh(&stored(world).await).expect("they open");
    keys
}

async fn save(world: &World, key: &str, value: &str) {
    let ask = Ask::new(
        &session_of("ann"),
        write(global(key), value),
        allow(),
        at(1),
    );
    done(world.ask(&ask).await);
}

/// The secrets that are not sealed with the key in use.
async fn left(world: &World, keys: &Keys) -> Vec<(SecretAddress, SealedSecret)> {
    let key = keys.sealing();
    let left = world.ledger.sealed_otherwise(key.id(), None, 100).await;
    let left = left.expect("secrets");
    let count = world.ledger.count_sealed_otherwise(key.id()).await;
    assert_eq!(count.expect("a number"), left.len() as u64);
    left
}

fn again(keys: &Keys, (address, from): &(SecretAddress, SealedSecret)) -> Resealed {
    let to = secret::reseal(keys, address, from, &OsChance).expect("it opens");
    Resealed {
        address: address.clone(),
        from: from.clone(),
        to,
    }
}

#[tokio::test]
async fn the_first_keys_stay_and_another_root_makes_none() {
    let world = World::new().await;
    let before = stored(&world).await;
    assert_eq!((before.roots.len(), before.keys.len()), (1, 3));
    for other in [former(), root(8)] {
        let first = Keys::first(&other, &OsChance);
        let kept = world.ledger.keys(&first, at(9)).await.expect("keys");
        assert_eq!(kept.keys, before.keys);
        assert_eq!(kept.roots, before.roots);
    }
    world.end().await;
}

#[tokio::test]
async fn a_ledger_of_an_earlier_version_gets_keys_of_the_root_that_it_names_alone() {
    let world = World::new().await;
    save(&world, "KEY", "a").await;
    world
        .database
        .tamper("DELETE FROM wrapped_keys; DELETE FROM data_keys;")
        .await;
    let others = Keys::first(&root(8), &OsChance);
    let kept = world.ledger.keys(&others, at(9)).await.expect("keys");
    assert!(kept.keys.is_empty(), "{kept:?}");
    let first = Keys::first(&former(), &OsChance);
    let kept = world.ledger.keys(&first, at(9)).await.expect("keys");
    let keys = Keys::open(vec![former()], &kept).expect("they open");
    assert!(left(&world, &keys).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_root_is_added_once_and_only_by_who_opens_the_ledger_to_every_other() {
    let world = World::new().await;
    let early = given(&world, &[8, 7]).await.change_root(&OsChance);
    begin(&world, 8).await;
    let before = stored(&world).await;
    // A second host with the same roots; one whose knowledge is old; one that lacks a root that is there.
    let again = given(&world, &[8, 7]).await.change_root(&OsChance);
    let late = given(&world, &[9, 8]).await.change_root(&OsChance);
    for change in [early, again, late] {
        let added = world.ledger.add_root(&change, at(6)).await;
        assert!(!added.expect("an answer"), "{change:?}");
    }
    assert_eq!(stored(&world).await.keys, before.keys);
    assert_eq!(before.newest_root(), Some(root(8).id()));
    assert_eq!(world.audited("keys_rotating").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_secret_is_sealed_again_where_it_is_what_it_was_and_keeps_its_version() {
    let world = World::new().await;
    for key in ["A", "B", "C"] {
        save(&world, key, "value").await;
    }
    let facts = async || {
        let write = write(global("A"), "x");
        let facts = world.ledger.facts(&admin(), &write, world.org, at(0)).await;
        facts.expect("facts").precondition
    };
    let version = facts().await;
    let keys = begin(&world, 8).await;
    let rows = left(&world, &keys).await;
    let mut batch: Vec<_> = rows.iter().map(|row| again(&keys, row)).collect();
    // Somebody else was faster with one, and another has changed.
    let faster = world.ledger.reseal(&batch[..1]).await;
    assert_eq!(faster.expect("an answer"), 1);
    batch[1].from.bytes[0] ^= 1;
    assert_eq!(world.ledger.reseal(&batch).await.expect("an answer"), 1);
    let rest = left(&world, &keys).await;
    assert_eq!(rest, rows[1..2]);
    assert_eq!(facts().await, version);

    // Page by page, none is left out.
    let key = keys.sealing();
    let after = world.ledger.sealed_otherwise(key.id(), Some(&rows[1].0), 1);
    assert!(after.await.expect("secrets").is_empty());

    let permit = world
        .permit(Action::SecretList {
            scope: SecretScope::Global,
        })
        .await;
    let listed = world.ledger.secrets(&permit, SecretScope::Global).await;
    assert!(
        listed
            .expect("secrets")
            .iter()
            .all(|entry| entry.updated_at == at(1))
    );
    world.end().await;
}

#[tokio::test]
async fn what_was_sealed_with_a_key_that_is_not_in_use_is_not_written() {
    let world = World::new().await;
    save(&world, "KEY", "a").await;
    let keys = begin(&world, 8).await;
    let ask = Ask::new(
        &session_of("ann"),
        write(global("KEY"), "b"),
        allow(),
        at(9),
    );
    let before = world.audited("secret_written").await;
    // The world still has the former keys.
    let facts = world
        .ledger
        .facts(&ask.caller, &ask.action, world.org, at(9))
        .await;
    let (intent, facts) = (world.intent(&ask), facts.expect("facts"));
    let submission = world.submission(&ask, &intent, &facts);
    let settled = world.ledger.settle(submission).await.expect("an answer");
    assert!(matches!(settled, Settled::KeyReplaced), "{settled:?}");
    assert_eq!(world.audited("secret_written").await, before);
    assert_eq!(left(&world, &keys).await.len(), 1);

    world
        .keys
        .refresh(&stored(&world).await)
        .expect("they open");
    done(world.ask(&ask).await);
    assert!(left(&world, &keys).await.is_empty());
    world.end().await;
}

#[tokio::test]
async fn a_key_is_forgotten_when_no_secret_needs_it_and_a_root_when_no_key_does() {
    let world = World::new().await;
    save(&world, "KEY", "a").await;
    let keys = begin(&world, 8).await;
    let (old, new) = (former().id().to_owned(), root(8).id().to_owned());
    let forget = async |root: &str| {
        let forgotten = world.ledger.forget_roots(root, at(9)).await;
        forgotten.expect("an answer")
    };
    let retire = async || world.ledger.retire_keys(at(9)).await.expect("an answer");

    assert!(retire().await.is_empty());
    assert!(forget(&new).await.is_empty());
    let rows = left(&world, &keys).await;
    let batch = [again(&keys, &rows[0])];
    assert_eq!(world.ledger.reseal(&batch).await.expect("an answer"), 1);
    assert!(
        forget(&new).await.is_empty(),
        "a key is still being replaced"
    );
    assert_eq!(retire().await, std::slice::from_ref(&old));
    assert!(retire().await.is_empty());
    assert!(forget(&old).await.is_empty(), "it is not the newest");
    assert!(forget("unknown").await.is_empty());
    given(&world, &[7]).await;
    assert_eq!(forget(&new).await, [old]);
    assert!(forget(&new).await.is_empty());

    let kept = stored(&world).await;
    assert_eq!(kept.roots, [new]);
    assert!(!kept.is_changing());
    assert!(Keys::open(vec![former()], &kept).is_err());
    let keys = given(&world, &[8]).await;
    assert_eq!(keys.commit(&[], b"v"), world.keys.commit(&[], b"v"));
    assert_eq!(world.audited("keys_rotated").await, 1);
    assert_eq!(world.audited("root_key_forgotten").await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_head_says_where_the_chain_ends_and_what_was_at_an_earlier_entry() {
    let world = World::new().await;
    world.minted(&admin(), "t", at(1)).await;
    let permit = world.permit(Action::AuditRead).await;
    let page = page(None, 10);
    let entries = world.ledger.audit(&permit, &page).await.expect("entries");
    let head = world.ledger.audit_head(1).await.expect("a head");
    assert_eq!((head.seq, &head.hash), (2, &entries[1].hash));
    assert_eq!(head.then.as_ref(), Some(&entries[0].hash));
    assert_eq!(world.ledger.audit_head(9).await.expect("a head").then, None);
    world
        .ledger
        .note_audit_key("ab", at(2))
        .await
        .expect("noted");
    assert_eq!(world.audited("audit_key_made").await, 1);
    world.end().await;
}
