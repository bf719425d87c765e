//! The state that `configure` left, made part of the component.
//!
//! The component is instrumented so that it shows its memories and globals, configured under the
//! limits of any other instance, and written anew with what they then hold. What the instrumenting
//! cannot see (tables that change, nested modules) it refuses, and such a module is configured anew
//! for each decision.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::component::{ComponentNamedList, Lift, WasmList};
use wasmtime::{Store, error::format_err};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use crate::configuration::SNAPSHOT_BYTES;
use crate::guest::{Guest, Notebook};
use crate::instance::{Compiled, Running};
use crate::{Engine, LoadError, Settings};

/// Configures the component of `bytes` and returns one that is configured; `None` if that cannot be
/// done for this component.
pub(crate) fn configured(
    engine: &Engine,
    bytes: &[u8],
    settings: &Settings,
) -> Result<Option<Compiled>, LoadError> {
    // The rewriting asserts what it has not refused. A component made to break that must not take the
    // host along; nothing of what is shared with it is used again.
    let rewritten = catch_unwind(AssertUnwindSafe(|| rewritten(engine, bytes, settings)));
    let Ok(rewritten) = rewritten else {
        tracing::warn!("a policy module broke the snapshot; it is configured for each decision");
        return Ok(None);
    };
    match rewritten? {
        None => Ok(None),
        // A component that only its snapshot makes impossible can still run without.
        Some(rewritten) => Ok(Compiled::new(engine, &rewritten).ok()),
    }
}

fn rewritten(
    engine: &Engine,
    bytes: &[u8],
    settings: &Settings,
) -> Result<Option<Vec<u8>>, LoadError> {
    let mut wizer = Wizer::new();
    // Without it, a core function that happens to be called as the default would be taken away.
    wizer.keep_init_func(true);
    let Ok((context, instrumented)) = wizer.instrument_component(bytes) else {
        return Ok(None);
    };
    let Ok(instrumented) = Compiled::new(engine, &instrumented) else {
        return Ok(None);
    };

    let limits = engine.limits();
    let guest = Guest::new(limits, Notebook::Forbidden);
    let mut running = instrumented
        .start_with(guest, limits.configure_time)
        .map_err(|failure| LoadError::Configure(failure.into()))?;
    configure(&mut running, settings)?;

    let (store, _) = running.parts();
    store.data_mut().grant_memory(SNAPSHOT_BYTES);
    store.set_hostcall_fuel(usize::MAX);
    let mut inside = Inside {
        running: &mut running,
        error: None,
    };
    let snapshot = ready(wizer.snapshot_component(&context, &mut inside));
    match (inside.error, snapshot) {
        (None, Some(Ok(snapshot))) => Ok(Some(snapshot)),
        (error, _) => {
            tracing::debug!(error = error.map(|e| format!("{e:#}")), "no snapshot");
            Ok(None)
        }
    }
}

/// Hands the settings over, while the module is proven.
pub(crate) fn configure(running: &mut Running<'_>, settings: &Settings) -> Result<(), LoadError> {
    running
        .configure(settings)
        .map_err(|failure| LoadError::Configure(failure.into()))?
        .map_err(|refusal| LoadError::Refused(crate::text::tame(&refusal, 512)))
}

/// The result of a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// The instrumented instance, which shows what is inside. Its answers have no room for an error, so the
/// first one is kept here and whatever is made of the zeros after it is thrown away.
struct Inside<'r, 'c> {
    running: &'r mut Running<'c>,
    error: Option<wasmtime::Error>,
}

impl Inside<'_, '_> {
    fn get<R>(&mut self, instance: &str, function: &str) -> R
    where
        R: Lift + Default + 'static,
    {
        self.show(instance, function, |_, value: R| value)
            .unwrap_or_default()
    }

    fn show<R, S>(
        &mut self,
        instance: &str,
        function: &str,
        see: impl FnOnce(&mut Store<Guest>, R) -> S,
    ) -> Option<S>
    where
        R: Lift + 'static,
        (R,): ComponentNamedList + Lift,
    {
        if self.error.is_some() {
            return None;
        }
        let (store, inside) = self.running.parts();
        let shown = (|| {
            let absent = || format_err!("no function `{function}` in `{instance}`");
            let instance = inside.get_export_index(&mut *store, None, instance);
            let function = inside
                .get_export_index(&mut *store, Some(&instance.ok_or_else(absent)?), function)
                .ok_or_else(absent)?;
            let function = inside.get_typed_func::<(), (R,)>(&mut *store, function)?;
            let (value,) = function.call(&mut *store, ())?;
            Ok(see(store, value))
        })();
        shown.map_err(|error| self.error = Some(error)).ok()
    }
}

impl ComponentInstanceState for Inside<'_, '_> {
    async fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        func: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        self.show(instance, func, |store, list: WasmList<u8>| {
            contents(list.as_le_slice(&*store));
        });
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.get(instance, func)
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.get(instance, func)
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.get::<f32>(instance, func).to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.get::<f64>(instance, func).to_bits()
    }
}
