//! What wit-bindgen makes of `wit/policy.wit`.
//!
//! Public because what [`export!`](crate::export) expands to, in a policy's own crate, calls into it;
//! nobody else names this module. The types are re-exported at the crate's root.

#![allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic)]

wit_bindgen::generate!({
    world: "policy",
    path: "../../wit",
    additional_derives: [PartialEq],
    pub_export_macro: true,
    export_macro_name: "export_component",
    default_bindings_module: "countersign_policy::bindings",
    runtime_path: "::wit_bindgen::rt",
});
