//! The Rust side of `wit/`, generated. Parameters borrow, so that a request or a delta is copied
//! once, straight into the guest's memory.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "host",
    imports: { default: trappable },
    ownership: Borrowing { duplicate_if_necessary: true },
    with: { "patchbay:plugin/context.generation": super::instance::Generation },
});

pub(super) use exports::patchbay::plugin::{
    audit_hook, plugin as about, request_hook, stream_hook,
};
pub(super) use patchbay::plugin::{context, log, metrics, state, system, types};
