//! A compiled component, and fresh instances of it.

use std::time::Duration;

use countersign_core::policy::{CallerClass, Verdict};
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, InstancePre, Lift, Lower,
};
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::bindings::{PolicyPre, types as wit};
use crate::contract;
use crate::debts::free;
use crate::engine::{Counting, Pool};
use crate::failure::Failure;
use crate::guest::{Guest, Notebook};
use crate::spent::Spent;
use crate::{Engine, Limits, LoadError, Settings, compiler, configuration};

/// More instructions than a deadline leaves time for, so that fuel only counts and never ends a call.
const FUEL: u64 = u64::MAX;

/// The only interfaces that a policy may import.
const IMPORTS: [&str; 2] = [
    "countersign:policy/types@0.1.0",
    "countersign:policy/log@0.1.0",
];

/// A component that can be instantiated: compiled, given nothing but its notebook, and found to have
/// the exports of the contract.
pub(crate) struct Compiled {
    engine: Engine,
    pool: Pool,
    component: Component,
    pre: InstancePre<Guest>,
    exports: Exports,
    imports: Vec<String>,
}

struct Exports {
    describe: ComponentExportIndex,
    configure: ComponentExportIndex,
    classify: ComponentExportIndex,
    decide: ComponentExportIndex,
}

impl Compiled {
    pub(crate) fn new(engine: &Engine, bytes: &[u8]) -> Result<Self, LoadError> {
        let component = engine.compiler().compile(engine, bytes)?;
        let compiled = Self::linked(engine, (Pool::Lean, component))?;
        // What cannot be told from outside may be large.
        let pool = match compiled.component.resources_required() {
            Some(resources) => configuration::pool_of(resources.max_initial_memory_size),
            None => Pool::Foreign,
        };
        compiled.moved_to(pool)
    }

    /// The same in `pool`.
    pub(crate) fn moved_to(self, pool: Pool) -> Result<Self, LoadError> {
        if self.pool == pool {
            return Ok(self);
        }
        let component = compiler::again(&self.component, self.engine.wasm_of(pool));
        let component = component.map_err(|error| LoadError::Compile(sentence(&error)))?;
        Self::linked(&self.engine, (pool, component))
    }

    fn linked(engine: &Engine, (pool, component): (Pool, Component)) -> Result<Self, LoadError> {
        let ty = component.component_type();
        let imports = ty.imports(engine.wasm_of(pool));
        let imports: Vec<String> = imports.map(|(name, _)| name.to_owned()).collect();
        if let Some(name) = imports
            .iter()
            .find(|name| !IMPORTS.contains(&name.as_str()))
        {
            return Err(LoadError::Import(crate::text::tame(name, 128)));
        }

        let contract = |error: wasmtime::Error| LoadError::Contract(sentence(&error));
        let pre = engine
            .linker_of(pool)
            .instantiate_pre(&component)
            .map_err(contract)?;
        // Only for its check of the types: the generated lookups check all of them for each instance.
        PolicyPre::new(pre.clone()).map_err(contract)?;
        let export = |name: &str| {
            component
                .get_export_index(None, name)
                .ok_or_else(|| LoadError::Contract(format!("it does not export `{name}`")))
        };
        let exports = Exports {
            describe: export("describe")?,
            configure: export("configure")?,
            classify: export("classify")?,
            decide: export("decide")?,
        };
        Ok(Self {
            engine: engine.clone(),
            pool,
            component,
            pre,
            exports,
            imports,
        })
    }

    /// Where its instances live.
    pub(crate) fn pool(&self) -> Pool {
        self.pool
    }

    /// The interfaces that it imports.
    pub(crate) fn imports(&self) -> &[String] {
        &self.imports
    }

    /// A fresh instance, which has `time` for all that it will do, its own start included.
    pub(crate) fn start(&self, time: Duration, notebook: Notebook) -> Result<Running<'_>, Failure> {
        self.start_with(Guest::new(self.engine.limits(), notebook), time)
    }

    /// [`Compiled::start`] with a guest of one's own making.
    pub(crate) fn start_with(&self, guest: Guest, time: Duration) -> Result<Running<'_>, Failure> {
        let limits = self.engine.limits();
        let mut store = Store::new(self.engine.wasm_of(self.pool), guest);
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(limits.answer_bytes);
        if self.engine.counting_what() == Counting::Fuel {
            let filled = store.set_fuel(FUEL);
            filled.expect("INVARIANT: this engine's code uses fuel");
        }
        let (free, all) = deadlines(limits, time);
        store.set_epoch_deadline(free);
        store.epoch_deadline_callback(move |mut store| match store.data_mut().begin_to_count() {
            true => Ok(UpdateDeadline::Continue(all.saturating_sub(free).max(1))),
            false => Err(Trap::Interrupt.into()),
        });
        match self.pre.instantiate(&mut store) {
            Ok(instance) => Ok(Running {
                compiled: self,
                store,
                instance,
            }),
            Err(error) => Err(self.failure(&store, &error)),
        }
    }

    fn failure(&self, store: &Store<Guest>, error: &wasmtime::Error) -> Failure {
        let refused_memory = store.data().was_refused_memory();
        Failure::of_call(error, refused_memory, self.engine.limits())
    }
}

/// An instance, until it is dropped.
pub(crate) struct Running<'c> {
    compiled: &'c Compiled,
    store: Store<Guest>,
    instance: Instance,
}

impl Running<'_> {
    pub(crate) fn describe(&mut self) -> Result<wit::Manifest, Failure> {
        let (manifest,) = self.call(&self.compiled.exports.describe, ())?;
        Ok(manifest)
    }

    /// The module's own refusal is the inner error.
    pub(crate) fn configure(&mut self, settings: &Settings) -> Result<Result<(), String>, Failure> {
        let values: Vec<Vec<&str>> = settings
            .iter()
            .map(|(_, values)| values.iter().map(String::as_str).collect())
            .collect();
        let settings: Vec<wit::Setting<'_>> = settings
            .iter()
            .zip(&values)
            .map(|((name, _), values)| wit::Setting { name, values })
            .collect();
        let (result,) = self.call(&self.compiled.exports.configure, (settings.as_slice(),))?;
        Ok(result)
    }

    pub(crate) fn classify(&mut self, caller: wit::Caller<'_>) -> Result<CallerClass, Failure> {
        let (class,) = self.call(&self.compiled.exports.classify, (caller,))?;
        Ok(contract::class(class))
    }

    pub(crate) fn decide(&mut self, request: wit::Request<'_>) -> Result<Verdict, Failure> {
        let (verdict,) = self.call(&self.compiled.exports.decide, (request,))?;
        contract::verdict(verdict, self.compiled.engine.limits())
    }

    /// What happens to the notes that it writes from here on.
    pub(crate) fn set_notebook(&mut self, notebook: Notebook) {
        self.store.data_mut().set_notebook(notebook);
    }

    /// Gives it the time of one decision anew.
    pub(crate) fn begin_again(&mut self) {
        let limits = self.compiled.engine.limits();
        let (free, _) = deadlines(limits, limits.decide_time);
        self.store.data_mut().count_anew();
        self.store.set_epoch_deadline(free);
    }

    /// What it used up until now.
    pub(crate) fn spent(&self) -> Spent {
        let left = self.store.get_fuel().ok();
        Spent {
            fuel: left.map(|left| FUEL - left),
            memory_bytes: self.store.data().memory_used(),
        }
    }

    /// How long it ran beyond what is free.
    pub(crate) fn used(&self) -> Duration {
        self.store.data().used()
    }

    /// What it wrote.
    pub(crate) fn into_notes(self) -> Vec<String> {
        self.store.into_data().into_notes()
    }

    /// The store and the instance in it, for what only the snapshot does.
    pub(crate) fn parts(&mut self) -> (&mut Store<Guest>, &Instance) {
        (&mut self.store, &self.instance)
    }

    fn call<P, R>(&mut self, export: &ComponentExportIndex, params: P) -> Result<R, Failure>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        self.instance
            .get_typed_func::<P, R>(&mut self.store, export)
            .and_then(|function| function.call(&mut self.store, params))
            .map_err(|error| self.compiled.failure(&self.store, &error))
    }
}

/// The ticks that are free, and all that there are.
fn deadlines(limits: &Limits, time: Duration) -> (u64, u64) {
    (limits.ticks(free(limits).min(time)), limits.ticks(time))
}

/// wasmtime's words about a module's bytes, for whoever made them.
pub(crate) fn sentence(error: &wasmtime::Error) -> String {
    crate::text::tame(&format!("{error:#}"), 512)
}
