use std::convert::Infallible;

use serde_json::json;

use super::super::{Event, EventKind, GENESIS, HeadKey};
use super::*;

fn chain(n: i64) -> Vec<Entry> {
    let mut previous = GENESIS.to_owned();
    let link = |seq| {
        let event = Event {
            kind: EventKind::SecretWritten,
            actor: "admin-token".to_owned(),
            detail: json!({ "n": seq, "name": "ä\"\n" }),
        };
        let entry = Entry::link(seq, Timestamp::from_micros(seq * 7), &event, &previous);
        previous.clone_from(&entry.hash);
        entry
    };
    (1..=n).map(link).collect()
}

fn key() -> HeadKey {
    HeadKey::from_seed(&[1; 32])
}

fn head(entry: &Entry) -> SignedHead {
    key().sign(entry.seq, &entry.hash, Timestamp::from_micros(1_000))
}

fn lines<T: serde::Serialize>(items: &[T]) -> Vec<Result<String, Infallible>> {
    let line = |item| Ok(serde_json::to_string(item).expect("JSON"));
    items.iter().map(line).collect()
}

fn check(entries: &[Entry], signed: &[SignedHead], keys: &[String]) -> Result<Whole, ExportError> {
    let mut heads = Heads::default();
    let Ok(taken) = heads.take_lines(lines(signed).into_iter(), keys);
    taken?;
    let Ok(checked) = heads.check(lines(entries).into_iter());
    checked
}

#[test]
fn a_whole_export_holds_with_its_heads_and_without() {
    let entries = chain(5);
    let whole = check(&entries, &[], &[]).expect("it holds");
    assert_eq!((whole.entries, whole.heads, whole.newest), (5, 0, None));
    let signed = [head(&entries[1]), head(&entries[4])];
    let keys = [key().public_key().to_uppercase()];
    let whole = check(&entries, &signed, &keys).expect("it holds");
    assert_eq!((whole.entries, whole.heads), (5, 2));
    assert_eq!(whole.newest, Some((5, Timestamp::from_micros(1_000))));
}

#[test]
fn a_cut_tail_shows_by_a_head_that_was_signed_before() {
    let entries = chain(5);
    let at = Timestamp::from_micros(1_000);
    assert_eq!(
        check(&entries[..4], &[head(&entries[4])], &[]),
        Err(ExportError::Cut { end: 4, seq: 5, at })
    );
    assert!(check(&entries[..4], &[], &[]).is_ok());
}

#[test]
fn a_chain_that_was_written_anew_shows_by_a_head_that_was_signed_before() {
    let entries = chain(5);
    let signed = head(&entries[2]);
    let mut previous = GENESIS.to_owned();
    let anew: Vec<_> = entries
        .iter()
        .map(|entry| {
            let mut entry = entry.clone();
            entry.actor = "somebody-else".to_owned();
            entry.previous.clone_from(&previous);
            entry.hash = entry.computed_hash();
            previous.clone_from(&entry.hash);
            entry
        })
        .collect();
    assert!(check(&anew, &[], &[]).is_ok(), "by itself it is a chain");
    let at = signed.at;
    assert_eq!(
        check(&anew, &[signed], &[]),
        Err(ExportError::Rewritten { seq: 3, at })
    );
}

#[test]
fn a_changed_entry_and_a_missing_one_show() {
    let entries = chain(5);
    let mut changed = entries.clone();
    changed[2].detail = json!({});
    assert_eq!(
        check(&changed, &[], &[]),
        Err(ExportError::Chain(ChainError::Changed(3)))
    );
    let mut missing = entries;
    missing.remove(0);
    assert!(matches!(
        check(&missing, &[], &[]),
        Err(ExportError::Chain(ChainError::Gap { expected: 1, .. }))
    ));
}

#[test]
fn a_head_that_is_forged_or_of_a_stranger_is_not_believed() {
    let entries = chain(2);
    let mut forged = head(&entries[1]);
    forged.seq = 1;
    assert_eq!(check(&entries, &[forged], &[]), Err(ExportError::Forged(1)));
    let stranger =
        HeadKey::from_seed(&[2; 32]).sign(2, &entries[1].hash, Timestamp::from_micros(0));
    let public_key = stranger.public_key.clone();
    assert_eq!(
        check(&entries, &[stranger], &[key().public_key().to_owned()]),
        Err(ExportError::Stranger { seq: 2, public_key })
    );
}

#[test]
fn a_line_that_is_nothing_is_named_but_for_an_unfinished_one_at_the_end_of_the_heads() {
    let entries = chain(2);
    let mut torn = lines(&entries);
    torn[1] = Ok("{\"seq\":2,".to_owned());
    let Ok(checked) = Heads::default().check(torn.into_iter());
    assert_eq!(checked, Err(ExportError::Line(2)));

    let mut signed = lines(&[head(&entries[0])]);
    signed.push(Ok("{\"seq\":2,".to_owned()));
    let Ok(taken) = Heads::default().take_lines(signed.clone().into_iter(), &[]);
    assert_eq!(taken, Ok(()));
    signed.push(signed[0].clone());
    let Ok(taken) = Heads::default().take_lines(signed.into_iter(), &[]);
    assert_eq!(taken, Err(ExportError::Line(2)));
}

#[test]
fn heads_may_be_in_the_same_file() {
    let entries = chain(3);
    let mut all = lines(&entries);
    all.extend(lines(&[head(&entries[2])]));
    let mut heads = Heads::default();
    let Ok(taken) = heads.take_lines(all.clone().into_iter(), &[]);
    assert_eq!(taken, Ok(()));
    let Ok(checked) = heads.check(all.into_iter());
    assert_eq!(checked.map(|whole| whole.heads), Ok(1));
}
