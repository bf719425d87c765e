//! What decided, beside what policies in shadow would have decided.

use countersign_core::shadow::Beside;
use countersign_core::strictness::Change;
use countersign_core::verdict::Judgement;

use super::{Fact, Voice, of_ruling};

/// The two, line by line.
pub(super) struct Compared {
    pub(super) change: &'static str,
    pub(super) rows: Vec<Row>,
    /// What each module would have said.
    pub(super) voices: Vec<Voice>,
}

/// One thing that is said of both.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) was: Vec<String>,
    pub(super) would_be: Vec<String>,
}

impl Row {
    pub(super) fn differs(&self) -> bool {
        self.was != self.would_be
    }
}

impl Compared {
    pub(super) fn new(was: &Judgement, beside: &Beside) -> Self {
        let would_be = &beside.would_be;
        let sides = [facts(was), facts(would_be)];
        let mut rows: Vec<Row> = Vec::new();
        for fact in sides.iter().flatten() {
            if rows.iter().any(|row| row.name == fact.name) {
                continue;
            }
            let [was, would_be] = [&sides[0], &sides[1]].map(|side| {
                let of_name = side.iter().filter(|other| other.name == fact.name);
                of_name.map(|fact| fact.value.clone()).collect()
            });
            rows.push(Row {
                name: fact.name.clone(),
                was,
                would_be,
            });
        }
        Self {
            change: match beside.change {
                Change::Looser => "They would have let more happen.",
                Change::Mixed => {
                    "They would have let more happen in one respect, and less in another."
                }
                Change::Tighter => "They would have let less happen.",
                Change::Same => {
                    "It would have come to the same, by another rule or in other words."
                }
            },
            rows,
            voices: would_be.opinions.iter().map(Voice::new).collect(),
        }
    }
}

fn facts(judgement: &Judgement) -> Vec<Fact> {
    let ruling = &judgement.ruling;
    let mut facts = vec![
        Fact::new("ruling", ruling.effect()),
        Fact::new("because", &*ruling.ground().reason),
        Fact::new("taken for", judgement.class.as_str()),
    ];
    facts.extend(of_ruling(ruling));
    facts
}
