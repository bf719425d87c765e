//! Properties of one's own.

use countersign_core::exhaustive::Row;

use super::super::asker::{Asker, Said};
use super::super::point::{Change, Point};
use super::super::{Finding, case};
use super::Search;
use crate::cases::Property;
use crate::module::Answered;

impl<'s> Search<'s> {
    pub(super) fn own(&self, property: &Property, questions: usize, asker: &mut Asker<'s>) {
        let Ok(variants) = property.0.given.variants() else {
            return;
        };
        let each = questions.div_ceil(variants.len()).max(1);
        for (at, variant) in variants.iter().enumerate() {
            for number in 0..each {
                let mut rng = self.rng(at * each + number);
                let changes: Vec<Change> = (0..number.min(3))
                    .map(|_| self.space.draw(&variant.row, &mut rng))
                    .collect();
                let fails = |changes: &[Change], asker: &mut Asker<'s>| {
                    let mut question = variant.row.question();
                    changes.iter().for_each(|change| change.make(&mut question));
                    let is_formed = property.0.given.change(&mut question).is_ok();
                    let answered = match variant.class {
                        Some(_) => self.module.answer(&question, variant.class),
                        None => answered(asker.ask_afresh(&question)),
                    };
                    is_formed && !property.0.expected.mismatches(&answered).is_empty()
                };
                if fails(&changes, asker) {
                    let mut fewest = changes;
                    let mut at = 0;
                    while at < fewest.len() {
                        let mut fewer = fewest.clone();
                        fewer.remove(at);
                        match fails(&fewer, asker) {
                            true => fewest = fewer,
                            false => at += 1,
                        }
                    }
                    return self.found_own(property, &variant.row, fewest);
                }
            }
        }
    }

    fn found_own(&self, property: &Property, row: &Row, changes: Vec<Change>) {
        let name = &property.0.name;
        let point = Point {
            row: row.clone(),
            changes,
        };
        let case = format!(
            "# It breaks the property on line {}, whose `given` is laid over this.\n[[case]]\nname = {}\n{}expect = {{ {} }}\n",
            property.0.line,
            case::quoted(&format!("counterexample to: {name}")),
            case::given(&point),
            property.0.expected.written(),
        );
        let finding = Finding {
            law: name.clone(),
            sentence: "a property of your own does not hold".to_owned(),
            case,
        };
        let mut found = self.lock();
        *found.counted.entry("own").or_default() += 1;
        found.findings.insert(name.clone(), finding);
    }
}

fn answered(said: Said) -> Answered {
    Answered {
        class: said.class,
        verdict: said.verdict,
        notes: Vec::new(),
    }
}
