use countersign_core::exhaustive;
use proptest::prelude::*;

use super::*;
use crate::table::Table;

fn baseline() -> Table {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../policies/baseline/table.tsv"
    );
    let text = std::fs::read_to_string(path).expect("the table can be read");
    Table::parse(&text).expect("it is a table")
}

/// A fold gives back exactly the rows that went in, each once.
#[track_caller]
fn unfolds<A: Clone + Eq + std::fmt::Debug>(rows: &BTreeMap<Row, A>) -> Folded<A> {
    let folded = Folded::of(rows.iter().map(|(row, answer)| (row, answer.clone())));
    let back: Vec<(Row, A)> = folded
        .rows()
        .map(|(row, answer)| (row, answer.clone()))
        .collect();
    assert_eq!(back.len(), rows.len(), "no row is there twice");
    let back: BTreeMap<Row, A> = back.into_iter().collect();
    assert_eq!(&back, rows);
    folded
}

fn some_rows(answers: Vec<u8>, verbs: usize, kept: &[bool]) -> BTreeMap<Row, u8> {
    let some: BTreeSet<Verb> = exhaustive::rows().map(|row| row.verb).collect();
    let some: BTreeSet<Verb> = some.into_iter().skip(verbs).take(3).collect();
    exhaustive::rows()
        .filter(|row| some.contains(&row.verb))
        .zip(answers.into_iter().cycle())
        .zip(kept.iter().cycle())
        .filter_map(|(row, kept)| kept.then_some(row))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_folded_can_be_unfolded_whatever_the_answers_are(
        answers in prop::collection::vec(0u8..3, 1..300),
        verbs in 0usize..16,
        kept in prop::collection::vec(prop::bool::weighted(0.9), 1..50),
    ) {
        unfolds(&some_rows(answers, verbs, &kept));
    }

    /// Answers of a rule that looks at few things, as a policy's do, fold to few lines.
    #[test]
    fn an_answer_that_depends_on_one_thing_takes_a_line_for_each_alternative(
        credential in 0usize..8, role in 0usize..4,
    ) {
        let one = |row: &Row| {
            row.credential == Credential::ALL[credential] && row.role == Role::ALL[role]
        };
        let rows: BTreeMap<Row, bool> =
            exhaustive::rows().map(|row| (row.clone(), one(&row))).collect();
        let folded = unfolds(&rows);
        prop_assert_eq!((folded.groups().len(), folded.len()), (1, 3));
    }
}

#[test]
fn the_baseline_folds_to_two_pages_and_back() {
    let table = baseline();
    let rows = table
        .iter()
        .map(|(row, answer)| (row.clone(), answer.clone()));
    let folded = unfolds(&rows.collect());
    assert!(folded.len() < 70, "{} lines", folded.len());
}

#[test]
fn an_answer_to_everything_is_one_line() {
    let rows: BTreeMap<Row, ()> = exhaustive::rows().map(|row| (row, ())).collect();
    assert_eq!(unfolds(&rows).len(), 1);
}

#[test]
fn no_rows_fold_to_nothing() {
    assert!(unfolds::<()>(&BTreeMap::new()).is_empty());
}
