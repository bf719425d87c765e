use super::*;
use crate::chance::OsChance;

fn root(byte: u8) -> RootKey {
    RootKey::new([byte; 32])
}

/// What a ledger keeps that was made under `root`.
fn kept(root: &RootKey) -> StoredKeys {
    StoredKeys {
        roots: vec![root.id().to_owned()],
        keys: Keys::first(root, &OsChance),
    }
}

/// The same, after [`Keys::change_root`].
fn changed(mut stored: StoredKeys, change: RootChange) -> StoredKeys {
    for key in &mut stored.keys {
        key.is_active &= key.purpose != Purpose::Seal;
    }
    let is_active = |key: &WrappedKey| key.purpose != Purpose::Seal || key.id == change.sealing;
    for mut key in change.keys {
        key.is_active = is_active(&key);
        stored.keys.push(key);
    }
    stored.roots.push(change.root);
    stored
}

#[test]
fn a_commitment_depends_on_key_context_and_value() {
    let keys = Keys::new(&root(1));
    let others = Keys::new(&root(2));
    let base = keys.commit(&["a", "b"], b"value");
    assert_eq!(base, keys.commit(&["a", "b"], b"value"));
    assert_ne!(base, others.commit(&["a", "b"], b"value"));
    assert_ne!(base, keys.commit(&["ab", ""], b"value"));
    assert_ne!(base, keys.commit(&["a", "b"], b"other"));
    assert!(!base.contains("value"));
}

#[test]
fn stored_keys_open_to_their_root_alone() {
    let stored = kept(&root(1));
    let keys = Keys::open(vec![root(1)], &stored).expect("they open");
    assert_eq!(
        keys.commit(&[], b"v"),
        Keys::new(&root(1)).commit(&[], b"v")
    );
    assert!(matches!(
        Keys::open(vec![root(2)], &stored),
        Err(KeysError::Foreign)
    ));
}

#[test]
fn a_stored_key_that_was_changed_or_put_in_the_place_of_another_does_not_open() {
    let stored = kept(&root(1));
    let damaged = |change: &dyn Fn(&mut Vec<WrappedKey>)| {
        let mut stored = stored.clone();
        change(&mut stored.keys);
        matches!(
            Keys::open(vec![root(1)], &stored),
            Err(KeysError::Damaged(_) | KeysError::Foreign)
        )
    };
    assert!(damaged(&|keys| keys[0].bytes[20] ^= 1));
    assert!(damaged(&|keys| keys[0].bytes.truncate(9)));
    assert!(damaged(&|keys| keys[0].bytes = keys[1].bytes.clone()));
    assert!(damaged(&|keys| keys[0].purpose = Purpose::Seal));
    assert!(damaged(&|keys| keys.truncate(2)));
    assert!(!damaged(&|_| {}));
}

#[test]
fn while_one_root_replaces_another_both_open_everything_and_commitments_stay() {
    let before = kept(&root(1));
    let old = Keys::open(vec![root(1)], &before).expect("they open");
    let both = Keys::open(vec![root(2), root(1)], &before).expect("they open");
    let stored = changed(before, both.change_root(&OsChance));

    let new = Keys::open(vec![root(2)], &stored).expect("the new root opens");
    let late = Keys::open(vec![root(1)], &stored).expect("the old root opens");
    let first = old.sealing();
    old.refresh(&stored).expect("the old root still opens");
    for keys in [&new, &late, &old] {
        assert_ne!(keys.sealing().id(), first.id());
        assert_eq!(keys.sealing().id(), new.sealing().id());
        let opening = keys.opening(first.id()).expect("it is kept");
        assert_eq!(opening.bytes(), first.bytes());
        assert_eq!(keys.commit(&[], b"v"), new.commit(&[], b"v"));
        assert_eq!(keys.fingerprint("t"), new.fingerprint("t"));
    }
}

#[test]
fn what_was_once_in_the_ring_stays_there() {
    let before = kept(&root(1));
    let both = Keys::open(vec![root(2), root(1)], &before).expect("they open");
    let first = both.sealing();
    let mut stored = changed(before, both.change_root(&OsChance));
    stored.keys.retain(|key| key.id != first.id());
    both.refresh(&stored).expect("they open");
    assert!(both.opening(first.id()).is_some());
    assert_ne!(both.sealing().id(), first.id());
}

#[test]
fn a_host_whose_root_was_forgotten_keeps_what_it_has() {
    let keys = Keys::open(vec![root(1)], &kept(&root(1))).expect("they open");
    let sealing = keys.sealing();
    assert_eq!(keys.refresh(&kept(&root(2))), Err(KeysError::Foreign));
    assert_eq!(keys.sealing().id(), sealing.id());
}

#[test]
fn hex_is_read_as_it_was_written_and_nothing_else() {
    assert_eq!(from_hex(&hex(&[0, 171, 255])), Some([0, 171, 255]));
    for bad in ["", "00ab", "00abf", "00abfg", "+0abff", "00abff0"] {
        assert_eq!(from_hex::<3>(bad), None, "{bad}");
    }
}
