//! Cases, run against a module.

mod asked;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_engine::{Engine, Proven, Settings};

pub use self::asked::{Call, Failed};

pub(crate) use self::asked::{Asked, OutOfTime};
use crate::cases::Case;
use crate::module::Module;

/// What became of a case.
#[derive(Clone, Debug)]
pub struct Ran<'c> {
    /// The case.
    pub case: &'c Case,
    /// How many questions it meant.
    pub questions: usize,
    /// Those that were answered otherwise, or why the case could not be run at all.
    pub failures: Result<Vec<Failed>, String>,
    /// How long it took.
    pub took: Duration,
}

impl<'c> Ran<'c> {
    /// Asks `module` all that `case` means, or says why there is no module to ask.
    pub fn of(case: &'c Case, module: Result<&Module, &String>) -> Self {
        let began = Instant::now();
        let mut questions = 0;
        let failures = module.map_err(Clone::clone).and_then(|module| {
            let asked = Asked::of(case, module)?;
            let variants = case.given.variants()?;
            questions = variants.len();
            // Nobody waits for more than the module's own time.
            let failed = variants
                .into_iter()
                .filter_map(|variant| asked.failed(variant).ok().flatten());
            Ok(failed.collect())
        });
        Self {
            case,
            questions,
            failures,
            took: began.elapsed(),
        }
    }

    /// Whether every question was answered as expected.
    pub fn passed(&self) -> bool {
        self.failures.as_ref().is_ok_and(Vec::is_empty)
    }
}

/// Runs cases against one module.
pub struct Runner<'e> {
    engine: &'e Engine,
    component: Arc<[u8]>,
    /// The settings under those of the cases.
    base: Settings,
    /// Who says what kind of caller asks, where the module does not.
    classifier: Arc<Proven>,
    /// The module under the settings that cases have, by what these give.
    modules: HashMap<Settings, Result<Module, String>>,
}

impl<'e> Runner<'e> {
    /// For `module`, with its settings where a case has none.
    pub fn new(engine: &'e Engine, module: Module) -> Self {
        Self {
            engine,
            component: module.proven().bytes().into(),
            base: module.proven().settings().clone(),
            classifier: Arc::clone(module.classifier()),
            modules: HashMap::from([(Settings::new(), Ok(module))]),
        }
    }

    /// For the component of `module` with its defaults, whatever settings `module` has.
    pub fn at_defaults(engine: &'e Engine, module: &Module) -> Self {
        let component = module.proven().bytes();
        let mut runner = Self::of_component(engine, component, module.classifier());
        let proven = module.proven();
        let specs = &proven.manifest().settings;
        let is_default = |spec: &countersign_engine::SettingSpec| {
            proven.settings().get(&spec.name) == Some(&spec.default)
        };
        if specs.iter().all(is_default) {
            runner.modules = HashMap::from([(Settings::new(), Ok(module.clone()))]);
        }
        runner
    }

    /// For the module of `component`, which is not proven yet, with its defaults.
    pub fn of_component(engine: &'e Engine, component: &[u8], classifier: &Arc<Proven>) -> Self {
        Self {
            engine,
            component: component.into(),
            base: Settings::new(),
            classifier: Arc::clone(classifier),
            modules: HashMap::new(),
        }
    }

    /// Runs one case.
    pub fn run<'c>(&mut self, case: &'c Case) -> Ran<'c> {
        let module = self.module(&case.settings);
        Ran::of(case, module.as_ref())
    }

    /// The module under the settings of a case, or why there is none.
    pub fn module(&mut self, settings: &Settings) -> Result<Module, String> {
        if let Some(known) = self.modules.get(settings) {
            return known.clone();
        }
        let all = settings
            .iter()
            .fold(self.base.clone(), |all, (name, values)| {
                all.with(name, values.clone())
            });
        let proven = self.engine.prove(&self.component, &all);
        let module = proven
            .map(|proven| Module::beside(proven, &self.classifier))
            .map_err(|error| error.to_string());
        self.modules.insert(settings.clone(), module.clone());
        module
    }
}
