//! The baseline answers every row of the exhaustive table as `policies/baseline/table.tsv` says: the
//! component that is committed, the one that its source makes today, and the source itself, natively.
//!
//! `COUNTERSIGN_BLESS=1` writes the table anew from the native baseline. What it changes is a change of
//! what agents may do, and is reviewed as one; [`rules`] hold whoever wrote the rows.

mod native;
mod rules;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use countersign_core::exhaustive;
use countersign_core::policy::{CallerClass, Question, Verdict};
use countersign_core::ports::Judge as _;
use countersign_engine::{BASELINE, CLASSIFIER, Engine, Generation, Limits, PolicySet, Settings};
use countersign_lab::table::{Answer, Effect, Table};
use sha2::{Digest as _, Sha256};

use native::Native;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/baseline");

/// The table as it is committed.
static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let path = Path::new(FOLDER).join("table.tsv");
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        let native = Native::default();
        let table = Table::of(|question| answer(&native.judge(question)));
        std::fs::write(&path, table.to_string()).expect("the table can be written");
    }
    let text = std::fs::read_to_string(path).expect("the table can be read");
    Table::parse(&text).unwrap_or_else(|error| panic!("policies/baseline/table.tsv: {error}"))
});

/// What one module, alone, makes of a question: the class that it gives, and its whole verdict.
type Opinion = (CallerClass, Verdict);

fn answer((class, verdict): &Opinion) -> Answer {
    Answer::new(*class, verdict)
}

/// A component, judging alone in the sandbox.
struct Sandboxed(Generation);

impl Sandboxed {
    fn new(component: &[u8]) -> Self {
        let engine = Engine::new(Limits::default()).expect("the default limits hold");
        let proven = engine
            .prove(component, &Settings::new())
            .expect("the baseline proves");
        let set = PolicySet::check(vec![proven.into()], CLASSIFIER)
            .expect("the baseline has an answer to everything");
        Self(Generation::new(1, set))
    }

    fn judge(&self, question: &Question) -> Opinion {
        let mut judgement = self.0.judge(question);
        let standing = Answer::from(&judgement);
        let opinion = judgement.opinions.remove(0);
        let verdict = opinion.verdict.expect("the baseline does not fail");
        let own = answer(&(judgement.class, verdict.clone()));
        assert_eq!(own, standing, "what one module says alone is what stands");
        (judgement.class, verdict)
    }
}

/// The component that the source makes: the one that was built before the tests, or else one built now.
fn rebuilt() -> Vec<u8> {
    if let Some(path) = std::env::var_os("COUNTERSIGN_REBUILT_BASELINE") {
        return std::fs::read(PathBuf::from(path)).expect("COUNTERSIGN_REBUILT_BASELINE is a file");
    }
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let out = folder.path().join("baseline.wasm");
    match countersign_lab::build::build(Path::new(FOLDER), &out) {
        Ok(built) => built.bytes,
        Err(error) => panic!("cannot build the baseline: {error}"),
    }
}

/// Every row on which the two disagree, or nothing.
fn compare(expected: &Table, found: &Table) -> Result<(), String> {
    let differences = expected.differences(found);
    if differences.is_empty() {
        return Ok(());
    }
    let shown: Vec<_> = differences
        .iter()
        .take(20)
        .map(ToString::to_string)
        .collect();
    let (count, shown) = (differences.len(), shown.join("\n"));
    Err(format!("{count} rows differ, the first of them:\n{shown}"))
}

#[test]
fn the_rebuilt_the_committed_and_the_native_baseline_decide_alike_and_as_the_table_says() {
    let rebuilt = Sandboxed::new(&rebuilt());
    let committed = Sandboxed::new(BASELINE);
    let native = Native::default();

    let found = Table::of(|question| {
        let expected = native.judge(question);
        // More than the table holds: reasons, quorums, lives and advice as well.
        assert_eq!(
            committed.judge(question),
            expected,
            "committed and native: {question:?}"
        );
        assert_eq!(
            rebuilt.judge(question),
            expected,
            "rebuilt and native: {question:?}"
        );
        answer(&expected)
    });
    if let Err(differences) = compare(&TABLE, &found) {
        panic!("{differences}");
    }
    println!(
        "table rows: {}, each decided alike by the rebuilt, the committed and the native baseline",
        found.len()
    );
}

#[test]
fn the_table_has_every_row_of_the_exhaustive_table_and_no_other() {
    let expected: Vec<_> = exhaustive::rows().map(|row| row.key()).collect();
    let missing: Vec<_> = exhaustive::rows()
        .filter(|row| TABLE.get(row).is_none())
        .map(|row| row.key())
        .collect();
    assert_eq!(missing, Vec::<String>::new());
    assert_eq!(TABLE.len(), expected.len());
}

#[test]
fn one_flipped_row_fails_the_comparison_whatever_is_flipped_in_it() {
    type Flip = (&'static str, fn(&mut Answer));
    const FLIPS: [Flip; 3] = [
        ("class", |answer| {
            answer.class = match answer.class {
                CallerClass::Agent => CallerClass::Service,
                _ => CallerClass::Agent,
            }
        }),
        ("verdict", |answer| {
            answer.effect = match answer.effect {
                Effect::Deny => Effect::Allow,
                _ => Effect::Deny,
            }
        }),
        ("rule", |answer| answer.rule.push('x')),
    ];
    // A prime stride: every verb and every credential is hit.
    for (target, _) in TABLE.iter().step_by(31) {
        for (column, flip) in &FLIPS {
            let flipped: Table = TABLE
                .iter()
                .map(|(row, answer)| {
                    let mut answer = answer.clone();
                    if row == target {
                        flip(&mut answer);
                    }
                    (row.clone(), answer)
                })
                .collect();
            let report = compare(&flipped, &TABLE).expect_err(&format!(
                "a flipped {column} of `{}` went unnoticed",
                target.key()
            ));
            assert!(report.starts_with("1 rows differ"), "{report}");
            assert!(
                report.contains(&format!("{}: expected", target.key())),
                "{report}"
            );
        }
    }
}

#[test]
fn a_missing_row_fails_the_comparison() {
    let fewer: Table = TABLE
        .iter()
        .skip(1)
        .map(|(row, answer)| (row.clone(), answer.clone()))
        .collect();
    assert!(compare(&fewer, &TABLE).is_err());
    assert!(compare(&TABLE, &fewer).is_err());
}

#[test]
fn the_committed_component_is_the_embedded_one_and_has_the_committed_digest() {
    let committed =
        std::fs::read(Path::new(FOLDER).join("baseline.wasm")).expect("the component is committed");
    assert_eq!(
        committed, BASELINE,
        "the host embeds another component than is committed"
    );
    let digest: String = Sha256::digest(BASELINE)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let noted = std::fs::read_to_string(Path::new(FOLDER).join("baseline.wasm.sha256"))
        .expect("its digest is committed");
    assert_eq!(noted, format!("{digest}  baseline.wasm\n"));
}
