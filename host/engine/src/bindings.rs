//! The generated bindings of `wit/policy.wit`. They are private to this crate: beyond `contract` and
//! `instance` nobody names them, and the WIT file is all that host and guest share.

#![allow(missing_docs)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "policy",
    // Strings go in as `&str`: nothing is copied on this side of the call.
    ownership: Borrowing { duplicate_if_necessary: true },
    // `log.write` traps while a module is being configured.
    imports: { default: trappable },
});

pub(crate) use countersign::policy::{log, types};
