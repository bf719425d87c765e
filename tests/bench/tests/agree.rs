//! What is timed against each other says the same.

use countersign_bench::Said;
use countersign_bench::cedar::{Cedar, Fields};
use countersign_bench::native::Native;
use countersign_bench::questions::slice;
use countersign_bench::rego::{self, Interpreter, Machine};
use countersign_core::policy::{CallerClass, Question};
use countersign_lab::table::{Answer, Effect, Table};

/// The other engines.
struct Others {
    cedar: Cedar,
    interpreter: Interpreter,
    machine: Machine,
}

impl Others {
    fn new() -> Self {
        Self {
            cedar: Cedar::new().expect("Cedar takes the rules"),
            interpreter: Interpreter::new().expect("regorus takes the rules"),
            machine: Machine::new().expect("regorus compiles the rules"),
        }
    }

    fn ask(&mut self, question: &Question, class: CallerClass) -> [Said; 4] {
        let cedar = |fields| {
            let built = self.cedar.build(question, class, fields)?;
            self.cedar.answer(&built)
        };
        let input = rego::build(question, class);
        [
            cedar(Fields::All),
            cedar(Fields::Read),
            self.interpreter.answer(input.clone()),
            self.machine.answer(input),
        ]
        .map(|said| said.unwrap_or_else(|error| panic!("{question:?}: {error:#}")))
    }
}

#[test]
fn every_engine_answers_every_row_of_the_exhaustive_table_as_the_baseline_does() {
    let text = include_str!("../../../policies/baseline/table.tsv");
    let expected = Table::parse(text).expect("the table can be read");
    let mut others = Others::new();
    let native = Native::default();
    let mut rows = 0;
    for (row, answer) in expected.iter() {
        let question = row.question();
        let (class, verdict) = native.judge(&question);
        assert_eq!(&Answer::new(class, &verdict), answer, "{}", row.key());
        for said in others.ask(&question, class) {
            assert_eq!(said.effect, answer.effect, "{}: {said:?}", row.key());
            // Cedar's denial by default has no rule, and stands for the baseline's last resort.
            let rule = said.rule.as_deref().unwrap_or(&answer.rule);
            assert_eq!(rule, answer.rule, "{}", row.key());
        }
        rows += 1;
    }
    println!("table rows: {rows}, each decided alike by the baseline, Cedar and Rego");
    assert_eq!(rows, expected.len());
}

#[test]
fn every_engine_says_to_the_questions_that_are_timed_what_is_expected() {
    let mut others = Others::new();
    let native = Native::default();
    for asked in slice() {
        let (class, verdict) = native.judge(&asked.question);
        assert_eq!(class, asked.class, "{asked:?}");
        assert_eq!(
            Answer::new(class, &verdict).effect,
            asked.effect,
            "{asked:?}"
        );
        for said in others.ask(&asked.question, class) {
            assert_eq!(said.effect, asked.effect, "{asked:?}: {said:?}");
        }
    }
    let kinds = |effect| {
        slice()
            .iter()
            .filter(|asked| asked.effect == effect)
            .count()
    };
    assert_eq!(
        [Effect::Allow, Effect::Gate, Effect::Deny].map(kinds),
        [2, 1, 2]
    );
}
