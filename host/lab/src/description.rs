//! What a module is and asks for, and which rules it names.

use countersign_core::policy::CallerClass;
use countersign_engine::{CONTRACT, Manifest, Mode, Settings};
use serde::Serialize;

use crate::answers::{Answers, Seen};
use crate::module::Module;
use crate::{bundled, vet};

/// What a module is and asks for.
#[derive(Clone, Debug, Serialize)]
pub struct Description {
    /// What it says of itself.
    #[serde(flatten)]
    pub manifest: Manifest,
    /// SHA-256 of its component, in hex.
    pub digest: String,
    /// The contract that it is written against, which is the one of this host.
    pub contract: &'static str,
    /// The size of its component, its cases included.
    pub bytes: usize,
    /// How many cases it carries.
    pub cases: usize,
    /// Why a host does not understand them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases_problem: Option<String>,
    /// The size of its cases.
    pub cases_bytes: usize,
    /// How its decisions get their settings.
    pub mode: Mode,
    /// The interfaces that it imports.
    pub imports: Vec<String>,
    /// What it is set to, defaults included.
    pub values: Settings,
    /// Whether it says itself what kind of caller asks.
    pub classifies: bool,
    /// The rules that it names over the exhaustive table, the most frequent first.
    pub rules: Vec<Named>,
    /// What callers are taken for, over the exhaustive table.
    pub classes: Vec<Counted>,
}

/// A rule, and how often it is named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// `allow`, `gate`, `deny`, `abstain`, `fails`.
    pub verdict: &'static str,
    /// Its name, or why the module fails; empty where it has nothing to say.
    pub rule: String,
    /// In how many rows.
    pub rows: usize,
}

/// A class, and how many callers are of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The class; none where the classifier fails.
    pub class: Option<CallerClass>,
    /// In how many rows.
    pub rows: usize,
}

impl Description {
    /// Of `module`, which gave these answers.
    pub fn of(module: &Module, answers: &Answers) -> Self {
        let proven = module.proven();
        let file = vet::bundled(proven.bytes());
        let cases = bundled::cases(proven.bytes()).ok().flatten();
        let mut rules: Vec<Named> = Vec::new();
        let mut classes: Vec<Counted> = Vec::new();
        for (_, answered) in answers.iter() {
            let Seen { class, outcome } = Seen::of(answered);
            let (verdict, rule) = (outcome.word(), outcome.rule());
            let known = rules
                .iter_mut()
                .find(|named| (named.verdict, named.rule.as_str()) == (verdict, rule));
            match known {
                Some(named) => named.rows += 1,
                None => rules.push(Named {
                    verdict,
                    rule: rule.to_owned(),
                    rows: 1,
                }),
            }
            match classes.iter_mut().find(|counted| counted.class == class) {
                Some(counted) => counted.rows += 1,
                None => classes.push(Counted { class, rows: 1 }),
            }
        }
        rules.sort_by(|a, b| (b.rows, &a.rule).cmp(&(a.rows, &b.rule)));
        classes.sort_by_key(|counted| std::cmp::Reverse(counted.rows));
        Self {
            manifest: proven.manifest().clone(),
            digest: proven.id().digest.clone(),
            contract: CONTRACT,
            bytes: proven.bytes().len(),
            cases: file.as_ref().map_or(0, |file| file.cases.len()),
            cases_problem: file.err().map(|error| error.to_string()),
            cases_bytes: cases.map_or(0, str::len),
            mode: proven.mode(),
            imports: proven.imports().to_vec(),
            values: proven.settings().clone(),
            classifies: module.is_classifier(),
            rules,
            classes,
        }
    }
}
