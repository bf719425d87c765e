//! Cases, run against a module.

use std::collections::HashMap;

use countersign_engine::{Engine, Settings};

use crate::cases::{Case, Mismatch, Variant};
use crate::module::{Answered, Module};

/// What became of a case.
#[derive(Clone, Debug)]
pub struct Ran<'c> {
    /// The case.
    pub case: &'c Case,
    /// How many questions it meant.
    pub questions: usize,
    /// Those that were answered otherwise, or why the case could not be run at all.
    pub failures: Result<Vec<Failed>, String>,
}

/// One question of a case that was answered otherwise.
#[derive(Clone, Debug)]
pub struct Failed {
    /// The question.
    pub variant: Variant,
    /// The answer.
    pub answered: Answered,
    /// Where it is otherwise.
    pub mismatches: Vec<Mismatch>,
}

impl Ran<'_> {
    /// Whether every question was answered as expected.
    pub fn passed(&self) -> bool {
        self.failures.as_ref().is_ok_and(Vec::is_empty)
    }
}

/// Runs cases against one module.
pub struct Runner<'e> {
    engine: &'e Engine,
    module: Module,
    /// The module with other settings, by what the cases give beside those that it was loaded with.
    others: HashMap<Settings, Result<Module, String>>,
}

impl<'e> Runner<'e> {
    /// For `module`, with its settings where a case has none.
    pub fn new(engine: &'e Engine, module: Module) -> Self {
        Self {
            engine,
            module,
            others: HashMap::new(),
        }
    }

    /// Runs one case.
    pub fn run<'c>(&mut self, case: &'c Case) -> Ran<'c> {
        let mut questions = 0;
        let failures = self.module(&case.settings).and_then(|module| {
            let variants = case.given.variants()?;
            questions = variants.len();
            let failed = variants.into_iter().filter_map(|variant| {
                let answered = module.answer(&variant.question, variant.class);
                let mismatches = case.expected.mismatches(&answered);
                (!mismatches.is_empty()).then_some(Failed {
                    variant,
                    answered,
                    mismatches,
                })
            });
            Ok(failed.collect())
        });
        Ran {
            case,
            questions,
            failures,
        }
    }

    fn module(&mut self, settings: &Settings) -> Result<Module, String> {
        if settings.iter().next().is_none() {
            return Ok(self.module.clone());
        }
        let (engine, module) = (self.engine, &self.module);
        let other = self.others.entry(settings.clone()).or_insert_with(|| {
            let given = module.proven().settings().clone();
            let all = settings
                .iter()
                .fold(given, |all, (name, values)| all.with(name, values.clone()));
            let other = module.with_settings(engine, &all);
            other.map_err(|error| error.to_string())
        });
        other.clone()
    }
}
